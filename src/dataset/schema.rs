//! The schema: privacy unit, contribution bounds and columns, whose hash a request carries.

use std::collections::HashSet;

use super::column::{VALUE_BYTES_MAX, VALUES_MAX};
use super::{Column, ColumnType, DescriptionError, Use, Uses, Values};
use crate::codec::{CodecError, Decoder, Encoder, Field, List, OrFalse, record, stored};
use crate::id::{ColumnName, Digest};
use crate::label::Label;

/// The privacy unit: what one neighbouring dataset has more or less.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A row; the owner's word that no two rows belong together stands in the description.
    Row,
    /// All rows with one value of this column.
    Column(ColumnName),
}

stored!(
    Unit as OrFalse<ColumnName>,
    "column name",
    |unit| match unit {
        Self::Row => None,
        Self::Column(name) => Some(name.clone()),
    },
    |name| Some(name.map_or(Self::Row, Self::Column)),
    "a privacy unit"
);

record! {
    /// How much one unit may contribute to an answer; enforced by choosing rows, never assumed.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Contribution [
        /// Groups per unit (L0).
        pub groups_per_unit: u32,
        /// Rows per unit and group (L-infinity).
        pub rows_per_group: u32,
        ;
        /// Rows per unit over all groups (L1), when that is less than the product of the two.
        pub rows_per_unit: Option<u32> = None,
    ]
}

impl Contribution {
    /// A unit that is one row.
    pub const ROW: Self = Self { groups_per_unit: 1, rows_per_group: 1, rows_per_unit: None };
    /// More would leave no utility, and keeps every sensitivity within 128 bits.
    pub const MAX: u32 = 1 << 20;

    /// The most rows of one unit in one answer (L1).
    #[must_use]
    pub fn rows(self) -> u64 {
        self.rows_per_unit.map_or(self.product(), |most| self.product().min(most.into()))
    }

    fn product(self) -> u64 {
        u64::from(self.groups_per_unit) * u64::from(self.rows_per_group)
    }

    fn check(self) -> Result<(), DescriptionError> {
        let counts = 1..=Self::MAX;
        if !counts.contains(&self.groups_per_unit) || !counts.contains(&self.rows_per_group) {
            return Err(DescriptionError::Dataset("contribution: groups_per_unit and rows_per_group are from 1 to 1048576"));
        }
        match self.rows_per_unit {
            Some(most) if !counts.contains(&most) => Err(DescriptionError::Dataset("contribution: rows_per_unit is from 1 to 1048576")),
            Some(most) if u64::from(most) > self.product() => Err(DescriptionError::Dataset(
                "contribution: rows_per_unit is at most groups_per_unit times rows_per_group; more would say nothing",
            )),
            _ => Ok(()),
        }
    }
}

/// What questions can be asked about: unit, contribution and columns. Another schema is another dataset (rule B2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema(Parts);

record! {
    /// A schema that nobody has checked.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Parts [
        unit: Unit,
        contribution: Contribution,
        columns: Vec<Column> as List<Column, COLUMNS_MAX>,
        ;
        least_units: u32 = 1,
    ]
}

/// More columns than any register has.
const COLUMNS_MAX: usize = 4096;

impl Schema {
    /// The most units that may be asked of a group before it is named; more would name none.
    pub const LEAST_UNITS_MAX: u32 = 1 << 20;

    /// Checks a schema whole.
    ///
    /// # Errors
    /// The first thing that is wrong, with the column and what to do.
    pub fn new(unit: Unit, contribution: Contribution, columns: Vec<Column>) -> Result<Self, DescriptionError> {
        if columns.is_empty() {
            return Err(DescriptionError::Dataset("a dataset needs at least one column"));
        }
        if columns.len() > COLUMNS_MAX {
            return Err(DescriptionError::TooMany { what: "columns", found: columns.len(), most: COLUMNS_MAX });
        }
        let mut names = HashSet::new();
        for column in &columns {
            check_column(column)?;
            if !names.insert(&column.name) {
                return Err(DescriptionError::Column { column: column.name.clone(), problem: "stands twice" });
            }
        }
        match &unit {
            Unit::Row if contribution != Contribution::ROW => {
                return Err(DescriptionError::Dataset("contribution is for units that are a column; a row contributes once"));
            }
            Unit::Row => {}
            Unit::Column(name) => check_unit(columns.iter().find(|column| column.name == *name))?,
        }
        contribution.check()?;
        Ok(Self(Parts { unit, contribution, columns, least_units: 1 }))
    }

