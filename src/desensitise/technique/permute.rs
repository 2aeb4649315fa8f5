//! The technique `permute`: the cells of a column in another order of rows, which a key draws.

use std::fmt;

use arrow_array::{Array, ArrayRef};

use super::{
    About, Collect, Emitted, Given, Kernel, KeyAsked, Method, OffKind, OutputType, Parameter, Setting, TechniqueError, Value, Whole, Work,
    keep,
};
use crate::desensitise::Problem;
use crate::desensitise::keys::KeyRing;
use crate::desensitise::prf::{Batch, LANES, Prf};
use crate::desensitise::residual::{Domain, Known, Nature, Residual};
use crate::id::Name;
use crate::label::Label;

const NAME: &str = "permute";

/// The cells of a whole column in another order of rows, which the key draws (置换). Every value stays in clear; only
/// which row it stood in is hidden, so the residual is 1.
///
/// The order depends on the key, the domain (the column's name unless one is named) and the number of rows: columns of one
/// domain keep their rows together.
///
/// # Source
/// R. Durstenfeld, Algorithm 235: Random permutation, 1964 (Fisher-Yates), with bits of the keyed function in counter mode
/// and rejection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permute {
    /// The key.
    pub key: Name,
    /// Its version; the highest without.
    pub version: Option<u32>,
    /// Columns whose rows stay together; the column's name without.
    pub domain: Option<Name>,
}

/// The most bytes of cells that are held; with the permuted column, twice as many are in use.
pub const PERMUTE_BYTES_MAX: usize = 1 << 30;

impl Permute {
    /// Makes ready to take a whole column.
    ///
    /// # Errors
    /// There is no key.
    pub fn start(&self, setting: &Setting, keys: &KeyRing) -> Result<Permutation, TechniqueError> {
        let prf = Prf::of(&self.asked(), setting.column.as_str(), keys, Label::PERMUTE)?;
        Ok(Permutation { prf, keep: keep::kernel(setting), parts: Vec::new(), bytes: 0, rows: 0 })
    }

    fn asked(&self) -> KeyAsked<'_> {
        KeyAsked { id: &self.key, version: self.version, domain: self.domain.as_ref() }
    }
}

impl Method for Permute {
    fn about() -> About {
        About {
            name: NAME,
            parameters: &[
                KeyAsked::ID,
                KeyAsked::VERSION,
                Parameter { doc: "columns of one domain keep their rows together; the column's own name unless told", ..KeyAsked::DOMAIN },
            ],
            examples: &["key = \"k\"", "key = \"k\"\nkey_version = 1\ndomain = \"household\""],
        }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        Ok(Self { key: given.required("key", Given::name)?, version: given.count("key_version", u32::MAX)?, domain: given.name("domain")? })
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        self.asked().parameters()
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: false, reversible: true, linkable: false }
    }

    fn residual_given(&self, _: &Domain, _: &[Known]) -> Residual {
        Residual::CLEAR
    }

    fn leaks(&self) -> &'static [&'static str] {
        &["every value of the column, and how often it occurs; not whose it is"]
    }

    fn output(&self, setting: &Setting) -> OutputType {
        setting.output()
    }

    fn work(&self, setting: &Setting, keys: &KeyRing) -> Result<Work, TechniqueError> {
        Ok(Work::Column(Whole::new(self.start(setting, keys)?)))
    }

    fn key(&self) -> Option<KeyAsked<'_>> {
        Some(self.asked())
    }
}

/// A column that is being collected, to be permuted.
pub struct Permutation {
    prf: Prf,
    keep: Kernel,
    parts: Vec<Emitted>,
    bytes: usize,
    rows: usize,
}

impl Permutation {
    /// Takes the next batch of the column, in order. Rows that cannot be treated are added to `off`, counted from 0 in
    /// this batch; a null takes part in their place.
    ///
    /// # Errors
    /// [`TechniqueError::Memory`] when the column is longer than [`PERMUTE_BYTES_MAX`].
    pub fn collect(&mut self, cells: &ArrayRef, off: &mut OffKind) -> Result<(), TechniqueError> {
        self.bytes = self.bytes.saturating_add(cells.get_array_memory_size());
        self.rows += cells.len();
        if self.bytes > PERMUTE_BYTES_MAX {
            return Err(TechniqueError::Memory { technique: NAME, most: PERMUTE_BYTES_MAX });
        }
        self.parts.push(self.keep.emit(cells, None, off));
        Ok(())
    }

    /// The column in its new order.
    #[must_use]
    pub fn permuted(self) -> Emitted {
        let order = order(&self.prf, self.rows);
        let starts: Vec<usize> = self
            .parts
            .iter()
            .scan(0, |start, part| {
                *start += part.len();
                Some(*start - part.len())
            })
            .collect();
        Emitted::gather(&self.parts, order.len(), || {
            order.iter().map(|&row| {
                let row = row as usize;
                let part = starts.partition_point(|&start| start <= row) - 1;
                (part, row - starts[part])
            })
        })
    }
}

impl Collect for Permutation {
    fn collect(&mut self, cells: &ArrayRef, off: &mut OffKind) -> Result<(), TechniqueError> {
        Self::collect(self, cells, off)
    }

    fn finish(self: Box<Self>) -> Emitted {
        self.permuted()
    }
}

impl fmt::Debug for Permutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permutation({} rows)", self.rows)
    }
}

