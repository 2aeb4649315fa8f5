//! What stands in a policy's way before a record is read: nobody waits for a survey to be told of a missing key.

use std::collections::BTreeSet;

use super::policy::{ColumnPolicy, Objection, Policy};
use super::{Domain, KeyRing, OutputType, PrfKey, ReleaseModel, RowOrder, Setting, Technique};
use crate::grade::{Kind, ValueType};
use crate::id::ColumnName;
use crate::table::TableSchema;

impl Policy {
    /// Everything that stands in the way by the columns of a source and by the keys, whatever its cells are: release model and
    /// order, columns and sections without each other, keys and subjects that are not there, no column that leaves.
    ///
    /// [`Policy::plan`] finds this too, and what the cells say. Nothing is read for it.
    #[must_use]
    pub fn objections_beforehand(&self, schema: &TableSchema, keys: &KeyRing) -> Vec<Objection> {
        let columns: Vec<&ColumnName> = schema.columns().iter().map(|column| &column.name).collect();
        let mut objections = self.general_objections(&columns);
        for column in &columns {
            match self.column(column) {
                None => objections.push(Objection::NoSection { column: (*column).clone() }),
                Some(ColumnPolicy { technique, .. }) => {
                    objections.extend(subject_of(column, technique, &columns).err());
                    objections.extend(key_of(column, technique, keys).err());
                }
            }
        }
        let is_dropped = |column: &&ColumnName| self.column(column).is_some_and(|section| never_leaves(column, &section.technique));
        if objections.is_empty() && columns.iter().all(is_dropped) {
            objections.push(Objection::NothingLeaves);
        }
        objections
    }

    /// What is no matter of one column that there is.
    pub(super) fn general_objections(&self, columns: &[&ColumnName]) -> Vec<Objection> {
        let mut objections = Vec::new();
        if self.release() == ReleaseModel::Public {
            objections.push(Objection::Public);
        }
        if self.release() != ReleaseModel::Enclave && self.order() == RowOrder::Kept {
            objections.push(Objection::Order { release: self.release() });
        }
        let known: BTreeSet<&ColumnName> = columns.iter().copied().collect();
        let absent = self.sections().filter(|name| !known.contains(name));
        objections.extend(absent.map(|column| Objection::NoSuchColumn { column: column.clone() }));
        let absent = self.subject().filter(|name| !known.contains(name));
        objections.extend(absent.map(|subject| Objection::NoSubject { subject: subject.clone() }));
        objections
    }
}

/// Where the subject of a column stands, if its technique has one.
pub(super) fn subject_of(column: &ColumnName, technique: &Technique, columns: &[&ColumnName]) -> Result<Option<usize>, Objection> {
    let Some(subject) = technique.subject() else { return Ok(None) };
    match columns.iter().position(|name| *name == subject && *name != column) {
        None => Err(Objection::Subject { column: column.clone(), subject: subject.clone() }),
        found => Ok(found),
    }
}

/// The key of a column, if its technique has one.
pub(super) fn key_of<'k>(column: &ColumnName, technique: &Technique, keys: &'k KeyRing) -> Result<Option<&'k PrfKey>, Objection> {
    let Some(asked) = technique.key() else { return Ok(None) };
    let failed = |problem| Objection::Key { column: column.clone(), key: asked.id.clone(), problem };
    keys.get(asked.id, asked.version).map(Some).map_err(failed)
}

/// Whether a technique drops its column whatever type the cells turn out to be of.
fn never_leaves(column: &ColumnName, technique: &Technique) -> bool {
    [ValueType::Text, ValueType::Integer, ValueType::Real { scale: 0 }].into_iter().all(|value_type| {
        let domain = Domain { kind: Kind::Text, value_type };
        let setting = Setting { column: column.clone(), domain, date_order: None, has_months: false, decimals: None };
        technique.output(&setting) == OutputType::Dropped
    })
}
