//! The technique `date_shift`: all dates of a subject moved by the same secret number of days.

use std::sync::Arc;

use arrow_array::builder::Int64Builder;
use arrow_array::{Array, ArrayRef};

use super::cells::{Cell, Cells};
use super::emitted::Texts;
use super::{
    About, Emit, Emitted, Given, Kernel, KeyAsked, Method, OffKind, OffReason, OutputType, Parameter, Setting, TechniqueError, Value, Work,
};
use crate::desensitise::Problem;
use crate::desensitise::keys::KeyRing;
use crate::desensitise::prf::{Batch, LANES, Prf};
use crate::desensitise::residual::{Domain, Known, Nature, Residual};
use crate::grade::ValueType;
use crate::id::{ColumnName, Name};
use crate::label::Label;
use crate::value::{DateOrder, DateText, Day};

const NAME: &str = "date_shift";

/// All dates of one subject moved by the same number of days (日期偏移), which the key draws for each subject from -days to days, all
/// alike likely (rule H8). The form of each date stays, and the time behind it; full-width digits become narrow.
///
/// The domain is the name of the subject column, so that all date columns of a subject move together. A row without a
/// subject is off-kind, and so is a date that would leave the years 1 to 9999.
///
/// ```text
/// tag   = HMAC-SHA256 or AES-128-CMAC of the subject under the column key, 16 bytes (see Pseudonym)
/// shift = the first of its two numbers of 64 bits that is below the largest multiple of 2 days + 1, modulo 2 days + 1,
///         less days; when neither is, the tag of the tag is taken
/// ```
///
/// # Not promised
/// What a shift does not hide: the order and the gaps of a subject's dates, times of day, and, in a file of many subjects,
/// roughly the season of what happened to all of them. One date known of a subject gives all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateShift {
    key: Name,
    version: Option<u32>,
    domain: Option<Name>,
    subject: ColumnName,
    days: u32,
}

/// No shift is over fewer days, or it hides no season (rule H8).
pub const SHIFT_DAYS_MIN: u32 = 180;
/// A century is as good as suppressing.
pub const SHIFT_DAYS_MAX: u32 = 36_525;

impl DateShift {
    /// Moves by up to `days`, each `subject` alike.
    ///
    /// # Errors
    /// Fewer than 180 days, or more than 36,525.
    pub fn new(key: Name, subject: ColumnName, days: u32) -> Result<Self, TechniqueError> {
        if !(SHIFT_DAYS_MIN..=SHIFT_DAYS_MAX).contains(&days) {
            return Err(TechniqueError::Parameter { technique: NAME, parameter: "days", expected: "180 to 36525" });
        }
        Ok(Self { key, version: None, domain: None, subject, days })
    }

    /// Another version of the key than the highest.
    #[must_use]
    pub fn version(self, version: u32) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Another domain than the name of the subject column.
    #[must_use]
    pub fn domain(self, domain: Name) -> Self {
        Self { domain: Some(domain), ..self }
    }

    fn asked(&self) -> KeyAsked<'_> {
        KeyAsked { id: &self.key, version: self.version, domain: self.domain.as_ref() }
    }

    fn span(&self) -> u64 {
        2 * u64::from(self.days) + 1
    }
}

impl Method for DateShift {
    fn about() -> About {
        About {
            name: NAME,
            parameters: &[
                KeyAsked::ID,
                Parameter { name: "subject", takes: "column name", default: "required", doc: "whose dates move together" },
                Parameter {
                    name: "days",
                    takes: "180 to 36,525",
                    default: "required",
                    doc: "moved by so many days at most, to either side",
                },
                KeyAsked::VERSION,
                Parameter { doc: "the subject's name unless told", ..KeyAsked::DOMAIN },
            ],
            examples: &[
                "key = \"k\"\nsubject = \"who\"\ndays = 180",
                "key = \"k\"\nsubject = \"who\"\ndays = 365\nkey_version = 1\ndomain = \"person\"",
            ],
        }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        let (key, subject) = (given.required("key", Given::name)?, given.required("subject", Given::column)?);
        let days = given.required("days", |given, name| given.count(name, SHIFT_DAYS_MAX))?;
        let shift = Self::new(key, subject, days)?;
        Ok(Self { version: given.count("key_version", u32::MAX)?, domain: given.name("domain")?, ..shift })
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let mut parameters = self.asked().parameters();
        let own = [("subject", self.subject.as_str().into()), ("days", self.days.into())];
        parameters.splice(1..1, own);
        parameters
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: false, reversible: true, linkable: false }
    }

    fn residual_given(&self, _: &Domain, _: &[Known]) -> Residual {
        Residual::AtLeast(u128::from(self.span()))
    }

    fn leaks(&self) -> &'static [&'static str] {
        &["the days between two dates of one subject, and so rare sequences of gaps", "that a date lies within the days of its shift"]
    }

    /// Integers stay integers of eight digits; everything else is text.
    fn output(&self, setting: &Setting) -> OutputType {
        if setting.domain.value_type == ValueType::Integer { OutputType::Integer } else { OutputType::Text }
    }

    fn work(&self, setting: &Setting, keys: &KeyRing) -> Result<Work, TechniqueError> {
        let prf = Prf::of(&self.asked(), self.subject.as_str(), keys, Label::DATE_SHIFT)?;
        let (span, days, order) = (self.span(), self.days.cast_signed(), setting.date_order);
        let integers = self.output(setting) == OutputType::Integer;
        Ok(Work::Cells(Kernel::new(Shifter { prf, span, days, order, integers })))
    }

    fn key(&self) -> Option<KeyAsked<'_>> {
        Some(self.asked())
    }

    fn subject(&self) -> Option<&ColumnName> {
        Some(&self.subject)
    }

    fn needs_date_order(&self) -> bool {
        true
    }

    fn needs_day(&self) -> bool {
        true
    }

    fn keeps_gaps(&self) -> bool {
        true
    }
}

