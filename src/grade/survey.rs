//! A look at every cell of a source, in several threads.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use super::{Finding, Profiler, Recognisers, header};
use crate::class::Class;
use crate::form;
use crate::table::{RecordSource, Records, TableError, TableSchema, in_order};

/// Why a survey has no findings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SurveyError {
    /// The source.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The caller ended it.
    #[error("cancelled")]
    Cancelled,
}

impl SurveyError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Table(error) => error.class(),
            Self::Cancelled => Class::Interrupted,
        }
    }
}

/// How far a survey is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Looked {
    /// Records.
    pub records: u64,
    /// Bytes of the source, if it has any.
    pub bytes: Option<u64>,
}

/// Looks at every cell of a source: findings in the order of its columns.
///
/// # Errors
/// The source cannot be read, a column of it is called by what is a cell ([`TableError::HeaderIsData`], or by a recogniser of the
/// user's that is direct), or `progress` breaks off.
pub fn survey(
    source: &(dyn RecordSource + Sync),
    recognisers: &Arc<Recognisers>,
    threads: usize,
    progress: &mut dyn FnMut(Looked) -> ControlFlow<()>,
) -> Result<Vec<Finding>, SurveyError> {
    check_names(source.schema(), recognisers)?;
    let idle = Mutex::new(Vec::new());
    let take_idle = || idle.lock().ok().and_then(|mut idle: std::sync::MutexGuard<'_, Vec<Profiler>>| idle.pop());
    let work = |records: Records| {
        let mut profiler = take_idle().unwrap_or_else(|| Profiler::new(source.schema(), recognisers));
        profiler.update(&records);
        if let Ok(mut idle) = idle.lock() {
            idle.push(profiler);
        }
        let last = records.len().checked_sub(1);
        (records.len() as u64, last.and_then(|last| records.position(last, None).byte))
    };
    let mut done = Looked::default();
    in_order(source, threads, work, |(records, bytes)| {
        done = Looked { records: done.records + records, bytes };
        match progress(done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(SurveyError::Cancelled),
        }
    })?;
    let mut all = Profiler::new(source.schema(), recognisers);
    for profiler in idle.into_inner().unwrap_or_default() {
        all.merge(profiler);
    }
    // `男` among the cells of the column `男`: where a name of a person stands beside it, that is one.
    let names: Vec<&str> = source.schema().columns().iter().map(|column| column.name.as_str()).collect();
    if let Some(at) = form::first_person(&names).filter(|_| all.is_named_by_a_cell()) {
        return Err(SurveyError::Table(header_is_data(at, "name".to_owned())));
    }
    Ok(all.finish())
}

/// Whether the names of columns read like a first record of data: numbers or dates among them, and none that says anything. No
/// proof, since a table may have a column for each year; a reason to ask.
#[must_use]
pub fn reads_like_data(schema: &TableSchema) -> bool {
    let names = || schema.columns().iter().map(|column| column.name.as_str());
    names().any(|name| name.parse::<f64>().is_ok() || form::date(name)) && names().all(|name| header::meaning(name).is_none())
}

/// Names of columns are looked at like cells: no finding, message, report, policy or manifest begins with the first record of a file.
///
/// # Errors
/// [`TableError::HeaderIsData`], with the place of the column.
pub fn check_names(schema: &TableSchema, recognisers: &Recognisers) -> Result<(), TableError> {
    let names: Vec<&str> = schema.columns().iter().map(|column| column.name.as_str()).collect();
    let builtin = form::first_identifier(&names).map(|(at, kind)| (at, kind.to_owned()));
    let custom = || names.iter().enumerate().find_map(|(at, name)| Some((at, recognisers.direct(name)?.to_string())));
    match builtin.or_else(custom) {
        Some((at, kind)) => Err(header_is_data(at, kind)),
        None => Ok(()),
    }
}

fn header_is_data(at: usize, kind: String) -> TableError {
    TableError::HeaderIsData { field: u32::try_from(at + 1).unwrap_or(u32::MAX), kind }
}
