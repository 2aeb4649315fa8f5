//! Techniques, one child each, and the kernels that carry them out on whole columns.

mod bin;
mod cells;
mod characters;
mod clamp;
mod date;
mod date_shift;
mod emitted;
mod keep;
mod mask;
mod numbers;
mod off_kind;
mod permute;
mod pseudonym;
mod round;
mod suppress;
mod truncate;

use std::fmt;

use arrow_array::{Array, ArrayRef};

pub use bin::Bin;
pub use clamp::Clamp;
pub use date_shift::{DateShift, SHIFT_DAYS_MAX, SHIFT_DAYS_MIN};
pub use emitted::Emitted;
pub use mask::Mask;
pub use off_kind::{OffKind, OffReason, OffRow};
pub use permute::{PERMUTE_BYTES_MAX, Permutation, Permute};
pub use pseudonym::Pseudonym;
pub use round::Round;
pub use suppress::Suppress;
pub use truncate::Truncate;

use super::keys::{KeyFileError, KeyRing};
use super::residual::{Domain, Known, Nature, Residual};
use crate::class::Class;
use crate::generalise::DateLevel;
use crate::grade::{Kind, ValueType};
use crate::id::ColumnName;
use crate::value::DateOrder;

/// What is done to a column.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Technique {
    /// As it is (保留).
    Keep,
    /// Nothing of it (抑制).
    Suppress(Suppress),
    /// A part of each value behind mask characters (遮蔽).
    Mask(Mask),
    /// The end of each value cut off (截断).
    Truncate(Truncate),
    /// A keyed token in its place (假名化).
    Pseudonym(Pseudonym),
    /// The bin of each number (分箱).
    Bin(Bin),
    /// Each number rounded (取整).
    Round(Round),
    /// Numbers outside two bounds become the bound (顶底编码).
    Clamp(Clamp),
    /// Each date cut to a level (日期泛化).
    Date(DateLevel),
    /// All dates of a subject moved alike (日期偏移).
    DateShift(DateShift),
    /// The cells of the column in another order (置换).
    Permute(Permute),
}

/// The column that a technique is used on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name, which is the domain of keyed techniques unless they name another.
    pub column: ColumnName,
    /// What is known of it.
    pub domain: Domain,
    /// The order of day and month in its dates, if it is known. Without it, dates that have their year last are cut to the
    /// year and to nothing finer.
    pub date_order: Option<DateOrder>,
    /// Numbers of real columns come out as `Decimal128(38, this)`, for files with types; as text where there is none.
    pub decimals: Option<u8>,
}

/// What a technique emits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// No column.
    Dropped,
    /// `Utf8`.
    Text,
    /// `Int64`.
    Integer,
    /// `Decimal128(38, scale)`.
    Decimal {
        /// Digits behind the point.
        scale: u8,
    },
}

/// Why a technique cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TechniqueError {
    /// A parameter has no meaning.
    #[error("{technique}: {parameter} is {expected}")]
    Parameter {
        /// The technique.
        technique: &'static str,
        /// Its parameter.
        parameter: &'static str,
        /// What it can be.
        expected: &'static str,
    },
    /// It needs all rows at once: see [`Permute::start`].
    #[error("{technique} takes a whole column, not batches")]
    WholeColumn {
        /// The technique.
        technique: &'static str,
    },
    /// It holds the column in memory.
    #[error("{technique} holds the column in memory, at most {most} bytes of it")]
    Memory {
        /// The technique.
        technique: &'static str,
        /// The most bytes.
        most: usize,
    },
    /// No key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

impl TechniqueError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}

