//! The engine of one machine: threads over blocks, sums in tables where groups fit and by key where they do not.

mod active_domain;
mod grouping;
mod scan;
mod sparse;
mod sums;
mod tally;
mod unit;
mod workspace;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Blocks, Control, Engine, EngineError, Engines};
use crate::dataset::RowKey;
use scan::cores;

pub use scan::SnapshotEngine;
#[cfg(test)]
pub(super) use sparse::to_words;

/// The engines of this crate: [`SnapshotEngine`] in this process.
#[derive(Clone)]
pub struct LocalEngines {
    threads: NonZeroUsize,
    memory: Option<usize>,
    spill: Option<PathBuf>,
}

impl Default for LocalEngines {
    fn default() -> Self {
        Self { threads: cores(), memory: None, spill: None }
    }
}

impl LocalEngines {
    /// As [`SnapshotEngine::with_threads`].
    #[must_use]
    pub const fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// As [`SnapshotEngine::with_memory`].
    #[must_use]
    pub const fn with_memory(mut self, bytes: usize) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// As [`SnapshotEngine::with_spill_folder`].
    #[must_use]
    pub fn with_spill_folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.spill = Some(path.into());
        self
    }
}

impl Engines for LocalEngines {
    fn over(&self, blocks: Arc<dyn Blocks>, key: RowKey) -> Box<dyn Engine> {
        let mut engine = SnapshotEngine::new(blocks, Some(key), self.threads);
        if let Some(bytes) = self.memory {
            engine = engine.with_memory(bytes);
        }
        if let Some(folder) = &self.spill {
            engine = engine.with_spill_folder(folder);
        }
        Box::new(engine)
    }
}

impl fmt::Debug for LocalEngines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEngines").field("threads", &self.threads).field("memory", &self.memory).finish_non_exhaustive()
    }
}
