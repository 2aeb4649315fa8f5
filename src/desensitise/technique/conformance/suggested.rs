//! Suggestions, planned on the columns that they are made for.

use super::{Case, keys};
use crate::desensitise::{ColumnPolicy, Keep, Objection, Policy, ReleaseModel, RowOrder, Suggestion, Technique};
use crate::grade::{Distinct, Finding, Floor, Grade, Kind, Named, Role, ValueType};
use crate::id::{ColumnName, Name};
use crate::table::{ColumnKind, Format, TableColumn, TableSchema};
use crate::value::DateOrder;

impl Case<'_> {
    /// What may stand in the way is that too little is left open, for which the next suggestion is tried.
    pub(super) fn suggestions_can_be_carried_out(&self) {
        for finding in findings() {
            for release in [ReleaseModel::Enclave, ReleaseModel::Controlled] {
                let Some(suggestion) = (self.entry.suggest)(&finding, release) else { continue };
                assert_eq!(suggestion.technique.name(), self.name(), "a technique suggests itself");
                assert!(!suggestion.why.is_empty() && !suggestion.why.contains('\n'), "{suggestion:?}: why, in one line");
                for objection in objections(&suggestion, &finding, release) {
                    let too_little =
                        matches!(objection, Objection::Residual { .. } | Objection::Floor { .. } | Objection::GradeFour { .. });
                    assert!(too_little, "{suggestion:?} for {finding:?}: {objection}");
                }
            }
        }
    }
}

/// What stands in the way of a suggestion for one column, beside another that is kept.
fn objections(suggestion: &Suggestion, finding: &Finding, release: ReleaseModel) -> Vec<Objection> {
    let other = Finding { column: ColumnName::new("other").unwrap(), ..found(Kind::Category, ValueType::Text) };
    let policy = Policy::new(release, RowOrder::Shuffled)
        .with_column(finding.column.clone(), ColumnPolicy::new(suggestion.technique.clone()))
        .and_then(|policy| policy.with_column(other.column.clone(), ColumnPolicy::new(Technique::new(Keep))))
        .unwrap_or_else(|error| panic!("{suggestion:?}: {error}"));
    let kind = match finding.value_type {
        ValueType::Text => ColumnKind::Text,
        ValueType::Integer => ColumnKind::Integer,
        ValueType::Real { .. } => ColumnKind::Real,
    };
    let columns =
        vec![TableColumn { name: finding.column.clone(), kind }, TableColumn { name: other.column.clone(), kind: ColumnKind::Text }];
    let schema = TableSchema::new(columns).unwrap();
    let planned = policy.plan(&[finding.clone(), other], &schema, &keys(&suggestion.technique, "one"), Format::Csv);
    planned.err().unwrap_or_default()
}

/// Columns of every kind, grade, role and type, with and without an order of dates.
fn findings() -> Vec<Finding> {
    let kinds = Kind::BUILTIN.into_iter().chain(Name::new("of_a_user").ok().map(Kind::Custom));
    let mut findings = Vec::new();
    for kind in kinds {
        for value_type in [ValueType::Text, ValueType::Integer, ValueType::Real { scale: 2 }, ValueType::Real { scale: 12 }] {
            for grade in [Grade::L1, Grade::L2, Grade::L3, Grade::L4] {
                for role in [Role::Direct, Role::Quasi, Role::Sensitive, Role::Other] {
                    for date_order in [None, Some(DateOrder::Dmy)] {
                        findings.push(Finding { grade, role, date_order, ..found(kind.clone(), value_type) });
                    }
                    for (named, disagrees) in [(Named::Place, false), (Named::Name, true)] {
                        let without = Box::new(found(kind.clone(), value_type));
                        let floor = Some(Floor { named, disagrees, without });
                        findings.push(Finding { grade, role, floor, ..found(kind.clone(), value_type) });
                    }
                }
            }
        }
    }
    findings
}

fn found(kind: Kind, value_type: ValueType) -> Finding {
    Finding {
        column: ColumnName::new("column").unwrap(),
        grade: kind.grade(),
        reason: kind.reason(),
        role: kind.role(),
        confidence: 1.0,
        matched: 90,
        sampled: 100,
        nulls: 7,
        value_type,
        date_order: Some(DateOrder::Ymd),
        distinct: Distinct::AtLeast(100),
        also: Vec::new(),
        header_hint: false,
        floor: None,
        overlaps: Vec::new(),
        kind,
    }
}
