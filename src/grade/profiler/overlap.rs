//! Columns that carry the value of another, or a part of it.
//!
//! Of some records the cells are compared two by two, written without blanks, signs and points, dates with their year first: is one a part
//! of the other, and does it begin at a fixed place? `13800138000` beside `8000`, an ID beside the date of birth in it. Chance is told
//! by the same question about the value of the record before. Only counts are kept.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch};

use super::super::Overlap;
use crate::table::TableSchema;
use crate::value::{DateOrder, DateText};

/// Comparisons that are made for about each doubling of the records: fewer records of tables of many columns, none of those of more than
/// 700.
const COMPARED_MAX: u64 = 1 << 20;
/// The first so many records are all compared in a table of few columns, and behind them always fewer: as many of each e times as many.
const DENSE_MAX: u64 = 256;
/// Fewer records do not show that values agree.
const RECORDS_MIN: u32 = 8;
/// Longer cells are texts, of which parts say nothing.
const BYTES_MAX: usize = 64;
/// Places of a part in a value that are looked at.
const PLACES_MAX: usize = 8;

/// What was compared so far.
#[derive(Clone)]
pub(super) struct Overlaps {
    columns: usize,
    /// Of each two columns the records in which both have a value.
    both: HashMap<(u32, u32), Tally>,
    /// The records in which the second column is a part of the first that begins here and has this length, or anywhere.
    parts: HashMap<(u32, u32, Place), Tally>,
}

/// Records, and those in which it is so of the value of the record before.
#[derive(Clone, Copy, Default)]
struct Tally {
    records: u32,
    by_chance: u32,
}

/// Where a part begins, and its length; nothing for anywhere.
type Place = Option<(u8, u8)>;

/// A cell in letters and digits alone.
#[derive(Clone, Default)]
struct Cell {
    /// Of a date, the year first.
    value: String,
    /// As it is written, if that is something else: places in it are none of the value's.
    written: Option<String>,
}

impl Overlaps {
    pub(super) fn new(columns: usize) -> Self {
        Self { columns, both: HashMap::new(), parts: HashMap::new() }
    }

    /// Compares some records of a batch, whose first has this number. Which ones is a matter of their numbers alone, and the record before is
    /// that of the same batch, so that it changes nothing which thread has which batch.
    pub(super) fn update(&mut self, batch: &RecordBatch, first: u64) {
        let columns = batch.num_columns().min(self.columns);
        let dense = (COMPARED_MAX / (columns as u64).pow(2).max(1)).min(DENSE_MAX);
        if dense < u64::from(RECORDS_MIN) / 4 {
            return;
        }
        for (_, row) in (first..).zip(0..batch.num_rows()).filter(|(number, _)| is_compared(*number, dense)) {
            let cells = |row: usize| batch.columns()[..columns].iter().map(|array| Cell::of(array, row)).collect::<Vec<_>>();
            self.compare(&cells(row), &row.checked_sub(1).map(cells).unwrap_or_default());
        }
    }

