//! Descriptions: the owner's public word on a dataset, checked as a whole and encoded one way.

use super::{DescriptionError, Schema, Unit};
use crate::budget::{Delta, Epsilon, Loss};
use crate::codec::{CodecError, Decoder, Encoder, Field, Text, record};
use crate::dp::accountant::zcdp;
use crate::id::Name;

/// The longest quantum that a description of an earlier version could have: a longer one only keeps callers waiting.
pub const QUANTUM_MS_MAX: u32 = 60_000;
const TITLE_BYTES_MAX: usize = 1024;

/// The owner's public word about a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description(Draft);

record! {
    /// What a [`Description`] is made of.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Draft {
        /// What FROM names.
        1 => pub name: Name,
        /// For people.
        2 => pub title: String as Text<TITLE_BYTES_MAX>,
        /// The budget of the lineage.
        3 => pub budget: Loss,
        /// The quantum of answer times, in descriptions that earlier versions published; a new one has none, since a space has one
        /// quantum for all its datasets (rule G2).
        4 => pub legacy_quantum_ms: Option<u32>,
        /// The owner's word that no two rows belong to one person; needed when the unit is a row.
        5 => pub rows_are_independent: bool,
        /// Whether the number of rows may be known.
        6 => pub public_size: bool,
        /// Where bounds and declared values are known from.
        7 => pub public_source: Option<String> as Option<Text<TITLE_BYTES_MAX>>,
        /// Unit, contribution and columns.
        8 => pub schema: Schema,
        /// For a budget of rho: the delta at which people are told what it is worth as epsilon; never spent (rule B8).
        9 => pub report_delta: Option<Delta>,
    }
}

impl Field for Description {
    type Value = Self;
    const SHAPE: &'static str = "description";

    fn write(value: &Self, out: &mut Encoder) {
        Draft::write(&value.0, out);
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        let offset = decoder.offset();
        let draft = Draft::read(decoder, key)?;
        Self::new(draft).map_err(|_| CodecError::Unexpected { offset, expected: "a description that could be published" })
    }
}

impl Description {
    /// Checks a draft.
    ///
    /// # Errors
    /// The first thing that is wrong and what to do.
    pub fn new(draft: Draft) -> Result<Self, DescriptionError> {
        check_budget(&draft.budget, draft.report_delta)?;
        match (draft.schema.unit(), draft.rows_are_independent) {
            (Unit::Row, false) => {
                return Err(DescriptionError::Dataset(
                    "unit = \"row\" protects one row each: say rows_are_independent = true if no two rows are of one person, else name the unit column",
                ));
            }
            (Unit::Column(_), true) => return Err(DescriptionError::Dataset("rows_are_independent is only said with unit = \"row\"")),
            _ => {}
        }
        if draft.legacy_quantum_ms.is_some_and(|quantum_ms| quantum_ms > QUANTUM_MS_MAX) {
            return Err(DescriptionError::Dataset("quantum_ms is at most 60000"));
        }
        for text in [Some(&draft.title), draft.public_source.as_ref()].into_iter().flatten() {
            if text.len() > TITLE_BYTES_MAX || !unicode_normalization::is_nfc(text) || text.chars().any(char::is_control) {
                return Err(DescriptionError::Dataset(
                    "title and public_source are at most 1024 bytes of NFC text without control characters",
                ));
            }
        }
        Ok(Self(draft))
    }

    /// What FROM names.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.0.name
    }

    /// For people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// The budget of the lineage, before refills.
    #[must_use]
    pub const fn budget(&self) -> Loss {
        self.0.budget
    }

    /// The delta at which a budget of rho is told as epsilon; there is one exactly then.
    #[must_use]
    pub const fn report_delta(&self) -> Option<Delta> {
        self.0.report_delta
    }

    /// What an amount of rho is worth as epsilon at [`Self::report_delta`], rounded up: whoever spends (rho, delta) keeps
    /// (this epsilon, delta + report delta)-differential privacy. Nothing for epsilons, and for a rho beyond their limit.
    #[must_use]
    pub fn epsilon_at_report_delta(&self, amount: &Loss) -> Option<Epsilon> {
        match (amount, self.0.report_delta) {
            (Loss::Zcdp { rho, .. }, Some(_)) if rho.units() == 0 => Some(Epsilon::ZERO),
            (Loss::Zcdp { rho, .. }, Some(delta)) => zcdp::epsilon_of(*rho, delta).ok(),
            _ => None,
        }
    }

    /// The quantum of answer times that a description of an earlier version has. Of a space only the largest of them counts,
    /// once, when it is brought to this version.
    #[must_use]
    pub const fn legacy_quantum_ms(&self) -> Option<u32> {
        self.0.legacy_quantum_ms
    }

    /// Whether the other describes the same dataset: equal in all but the quantum, which descriptions no longer have.
    #[must_use]
    pub fn same_but_for_quantum(&self, other: &Self) -> bool {
        let without = |description: &Self| Draft { legacy_quantum_ms: None, ..description.0.clone() };
        without(self) == without(other)
    }

    /// Whether the number of rows may be known.
    #[must_use]
    pub const fn public_size(&self) -> bool {
        self.0.public_size
    }

    /// Where bounds and declared values are known from.
    #[must_use]
    pub fn public_source(&self) -> Option<&str> {
        self.0.public_source.as_deref()
    }

    /// Unit, contribution and columns.
    #[must_use]
    pub const fn schema(&self) -> &Schema {
        &self.0.schema
    }

    /// The promise to one privacy unit in words, for receipts and cards.
    #[must_use]
    pub fn promise(&self) -> String {
        let unit = match self.0.schema.unit() {
            Unit::Row => "any one row".to_owned(),
            Unit::Column(column) => format!("all rows of any one {column}"),
        };
        let pure = format!("adding or removing {unit} changes the chance of any set of answers by a factor of at most e^epsilon");
        match self.0.budget {
            Loss::Approx { delta: Delta::ZERO, .. } => pure,
            Loss::Approx { .. } => format!("{pure}, and by at most delta beyond it"),
            Loss::Zcdp { delta, .. } => {
                let kind = if delta == Delta::ZERO { "rho-zCDP" } else { "delta-approximate rho-zCDP" };
                let worth =
                    self.epsilon_at_report_delta(&self.0.budget).zip(self.0.report_delta.and_then(|report| report.checked_add(delta)));
                let worth = worth.map_or(String::new(), |(epsilon, delta)| {
                    format!(", under which the chance of any set of answers changes by a factor of at most e^{epsilon}, and by at most {delta} beyond it")
                });
                format!("answers are {kind} for adding or removing {unit}: the published budget is {}{worth}", self.0.budget)
            }
        }
    }
}