struct Shifter {
    prf: Prf,
    span: u64,
    days: i32,
    order: Option<DateOrder>,
    integers: bool,
}

impl Shifter {
    /// The shift of every row that has a subject.
    fn shifts(&self, subjects: &ArrayRef) -> Vec<Option<i32>> {
        let mut shifts = Vec::with_capacity(subjects.len());
        let mut batch = Batch::default();
        let mut rows = Vec::with_capacity(LANES);
        let mut tags = [[0; 16]; LANES];
        let mut draw = |batch: &mut Batch, rows: &mut Vec<usize>, shifts: &mut Vec<Option<i32>>| {
            for (row, tag) in rows.drain(..).zip(self.prf.tags(batch, &mut tags)) {
                shifts[row] = Some(self.shift(*tag));
            }
            batch.clear();
        };
        Cells::of(subjects).each(|row, subject| {
            shifts.push(None);
            if let Cell::Value(subject) = subject {
                batch.push(|bytes| bytes.extend_from_slice(subject.as_bytes()));
                rows.push(row);
                if batch.is_full() {
                    draw(&mut batch, &mut rows, &mut shifts);
                }
            }
        });
        draw(&mut batch, &mut rows, &mut shifts);
        shifts
    }

    /// Uniform between -days and days.
    fn shift(&self, mut tag: [u8; 16]) -> i32 {
        // 2^64 is not a multiple of the span, which is odd and above 1.
        let end = u64::MAX - u64::MAX % self.span;
        loop {
            for word in tag.as_chunks::<8>().0 {
                let word = u64::from_be_bytes(*word);
                if word < end {
                    // Below 2 days + 1.
                    return i32::try_from(word % self.span).unwrap_or(self.days) - self.days;
                }
            }
            tag = self.prf.tag(&tag);
        }
    }
}

