//! A look at every cell of a source, in several threads.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use super::{Finding, Profiler, Recognisers};
use crate::class::Class;
use crate::table::{RecordSource, Records, TableError, in_order};

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
/// The source cannot be read, or `progress` breaks off.
pub fn survey(
    source: &(dyn RecordSource + Sync),
    recognisers: &Arc<Recognisers>,
    threads: usize,
    progress: &mut dyn FnMut(Looked) -> ControlFlow<()>,
) -> Result<Vec<Finding>, SurveyError> {
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
    Ok(all.finish())
}