/// The row of the input that stands in each row of the output. Rows fit in 32 bits: each takes at least 4 bytes of
/// [`PERMUTE_BYTES_MAX`].
fn order(prf: &Prf, rows: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..u32::try_from(rows).unwrap_or(u32::MAX)).collect();
    let mut words = Words { prf, next: 0, batch: Batch::default(), words: Vec::new() };
    for last in (1..order.len()).rev() {
        let other = words.below(last as u64 + 1);
        order.swap(last, usize::try_from(other).unwrap_or(last));
    }
    order
}

/// Numbers of 64 bits: the keyed function of 0, 1, 2, ... as 8 bytes.
struct Words<'a> {
    prf: &'a Prf,
    next: u64,
    batch: Batch,
    words: Vec<u64>,
}

impl Words<'_> {
    /// Uniform below `end`, which is above 0.
    fn below(&mut self, end: u64) -> u64 {
        let most = u64::MAX - u64::MAX % end;
        loop {
            let Some(word) = self.words.pop() else {
                self.refill();
                continue;
            };
            if word < most {
                return word % end;
            }
        }
    }

    fn refill(&mut self) {
        self.batch.clear();
        while !self.batch.is_full() {
            self.batch.push(|bytes| bytes.extend_from_slice(&self.next.to_be_bytes()));
            self.next += 1;
        }
        let mut tags = [[0; 16]; LANES];
        let tags = self.prf.tags(&mut self.batch, &mut tags);
        self.words.extend(tags.iter().flat_map(|tag| tag.as_chunks::<8>().0).map(|word| u64::from_be_bytes(*word)));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, StringArray};

    use super::super::Technique;
    use super::super::tests::{keys, name, setting, show};
    use super::*;
    use crate::desensitise::PrfAlgorithm;
    use crate::grade::{Kind, ValueType};

    fn permuted(value_type: ValueType, decimals: Option<u8>, batches: &[ArrayRef]) -> Vec<Option<String>> {
        let permute = Permute { key: name("k"), version: None, domain: None };
        let mut permutation = permute.start(&setting(Kind::Number, value_type, decimals), &keys(PrfAlgorithm::AesCmac)).unwrap();
        let mut off = OffKind::default();
        batches.iter().for_each(|batch| permutation.collect(batch, &mut off).unwrap());
        assert!(off.is_empty());
        show(&permutation.permuted())
    }

    #[test]
    fn rows_are_exchanged_and_none_is_lost_however_they_come() {
        let column: ArrayRef = Arc::new(Int64Array::from_iter((0..1_000).map(|row| (row % 7 != 0).then_some(row))));
        let whole = permuted(ValueType::Integer, None, &[Arc::clone(&column)]);
        let parts =
            permuted(ValueType::Integer, None, &[column.slice(0, 1), column.slice(1, 0), column.slice(1, 700), column.slice(701, 299)]);
        assert_eq!(whole, parts);
        let mut numbers: Vec<i64> = whole.iter().flatten().map(|cell| cell.parse().unwrap()).collect();
        assert!(!numbers.is_sorted());
        numbers.sort_unstable();
        assert_eq!(numbers, (0..1_000).filter(|row| row % 7 != 0).collect::<Vec<_>>());
        // Texts of the same rows go to the same places.
        let texts: ArrayRef = Arc::new(StringArray::from_iter((0..1_000).map(|row| (row % 7 != 0).then(|| row.to_string()))));
        assert_eq!(permuted(ValueType::Text, None, &[Arc::clone(&texts)]), whole);
        let decimals = permuted(ValueType::Real { scale: 1 }, Some(1), &[texts]);
        assert!(whole.iter().zip(decimals).all(|(text, decimal)| text.as_ref().map(|text| format!("{text}.0")) == decimal));
        assert!(permuted(ValueType::Text, None, &[]).is_empty());
    }

    #[test]
    fn every_order_is_alike_likely() {
        let mut counts = std::collections::HashMap::<Vec<u32>, i32>::new();
        for domain in 0..2_400 {
            let prf = Prf::new(keys(PrfAlgorithm::AesCmac).get(&name("k"), None).unwrap(), Label::PERMUTE, &domain.to_string());
            *counts.entry(order(&prf, 4)).or_default() += 1;
        }
        // Chi-square with 23 degrees of freedom: above 75 with a chance below 2e-7 if uniform; fixed key.
        let chi: f64 = counts.values().map(|&count| f64::from((count - 100).pow(2)) / 100.0).sum();
        assert!(counts.len() == 24 && chi < 75.0, "{} {chi}", counts.len());
    }

    #[test]
    fn batches_are_refused_and_memory_is_bounded() {
        let permute = Permute { key: name("k"), version: None, domain: None };
        let text = setting(Kind::Text, ValueType::Text, None);
        let whole = Technique::new(permute.clone()).kernel(&text, &keys(PrfAlgorithm::AesCmac)).unwrap_err();
        assert_eq!(whole, TechniqueError::WholeColumn { technique: NAME });
        let mut permutation = permute.start(&text, &keys(PrfAlgorithm::AesCmac)).unwrap();
        permutation.bytes = PERMUTE_BYTES_MAX - 1;
        let batch: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
        assert_eq!(
            permutation.collect(&batch, &mut OffKind::default()),
            Err(TechniqueError::Memory { technique: NAME, most: PERMUTE_BYTES_MAX })
        );
    }
}