    fn compare(&mut self, cells: &[Cell], before: &[Cell]) {
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        for (part, piece) in cells.iter().enumerate().filter(|(_, piece)| !piece.value.is_empty()) {
            for (whole, cell) in cells.iter().enumerate().filter(|(whole, _)| *whole != part) {
                let key = (number(whole), number(part));
                if !cell.value.is_empty() {
                    self.both.entry(key).or_default().records += 1;
                    cell.each_place(piece, |place| self.parts.entry((key.0, key.1, place)).or_default().records += 1);
                }
                if let Some(cell) = before.get(whole).filter(|cell| !cell.value.is_empty()) {
                    self.both.entry(key).or_default().by_chance += 1;
                    cell.each_place(piece, |place| self.parts.entry((key.0, key.1, place)).or_default().by_chance += 1);
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        let add = |tally: &mut Tally, more: Tally| {
            tally.records += more.records;
            tally.by_chance += more.by_chance;
        };
        other.both.into_iter().for_each(|(key, more)| add(self.both.entry(key).or_default(), more));
        other.parts.into_iter().for_each(|(key, more)| add(self.parts.entry(key).or_default(), more));
    }

    /// What the column `part` tells of others: where it stands in at least half of the records that have both, those in which it would by
    /// chance left out; at no place, if it stands in them and at none so often.
    pub(super) fn of(&self, part: usize, schema: &TableSchema) -> Vec<Overlap> {
        let mut found: Vec<(u32, Place)> = Vec::new();
        for (&(whole, of, place), tally) in &self.parts {
            let both = self.both.get(&(whole, of)).copied().unwrap_or_default();
            if usize::try_from(of).is_ok_and(|of| of == part) && both.records >= RECORDS_MIN && tally.is_above_chance(both) {
                found.push((whole, place));
            }
        }
        found.sort_unstable();
        let placed: Vec<u32> = found.iter().filter(|(_, place)| place.is_some()).map(|(whole, _)| *whole).collect();
        found.retain(|(whole, place)| place.is_some() || !placed.contains(whole));
        let overlap = |(whole, place): (u32, Place)| {
            let column = schema.columns().get(whole as usize)?.name.clone();
            Some(Overlap { column, place: place.map(|(from, len)| (from.into(), len.into())) })
        };
        found.into_iter().filter_map(overlap).collect()
    }
}

impl Tally {
    /// Whether it is so in half of the records in which it is not by chance, of these in which both have a value, and by more than three
    /// standard deviations of what chance gives.
    fn is_above_chance(self, both: Self) -> bool {
        let share = |part: u32, all: u32| f64::from(part) / f64::from(all.max(1));
        let (found, chance) = (share(self.records, both.records), share(self.by_chance, both.by_chance));
        let records = f64::from(both.records.max(1));
        let deviation = ((chance * (1.0 - chance) + 1.0 / records) / records).sqrt();
        found - chance > 3.0 * deviation && 2.0 * (found - chance) >= 1.0 - chance
    }
}

impl Cell {
    /// Empty if the cell is, or is longer than values are.
    fn of(array: &ArrayRef, row: usize) -> Self {
        if array.is_null(row) {
            return Self::default();
        }
        if let Some(texts) = array.as_string_opt::<i32>() {
            let text = texts.value(row);
            return if text.len() <= BYTES_MAX { Self::read(text) } else { Self::default() };
        }
        array.as_primitive_opt::<Int64Type>().map_or_else(Self::default, |numbers| Self::read(&numbers.value(row).to_string()))
    }

    fn read(text: &str) -> Self {
        let plain = text.chars().map(narrow).filter(|character| character.is_alphanumeric());
        let written: String = plain.map(|character| character.to_ascii_uppercase()).collect();
        let mut scratch = String::new();
        // In which order a date with its year last was meant the column tells; a day that both allow is taken for the day first, and of the
        // others most have one order only.
        let date = DateText::read(text, &mut scratch);
        let day =
            date.and_then(|date| date.day(Some(DateOrder::Dmy)).or_else(|| date.day(Some(DateOrder::Mdy))).or_else(|| date.day(None)));
        match day.map(|day| format!("{:04}{:02}{:02}", day.year(), day.month(), day.day())) {
            Some(value) if value != written => Self { value, written: Some(written) },
            _ => Self { value: written, written: None },
        }
    }

    /// Hands on where the other is a part of this, once each, and whether it is anywhere.
    fn each_place(&self, piece: &Self, mut take: impl FnMut(Place)) {
        let characters = |text: &str| u8::try_from(text.chars().count()).unwrap_or(u8::MAX);
        let mut is_anywhere = false;
        for (place, _) in self.value.match_indices(&piece.value).take(PLACES_MAX) {
            is_anywhere = true;
            take(Some((characters(&self.value[..place]), characters(&piece.value))));
        }
        let writings = |cell: &Self| [Some(&cell.value), cell.written.as_ref()].into_iter().flatten().cloned().collect::<Vec<_>>();
        let pieces = writings(piece);
        is_anywhere |= writings(self).iter().any(|value| pieces.iter().any(|piece| value.contains(piece.as_str())));
        if is_anywhere {
            take(None);
        }
    }
}

/// Whether the record with this number is one of those that are compared: the first, and behind them always fewer.
const fn is_compared(number: u64, dense: u64) -> bool {
    let every = number / dense + 1;
    // Numbers that follow no order (splitmix64), so that no period of the records is met.
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).is_multiple_of(every)
}

/// Full-width forms of ASCII become ASCII.
fn narrow(character: char) -> char {
    match u32::from(character) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(character),
        _ => character,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, StringArray};

    use super::*;
    use crate::id::ColumnName;
    use crate::table::{ColumnKind, TableColumn};

    fn found(columns: Vec<(&str, Vec<String>)>) -> Vec<(String, String, usize, usize)> {
        let column = |name: &str| TableColumn { name: ColumnName::new(name).unwrap(), kind: ColumnKind::Text };
        let schema = TableSchema::new(columns.iter().map(|(name, _)| column(name)).collect()).unwrap();
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let names = &names;
        let arrays = columns.into_iter().map(|(name, cells)| (name.to_owned(), Arc::new(StringArray::from(cells)) as ArrayRef));
        let batch = RecordBatch::try_from_iter(arrays).unwrap();
        let mut overlaps = Overlaps::new(names.len());
        let mut other = overlaps.clone();
        let half = batch.num_rows() / 2;
        overlaps.update(&batch.slice(0, half), 1);
        other.update(&batch.slice(half, batch.num_rows() - half), half as u64 + 1);
        overlaps.merge(other);
        let of = |at: usize| {
            overlaps.of(at, &schema).into_iter().map(move |overlap| {
                let (from, len) = overlap.place.unwrap_or((usize::MAX, 0));
                (names[at].clone(), overlap.column.to_string(), from, len)
            })
        };
        (0..schema.columns().len()).flat_map(of).collect()
    }

    fn number(at: u64) -> u64 {
        13_000_000_000 + at.wrapping_mul(7_919_317_811) % 1_000_000_000
    }

    #[test]
    fn parts_at_a_fixed_place_are_told_and_others_are_not() {
        let rows = 0..60u64;
        let cells = |make: &dyn Fn(u64) -> String| rows.clone().map(make).collect::<Vec<_>>();
        let columns = vec![
            (
                "mobile",
                cells(&|row| {
                    let text = number(row).to_string();
                    format!("{} {}-{}", &text[..3], &text[3..7], &text[7..])
                }),
            ),
            ("last4", cells(&|row| format!("{:04}", number(row) % 10_000))),
            ("contact", cells(&|row| number(if row % 3 == 0 { row } else { row + 1_000 }).to_string())),
            ("constant", cells(&|_| "13".to_owned())),
            ("random", cells(&|row| (row * row % 97).to_string())),
        ];
        assert_eq!(found(columns), [("last4".to_owned(), "mobile".to_owned(), 7, 4)]);
    }

    #[test]
    fn equal_columns_tell_each_other() {
        let amounts = |step: i64| (0..40).map(|row| (row * 37 % 1_000 * step).to_string()).collect::<Vec<_>>();
        let columns = vec![("a", amounts(1)), ("b", amounts(1)), ("c", amounts(13))];
        let pairs: Vec<(String, String)> = found(columns).into_iter().map(|(part, whole, ..)| (part, whole)).collect();
        assert!(pairs.contains(&("a".into(), "b".into())) && pairs.contains(&("b".into(), "a".into())), "{pairs:?}");
        // A few records show nothing.
        let few = vec![("a", vec!["12".to_owned(); 7]), ("b", vec!["12".to_owned(); 7])];
        assert_eq!(found(few), []);
    }

    #[test]
    fn cells_are_compared_as_values() {
        let of = |text: &str| Cell::read(text).value;
        for date in ["1949-12-31", "31/12/1949", "12/31/1949", "1949年12月31日", "１９４９-12.31", "19491231"] {
            assert_eq!(of(date), "19491231", "{date}");
        }
        assert_eq!(of("1949-5-7"), "19490507");
        let integers: ArrayRef = Arc::new(Int64Array::from(vec![19_491_231]));
        assert_eq!(Cell::of(&integers, 0).value, "19491231");
    }

    #[test]
    fn digits_that_are_there_by_chance_tell_nothing_and_parts_of_any_length_do() {
        let rows = 0..200u64;
        let cells = |make: &dyn Fn(u64) -> String| rows.clone().map(make).collect::<Vec<_>>();
        let width = |row: u64| [12, 13, 15][usize::try_from(row % 3).unwrap()];
        let card = |row: u64| format!("6222{:0width$}", row.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000_000, width = width(row));
        let columns = vec![
            ("salary", cells(&|row| (30_000 + row * 37 % 900 * 10).to_string())),
            ("bonus", cells(&|row| if row % 10 == 0 { (row * 10).to_string() } else { "0".to_owned() })),
            ("flag", cells(&|row| (row % 2).to_string())),
            ("card", cells(&card)),
            (
                "end",
                cells(&|row| {
                    let text = card(row);
                    text[text.len() - 4..].to_owned()
                }),
            ),
        ];
        let found = found(columns);
        assert_eq!(found, [("end".to_owned(), "card".to_owned(), usize::MAX, 0)]);
    }

    #[test]
    fn what_begins_late_in_a_file_is_seen() {
        let compared = |from: u64, to: u64| (from..to).filter(|number| is_compared(*number, DENSE_MAX)).count();
        assert_eq!(compared(1, DENSE_MAX), 255);
        assert!((250..2_000).contains(&compared(DENSE_MAX, 200_000)), "{}", compared(DENSE_MAX, 200_000));
        assert!(compared(200_000, 2_000_000) > 400, "{}", compared(200_000, 2_000_000));
    }
}
