//! Descriptions: the owner's public word on a dataset, checked as a whole and encoded one way.

use super::{DescriptionError, Schema, Unit};
use crate::budget::{Delta, Epsilon, Loss};
use crate::codec::{CodecError, Decoder, Encoder, required};
use crate::dp::accountant::zcdp;
use crate::id::Name;

/// The longest quantum that a description of an earlier version could have: a longer one only keeps callers waiting.
pub const QUANTUM_MS_MAX: u32 = 60_000;
const TITLE_BYTES_MAX: usize = 1024;

/// The owner's public word about a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    name: Name,
    title: String,
    budget: Loss,
    report_delta: Option<Delta>,
    legacy_quantum_ms: Option<u32>,
    rows_are_independent: bool,
    public_size: bool,
    public_source: Option<String>,
    schema: Schema,
}

/// What a [`Description`] is made of.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What FROM names.
    pub name: Name,
    /// For people.
    pub title: String,
    /// The budget of the lineage.
    pub budget: Loss,
    /// For a budget of rho: the delta at which people are told what it is worth as epsilon; never spent (rule B8).
    pub report_delta: Option<Delta>,
    /// The quantum of answer times, in descriptions that earlier versions published; a new one has none, since a space has one
    /// quantum for all its datasets (rule G2).
    pub legacy_quantum_ms: Option<u32>,
    /// The owner's word that no two rows belong to one person; needed when the unit is a row.
    pub rows_are_independent: bool,
    /// Whether the number of rows may be known.
    pub public_size: bool,
    /// Where bounds and declared values are known from.
    pub public_source: Option<String>,
    /// Unit, contribution and columns.
    pub schema: Schema,
}

mod key {
    pub(super) const NAME: i64 = 1;
    pub(super) const TITLE: i64 = 2;
    pub(super) const BUDGET: i64 = 3;
    pub(super) const QUANTUM_MS: i64 = 4;
    pub(super) const ROWS_ARE_INDEPENDENT: i64 = 5;
    pub(super) const PUBLIC_SIZE: i64 = 6;
    pub(super) const PUBLIC_SOURCE: i64 = 7;
    pub(super) const SCHEMA: i64 = 8;
    pub(super) const REPORT_DELTA: i64 = 9;
}

impl Description {
    /// Checks a draft.
    ///
    /// # Errors
    /// The first thing that is wrong and what to do.
    pub fn new(draft: Draft) -> Result<Self, DescriptionError> {
        let Draft { name, title, budget, report_delta, legacy_quantum_ms, rows_are_independent, public_size, public_source, schema } =
            draft;
        check_budget(&budget, report_delta)?;
        match (schema.unit(), rows_are_independent) {
            (Unit::Row, false) => {
                return Err(DescriptionError::Dataset(
                    "unit = \"row\" protects one row each: say rows_are_independent = true if no two rows are of one person, else name the unit column",
                ));
            }
            (Unit::Column(_), true) => return Err(DescriptionError::Dataset("rows_are_independent is only said with unit = \"row\"")),
            _ => {}
        }
        if legacy_quantum_ms.is_some_and(|quantum_ms| quantum_ms > QUANTUM_MS_MAX) {
            return Err(DescriptionError::Dataset("quantum_ms is at most 60000"));
        }
        for text in [Some(&title), public_source.as_ref()].into_iter().flatten() {
            if text.len() > TITLE_BYTES_MAX || !unicode_normalization::is_nfc(text) || text.chars().any(char::is_control) {
                return Err(DescriptionError::Dataset(
                    "title and public_source are at most 1024 bytes of NFC text without control characters",
                ));
            }
        }
        Ok(Self { name, title, budget, report_delta, legacy_quantum_ms, rows_are_independent, public_size, public_source, schema })
    }

    /// What FROM names.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// For people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The budget of the lineage, before refills.
    #[must_use]
    pub const fn budget(&self) -> Loss {
        self.budget
    }

    /// The delta at which a budget of rho is told as epsilon; there is one exactly then.
    #[must_use]
    pub const fn report_delta(&self) -> Option<Delta> {
        self.report_delta
    }

    /// What an amount of rho is worth as epsilon at [`Self::report_delta`], rounded up: whoever spends (rho, delta) keeps
    /// (this epsilon, delta + report delta)-differential privacy. Nothing for epsilons, and for a rho beyond their limit.
    #[must_use]
    pub fn epsilon_at_report_delta(&self, amount: &Loss) -> Option<Epsilon> {
        match (amount, self.report_delta) {
            (Loss::Zcdp { rho, .. }, Some(_)) if rho.units() == 0 => Some(Epsilon::ZERO),
            (Loss::Zcdp { rho, .. }, Some(delta)) => zcdp::epsilon_of(*rho, delta).ok(),
            _ => None,
        }
    }

    /// The quantum of answer times that a description of an earlier version has. Of a space only the largest of them counts,
    /// once, when it is brought to this version.
    #[must_use]
    pub const fn legacy_quantum_ms(&self) -> Option<u32> {
        self.legacy_quantum_ms
    }

    /// Whether the other describes the same dataset: equal in all but the quantum, which descriptions no longer have.
    #[must_use]
    pub fn same_but_for_quantum(&self, other: &Self) -> bool {
        let Self { name, title, budget, report_delta, legacy_quantum_ms: _, rows_are_independent, public_size, public_source, schema } =
            self;
        *name == other.name
            && *title == other.title
            && *budget == other.budget
            && *report_delta == other.report_delta
            && *rows_are_independent == other.rows_are_independent
            && *public_size == other.public_size
            && *public_source == other.public_source
            && *schema == other.schema
    }

