//! What a technique leaves open: the least number of input values that agree with an output.

use std::collections::HashMap;

pub(super) use super::measure::{Nature, Residual};
use crate::grade::{Kind, ValueType};
use crate::id::Decimal;
use crate::value::Day;

/// What is known of a column: by the findings of [`grade`](crate::grade), or by the word of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// What its values are.
    pub kind: Kind,
    /// What all of its cells are.
    pub value_type: ValueType,
}

impl Domain {
    /// What numbers of the column are multiples of, as far as it is known: by declaration, never finer than the type. Nothing for
    /// kinds of which most multiples are no value: ten integers in a row hold one card number, a hundred one month of dates.
    pub(super) fn step(&self, declared: Option<Decimal>) -> Option<Decimal> {
        if !matches!(self.kind, Kind::Number | Kind::Amount) {
            return None;
        }
        match self.value_type {
            ValueType::Integer => Some(declared.unwrap_or(Decimal::ONE).max(Decimal::ONE)),
            // How fine the numbers look says little of how fine they are: without a word of the policy nothing is claimed.
            ValueType::Real { scale } => declared.map(|step| Decimal::new(1, scale).map_or(step, |finest| step.max(finest))),
            ValueType::Text => declared,
        }
        .filter(|step| step.mantissa() > 0)
    }
}

/// What another column of the same output tells of a resident ID (居民身份证号): its parts say where and when somebody
/// was born and their sex, so a mask hides less beside them (rule H2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The date of birth, down to so many dates: 1 for a date as it is, the residual of its technique otherwise.
    BirthDate(u128),
    /// The sex.
    Sex,
    /// The region of registration, or an address that gives it.
    Region,
}

/// How many values of a kind agree with those of their characters that show, at least: `shows(len, at)` is whether the
/// character `at` shows of a value that has `len` of them in its canonical form. 1 for kinds without a form.
pub(super) fn of_form(kind: &Kind, shows: &dyn Fn(usize, usize) -> bool, known: &[Known]) -> u128 {
    // Only digits behind the prefix count: prefixes are few and assigned.
    let digits = |len: usize, prefix: usize, end: usize| tens((prefix..end).filter(|&at| !shows(len, at)).count());
    match kind {
        Kind::ResidentId => resident_id(&|at| shows(18, at), known),
        Kind::Mobile => digits(11, 3, 11),
        Kind::BankCard => (16..=19)
            .map(|len| match digits(len, 6, len - 1) {
                // The check digit leaves one value for the last hidden digit (Luhn), whatever the others are.
                hidden if shows(len, len - 1) => (hidden / 10).max(1),
                hidden => hidden,
            })
            .min()
            .unwrap_or(1),
        Kind::Plate => digits(7, 2, 7).min(digits(8, 2, 8)),
        Kind::Passport => (8..=11).map(|len| digits(len, 2, len)).min().unwrap_or(1),
        // Two hidden digits at most for the check character of the organisation; of the last one nothing is claimed.
        Kind::Uscc if shows(18, 17) => 1,
        Kind::Uscc => (digits(18, 8, 16) / if shows(18, 16) { 100 } else { 1 }).max(1),
        _ => 1,
    }
}

fn tens(digits: usize) -> u128 {
    10u128.saturating_pow(u32::try_from(digits).unwrap_or(u32::MAX))
}

/// Of living people nearly all were born in these years. More would be possible; the fewer, the safer the count.
const BIRTH_YEARS: std::ops::RangeInclusive<u32> = 1925..=2024;
/// Provinces with regions in them, whose ids have other first digits.
const PROVINCES: u128 = 31;

/// How many values a hidden character of a name counts for (rule H2).
pub(super) const NAME_CHARACTER: u128 = 1_000;
/// Letters and digits of an e-mail address, without regard to case: other characters are rare.
pub(super) const LOCAL_CHARACTER: u128 = 36;

/// How many dates agree with what shows of their eight digits, year first, at least.
#[cfg(feature = "embedded")]
pub(super) fn dates(shows: &dyn Fn(usize) -> bool) -> u128 {
    dates_by_what_shows(&|at| shows(at - 6)).iter().map(|sums| sums.iter().sum()).min().unwrap_or(1)
}

/// How many months agree with what shows of their six digits, year first, at least.
#[cfg(feature = "embedded")]
pub(super) fn months(shows: &dyn Fn(usize) -> bool) -> u128 {
    let mut groups = HashMap::<u32, u128>::new();
    for (year, month) in BIRTH_YEARS.flat_map(|year| (1..=12).map(move |month| (year, month))) {
        let text = format!("{year:04}{month:02}");
        let seen = text.bytes().enumerate().filter(|(at, _)| shows(*at)).fold(0, |seen, (_, digit)| seen * 10 + u32::from(digit - b'0'));
        *groups.entry(seen).or_default() += 1;
    }
    groups.into_values().min().unwrap_or(1)
}

