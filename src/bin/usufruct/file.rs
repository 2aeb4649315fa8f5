//! Files that the user names: read within a limit, written whole or not at all.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use usufruct::file::{self, Output, OutputOptions};
use usufruct::id::Digest;

use crate::failure::{Exit, Failure, OrFail};

/// Reads a file of at most `most` bytes.
pub(crate) fn read(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    file::read(path, most).or_fail()
}

/// Reads a file of at most `most` bytes, or stdin for the path `-`, where a stream is enough.
pub(crate) fn read_or_stdin(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    if path != Path::new("-") {
        return read(path, most);
    }
    let mut bytes = Vec::new();
    let io = |error: std::io::Error| Failure::new(Exit::Environment, format_args!("stdin cannot be read: {}", error.kind()));
    std::io::stdin().lock().take(most as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() > most {
        return Err(Failure::input(format_args!("stdin has more than {most} bytes, at most so many are read")));
    }
    Ok(bytes)
}

/// SHA-256 and length of a file of any size.
pub(crate) fn digest(path: &Path) -> Result<(Digest, u64), Failure> {
    let mut file = file::open(path).or_fail()?;
    let (mut hash, mut buffer, mut bytes) = (ring::digest::Context::new(&ring::digest::SHA256), vec![0; 1 << 20], 0);
    loop {
        match file.read(&mut buffer).map_err(|error| Failure::io(path, error.kind()))? {
            0 => break,
            read => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(hash.finish().as_ref());
    Ok((Digest::from_bytes(digest), bytes))
}

/// Where a verb writes its file.
#[derive(Args)]
pub(crate) struct Target {
    /// File to write
    #[arg(short, long = "out", value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub(crate) force: bool,
}

impl Target {
    /// Begins the file, so that a target that exists is found before anything else happens.
    pub(crate) fn begin(&self) -> Result<Output, Failure> {
        Output::create(&self.out, OutputOptions { force: self.force, private: false }).or_fail()
    }
}

/// Writes the bytes and gives the file its name.
pub(crate) fn finish(output: Output, bytes: &[u8]) -> Result<(), Failure> {
    output.finish(bytes).or_fail()
}