    /// Whether the number of rows may be known.
    #[must_use]
    pub const fn public_size(&self) -> bool {
        self.public_size
    }

    /// Where bounds and declared values are known from.
    #[must_use]
    pub fn public_source(&self) -> Option<&str> {
        self.public_source.as_deref()
    }

    /// Unit, contribution and columns.
    #[must_use]
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The promise to one privacy unit in words, for receipts and cards.
    #[must_use]
    pub fn promise(&self) -> String {
        let unit = match self.schema.unit() {
            Unit::Row => "any one row".to_owned(),
            Unit::Column(column) => format!("all rows of any one {column}"),
        };
        let pure = format!("adding or removing {unit} changes the chance of any set of answers by a factor of at most e^epsilon");
        match self.budget {
            Loss::Approx { delta: Delta::ZERO, .. } => pure,
            Loss::Approx { .. } => format!("{pure}, and by at most delta beyond it"),
            Loss::Zcdp { delta, .. } => {
                let kind = if delta == Delta::ZERO { "rho-zCDP" } else { "delta-approximate rho-zCDP" };
                let worth = self.epsilon_at_report_delta(&self.budget).zip(self.report_delta.and_then(|report| report.checked_add(delta)));
                let worth = worth.map_or(String::new(), |(epsilon, delta)| {
                    format!(", under which the chance of any set of answers changes by a factor of at most e^{epsilon}, and by at most {delta} beyond it")
                });
                format!("answers are {kind} for adding or removing {unit}: the published budget is {}{worth}", self.budget)
            }
        }
    }

    pub(super) fn encode(&self, out: &mut Encoder) {
        out.map(|map| {
            map.key(key::NAME).text(self.name.as_str());
            map.key(key::TITLE).text(&self.title);
            self.budget.encode(map.key(key::BUDGET));
            if let Some(quantum_ms) = self.legacy_quantum_ms {
                map.key(key::QUANTUM_MS).uint(quantum_ms.into());
            }
            if self.rows_are_independent {
                map.key(key::ROWS_ARE_INDEPENDENT).boolean(true);
            }
            if self.public_size {
                map.key(key::PUBLIC_SIZE).boolean(true);
            }
            if let Some(source) = &self.public_source {
                map.key(key::PUBLIC_SOURCE).text(source);
            }
            self.schema.encode(map.key(key::SCHEMA));
            if let Some(delta) = self.report_delta {
                map.key(key::REPORT_DELTA).uint(delta.units());
            }
        });
    }

    pub(super) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let offset = decoder.offset();
        let (mut name, mut title, mut budget, mut legacy_quantum_ms, mut public_source, mut schema) = (None, None, None, None, None, None);
        let (mut rows_are_independent, mut public_size, mut report_delta) = (false, false, None);
        let mut keys = decoder.map(9)?;
        while let Some(key) = keys.next(decoder)? {
            let value = |expected| CodecError::Value { key, expected };
            match key {
                key::NAME => name = Some(Name::new(decoder.text(128)?).map_err(|_| value("a name"))?),
                key::TITLE => title = Some(decoder.text(TITLE_BYTES_MAX)?.to_owned()),
                key::BUDGET => budget = Some(Loss::decode(decoder)?),
                key::QUANTUM_MS => legacy_quantum_ms = Some(u32::try_from(decoder.uint()?).map_err(|_| value("milliseconds"))?),
                key::ROWS_ARE_INDEPENDENT => rows_are_independent = only_true(decoder, key)?,
                key::PUBLIC_SIZE => public_size = only_true(decoder, key)?,
                key::PUBLIC_SOURCE => public_source = Some(decoder.text(TITLE_BYTES_MAX)?.to_owned()),
                key::SCHEMA => schema = Some(Schema::decode(decoder)?),
                key::REPORT_DELTA => report_delta = Some(Delta::from_units(decoder.uint()?).ok_or_else(|| value("a delta"))?),
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        let draft = Draft {
            name: required(name, key::NAME)?,
            title: required(title, key::TITLE)?,
            budget: required(budget, key::BUDGET)?,
            report_delta,
            legacy_quantum_ms,
            rows_are_independent,
            public_size,
            public_source,
            schema: required(schema, key::SCHEMA)?,
        };
        Self::new(draft).map_err(|_| CodecError::Unexpected { offset, expected: "a description that could be published" })
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

/// A flag has one encoding when it is set and none when it is not.
fn only_true(decoder: &mut Decoder<'_>, key: i64) -> Result<bool, CodecError> {
    if decoder.boolean()? { Ok(true) } else { Err(CodecError::Value { key, expected: "true, or absent" }) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::codec::Limits;
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
        description.encode(&mut out);
        out.into_bytes()
    }

    #[test]
    fn a_quantum_of_earlier_versions_keeps_its_bytes_and_makes_no_other_dataset() {
        let all = [None, Some(0), Some(100), Some(60_000)].map(|quantum_ms| description("", quantum_ms).unwrap());
        for one in &all {
            let encoded = bytes(one);
            let again = Description::decode(&mut Decoder::new(&encoded, Limits::of_bytes(4096)).unwrap()).unwrap();
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