    /// The same, and a group of unknown values is named only when at least so many units are in it, whatever else its
    /// selection needs.
    ///
    /// # Errors
    /// Zero, more than [`Self::LEAST_UNITS_MAX`], or more than 1 where no column has [`Use::Reveal`].
    pub fn with_least_units(self, least_units: u32) -> Result<Self, DescriptionError> {
        if !(1..=Self::LEAST_UNITS_MAX).contains(&least_units) {
            return Err(DescriptionError::Dataset("reveal_least_units is from 1 to 1048576"));
        }
        if least_units > 1 && !self.0.columns.iter().any(|column| column.uses.allow(Use::Reveal)) {
            return Err(DescriptionError::Dataset("reveal_least_units is for columns with `reveal`, and there is none"));
        }
        Ok(Self(Parts { least_units, ..self.0 }))
    }

    /// The privacy unit.
    #[must_use]
    pub const fn unit(&self) -> &Unit {
        &self.0.unit
    }

    /// The contribution of one unit.
    #[must_use]
    pub const fn contribution(&self) -> Contribution {
        self.0.contribution
    }

    /// How many units a group of unknown values has at least before it may be named: the pre-threshold of
    /// [`Selector::from_units`](crate::dp::partition::Selector::from_units). It hides small groups by rule and costs nothing.
    #[must_use]
    pub const fn least_units(&self) -> u32 {
        self.0.least_units
    }

    /// The columns, in the order of the description.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.0.columns
    }

    /// A column and its place.
    #[must_use]
    pub fn column(&self, name: &ColumnName) -> Option<(usize, &Column)> {
        self.0.columns.iter().enumerate().find(|(_, column)| column.name == *name)
    }

    /// The place of the unit column.
    #[must_use]
    pub fn unit_column(&self) -> Option<usize> {
        match &self.0.unit {
            Unit::Row => None,
            Unit::Column(name) => self.column(name).map(|(place, _)| place),
        }
    }

    /// The hash that rights and requests carry.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut out = Encoder::new();
        out.array(2).text(Label::SCHEMA.as_str());
        Self::write(self, &mut out);
        Digest::of(&out.into_bytes())
    }
}

impl Field for Schema {
    type Value = Self;
    const SHAPE: &'static str = "schema";

    fn write(value: &Self, out: &mut Encoder) {
        Parts::write(&value.0, out);
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        let offset = decoder.offset();
        let Parts { unit, contribution, columns, least_units } = Parts::read(decoder, key)?;
        let schema = Self::new(unit, contribution, columns);
        let schema = if least_units == 1 { schema } else { schema.and_then(|schema| schema.with_least_units(least_units)) };
        schema.map_err(|_| CodecError::Unexpected { offset, expected: "a schema that could be published" })
    }
}

fn check_unit(column: Option<&Column>) -> Result<(), DescriptionError> {
    let column = column.ok_or(DescriptionError::Dataset("unit: there is no such column"))?;
    let problem = |problem| Err(DescriptionError::Column { column: column.name.clone(), problem });
    if column.uses != Uses::NONE {
        return problem("the unit column may only be counted: leave out `use`");
    }
    if matches!(column.kind, ColumnType::Real { .. }) {
        return problem("a unit is text or an integer");
    }
    Ok(())
}