/// Resident IDs: 6 digits of region, 8 of birth, 3 of sequence (the last odd for men), 1 check character.
fn resident_id(shows: &dyn Fn(usize) -> bool, known: &[Known]) -> u128 {
    let check_shows = shows(17);
    // Sequences that agree, by what they add to the sum of the check character modulo 11.
    let sequences = |parity: Option<u32>| {
        let mut sums = [0u128; 11];
        for sequence in 0..1_000u32 {
            let digits = [sequence / 100, sequence / 10 % 10, sequence % 10];
            // A digit that shows is 0 here: any other only moves the sums.
            let agrees = |at: usize| !shows(14 + at) || digits[at] == 0;
            let of_sex = shows(16) || parity.is_none_or(|parity| digits[2] % 2 == parity);
            if (0..3).all(agrees) && of_sex {
                sums[sum_from(14, &digits)] += 1;
            }
        }
        sums
    };
    let sequences = if known.contains(&Known::Sex) { vec![sequences(Some(0)), sequences(Some(1))] } else { vec![sequences(None)] };
    let region_hidden = (0..6).all(|at| !shows(at)) && !known.contains(&Known::Region);
    let regions = if region_hidden { PROVINCES } else { 1 };

    let told = known.iter().filter_map(|known| if let Known::BirthDate(left) = known { Some(*left) } else { None }).min();
    let dates = match told {
        None => dates_by_what_shows(shows),
        // Which dates are left is not known here, only how many; what shows of the date may leave one of them.
        Some(left) => {
            let left = if (6..14).any(shows) { 1 } else { left };
            return sequences.iter().map(|sequences| least(sequences, left, regions, check_shows)).min().unwrap_or(1);
        }
    };
    let mut count = u128::MAX;
    for dates in &dates {
        for sequences in &sequences {
            let mut sums = [0; 11];
            for (at, date) in dates.iter().enumerate() {
                for (more, sequence) in sequences.iter().enumerate() {
                    sums[(at + more) % 11] += date * sequence;
                }
            }
            count = count.min(least(&sums, 1, regions, check_shows));
        }
    }
    count
}

/// The least number of values: `sums` counts those of one date (or one set of dates) and region by their check sum; there
/// are `dates` and `regions` like it, of which nothing is known but their number.
fn least(sums: &[u128; 11], dates: u128, regions: u128, check_shows: bool) -> u128 {
    if !check_shows {
        return sums.iter().sum::<u128>().saturating_mul(dates).saturating_mul(regions);
    }
    // An output has an input, so some date and region leads to it; every other adds at least the least class.
    let some = sums.iter().copied().filter(|&count| count > 0).min().unwrap_or(1);
    let every = sums.iter().copied().min().unwrap_or(0).saturating_mul(dates).saturating_mul(regions);
    some.max(every)
}

/// The dates of birth in groups that look alike, each counted by check sum.
fn dates_by_what_shows(shows: &dyn Fn(usize) -> bool) -> Vec<[u128; 11]> {
    let mut groups = HashMap::<u32, [u128; 11]>::new();
    for year in BIRTH_YEARS {
        for month in 1..=12u32 {
            for day in 1..=Day::days_of(year, month) {
                let mut rest = year * 10_000 + month * 100 + day;
                let mut digits = [0; 8];
                for digit in digits.iter_mut().rev() {
                    (*digit, rest) = (rest % 10, rest / 10);
                }
                let seen = digits.iter().enumerate().filter(|(at, _)| shows(6 + at)).fold(0, |seen, (_, digit)| seen * 10 + digit);
                groups.entry(seen).or_default()[sum_from(6, &digits)] += 1;
            }
        }
    }
    groups.into_values().collect()
}

