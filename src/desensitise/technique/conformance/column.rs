//! Columns of every kind and type, and what a technique makes of one.

use std::fmt;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int64Array, StringArray};
use arrow_schema::DataType;

use super::super::{Emitted, OffKind, OffReason, Setting, Technique, TechniqueError, Work};
use crate::desensitise::keys::KeyRing;
use crate::desensitise::residual::Domain;
use crate::grade::{Kind, ValueType};
use crate::id::{ColumnName, Name};

/// Cells, whose they are, and what is known of them.
pub(super) struct Column {
    pub(super) setting: Setting,
    pub(super) cells: ArrayRef,
    pub(super) subject: ArrayRef,
}

/// What came out.
pub(super) struct Treated {
    pub(super) cells: Vec<Option<String>>,
    /// The rows that were not treated, in their order.
    pub(super) off: Vec<(usize, OffReason)>,
    /// Whether the column was taken as a whole.
    pub(super) is_whole: bool,
}

const ROWS: usize = 300;

/// A few of every kind, of their kind and not.
const TEXTS: [&str; 24] = [
    "13800138000",
    "138 0013 8001",
    "11010519491231002X",
    "110105491231002",
    "6222 0202 0011 2230",
    "91310115MA1K3BTP2B",
    "京A·12345",
    "E12345678",
    "user@example.com",
    "192.0.2.7",
    "2024-02-29 08:30",
    "20240229",
    "5/6/2024",
    "2024-03",
    "王小明",
    "广东省深圳市南山区",
    "1.5",
    "-7",
    "1e3",
    "99999999999999999999999999",
    "",
    "e\u{301}👍🏽שלום",
    "a\r\nb",
    "=1+1",
];
const INTEGERS: [i64; 11] = [0, 1, -7, 42, 90, 20_240_229, 20_230_229, 13_800_138_000, 6_222_020_200_112_230, i64::MAX, i64::MIN];

/// A column of each kind and type.
pub(super) fn all() -> Vec<Column> {
    let texts: ArrayRef = Arc::new((0..ROWS).map(|row| (row % 11 != 3).then(|| TEXTS[row * 7 % TEXTS.len()])).collect::<StringArray>());
    let integers: ArrayRef =
        Arc::new((0..ROWS).map(|row| (row % 13 != 3).then(|| INTEGERS[row * 7 % INTEGERS.len()])).collect::<Int64Array>());
    let shapes = [
        (ValueType::Text, None, &texts),
        (ValueType::Integer, None, &integers),
        (ValueType::Real { scale: 2 }, None, &texts),
        (ValueType::Real { scale: 2 }, Some(2), &texts),
    ];
    let kinds = Kind::BUILTIN.into_iter().chain(Name::new("of_a_user").ok().map(Kind::Custom));
    kinds
        .flat_map(|kind| {
            shapes.map(|(value_type, decimals, cells)| Column::new(Domain { kind: kind.clone(), value_type }, decimals, Arc::clone(cells)))
        })
        .collect()
}

impl Column {
    /// Rows of subjects, four at a time; a few are nobody's.
    pub(super) fn new(domain: Domain, decimals: Option<u8>, cells: ArrayRef) -> Self {
        let rows = i64::try_from(cells.len()).unwrap();
        let subject = Arc::new((0..rows).map(|row| (row % 17 != 5).then_some(row / 4)).collect::<Int64Array>());
        let setting = Setting { column: ColumnName::new("column").unwrap(), domain, date_order: None, has_months: false, decimals };
        Self { setting, cells, subject }
    }

    /// The same cells from the last to the first, of the same subjects in their order.
    pub(super) fn reversed(&self) -> Self {
        let cells: ArrayRef = match self.cells.data_type() {
            DataType::Int64 => Arc::new(self.cells.as_primitive::<Int64Type>().iter().rev().collect::<Int64Array>()),
            _ => Arc::new(self.cells.as_string::<i32>().iter().rev().collect::<StringArray>()),
        };
        Self { setting: self.setting.clone(), cells, subject: Arc::clone(&self.subject) }
    }

    pub(super) fn shown(&self) -> Vec<Option<String>> {
        show(&self.cells)
    }

    /// What a technique makes of the column in one batch; nothing if it is not for such columns.
    pub(super) fn treated(&self, technique: &Technique, keys: &KeyRing) -> Option<Treated> {
        self.treated_in(technique, keys, &[(0, self.cells.len())])
    }

    /// The same in several batches, each by where it begins and its length: a kernel gets the last first.
    pub(super) fn treated_in(&self, technique: &Technique, keys: &KeyRing, pieces: &[(usize, usize)]) -> Option<Treated> {
        let work = match technique.work(&self.setting, keys) {
            Ok(work) => work,
            Err(TechniqueError::Parameter { .. }) => return None,
            Err(error) => panic!("{technique:?} on {self:?}: {error}"),
        };
        let is_whole = matches!(work, Work::Column(_));
        let mut listed = Vec::new();
        let mut list = |from: usize, off: &OffKind| {
            listed.extend(off.rows().iter().map(|row| (from + row.row as usize, row.reason.clone())));
        };
        let cells = match work {
            Work::Cells(kernel) => {
                let mut emitted: Vec<_> = pieces
                    .iter()
                    .rev()
                    .map(|&(from, len)| {
                        let mut off = OffKind::default();
                        let subject = self.subject.slice(from, len);
                        let emitted = kernel.emit(&self.cells.slice(from, len), Some(&subject), &mut off);
                        assert_eq!(emitted.len(), len, "{technique:?}: rows of a batch");
                        list(from, &off);
                        self.typed(technique, &emitted)
                    })
                    .collect();
                emitted.reverse();
                emitted.concat()
            }
            Work::Column(mut whole) => {
                for &(from, len) in pieces {
                    let mut off = OffKind::default();
                    whole.collect(&self.cells.slice(from, len), &mut off).unwrap();
                    list(from, &off);
                }
                self.typed(technique, &whole.finish())
            }
        };
        assert_eq!(cells.len(), self.cells.len(), "{technique:?}: rows of the column");
        listed.sort_by_key(|(row, _)| *row);
        Some(Treated { cells, off: listed, is_whole })
    }

    /// The cells that were emitted, of the type that was said.
    fn typed(&self, technique: &Technique, emitted: &Emitted) -> Vec<Option<String>> {
        let said = technique.output(&self.setting).data_type();
        assert_eq!(emitted.array().data_type(), said.as_ref().unwrap_or(&DataType::Utf8), "{technique:?} on {self:?}: the type of cells");
        show(emitted.array())
    }
}

/// Every cell as text.
fn show(array: &ArrayRef) -> Vec<Option<String>> {
    let cell = |row: usize| match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
        _ => array.as_string::<i32>().value(row).to_owned(),
    };
    (0..array.len()).map(|row| array.is_valid(row).then(|| cell(row))).collect()
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { domain, decimals, .. } = &self.setting;
        write!(f, "a column of {} as {}, decimals {decimals:?}", domain.kind.as_str(), domain.value_type.as_str())
    }
}