fn check_column(column: &Column) -> Result<(), DescriptionError> {
    let problem = |problem| Err(DescriptionError::Column { column: column.name.clone(), problem });
    if let Some(bounds) = column.bounds {
        if column.kind == ColumnType::Text {
            return problem("text has no bounds");
        }
        if bounds.low >= bounds.high {
            return problem("bounds are [low, high] with low below high");
        }
    }
    if let Some(values) = &column.values {
        let (distinct, fits) = match values {
            Values::Text(values) => (values.iter().collect::<HashSet<_>>().len(), column.kind == ColumnType::Text),
            Values::Integer(values) => (values.iter().collect::<HashSet<_>>().len(), column.kind == ColumnType::Integer),
        };
        if !fits {
            return problem("declared values are text for text, integers for integers; a real column has none");
        }
        if values.is_empty() || distinct != values.len() {
            return problem("declared values are one or more, each different");
        }
        if values.len() > VALUES_MAX {
            return Err(DescriptionError::TooMany { what: "declared values", found: values.len(), most: VALUES_MAX });
        }
        if let Values::Text(values) = values {
            if values.iter().any(|value| value.is_empty() || value.len() > VALUE_BYTES_MAX) {
                return problem("a declared value has 1 to 1024 bytes; an empty cell is a null");
            }
            if values.iter().any(|value| !unicode_normalization::is_nfc(value)) {
                return problem("a declared value is not in normalisation form C, so it could not be named in a question");
            }
            if column.other.as_ref().is_some_and(|other| values.iter().any(|value| value == other.as_str())) {
                return problem("`other` is the name of a declared value");
            }
        }
    }
    if column.other.is_some() && column.values.is_none() {
        return problem("`other` needs declared values");
    }
    let revealed = column.uses.allow(Use::Reveal);
    if revealed && matches!(column.kind, ColumnType::Real { .. }) {
        return problem("`reveal` is for text and integers: the values of a real column are measurements, not keys");
    }
    if column.uses.allow(Use::Group) && column.values.is_none() && !revealed {
        return problem("groups need declared values, or `reveal`, which lets unknown values leave as keys");
    }
    if column.grade == crate::grade::Grade::L4 && column.uses != Uses::NONE {
        return problem("a column of grade 4 has no use");
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::Limits;
    use crate::dataset::{Bounds, GridStep};
    use crate::grade::Grade;
    use crate::id::{Decimal, Name};

    fn encoded(schema: &Schema) -> Vec<u8> {
        let mut out = Encoder::new();
        Schema::write(schema, &mut out);
        out.into_bytes()
    }

    fn decoded(bytes: &[u8]) -> Result<Schema, CodecError> {
        let mut decoder = Decoder::new(bytes, Limits::default())?;
        let schema = Schema::read(&mut decoder, 0)?;
        decoder.finish()?;
        Ok(schema)
    }

    /// `[unit, contribution, columns]`, as it was before a schema could have a fourth part.
    fn old(unit: &Unit, contribution: Contribution, columns: &[Column]) -> Vec<u8> {
        let mut out = Encoder::new();
        out.array(3);
        match unit {
            Unit::Row => out.boolean(false),
            Unit::Column(name) => out.text(name.as_str()),
        };
        out.array(2).uint(contribution.groups_per_unit.into()).uint(contribution.rows_per_group.into());
        out.array(columns.len());
        columns.iter().for_each(|column| Column::write(column, &mut out));
        out.into_bytes()
    }

    fn plain(name: &str, kind: ColumnType, uses: Uses) -> Column {
        let name = ColumnName::new(name).unwrap();
        Column { name, kind, bounds: None, values: None, other: None, nullable: false, grade: Grade::L2, uses }
    }

    fn who() -> Column {
        plain("who", ColumnType::Text, Uses::NONE)
    }

    fn by_unit(contribution: Contribution, columns: Vec<Column>) -> Result<Schema, DescriptionError> {
        Schema::new(Unit::Column(who().name), contribution, [vec![who()], columns].concat())
    }

    fn revealing() -> Column {
        plain("town", ColumnType::Text, [Use::Reveal].into_iter().collect())
    }

    /// Every kind of column that a schema could have before `reveal`.
    fn any_column(place: usize) -> impl Strategy<Value = Column> {
        (0..5_u8, any::<bool>(), any::<bool>(), 1..=3_u64).prop_map(move |(kind, nullable, with_other, grade)| {
            let grade = Grade::from_number(grade).unwrap();
            let bounds = Some(Bounds { low: -3, high: i64::MAX });
            let texts = Values::Text(vec!["a".to_owned(), "b".to_owned()]);
            let (kind, bounds, values) = match kind {
                0 => (ColumnType::Text, None, None),
                1 => (ColumnType::Text, None, Some(texts)),
                2 => (ColumnType::Integer, bounds, None),
                3 => (ColumnType::Integer, None, Some(Values::Integer(vec![i64::MIN, 0, 7]))),
                _ => (ColumnType::Real { step: GridStep::from_decimal(Decimal::new(5, 3).unwrap()).unwrap() }, bounds, None),
            };
            let other = (with_other && values.is_some()).then(|| Name::new("rest").unwrap());
            let uses = Uses::of_grade(grade, values.is_some());
            Column { bounds, values, other, nullable, grade, ..plain(&format!("c{place}"), kind, uses) }
        })
    }

    fn any_columns() -> impl Strategy<Value = Vec<Column>> {
        let columns: Vec<_> = (0..4).map(any_column).collect();
        columns.prop_flat_map(|columns| (1..=columns.len()).prop_map(move |len| columns[..len].to_vec()))
    }

    proptest! {
        #[test]
        fn every_old_schema_keeps_its_bytes(
            columns in any_columns(),
            by_column in any::<bool>(),
            counts in (1..=Contribution::MAX, 1..=Contribution::MAX),
        ) {
            let (unit, contribution, columns) = if by_column {
                let contribution = Contribution { groups_per_unit: counts.0, rows_per_group: counts.1, rows_per_unit: None };
                (Unit::Column(who().name), contribution, [vec![who()], columns].concat())
            } else {
                (Unit::Row, Contribution::ROW, columns)
            };
            let bytes = old(&unit, contribution, &columns);
            let schema = Schema::new(unit, contribution, columns).unwrap();
            prop_assert_eq!(encoded(&schema), bytes.clone());
            prop_assert_eq!(decoded(&bytes).unwrap(), schema);
        }

        #[test]
        fn every_new_schema_reads_back(columns in any_columns(), counts in (1..=64_u32, 1..=64_u32, 1..=64_u32), least in 1..=1000_u32) {
            let contribution = Contribution {
                groups_per_unit: counts.0,
                rows_per_group: counts.1,
                rows_per_unit: Some(counts.2.min(counts.0 * counts.1)),
            };
            let schema = by_unit(contribution, [columns, vec![revealing()]].concat()).unwrap().with_least_units(least).unwrap();
            prop_assert_eq!(decoded(&encoded(&schema)).unwrap(), schema);
        }
    }

    #[test]
    fn the_rows_of_a_unit_are_the_least_of_both_bounds() {
        let of = |rows_per_unit| Contribution { groups_per_unit: 3, rows_per_group: 2, rows_per_unit };
        assert_eq!((of(None).rows(), of(Some(4)).rows(), of(Some(6)).rows(), of(Some(1)).rows()), (6, 4, 6, 1));
        let most = Contribution { groups_per_unit: Contribution::MAX, rows_per_group: Contribution::MAX, rows_per_unit: None };
        assert_eq!(most.rows(), 1 << 40);
        let refused = |rows_per_unit| by_unit(of(rows_per_unit), vec![revealing()]).map(drop).unwrap_err().to_string();
        assert!(refused(Some(0)).contains("rows_per_unit is from 1"));
        assert!(refused(Some(7)).contains("say nothing"));
        let ample = Contribution { rows_per_unit: Some(Contribution::MAX + 1), ..most };
        assert!(by_unit(ample, vec![revealing()]).map(drop).unwrap_err().to_string().contains("rows_per_unit is from 1"));
        assert!(Schema::new(Unit::Row, Contribution { rows_per_unit: Some(1), ..Contribution::ROW }, vec![revealing()]).is_err());
    }

    #[test]
    fn reveal_is_said_explicitly_and_brings_group() {
        assert!(revealing().uses.allow(Use::Group) && !revealing().uses.allow(Use::Filter));
        for grade in [Grade::L1, Grade::L2, Grade::L3, Grade::L4] {
            for has_values in [false, true] {
                assert!(!Uses::of_grade(grade, has_values).allow(Use::Reveal));
            }
        }
        let new = |column| Schema::new(Unit::Row, Contribution::ROW, vec![column]).map(drop);
        assert!(new(revealing()).is_ok());
        assert!(new(Column { kind: ColumnType::Integer, ..revealing() }).is_ok());
        assert!(new(Column { grade: Grade::L3, ..revealing() }).is_ok());
        assert!(new(Column { values: Some(Values::Text(vec!["a".to_owned()])), ..revealing() }).is_ok());
        assert!(new(Column { grade: Grade::L4, ..revealing() }).is_err());
        assert!(new(Column { kind: ColumnType::Real { step: GridStep::one() }, ..revealing() }).is_err());
        assert!(new(Column { uses: [Use::Group].into_iter().collect(), ..revealing() }).is_err());
        let unit = Unit::Column(revealing().name);
        assert!(Schema::new(unit, Contribution::ROW, vec![revealing()]).is_err());
    }

    #[test]
    fn what_says_nothing_has_no_encoding() {
        let contribution = Contribution { groups_per_unit: 2, rows_per_group: 1, rows_per_unit: Some(1) };
        let schema = by_unit(contribution, vec![revealing()]).unwrap();
        assert!(schema.clone().with_least_units(0).is_err());
        assert!(schema.clone().with_least_units(Schema::LEAST_UNITS_MAX).is_ok());
        assert!(schema.clone().with_least_units(Schema::LEAST_UNITS_MAX + 1).is_err());
        let hidden = plain("town", ColumnType::Text, Uses::NONE);
        let silent = by_unit(contribution, vec![hidden]).unwrap();
        assert!(silent.clone().with_least_units(2).is_err() && silent.with_least_units(1).is_ok());
        assert_ne!(schema.hash(), schema.clone().with_least_units(2).unwrap().hash());

        let mut bytes = encoded(&schema.clone().with_least_units(2).unwrap());
        assert_eq!((bytes[0], bytes.last()), (0x84, Some(&2)));
        *bytes.last_mut().unwrap() = 1;
        assert!(decoded(&bytes).is_err(), "a least of 1 is absent");
        // The uses stand last in the last column: reveal without group.
        let mut bytes = encoded(&schema);
        assert_eq!((bytes[0], bytes.last()), (0x83, Some(&12)));
        *bytes.last_mut().unwrap() = 8;
        assert!(decoded(&bytes).is_err(), "reveal comes with group");
        // [groups, rows, rows of a unit] stands after the name of the unit.
        let at = bytes.windows(4).position(|window| window == [0x83, 2, 1, 1]).unwrap();
        let mut bytes = encoded(&schema);
        bytes[at + 3] = 3;
        assert!(decoded(&bytes).is_err(), "more rows of a unit than there can be");
    }
}
