//! What of a plan's output is counted, and what the counts mean for the file and for the grades in its manifest.

use std::path::Path;

use super::{DesensitisePlan, Planned};
use crate::anonymity::{GapColumn, GapGroup, UniqueShare, Uniqueness, UniquenessAsked, UniquenessMeter};
use crate::desensitise::policy::{Alone, Objection};
use crate::desensitise::release::{ReleaseModel, grade_after};
use crate::desensitise::technique::{KeyAsked, Value};
use crate::desensitise::{ApplyError, KeyUse, ManifestColumn};
use crate::id::{ColumnName, Name};

impl DesensitisePlan {
    /// What is to be counted in what leaves: who is unique on every column that somebody outside could know, which are all but those
    /// that a key has made and those that the policy says nobody knows; per subject where one is named and leaves under a key.
    #[must_use]
    pub fn uniqueness_asked(&self) -> UniquenessAsked {
        let leaving = || self.columns.iter().filter(|column| column.manifest.leaves);
        let known = |column: &&Planned| !column.technique.is_hidden_by_key() && column.manifest.not_known.is_none();
        UniquenessAsked {
            subject: self.subject_leaving().map(|column| column.name.clone()),
            columns: leaving().filter(known).map(|column| column.name.clone()).collect(),
            gaps: self.gap_groups(),
        }
    }

    /// The column that tells whose each record is, where all its records can be told as one person's and not whose: by the policy, or as
    /// one by which dates are shifted.
    fn subject_leaving(&self) -> Option<&Planned> {
        let shifted = self.columns.iter().filter_map(|column| column.technique.subject());
        let named = self.policy.subject().into_iter().chain(shifted);
        named
            .filter_map(|name| self.columns.iter().find(|column| column.name == *name))
            .find(|column| column.is_linking() && column.has_key())
    }

    /// The columns of dates that move together: those that are shifted by one key, domain and range, however these are written. Each group
    /// by every column that may tell which records are one person's: its subjects, and every pseudonym.
    fn gap_groups(&self) -> Vec<GapGroup> {
        let is_shifted = |column: &&Planned| column.manifest.leaves && column.technique.keeps_gaps() && column.manifest.not_known.is_none();
        let mut groups: Vec<(Shift<'_>, Vec<&Planned>)> = Vec::new();
        for column in self.columns.iter().filter(is_shifted) {
            let shift = Shift::of(column);
            match groups.iter_mut().find(|(other, _)| *other == shift) {
                Some((_, group)) => group.push(column),
                None => groups.push((shift, vec![column])),
            }
        }
        groups.iter().flat_map(|(_, group)| self.by_each_subject(group)).collect()
    }

    fn by_each_subject(&self, group: &[&Planned]) -> Vec<GapGroup> {
        let is_subject = |column: &&Planned| group.iter().any(|shifted| shifted.technique.subject() == Some(&column.name));
        let tells = |column: &&Planned| column.is_linking() && (column.has_key() || is_subject(column));
        let columns: Vec<GapColumn> =
            group.iter().map(|column| GapColumn { column: column.name.clone(), order: column.date_order }).collect();
        let subjects = self.columns.iter().filter(tells).map(|column| Some(column.name.clone()));
        let mut by_subject: Vec<GapGroup> = subjects.map(|subject| GapGroup { subject, columns: columns.clone() }).collect();
        if by_subject.is_empty() {
            by_subject.push(GapGroup { subject: None, columns });
        }
        by_subject
    }

    /// What counts who is unique in what leaves. `folder` takes what does not fit in memory, encrypted and without a name.
    pub(in crate::desensitise) fn uniqueness_meter(&self, folder: &Path) -> Result<UniquenessMeter, ApplyError> {
        let names: Vec<&str> = self.output.fields().iter().map(|field| field.name().as_str()).collect();
        Ok(UniquenessMeter::new(self.uniqueness_asked(), &names, folder)?)
    }

    /// What was counted, under the policy; what is in the way if a file would leave its enclave like this.
    pub(in crate::desensitise) fn judged(&self, counted: Uniqueness) -> (Uniqueness, Option<Objection>) {
        let (mut uniqueness, release) = (counted, self.policy.release());
        uniqueness.most = self.policy.max_unique();
        uniqueness.because = self.policy.because().map(str::to_owned);
        let is_too_many = release != ReleaseModel::Enclave && uniqueness.highest() > uniqueness.most;
        let objection = is_too_many.then(|| Objection::Unique(Box::new(Alone::new(uniqueness.clone(), release))));
        (uniqueness, objection)
    }

    /// What a manifest says about the columns when the share of persons who are unique is known.
    pub(in crate::desensitise) fn columns_counted(&self, unique: Option<UniqueShare>) -> Vec<ManifestColumn> {
        let counted = |column: &Planned| {
            let about = column.manifest.clone();
            // Of what nobody is said to know nobody was counted.
            let unique = unique.filter(|_| about.not_known.is_none());
            let grade_after = grade_after(about.grade_before, column.is_direct, about.residual, about.nature.linkable, unique);
            ManifestColumn { grade_after, ..about }
        };
        self.columns.iter().map(counted).collect()
    }
}

impl Planned {
    /// Whether records with equal outputs are known to be of one value.
    const fn is_linking(&self) -> bool {
        self.manifest.leaves && self.manifest.nature.deterministic && self.manifest.nature.linkable
    }

    const fn has_key(&self) -> bool {
        self.manifest.key.is_some()
    }
}

/// What decides by how much dates are moved.
#[derive(PartialEq)]
struct Shift<'a> {
    key: Option<&'a KeyUse>,
    domain: Option<&'a str>,
    /// The other parameters.
    by: Vec<(&'static str, Value)>,
}

impl<'a> Shift<'a> {
    fn of(column: &'a Planned) -> Self {
        let technique = &column.technique;
        let domain = technique.key().and_then(|key| key.domain).map(Name::as_str).or_else(|| technique.subject().map(ColumnName::as_str));
        let is_other = |name: &str| ![KeyAsked::ID.name, KeyAsked::VERSION.name, KeyAsked::DOMAIN.name, "subject"].contains(&name);
        let by = technique.parameters().into_iter().filter(|(name, _)| is_other(name)).collect();
        Self { key: column.manifest.key.as_ref(), domain, by }
    }
}
