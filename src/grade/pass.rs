//! A pass over a whole source.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Finding, Profiler, Recognisers};
use crate::table::{RecordSource, TableError, in_order};

/// How far a pass is; for progress only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProfileProgress {
    /// Records that were looked at.
    pub records: u64,
    /// Bytes of the file up to the last of them, if the source counts bytes.
    pub bytes: Option<u64>,
}

/// Why a pass did not end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The records could not be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The caller said so.
    #[error("cancelled")]
    Cancelled,
}

/// What is found of every column of a source, in several threads: the same as with one.
///
/// # Errors
/// Reading failed, or `progress` broke off.
pub fn profile(
    source: &(dyn RecordSource + Sync),
    recognisers: &Arc<Recognisers>,
    threads: usize,
    mut progress: impl FnMut(ProfileProgress) -> ControlFlow<()>,
) -> Result<Vec<Finding>, ProfileError> {
    // Each worker borrows a profiler for a batch; there are as many as workers.
    let idle = Mutex::new(Vec::new());
    let mut done = ProfileProgress::default();
    let look = |records: crate::table::Records| {
        let borrowed = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut profiler = borrowed.unwrap_or_else(|| Profiler::new(source.schema(), recognisers));
        profiler.update(&records);
        idle.lock().unwrap_or_else(PoisonError::into_inner).push(profiler);
        (records.len() as u64, records.position(records.len().saturating_sub(1), None).byte)
    };
    in_order(source, threads, look, |(records, bytes)| {
        done = ProfileProgress { records: done.records + records, bytes };
        match progress(done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ProfileError::Cancelled),
        }
    })?;
    let profilers = idle.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter();
    let whole = profilers.reduce(|mut whole, part| {
        whole.merge(part);
        whole
    });
    Ok(whole.unwrap_or_else(|| Profiler::new(source.schema(), recognisers)).finish())
}
