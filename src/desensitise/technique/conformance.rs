//! What every technique promises in [`Method`], as tests that whoever writes one can run on it.
//!
//! ```
//! use usufruct::desensitise::{Mask, conformance};
//!
//! conformance::check::<Mask>();
//! ```
//! Each example of [`About`] is one technique with its parameters, and is tried on columns of every kind and type of cells.
//!
//! # Panics
//! Everything here panics where a technique does not do as it promises, and says what it did.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests, in a file that other crates can run")]

mod column;
mod residual;
mod suggested;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray};

use self::column::{Column, Treated};
use super::registry::Entry;
use super::{About, Given, KeyAsked, Method, Technique, TechniqueError, Techniques, Value};
use crate::desensitise::keys::{KeyRing, PrfAlgorithm};
use crate::id::Name;
use crate::random::RecordedRandom;

/// All checks of one technique.
pub fn check<M: Method>() {
    check_all(&Techniques::none().and::<M>());
}

/// All checks of each of these, which have names of their own.
pub fn check_all(techniques: &Techniques) {
    let names: BTreeSet<&str> = techniques.iter().map(|about| about.name).collect();
    assert_eq!(names.len(), techniques.iter().len(), "two techniques of one name in {techniques:?}");
    for entry in techniques.entries() {
        let case = Case::of(entry);
        case.examples_show_every_parameter();
        case.parameters_go_both_ways();
        case.cells_are_treated_as_promised();
        case.keys_are_asked_for_and_used();
        case.residuals_are_honest();
        case.suggestions_can_be_carried_out();
    }
}

/// A technique and what its examples say.
struct Case<'a> {
    entry: &'a Entry,
    samples: Vec<Technique>,
}

impl<'a> Case<'a> {
    fn of(entry: &'a Entry) -> Self {
        let About { name, examples, .. } = entry.about;
        assert!(Name::new(name).is_ok() && !examples.is_empty(), "{name}: a name, and examples");
        let samples = examples.iter().map(|text| parsed(entry, values(text)).0).collect();
        Self { entry, samples }
    }

    fn name(&self) -> &'static str {
        self.entry.about.name
    }

    fn examples_show_every_parameter(&self) {
        let About { name, parameters, examples } = self.entry.about;
        let known: BTreeSet<&str> = parameters.iter().map(|parameter| parameter.name).collect();
        assert_eq!(known.len(), parameters.len(), "{name}: a parameter stands twice");
        for text in examples {
            let (technique, given) = parsed(self.entry, values(text));
            assert_eq!(technique.name(), name);
            assert_eq!(*given.asked(), known, "{name}: what is asked for, and what is said to be known");
            given.finish(name).unwrap();
        }
        let shown: BTreeSet<String> = examples.iter().flat_map(|text| values(text)).map(|(name, _)| name).collect();
        assert!(known.iter().all(|parameter| shown.contains(*parameter)), "{name}: {known:?}, and examples of {shown:?}");
    }

    /// What is written is read as the same, to the last field, and writes the same again; a manifest states what was written.
    fn parameters_go_both_ways(&self) {
        let order: Vec<&str> = self.entry.about.parameters.iter().map(|parameter| parameter.name).collect();
        for sample in &self.samples {
            let written = sample.parameters();
            let places: Vec<_> = written.iter().map(|(name, _)| order.iter().position(|known| known == name)).collect();
            assert!(places.iter().all(Option::is_some) && places.is_sorted_by(|a, b| a < b), "{sample:?}: {written:?} in another order");
            let (again, given) = parsed(self.entry, written.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            assert_eq!((format!("{again:?}"), again.parameters()), (format!("{sample:?}"), written.clone()), "written and read again");
            let mut stated: Vec<_> = written.iter().map(|(name, value)| (Name::new(name).unwrap(), value.to_string())).collect();
            stated.sort();
            assert_eq!(given.finish(self.name()).unwrap(), stated, "{sample:?}: what a manifest states");
        }
    }

    fn cells_are_treated_as_promised(&self) {
        for sample in &self.samples {
            let (keys, mut accepted) = (keys(sample, "one"), 0);
            for column in column::all() {
                let Some(treated) = column.treated(sample, &keys) else { continue };
                accepted += 1;
                let place = format!("{sample:?} on {column:?}");
                nulls_stay(sample, &column, &treated, &place);
                batches_may_be_cut_anywhere(sample, &column, &keys, &treated, &place);
                if sample.nature().deterministic {
                    equal_cells_have_equal_outputs(sample, &column, &keys, &place);
                }
                other_types_are_never_emitted(sample, &column, &keys, &place);
            }
            assert!(accepted > 0, "{sample:?} works on no column");
        }
    }

    fn keys_are_asked_for_and_used(&self) {
        for sample in &self.samples {
            let Some(asked) = sample.key() else {
                let needs = |column: &Column| matches!(sample.work(&column.setting, &KeyRing::default()), Err(TechniqueError::Key(_)));
                assert!(!column::all().iter().any(needs), "{sample:?} names no key, and needs one");
                continue;
            };
            let names = self.entry.about.parameters.iter().map(|parameter| parameter.name);
            let of_keys = [KeyAsked::ID, KeyAsked::VERSION, KeyAsked::DOMAIN].map(|parameter| parameter.name);
            assert_eq!(names.filter(|name| of_keys.contains(name)).count(), 3, "{sample:?}: {of_keys:?}");
            let with = |name: &str, value: Value| {
                let others = sample.parameters().into_iter().filter(|(other, _)| *other != name);
                let values = others.map(|(name, value)| (name.to_owned(), value)).chain([(name.to_owned(), value)]);
                parsed(self.entry, values).0
            };
            let (one, other) = (keys(sample, "one"), keys(sample, "other"));
            let (domain, elsewhere) = (with(KeyAsked::DOMAIN.name, "here".into()), with(KeyAsked::DOMAIN.name, "elsewhere".into()));
            let later = with(KeyAsked::VERSION.name, Value::Integer(7));
            assert_eq!(later.key().map(|key| (key.id, key.version, key.domain)), Some((asked.id, Some(7), asked.domain)), "{sample:?}");
            let (mut by_key, mut by_domain) = (false, false);
            for column in column::all() {
                if let Some(treated) = column.treated(sample, &one) {
                    by_key |= treated.cells != column.treated(sample, &other).unwrap().cells;
                    let [here, there] = [&domain, &elsewhere].map(|technique| column.treated(technique, &one).unwrap().cells);
                    by_domain |= here != there;
                    for (technique, keys) in [(sample, &KeyRing::default()), (&later, &one)] {
                        let absent = technique.work(&column.setting, keys);
                        assert!(matches!(absent, Err(TechniqueError::Key(_))), "{technique:?} works without its key");
                    }
                }
            }
            assert!(by_key, "{sample:?} does the same by every key");
            assert!(by_domain, "{sample:?} does the same in every domain");
        }
    }
}

