//! Files (文件): written whole or not at all, and durably; read within a limit, and only where reading ends.
//!
//! ```text
//! bytes --write, Output--> .NAME.PID-N.part --fsync--> NAME --fsync of the folder
//! NAME  --open, read, read_text, read_private--> bytes     a folder, pipe, socket or device is refused at once
//! text  --from_toml--> what it stands for, or TomlError with line and column
//! ```
//! Every other room that writes a file does it through here, so that there is one order of durable steps; every room that
//! opens one that another may have put there does it through here, so that no path can block or fill the memory.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! use usufruct::file::{self, OutputOptions};
//!
//! let path = folder.path().join("note");
//! file::write(&path, b"kept", OutputOptions { force: false, private: true })?;
//! assert_eq!(file::read(&path, 1024)?, b"kept");
//! assert_eq!(file::read(&path, 3).unwrap_err().to_string(), format!("{path:?} has 4 bytes, at most 3 are read"));
//! assert_eq!(file::read(folder.path(), 1024).unwrap_err().to_string(), format!("{:?} is a folder, not a regular file", folder.path()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! Rules A4, G1, H9 of `docs/rules.md`.
//!
//! # Not promised
//! Whoever may write to the folder of a file can put a pipe in its place between the look at it and its opening: the reading
//! then waits for a writer.

mod input;
mod output;
mod part;
#[cfg(feature = "embedded")]
mod toml;

use std::path::{Path, PathBuf};

pub use input::{ReadError, open, open_lock, open_to_write, read, read_private, read_text};
#[cfg(feature = "embedded")]
pub(crate) use output::folder_of;
pub use output::{Output, OutputError, OutputOptions, OutputStep, write};
#[cfg(feature = "embedded")]
pub use toml::TomlError;
#[cfg(feature = "embedded")]
pub(crate) use toml::{from_toml, line_and_column, toml_problem};

/// The path with `suffix` behind the name of its file.
#[must_use]
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
