//! Residuals, counted: small domains of which every value is written out, and larger ones that are drawn from.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};

use super::column::{Column, Treated};
use super::{Case, keys};
use crate::desensitise::residual::{Domain, Residual};
use crate::desensitise::technique::{Shown, Technique};
use crate::grade::{Kind, ValueType, check};
use crate::id::Decimal;
use crate::random::{Random as _, RecordedRandom};
use crate::value::Day;

/// Values of a kind.
struct Values {
    column: Column,
    extent: Extent,
}

/// How many there are.
enum Extent {
    /// All of an interval, in order: the outputs of its two ends may stand for more than is in it, all others stand for what is.
    Interval,
    /// All from zero on, in order, as of ages: only the output of the last may stand for more.
    FromZero,
    /// Some that were drawn, of so many that are alike likely.
    Drawn(u128),
}

/// Draws a number below another.
type Below<'a> = dyn FnMut(u64) -> u64 + 'a;

/// As many are drawn.
const DRAWN: usize = 30_000;

impl Case<'_> {
    pub(super) fn residuals_are_honest(&self) {
        let domains = domains();
        for sample in &self.samples {
            if sample.key().is_some() {
                if let Residual::AtLeast(count) = sample.residual(&domains[0].column.setting.domain) {
                    one_date_has_as_many_outputs(sample, count);
                }
                continue;
            }
            for values in &domains {
                if let Some(treated) = values.column.treated(sample, &keys(sample, "one")) {
                    let place = format!("{sample:?} on {:?}", values.column);
                    let residual = sample.residual(&values.column.setting.domain);
                    values.agree_with(residual, &treated, &place);
                    values.follow_from_what_shows(sample, &treated, &place);
                }
            }
        }
    }
}

impl Values {
    /// Values that agree in all that is said to show have one output.
    fn follow_from_what_shows(&self, sample: &Technique, treated: &Treated, place: &str) {
        let shown = sample.shows(&self.column.setting.domain);
        // Of numbers and texts characters have no places of their own.
        let has_places = !matches!(self.column.setting.domain.kind, Kind::Number | Kind::Amount | Kind::Text);
        let seen = |cell: &str| match &shown {
            Shown::Characters(_) if !has_places => None,
            Shown::Characters(shown) => {
                let characters: Vec<char> = cell.chars().filter(|character| character.is_alphanumeric()).collect();
                let seen =
                    characters.iter().enumerate().map(|(at, character)| if shown.shows(characters.len(), at) { *character } else { '?' });
                Some(seen.collect())
            }
            Shown::Steps { width, origin } => {
                let units = |number: Decimal| number.units(6);
                let above = units(Decimal::parse(cell).ok()?)? - units(*origin)?;
                Some(above.div_euclid(units(*width)?).to_string())
            }
            Shown::Nothing => Some(String::new()),
            Shown::Everything => None,
        };
        let mut outputs: HashMap<String, &Option<String>> = HashMap::new();
        for (cell, output) in self.column.shown().iter().zip(&treated.cells) {
            let Some(seen) = cell.as_deref().and_then(seen) else { continue };
            let before = outputs.entry(seen).or_insert(output);
            assert_eq!(*before, output, "{place}: what it says to show does not tell {output:?}");
        }
    }

    fn agree_with(&self, residual: Residual, treated: &Treated, place: &str) {
        let mut classes: HashMap<&str, u128> = HashMap::new();
        let outputs: Vec<&str> = treated.cells.iter().flatten().map(String::as_str).collect();
        outputs.iter().for_each(|output| *classes.entry(output).or_default() += 1);
        let Residual::AtLeast(least) = residual else {
            assert!(classes.len() < 2, "{place}: {} outputs, and without a key none may tell anything", classes.len());
            return;
        };
        match self.extent {
            Extent::Interval | Extent::FromZero => {
                let first = outputs.first().filter(|_| matches!(self.extent, Extent::Interval));
                let ends: HashSet<&str> = first.into_iter().chain(outputs.last()).copied().collect();
                let small = classes.iter().find(|(output, count)| **count < least && !ends.contains(*output));
                assert_eq!(small, None, "{place}: an output of fewer values than the {least} that it is said to leave open");
            }
            // Each output stands for so many values at least, so there are not more outputs than this.
            Extent::Drawn(size) => {
                let most = size / least;
                assert!(classes.len() as u128 <= most, "{place}: {} outputs, of {size} values and {least} for each", classes.len());
            }
        }
    }
}