/// Values of a section, as TOML has them.
fn values(text: &str) -> Vec<(String, Value)> {
    let table: toml::Table = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    table.into_iter().map(|(name, value)| (name, value.into())).collect()
}

fn parsed(entry: &Entry, values: impl IntoIterator<Item = (String, Value)>) -> (Technique, Given) {
    let mut given = Given::new(values);
    let technique = (entry.parse)(&mut given).unwrap_or_else(|error| panic!("{}: {error}", entry.about.name));
    (technique, given)
}

/// A ring with the key that a technique asks for.
fn keys(technique: &Technique, seed: &str) -> KeyRing {
    let Some(asked) = technique.key() else { return KeyRing::default() };
    let mut random = RecordedRandom::from_seed(&format!("conformance {seed}"));
    KeyRing::generate(&mut random, asked.id.clone(), PrfAlgorithm::AesCmac, Name::new("conformance").unwrap())
}

/// A null has no value to treat, so it is none that could not be treated; what could not is null.
fn nulls_stay(technique: &Technique, column: &Column, treated: &Treated, place: &str) {
    let off: BTreeSet<usize> = treated.off.iter().map(|(row, _)| *row).collect();
    assert_eq!(off.len(), treated.off.len(), "{place}: a row is listed twice");
    assert!(off.iter().all(|row| column.cells.is_valid(*row)), "{place}: a null is listed");
    let nulls = column.cells.null_count() + off.len();
    let left = treated.cells.iter().filter(|cell| cell.is_none()).count();
    if technique.output(&column.setting).data_type().is_none() {
        assert_eq!(left, column.cells.len(), "{place}: a column that does not leave has cells");
        return;
    }
    assert_eq!(left, nulls, "{place}: nulls, and rows that were not treated");
    // A whole column may have its rows in another order.
    if !treated.is_whole {
        let row = (0..left).find(|row| treated.cells[*row].is_some() && (column.cells.is_null(*row) || off.contains(row)));
        assert_eq!(row, None, "{place}: a null, or what could not be treated, has an output");
    }
}

fn batches_may_be_cut_anywhere(technique: &Technique, column: &Column, keys: &KeyRing, whole: &Treated, place: &str) {
    let rows = column.cells.len();
    for cuts in [&[0, 1, 1, 65, 195][..], &[0, rows / 2], &[0, rows - 1, rows]] {
        let ends = cuts.iter().skip(1).chain([&rows]);
        let pieces: Vec<(usize, usize)> = cuts.iter().zip(ends).map(|(from, to)| (*from, to - from)).collect();
        let again = column.treated_in(technique, keys, &pieces).unwrap();
        assert_eq!((&again.cells, &again.off), (&whole.cells, &whole.off), "{place}: in pieces {pieces:?}");
    }
}

/// Each cell beside its like, in the order of the column and in the opposite one, as the cells of somebody else.
fn equal_cells_have_equal_outputs(technique: &Technique, column: &Column, keys: &KeyRing, place: &str) {
    let mut outputs = HashMap::new();
    for column in [column, &column.reversed()] {
        let treated = column.treated(technique, keys).unwrap();
        for (cell, output) in column.shown().into_iter().zip(treated.cells) {
            let before = outputs.entry(cell.clone()).or_insert_with(|| output.clone());
            assert_eq!(*before, output, "{place}: {cell:?}, and the technique calls itself deterministic");
        }
    }
}

/// A technique that puts the same in the place of everything may do so here.
fn other_types_are_never_emitted(technique: &Technique, column: &Column, keys: &KeyRing, place: &str) {
    let cells: [ArrayRef; 2] =
        [Arc::new(BinaryArray::from_vec(vec![b"canary", b"1", b"2024-02-29"])), Arc::new(BooleanArray::from(vec![true, false, true]))];
    for cells in cells {
        let column = Column { subject: column.subject.slice(0, cells.len()), cells, setting: column.setting.clone() };
        let treated = column.treated(technique, keys).unwrap();
        let is_constant = technique.leaves_nothing() && treated.cells.iter().all(|cell| *cell == treated.cells[0]);
        let is_listed = treated.cells.iter().all(Option::is_none) && treated.off.len() == column.cells.len();
        assert!(is_constant || is_listed, "{place}: {:?} of cells of the type {}", treated.cells, column.cells.data_type());
    }
}