impl Technique {
    /// The word of policies.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Keep => keep::NAME,
            Self::Suppress(_) => suppress::NAME,
            Self::Mask(_) => mask::NAME,
            Self::Truncate(_) => truncate::NAME,
            Self::Pseudonym(_) => pseudonym::NAME,
            Self::Bin(_) => bin::NAME,
            Self::Round(_) => round::NAME,
            Self::Clamp(_) => clamp::NAME,
            Self::Date(_) => date::NAME,
            Self::DateShift(_) => date_shift::NAME,
            Self::Permute(_) => permute::NAME,
        }
    }

    /// Whether it is deterministic, reversible, linkable.
    #[must_use]
    pub const fn nature(&self) -> Nature {
        let (deterministic, reversible, linkable) = match self {
            Self::Keep => (true, true, true),
            Self::Pseudonym(_) => (true, false, true),
            Self::DateShift(_) | Self::Permute(_) => (false, true, false),
            _ => (true, false, false),
        };
        Nature { deterministic, reversible, linkable }
    }

    /// What it leaves open of a value of this domain (rule H2).
    #[must_use]
    pub fn residual(&self, domain: &Domain) -> Residual {
        self.residual_given(domain, &[])
    }

    /// As [`Technique::residual`], for one who knows more of the same person from other columns of the output.
    #[must_use]
    pub fn residual_given(&self, domain: &Domain, known: &[Known]) -> Residual {
        match self {
            Self::Keep | Self::Clamp(_) | Self::Permute(_) => Residual::CLEAR,
            Self::Suppress(_) | Self::Pseudonym(_) => Residual::Unbounded,
            Self::Mask(mask) => mask.residual(&domain.kind, known),
            Self::Truncate(truncate) => truncate.residual(&domain.kind, known),
            Self::Bin(bin) => bin.residual(domain),
            Self::Round(round) => round.residual(domain),
            // Of a column of months the months count; a day is not in it, so nothing is claimed of one.
            Self::Date(level) if domain.kind == Kind::YearMonth => Residual::AtLeast(level.months().unwrap_or(1).into()),
            Self::Date(level) => Residual::AtLeast(level.days().into()),
            Self::DateShift(shift) => shift.residual(),
        }
    }

    /// Whether it takes the order of day and month to carry it out on dates that have their year last.
    #[must_use]
    pub const fn needs_date_order(&self) -> bool {
        match self {
            Self::Date(level) => level.needs_order(),
            Self::DateShift(_) => true,
            _ => false,
        }
    }

    /// Whether it takes the day of the month, which a month of a year does not name.
    #[must_use]
    pub const fn needs_day(&self) -> bool {
        matches!(self, Self::Date(DateLevel::Day) | Self::DateShift(_))
    }

    /// What it emits for such a column.
    #[must_use]
    pub fn output(&self, setting: &Setting) -> Output {
        match self {
            Self::Keep | Self::Permute(_) => setting.output(),
            Self::DateShift(_) => date_shift::output(setting),
            Self::Suppress(suppress) => suppress.output(),
            Self::Round(round) => round.output(setting),
            Self::Clamp(clamp) => clamp.output(setting),
            Self::Mask(_) | Self::Truncate(_) | Self::Pseudonym(_) | Self::Bin(_) | Self::Date(_) => Output::Text,
        }
    }

    /// Makes ready to treat a column.
    ///
    /// # Errors
    /// There is no key, a parameter is not for such columns, or the technique takes whole columns only.
    pub fn kernel(&self, setting: &Setting, keys: &KeyRing) -> Result<Kernel, TechniqueError> {
        Ok(Kernel(match self {
            Self::Keep => keep::kernel(setting),
            Self::Suppress(suppress) => suppress.kernel(),
            Self::Mask(mask) => mask.kernel(setting),
            Self::Truncate(truncate) => truncate.kernel(setting),
            Self::Pseudonym(pseudonym) => pseudonym.kernel(setting, keys)?,
            Self::Bin(bin) => bin.kernel(),
            Self::Round(round) => round.kernel(setting)?,
            Self::Clamp(clamp) => clamp.kernel(setting)?,
            Self::Date(level) => date::kernel(*level, setting.date_order),
            Self::DateShift(shift) => shift.kernel(setting, keys)?,
            Self::Permute(_) => return Err(TechniqueError::WholeColumn { technique: permute::NAME }),
        }))
    }
}

impl Setting {
    /// What comes out when values stay of the type they are.
    fn output(&self) -> Output {
        match (self.domain.value_type, self.decimals) {
            (ValueType::Text, _) | (ValueType::Real { .. }, None) => Output::Text,
            (ValueType::Integer, _) => Output::Integer,
            (ValueType::Real { .. }, Some(scale)) => Output::Decimal { scale },
        }
    }
}

/// A technique ready for a column. Treats one batch after the other, in any order, on any thread.
pub struct Kernel(Box<dyn Emit>);

impl Kernel {
    /// Treats the cells of a batch, `Utf8` or `Int64`; nulls stay nulls. `subject` is the column that says whose each
    /// row is, of the same length, for techniques that ask for one. Rows that cannot be treated are added to `off`,
    /// counted from 0 in this batch, and are null in the output.
    #[must_use]
    pub fn emit(&self, cells: &ArrayRef, subject: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let emitted = self.0.emit(cells, subject, off);
        debug_assert_eq!(emitted.len(), cells.len());
        emitted
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kernel(..)")
    }
}