/// One date of many subjects, each moved by a number of days of its own: without the key all of them are possible.
fn one_date_has_as_many_outputs(technique: &Technique, count: u128) {
    let Some(rows) = usize::try_from(count).ok().filter(|count| technique.subject().is_some() && *count <= 2_000).map(|count| 20 * count)
    else {
        return;
    };
    let mut column = Column::new(of(Kind::Date, ValueType::Text), None, Arc::new(StringArray::from(vec!["2000-06-15"; rows])));
    column.subject = Arc::new(Int64Array::from_iter_values(0..i64::try_from(rows).unwrap()));
    let treated = column.treated(technique, &keys(technique, "one")).unwrap();
    // With 20 draws for each, one is missing with a chance of count * e^-20; the key is fixed.
    let outputs: HashSet<&str> = treated.cells.iter().flatten().map(String::as_str).collect();
    assert!(outputs.len() as u128 >= count, "{technique:?}: one date has {} outputs, {count} are said to be left open", outputs.len());
}

const fn of(kind: Kind, value_type: ValueType) -> Domain {
    Domain { kind, value_type }
}

fn domains() -> Vec<Values> {
    let interval = |kind, value_type, decimals, cells: ArrayRef| Values {
        column: Column::new(of(kind, value_type), decimals, cells),
        extent: Extent::Interval,
    };
    let integers: ArrayRef = Arc::new(Int64Array::from_iter_values(-2_000..=2_000));
    let cents: ArrayRef = Arc::new(StringArray::from_iter_values((-20_000..=20_000).map(cents)));
    let months = || (1925..=2024).flat_map(|year| (1..=12).map(move |month| (year, month)));
    let days = months().flat_map(|(year, month)| (1..=Day::days_of(year, month)).map(move |day| (year, month, day)));
    let dates: Vec<String> = days.map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}")).collect();
    let months: Vec<String> = months().map(|(year, month)| format!("{year:04}-{month:02}")).collect();
    let real = ValueType::Real { scale: 2 };
    let mut domains = vec![
        interval(Kind::Number, ValueType::Integer, None, Arc::clone(&integers)),
        interval(Kind::Amount, ValueType::Integer, None, integers),
        interval(Kind::Amount, real, None, Arc::clone(&cents)),
        interval(Kind::Number, real, Some(2), cents),
        interval(Kind::Date, ValueType::Text, None, Arc::new(StringArray::from_iter_values(dates))),
        interval(Kind::YearMonth, ValueType::Text, None, Arc::new(StringArray::from_iter_values(&months))),
        // Months in a column that holds dates too, or anything: no day is in them, so none is left open.
        interval(Kind::Date, ValueType::Text, None, Arc::new(StringArray::from_iter_values(&months))),
        interval(Kind::Text, ValueType::Text, None, Arc::new(StringArray::from_iter_values(&months))),
    ];
    let ages: ArrayRef = Arc::new(Int64Array::from_iter_values(0..=4_000));
    domains.push(Values { column: Column::new(of(Kind::Number, ValueType::Integer), None, ages), extent: Extent::FromZero });
    let amounts: ArrayRef = Arc::new(StringArray::from_iter_values((0..=40_000).map(self::cents)));
    domains.push(Values { column: Column::new(of(Kind::Amount, real), None, amounts), extent: Extent::FromZero });
    let mut random = RecordedRandom::from_seed("conformance of residuals");
    let mut below = |end: u64| random.next_u64() % end;
    let mut drawn = |kind, size, value: fn(&mut Below<'_>) -> String| {
        let cells: ArrayRef = Arc::new(StringArray::from_iter_values((0..DRAWN).map(|_| value(&mut below))));
        domains.push(Values { column: Column::new(of(kind, ValueType::Text), None, cells), extent: Extent::Drawn(size) });
    };
    drawn(Kind::Mobile, 10u128.pow(8), |below| format!("138{:08}", below(100_000_000)));
    drawn(Kind::BankCard, 10u128.pow(9), |below| bank_card(below(1_000_000_000)));
    drawn(Kind::ResidentId, PROVINCES.len() as u128 * 36_525 * 1_000, resident_id);
    domains
}

/// A hundredth as numbers are written.
fn cents(cents: i32) -> String {
    let (sign, cents) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// Sixteen digits of one issuer, the last by the others.
fn bank_card(number: u64) -> String {
    let digits = format!("622202{number:09}");
    (0..10).map(|check| format!("{digits}{check}")).find(|card| check::bank_card(card)).unwrap()
}

/// The provinces that a residual counts.
const PROVINCES: [u32; 31] =
    [11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65];

/// One region of a province, any day of a hundred years, any sequence.
fn resident_id(below: &mut Below<'_>) -> String {
    let province = PROVINCES[usize::try_from(below(31)).unwrap()];
    let day = Day::from_unix_d(i64::try_from(below(36_525)).unwrap() - FIRST_BIRTH_D);
    let mut id = format!("{province}0105{:04}{:02}{:02}{:03}", day.year(), day.month(), day.day(), below(1_000));
    let digits: &[u8; 17] = id.as_bytes().try_into().unwrap();
    id.push(check::resident_check_character(digits).unwrap().into());
    id
}

/// From 1 January 1925 to that of 1970.
const FIRST_BIRTH_D: i64 = 16_436;