/// GB 11643-1999, the weights of the 17 digits.
const RESIDENT_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// What digits from place `from` on add to the sum of the check character, modulo 11 (GB 11643).
fn sum_from(from: usize, digits: &[u32]) -> usize {
    RESIDENT_WEIGHTS[from..].iter().zip(digits).map(|(weight, digit)| weight * digit).sum::<u32>() as usize % 11
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::grade::check;

    #[test]
    fn residuals_are_ordered_and_read_like_numbers() {
        assert!(Residual::CLEAR < Residual::AtLeast(1_000) && Residual::AtLeast(u128::MAX) < Residual::Unbounded);
        for (count, text) in [(1, "1"), (999, "999"), (1_000, "1,000"), (1_001_000, "1,001,000")] {
            assert_eq!(Residual::AtLeast(count).to_string(), text);
        }
        assert_eq!(Residual::Unbounded.to_string(), "unbounded without the key");
    }

    /// The least number of ids that look alike, by writing them all: those of some dates and sequences, one region.
    fn written_out(hidden: &[usize], years: std::ops::RangeInclusive<u32>, sequences: std::ops::Range<u32>) -> u128 {
        let mut counts = HashMap::<[u8; 18], u128>::new();
        for year in years {
            for month in 1..=12 {
                for day in 1..=Day::days_of(year, month) {
                    for sequence in sequences.clone() {
                        let mut id = format!("110105{year:04}{month:02}{day:02}{sequence:03}");
                        let digits: [u8; 17] = id.as_bytes().try_into().unwrap();
                        id.push(check::resident_check_character(&digits).unwrap().into());
                        assert!(check::resident_id(&id));
                        let mut seen: [u8; 18] = id.as_bytes().try_into().unwrap();
                        hidden.iter().for_each(|&at| seen[at] = b'*');
                        *counts.entry(seen).or_default() += 1;
                    }
                }
            }
        }
        counts.into_values().min().unwrap()
    }

    fn counted(hidden: &[usize], known: &[Known]) -> u128 {
        of_form(&Kind::ResidentId, &|_, at| !hidden.contains(&at), known)
    }

    #[test]
    fn resident_ids_are_counted_as_they_would_be_written_out() {
        let all_dates = [6, 7, 8, 9, 10, 11, 12, 13];
        // Eleven sequences move the sum by everything it can be moved by, so any other shows the same least class.
        for hidden in [&all_dates[..], &[8, 9], &[10, 11], &[12, 13], &[9, 11, 13], &[13], &[6, 7, 8, 9, 17], &[17]] {
            assert_eq!(counted(hidden, &[]), written_out(hidden, BIRTH_YEARS, 0..11), "{hidden:?}");
        }
        // With the date shown, one year has dates of every sum.
        for hidden in [&[14, 15, 16][..], &[14, 15], &[15, 16], &[16], &[14, 15, 16, 17], &[16, 17]] {
            assert_eq!(counted(hidden, &[]), written_out(hidden, 2000..=2000, 0..1_000), "{hidden:?}");
        }
        // Both: years that are shown do not share a class.
        for hidden in [&[13, 16][..], &[12, 13, 15, 16], &[10, 11, 12, 13, 16]] {
            assert!(counted(hidden, &[]) <= written_out(hidden, 1999..=2000, 0..1_000), "{hidden:?}");
        }
        assert_eq!(counted(&[0, 1, 2, 3, 4, 5, 17], &[]), PROVINCES);
        assert_eq!(counted(&[4, 5, 17], &[]), 1);
    }

    #[test]
    fn what_other_columns_tell_is_taken_off() {
        let six_four = [6, 7, 8, 9, 10, 11, 12, 13, 17];
        assert_eq!(counted(&six_four, &[]), 36_525);
        assert_eq!(counted(&six_four, &[Known::Sex, Known::Region]), 36_525);
        for left in [1, 28, 365] {
            assert_eq!(counted(&six_four, &[Known::BirthDate(left)]), left);
        }
        assert_eq!(counted(&six_four[..8], &[Known::BirthDate(1)]), 1);
        assert_eq!(counted(&[14, 15, 16, 17], &[Known::BirthDate(1)]), 1_000);
        assert_eq!(counted(&[14, 15, 16, 17], &[Known::Sex]), 500);
        assert_eq!(counted(&[0, 1, 2, 3, 4, 5, 14, 17], &[Known::Region]), 10);
        let everything: Vec<usize> = (0..18).collect();
        assert_eq!(counted(&everything, &[]), PROVINCES * 36_525 * 1_000);
        assert_eq!(counted(&everything, &[Known::Region, Known::Sex, Known::BirthDate(365)]), 365 * 500);
        // A shown digit of the date may leave one of the dates that another column leaves.
        assert_eq!(counted(&[7, 8, 9, 10, 11, 12, 13, 16, 17], &[Known::BirthDate(365)]), 10);
    }

    #[test]
    fn cards_are_counted_as_they_would_be_written_out() {
        let mut digits = *b"6222020200112230";
        for hidden in [&[6, 7][..], &[6, 9, 14], &[10], &[7, 8, 9, 10]] {
            let count = (0..10u32.pow(u32::try_from(hidden.len()).unwrap()))
                .filter(|number| {
                    let mut rest = *number;
                    for &at in hidden {
                        digits[at] = b'0' + u8::try_from(rest % 10).unwrap();
                        rest /= 10;
                    }
                    check::luhn(digits)
                })
                .count() as u128;
            assert_eq!(of_form(&Kind::BankCard, &|_, at| !hidden.contains(&at), &[]), count, "{hidden:?}");
            let without_check = of_form(&Kind::BankCard, &|len, at| !hidden.contains(&at) && at + 1 < len, &[]);
            assert_eq!(without_check, 10 * count);
        }
    }

    #[test]
    fn prefixes_count_nothing() {
        for (kind, prefix) in [(Kind::Mobile, 3), (Kind::BankCard, 6), (Kind::Plate, 2), (Kind::Passport, 2), (Kind::Uscc, 8)] {
            assert_eq!(of_form(&kind, &|_, at| at >= prefix, &[]), 1, "{kind}");
            assert_eq!(of_form(&kind, &|_, at| at != prefix && at < 15, &[]) % 10, 0, "{kind}");
        }
        assert_eq!(of_form(&Kind::Uscc, &|_, _| false, &[]), 100_000_000);
        for kind in [Kind::Name, Kind::Text, Kind::Ip, Kind::Landline, Kind::Date, Kind::Category] {
            assert_eq!(of_form(&kind, &|_, _| false, &[]), 1);
        }
    }
}