fn check_budget(budget: &Loss, report_delta: Option<Delta>) -> Result<(), DescriptionError> {
    let (nothing, delta) = match *budget {
        Loss::Approx { epsilon, delta } => (epsilon.units() == 0, delta),
        Loss::Zcdp { rho, delta } => (rho.units() == 0, delta),
    };
    if nothing {
        return Err(DescriptionError::Dataset("budget: a dataset without any epsilon or rho answers nothing"));
    }
    if delta == Delta::MAX {
        return Err(DescriptionError::Dataset("budget: a delta of 1 promises nothing; it is far below one over the number of units"));
    }
    match (budget, report_delta) {
        (Loss::Approx { .. }, None) => Ok(()),
        (Loss::Approx { .. }, Some(_)) => {
            Err(DescriptionError::Dataset("budget: report_delta is for the model zcdp; approx has its own delta"))
        }
        (Loss::Zcdp { .. }, Some(delta)) if delta != Delta::ZERO && delta != Delta::MAX => Ok(()),
        (Loss::Zcdp { .. }, _) => Err(DescriptionError::Dataset(
            "budget: the model zcdp needs report_delta, a decimal above 0 and below 1, at which rho is told as epsilon; it is never spent",
        )),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::codec::{Limits, Record, assert_documented};
    use crate::dataset::{Column, ColumnType, Contribution, Uses};
    use crate::grade::Grade;
    use crate::id::ColumnName;

    fn description(title: &str, legacy_quantum_ms: Option<u32>) -> Result<Description, DescriptionError> {
        let note = Column {
            name: ColumnName::new("note").unwrap(),
            kind: ColumnType::Text,
            bounds: None,
            uses: Uses::of_grade(Grade::L2, false),
            values: None,
            other: None,
            nullable: false,
            grade: Grade::L2,
        };
        Description::new(Draft {
            name: Name::new("notes").unwrap(),
            title: title.to_owned(),
            budget: Loss::approx("1", "0").unwrap(),
            report_delta: None,
            legacy_quantum_ms,
            rows_are_independent: true,
            public_size: false,
            public_source: None,
            schema: Schema::new(Unit::Row, Contribution::ROW, vec![note]).unwrap(),
        })
    }

    fn bytes(description: &Description) -> Vec<u8> {
        let mut out = Encoder::new();
        Description::write(description, &mut out);
        out.into_bytes()
    }

    #[test]
    fn the_page_lists_its_fields() {
        assert_documented(include_str!("../../docs/ledger.md"), "#### Description", Draft::TABLE);
    }

    #[test]
    fn a_quantum_of_earlier_versions_keeps_its_bytes_and_makes_no_other_dataset() {
        let all = [None, Some(0), Some(100), Some(60_000)].map(|quantum_ms| description("", quantum_ms).unwrap());
        for one in &all {
            let encoded = bytes(one);
            let again = Description::read(&mut Decoder::new(&encoded, Limits::of_bytes(4096)).unwrap(), 0).unwrap();
            assert_eq!((&again, bytes(&again)), (one, encoded));
            assert!(all.iter().all(|other| one.same_but_for_quantum(other)));
            assert!(!one.same_but_for_quantum(&description("other", one.legacy_quantum_ms()).unwrap()));
        }
        // Absent is not 0: key 4 is one byte, its value at least one more.
        let [none, zero, ..] = all.each_ref().map(bytes);
        assert_eq!(none.len() + 2, zero.len());
        assert!(description("", Some(60_001)).is_err());
    }
}