impl Emit for Shifter {
    fn emit(&self, cells: &ArrayRef, subject: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let shifts = subject.map_or_else(Vec::new, |subject| self.shifts(subject));
        let mut plain = String::new();
        let mut shift = |row: usize, text: &str, out: &mut String| {
            let days = shifts.get(row).copied().flatten().ok_or(OffReason::NoSubject)?;
            let read = DateText::read(text, &mut plain).and_then(|date| Some((date, date.day(self.order)?)));
            let (date, day) = read.ok_or(OffReason::NotADate)?;
            out.clear();
            let shifted = Day::from_unix_d(day.unix_d() + i64::from(days));
            if date.write(self.order, shifted, out) { Ok(()) } else { Err(OffReason::OutOfRange) }
        };
        let read = Cells::of(cells);
        let mut scratch = String::new();
        if self.integers {
            let mut integers = Int64Builder::with_capacity(cells.len());
            read.each(|row, cell| {
                let shifted = match cell {
                    Cell::Value(text) => {
                        shift(row, text, &mut scratch).and_then(|()| scratch.parse().map(Some).map_err(|_| OffReason::OutOfRange))
                    }
                    Cell::Null => Ok(None),
                    Cell::Other(reason) => Err(reason),
                };
                integers.append_option(shifted.unwrap_or_else(|reason| {
                    off.push(row, reason);
                    None
                }));
            });
            return Emitted::new(Arc::new(integers.finish()));
        }
        let mut texts = Texts::with_capacity(cells.len(), read.bytes());
        read.each(|row, cell| match cell {
            Cell::Value(text) => match shift(row, text, &mut scratch) {
                Ok(()) => {
                    texts.piece(&scratch);
                    texts.end_or(row, off);
                }
                Err(reason) => texts.off(row, reason, off),
            },
            Cell::Null => texts.null(),
            Cell::Other(reason) => texts.off(row, reason, off),
        });
        texts.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow_array::Int64Array;

    use super::super::Technique;
    use super::super::tests::{keys, name, run_by, setting, some, texts};
    use super::*;
    use crate::desensitise::PrfAlgorithm;
    use crate::grade::{Kind, ValueType};

    fn shift(days: u32) -> DateShift {
        DateShift::new(name("k"), ColumnName::new("who").unwrap(), days).unwrap()
    }

    #[test]
    fn a_subject_moves_as_one_in_every_form_and_column_type() {
        let technique = Technique::new(shift(200));
        let text = setting(Kind::Date, ValueType::Text, None);
        let who: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), Some(7), Some(8), None, Some(7), Some(7)]));
        let dates = texts(&["2024-02-28", "2024-02-29 08:30", "2024-02-29", "2024-02-29", "2024-02-30", "0001-01-01"]);
        let (cells, off) = run_by(&technique, &text, &dates, Some(&who));
        let day = |cell: usize| DateText::read(cells[cell].as_deref().unwrap(), &mut String::new()).unwrap().day(None).unwrap().unix_d();
        assert_eq!(day(0) + 1, day(1));
        assert!(day(2) != day(1) && cells[1].as_deref().unwrap().ends_with(" 08:30"));
        assert_eq!(off[..2], [(3, OffReason::NoSubject), (4, OffReason::NotADate)]);

        let integers: ArrayRef = Arc::new(Int64Array::from(vec![20_240_228, 20_240_229]));
        let who_as_text = texts(&["7", "7"]);
        let (compact, _) = run_by(&technique, &setting(Kind::Date, ValueType::Integer, None), &integers, Some(&who_as_text));
        assert_eq!(compact[0].as_deref(), Some(cells[0].as_deref().unwrap().replace('-', "").as_str()));
        assert_eq!(run_by(&technique, &text, &dates, None).1.len(), 6);
    }

    #[test]
    fn shifts_are_uniform_from_end_to_end() {
        for algorithm in [PrfAlgorithm::HmacSha256, PrfAlgorithm::AesCmac] {
            let shift = shift(180);
            let prf = Prf::new(keys(algorithm).get(&name("k"), None).unwrap(), Label::DATE_SHIFT, "who");
            let shifter = Shifter { prf, span: shift.span(), days: 180, order: None, integers: false };
            let subjects: ArrayRef = Arc::new(Int64Array::from_iter_values(0..361 * 50));
            let mut counts = vec![0i32; 361];
            for days in shifter.shifts(&subjects) {
                counts[usize::try_from(days.unwrap() + 180).unwrap()] += 1;
            }
            // Chi-square with 360 degrees of freedom: above 500 with a chance below 2e-6 if uniform; fixed key.
            let chi: f64 = counts.iter().map(|&count| f64::from((count - 50).pow(2)) / 50.0).sum();
            assert!(chi < 500.0, "{chi}");
        }
    }

    #[test]
    fn words_above_the_last_multiple_are_drawn_again() {
        let shift = shift(180);
        let prf = Prf::new(keys(PrfAlgorithm::AesCmac).get(&name("k"), None).unwrap(), Label::DATE_SHIFT, "who");
        let shifter = Shifter { prf, span: shift.span(), days: 180, order: None, integers: false };
        let mut tag = [0xff; 16];
        tag[8..].copy_from_slice(&360u64.to_be_bytes());
        assert_eq!(shifter.shift(tag), 180);
        assert_eq!(shifter.shift([0xff; 16]), shifter.shift(shifter.prf.tag(&[0xff; 16])));
    }

    #[test]
    fn days_are_bounded_and_domains_part_shifts() {
        assert!(DateShift::new(name("k"), ColumnName::new("who").unwrap(), 179).is_err());
        assert!(DateShift::new(name("k"), ColumnName::new("who").unwrap(), 36_526).is_err());
        let text = setting(Kind::Date, ValueType::Text, None);
        let of = |shift: DateShift| run_by(&Technique::new(shift), &text, &texts(&["2024-02-28"]), Some(&texts(&["a"]))).0;
        assert_ne!(of(shift(36_525)), of(shift(36_525).domain(name("other"))));
        assert_eq!(of(shift(36_525)), of(shift(36_525).domain(name("who"))));
        assert_ne!(of(shift(36_525)), some(&["2024-02-28"]));
    }
}
