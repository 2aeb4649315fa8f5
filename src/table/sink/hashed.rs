//! An output whose bytes are hashed as they pass.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

use super::SinkError;
use crate::file::{Output, OutputError};
use crate::id::Digest;

/// An output and the hash of its bytes so far.
pub(super) struct Hashed {
    output: Output,
    hash: Sha256,
    bytes: u64,
    failure: Failure,
}

/// Why a write failed: writers of formats lose it.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<OnceLock<OutputError>>);

impl Hashed {
    pub(super) fn new(output: Output) -> Self {
        Self { output, hash: Sha256::new(), bytes: 0, failure: Failure::default() }
    }

    /// Where a failure will be noted.
    #[cfg(any(feature = "parquet", feature = "ipc"))]
    pub(super) fn failure(&self) -> Failure {
        self.failure.clone()
    }

    /// Writes all of the bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        self.output.write_all(bytes).map_err(|error| self.note(&error))?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(Output, Digest, u64), SinkError> {
        self.output.flush().map_err(|error| self.note(&error))?;
        Ok((self.output, Digest::from_bytes(self.hash.finalize().into()), self.bytes))
    }

    fn note(&self, error: &io::Error) -> OutputError {
        let failure = self.output.failure().unwrap_or_else(|| OutputError::Failed {
            target: self.output.target().to_owned(),
            step: crate::file::OutputStep::Write,
            kind: error.kind(),
        });
        let _ = self.failure.0.set(failure.clone());
        failure
    }
}

#[cfg(any(feature = "parquet", feature = "ipc"))]
impl Failure {
    /// The error of the output if it failed, else that the format could not be written.
    pub(super) fn or_encode(&self, format: crate::table::Format) -> SinkError {
        self.0.get().map_or(SinkError::Encode { format }, |failure| SinkError::Output(failure.clone()))
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::write(self, bytes).map_err(|error| match error {
            OutputError::Failed { kind, .. } => io::Error::from(kind),
            _ => io::ErrorKind::Other.into(),
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush().inspect_err(|error| drop(self.note(error)))
    }
}