/// What is in a kernel.
trait Emit: Send + Sync {
    fn emit(&self, cells: &ArrayRef, subject: Option<&ArrayRef>, off: &mut OffKind) -> Emitted;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::{Int64Array, StringArray};
    use arrow_schema::DataType;

    use super::*;
    use crate::desensitise::Algorithm;
    use crate::generalise::{AddressLevel, Bins};
    use crate::id::{Decimal, Name};
    use crate::random::RecordedRandom;

    pub(super) fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    pub(super) fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    /// A ring with one key `k`.
    pub(super) fn keys(algorithm: Algorithm) -> KeyRing {
        KeyRing::generate(&mut RecordedRandom::from_seed("technique"), name("k"), algorithm, name("test"))
    }

    pub(super) fn setting(kind: Kind, value_type: ValueType, decimals: Option<u8>) -> Setting {
        Setting { column: ColumnName::new("column").unwrap(), domain: Domain { kind, value_type }, date_order: None, decimals }
    }

    pub(super) fn texts(cells: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(cells.to_vec()))
    }

    /// What a technique makes of a column: its texts or the digits of its numbers, and what it does not treat.
    pub(super) fn run(technique: &Technique, setting: &Setting, cells: &ArrayRef) -> (Vec<Option<String>>, Vec<(u32, OffReason)>) {
        run_by(technique, setting, cells, None)
    }

    pub(super) fn run_by(
        technique: &Technique,
        setting: &Setting,
        cells: &ArrayRef,
        subject: Option<&ArrayRef>,
    ) -> (Vec<Option<String>>, Vec<(u32, OffReason)>) {
        let mut off = OffKind::default();
        let out = technique.kernel(setting, &keys(Algorithm::AesCmac)).unwrap().emit(cells, subject, &mut off);
        assert_eq!(out.len(), cells.len());
        let data_type = match technique.output(setting) {
            Output::Integer => DataType::Int64,
            Output::Decimal { scale } => DataType::Decimal128(38, scale.cast_signed()),
            Output::Text | Output::Dropped => DataType::Utf8,
        };
        assert_eq!(*out.array().data_type(), data_type, "{technique:?}");
        let rows: Vec<u32> = (0..u32::try_from(out.len()).unwrap()).collect();
        assert_eq!(out.select(&rows).array(), out.array());
        (show(&out), off.rows().iter().map(|row| (row.row, row.reason.clone())).collect())
    }

    pub(super) fn show(out: &Emitted) -> Vec<Option<String>> {
        let array = out.array();
        let cell = |row: usize| match array.data_type() {
            DataType::Int64 => array.as_primitive::<arrow_array::types::Int64Type>().value(row).to_string(),
            DataType::Decimal128(..) => array.as_primitive::<arrow_array::types::Decimal128Type>().value_as_string(row),
            _ => array.as_string::<i32>().value(row).to_owned(),
        };
        (0..array.len()).map(|row| array.is_valid(row).then(|| cell(row))).collect()
    }

    pub(super) fn some(cells: &[&str]) -> Vec<Option<String>> {
        cells.iter().map(|cell| Some((*cell).to_owned())).collect()
    }

    fn all() -> Vec<Technique> {
        let bins = Bins::of_width(decimal("10"), decimal("0")).unwrap();
        vec![
            Technique::Keep,
            Technique::Suppress(Suppress::DROP),
            Technique::Suppress(Suppress::replace("***")),
            Technique::Mask(Mask::ends(1, 1)),
            Technique::Truncate(Truncate::first(3).unwrap()),
            Technique::Truncate(Truncate::address(AddressLevel::City)),
            Technique::Pseudonym(Pseudonym { key: name("k"), version: None, domain: None }),
            Technique::Bin(Bin { bins, step: None }),
            Technique::Round(Round::new(decimal("10"), None).unwrap()),
            Technique::Clamp(Clamp::new(None, Some(decimal("90"))).unwrap()),
            Technique::Date(DateLevel::Month),
            Technique::DateShift(DateShift::new(name("k"), ColumnName::new("who").unwrap(), 365).unwrap()),
        ]
    }

    #[test]
    fn nulls_stay_nulls_and_unknown_types_are_never_emitted() {
        for technique in all() {
            for value_type in [ValueType::Text, ValueType::Integer, ValueType::Real { scale: 2 }] {
                for decimals in [None, Some(2)] {
                    let setting = setting(Kind::Text, value_type, decimals);
                    let nulls: ArrayRef = if value_type == ValueType::Integer {
                        Arc::new(Int64Array::new_null(3))
                    } else {
                        Arc::new(StringArray::new_null(3))
                    };
                    assert_eq!(run_by(&technique, &setting, &nulls, Some(&nulls)), (vec![None; 3], vec![]), "{technique:?}");
                    let bytes: ArrayRef = Arc::new(arrow_array::BinaryArray::from_vec(vec![b"canary"]));
                    let (cells, off) = run_by(&technique, &setting, &bytes, Some(&bytes));
                    let constant = technique == Technique::Suppress(Suppress::replace("***"));
                    assert_eq!(cells, if constant { some(&["***"]) } else { vec![None] }, "{technique:?}");
                    let dropped = technique == Technique::Suppress(Suppress::DROP);
                    assert_eq!(off.len(), usize::from(!constant && !dropped));
                }
            }
        }
    }

    #[test]
    fn batches_may_be_cut_anywhere() {
        let pieces = ["1.5", "13800138000", "2024-02-29", "广东省深圳市南山区", "e\u{301}👍🏽שלום", "", "-7", "20240229", "a\r\nb", "=1+1"];
        let cells: ArrayRef =
            Arc::new((0..300usize).map(|row| (row % 11 != 3).then(|| pieces[row * 7 % pieces.len()])).collect::<StringArray>());
        let subject: ArrayRef = Arc::new((0..300).map(|row| (row % 13 != 5).then_some(row / 4)).collect::<Int64Array>());
        for technique in all() {
            let setting = setting(Kind::Text, ValueType::Text, None);
            let whole = run_by(&technique, &setting, &cells, Some(&subject));
            let mut parts = (Vec::new(), Vec::new());
            for (from, len) in [(0, 1), (1, 0), (1, 64), (65, 130), (195, 105)] {
                let (out, off) = run_by(&technique, &setting, &cells.slice(from, len), Some(&subject.slice(from, len)));
                parts.0.extend(out);
                parts.1.extend(off.into_iter().map(|(row, reason)| (row + u32::try_from(from).unwrap(), reason)));
            }
            assert_eq!(whole, parts, "{technique:?}");
            for (row, _) in whole.1 {
                assert_eq!(whole.0[row as usize], None, "{technique:?}");
            }
        }
    }

    #[test]
    fn what_is_kept_is_kept_and_nothing_with_it() {
        let text = setting(Kind::Text, ValueType::Text, None);
        let cells = texts(&["before", "a", "", "b"]).slice(1, 3);
        let out = Technique::Keep.kernel(&text, &KeyRing::default()).unwrap().emit(&cells, None, &mut OffKind::default());
        assert_eq!(show(&out), some(&["a", "", "b"]));
        assert_eq!(out.array().as_string::<i32>().value_data(), b"ab");

        // Values that stand under nulls, in texts and integers.
        let buffers = StringArray::from(vec!["canary", "b"]);
        let nulls = arrow_buffer::NullBuffer::from(vec![false, true]);
        let canary: ArrayRef = Arc::new(StringArray::new(buffers.offsets().clone(), buffers.values().clone(), Some(nulls.clone())));
        let out = Technique::Keep.kernel(&text, &KeyRing::default()).unwrap().emit(&canary, None, &mut OffKind::default());
        assert_eq!((show(&out), out.array().as_string::<i32>().value_data()), (vec![None, Some("b".to_owned())], &b"b"[..]));
        let canary: ArrayRef = Arc::new(Int64Array::new(vec![77_177, 1].into(), Some(nulls)));
        let integer = setting(Kind::Number, ValueType::Integer, None);
        let out = Technique::Keep.kernel(&integer, &KeyRing::default()).unwrap().emit(&canary, None, &mut OffKind::default());
        assert_eq!(out.array().as_primitive::<arrow_array::types::Int64Type>().values()[..], [0, 1]);

        let real = |decimals| setting(Kind::Amount, ValueType::Real { scale: 2 }, decimals);
        assert_eq!(run(&Technique::Keep, &real(None), &texts(&["1.50", "-0"])).0, some(&["1.50", "-0"]));
        let (cells, off) = run(&Technique::Keep, &real(Some(2)), &texts(&["1.5", "-2", "0.005", "x", "1e3"]));
        assert_eq!(cells, [Some("1.50".to_owned()), Some("-2.00".to_owned()), None, None, Some("1000.00".to_owned())]);
        assert_eq!(off, [(2, OffReason::OutOfRange), (3, OffReason::NotANumber)]);
    }

    #[test]
    fn residuals_and_natures() {
        let integer = Domain { kind: Kind::Number, value_type: ValueType::Integer };
        let counts =
            [1, 0, 0, 1, 1, 1, 0, 10, 9, 1, 28, 731].map(|count| if count == 0 { Residual::Unbounded } else { Residual::AtLeast(count) });
        for (technique, count) in all().iter().zip(counts) {
            assert_eq!(technique.residual(&integer), count, "{technique:?}");
            let keyed = matches!(technique, Technique::Pseudonym(_) | Technique::DateShift(_));
            assert!(technique.nature().deterministic || keyed, "{technique:?}");
        }
        let shifted = all().pop().unwrap().nature();
        assert_eq!(shifted, Nature { deterministic: false, reversible: true, linkable: false });
        let real = Domain { value_type: ValueType::Real { scale: 2 }, ..integer };
        assert_eq!(all()[7].residual(&real), Residual::CLEAR);
        let mobile = Domain { kind: Kind::Mobile, value_type: ValueType::Text };
        assert_eq!(Technique::Truncate(Truncate::first(7).unwrap()).residual(&mobile), Residual::AtLeast(10_000));
        assert_eq!(Technique::Truncate(Truncate::first(11).unwrap()).residual(&mobile), Residual::CLEAR);
    }

    #[test]
    fn truncation_cuts_canonical_forms_and_addresses() {
        let first = Technique::Truncate(Truncate::first(7).unwrap());
        let (cells, off) = run(&first, &setting(Kind::Mobile, ValueType::Text, None), &texts(&["138 0013 8000", "1380013"]));
        assert_eq!((cells[0].as_deref(), off), (Some("1380013"), vec![(1, OffReason::NotOfKind(Kind::Mobile))]));
        assert_eq!(
            run(&first, &setting(Kind::Text, ValueType::Text, None), &texts(&["e\u{301}234567890", "王"])).0,
            some(&["e\u{301}234567", "王"])
        );
        assert!(Truncate::first(0).is_err());
        let city = Technique::Truncate(Truncate::address(AddressLevel::City));
        let (cells, off) =
            run(&city, &setting(Kind::Address, ValueType::Text, None), &texts(&["广东省深圳市南山区", "南山区科技路1号", "12 Main St"]));
        assert_eq!(cells[0].as_deref(), Some("广东省深圳市"));
        assert_eq!(off.len(), 2);
    }

    #[test]
    fn dates_are_cut() {
        let month = Technique::Date(DateLevel::Quarter);
        let date = setting(Kind::Date, ValueType::Text, None);
        let (cells, off) = run(&month, &date, &texts(&["2024-02-29 08:30", "2024年12月1日", "2023-02-29", "Feb 2024", ""]));
        assert_eq!(cells[..2], some(&["2024-Q1", "2024-Q4"]));
        assert_eq!(off, [2, 3, 4].map(|row| (row, OffReason::NotADate)));
        let day_first = Setting { date_order: Some(DateOrder::Dmy), ..date.clone() };
        let cells = texts(&["5/6/2024", "二〇二四年三月", "1 Jan 2020", "12/31/2024"]);
        let (cut, off) = run(&Technique::Date(DateLevel::Month), &day_first, &cells);
        assert_eq!(cut[..3], some(&["2024-06", "2024-03", "2020-01"]));
        assert_eq!(off, [(3, OffReason::NotADate)]);
        // Without an order the year is known of all.
        assert_eq!(run(&Technique::Date(DateLevel::Year), &date, &cells).0, some(&["2024", "2024", "2020", "2024"]));
        let compact: ArrayRef = Arc::new(Int64Array::from(vec![20_240_229, 20_230_229]));
        let (cells, off) = run(&month, &setting(Kind::Date, ValueType::Integer, None), &compact);
        assert_eq!((cells[0].as_deref(), off.len()), (Some("2024-Q1"), 1));
    }
}
