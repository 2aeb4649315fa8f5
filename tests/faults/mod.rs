//! Runs a child process in which a chosen write, sync or name of a file fails, is torn, or is the last thing it does.
//!
//! ```no_run
//! let Some(faults) = Faults::build() else { return };
//! let calls = faults.command(exe, folder).arg("work").count();
//! for n in 1..=calls {
//!     let ran = faults.command(exe, folder).arg("work").at(n, What::Kill).run();
//!     assert!(ran.was_killed(), "{}", ran.told());
//! }
//! ```
//! The child is any program that calls the system through glibc, such as this test's own executable with `--ignored
//! --exact NAME`. Only what lies under `folder` counts, so a test keeps its own notes elsewhere. What each call was is in the
//! log of a run. How it is done, and what every kind of failure does: `shim.c`.
//!
//! # Not promised
//! SIGKILL keeps what the system has in its page cache, so a missing sync is not found by it.

// Every includer uses another part.
#![allow(dead_code)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

const SHIM: &str = include_str!("shim.c");

/// The compiled library.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    library: PathBuf,
}

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// SIGKILL before it.
    Kill,
    /// The call, then SIGKILL.
    KillAfter,
    /// Of a write the first sectors of 512 bytes, as many as the seed draws and never all, then SIGKILL; of another call nothing.
    Torn(u64),
    /// It fails with EIO.
    Eio,
    /// It fails with EIO, and so does every later sync.
    EioSticky,
    /// It fails with ENOSPC if it needs room.
    Enospc,
    /// It fails with ENOSPC if it needs room, and so does every later call that needs some: the disk stays full.
    EnospcSticky,
}

/// Which calls count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calls {
    /// All of the below, and truncations.
    All,
    /// Bytes to files.
    Writes,
    /// fsync, fdatasync.
    Syncs,
    /// Files and folders that are created, renamed, linked, removed.
    Names,
    /// What needs room on the disk.
    Space,
}

/// A child process to run, with or without a fault.
pub(crate) struct Faulty {
    command: Command,
    folder: PathBuf,
    notes: tempfile::TempDir,
}

/// A child process that runs.
pub(crate) struct Running {
    pub(crate) child: Child,
    folder: PathBuf,
    notes: tempfile::TempDir,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
    /// The calls that counted.
    pub(crate) calls: u64,
    /// The one at which the fault struck; a call that needs no room is none for ENOSPC.
    pub(crate) struck: Option<u64>,
    /// The calls in their order: number, name, path within the folder, length of a write.
    pub(crate) log: Vec<String>,
}

impl Faults {
    /// Compiles the library, once for all tests. Where that cannot be done it says so, and there is nothing to test with.
    pub(crate) fn build() -> Option<Self> {
        if !cfg!(all(target_os = "linux", target_pointer_width = "64")) {
            println!("skipped: calls are made to fail on 64-bit Linux only");
            return None;
        }
        // A changed source is another library; one that stands is whole.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let name = usufruct::id::Digest::of(SHIM.as_bytes()).to_string();
        let library = folder.join(format!("faults-{}.so", &name[..16]));
        if !library.exists() {
            let part = tempfile::Builder::new().prefix("faults").tempdir_in(folder).unwrap();
            let (source, made) = (part.path().join("shim.c"), part.path().join("shim.so"));
            fs::write(&source, SHIM).unwrap();
            let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
            // Distributions turn functions into wrappers of their own by these two.
            let flags = ["-shared", "-fPIC", "-O1", "-U_FORTIFY_SOURCE", "-U_FILE_OFFSET_BITS", "-o"];
            match Command::new(&compiler).args(flags).arg(&made).arg(&source).output() {
                Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
                Err(error) => {
                    println!("skipped: no C compiler {compiler:?} ({error}), so that no call can be made to fail");
                    return None;
                }
            }
            fs::rename(made, &library).unwrap();
        }
        Some(Self { library })
    }

    /// A run of `exe` in which calls under `folder` count. The folder is there, or its parent is.
    pub(crate) fn command(&self, exe: impl AsRef<OsStr>, folder: &Path) -> Faulty {
        let folder = match folder.canonicalize() {
            Ok(folder) => folder,
            Err(_) => folder.parent().unwrap().canonicalize().unwrap().join(folder.file_name().unwrap()),
        };
        let notes = tempfile::tempdir().unwrap();
        fs::write(notes.path().join("count"), [0; 16]).unwrap();
        let mut command = Command::new(exe);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("LD_PRELOAD", &self.library).env("FAULT_FOLDER", &folder);
        command.env("FAULT_COUNT", notes.path().join("count")).env("FAULT_LOG", notes.path().join("log"));
        Faulty { command, folder, notes }
    }

    /// As [`Faults::command`], of an ignored test of this executable.
    pub(crate) fn test(&self, name: &str, folder: &Path) -> Faulty {
        self.command(std::env::current_exe().unwrap(), folder).args(["--ignored", "--exact", name, "--nocapture"])
    }
}

impl Faulty {
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn current_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Which calls count; all unless told.
    pub(crate) fn calls(self, calls: Calls) -> Self {
        let calls = match calls {
            Calls::All => "all",
            Calls::Writes => "writes",
            Calls::Syncs => "syncs",
            Calls::Names => "names",
            Calls::Space => "space",
        };
        self.env("FAULT_CALLS", calls)
    }

    /// Strikes at the `n`-th call that counts, from 1.
    pub(crate) fn at(self, n: u64, what: What) -> Self {
        let (name, seed) = match what {
            What::Kill => ("kill", 0),
            What::KillAfter => ("kill-after", 0),
            What::Torn(seed) => ("torn", seed),
            What::Eio => ("eio", 0),
            What::EioSticky => ("eio-sticky", 0),
            What::Enospc => ("enospc", 0),
            What::EnospcSticky => ("enospc-sticky", 0),
        };
        self.env("FAULT_AT", n.to_string()).env("FAULT_WHAT", name).env("FAULT_SEED", seed.to_string())
    }

    /// Shows the child a wall clock that is `seconds` ahead of the true one.
    pub(crate) fn clock(self, seconds: i64) -> Self {
        self.env("FAULT_CLOCK", seconds.to_string())
    }

    pub(crate) fn spawn(mut self) -> Running {
        Running { child: self.command.spawn().unwrap(), folder: self.folder, notes: self.notes }
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ran {
        self.spawn().wait()
    }

    /// Runs it without a fault: how many calls count.
    ///
    /// # Panics
    /// It fails.
    pub(crate) fn count(self) -> u64 {
        let ran = self.run();
        assert!(ran.status.success(), "without a fault: {}", ran.told());
        ran.calls
    }
}

impl Running {
    /// Waits for its end, or kills it before if the test has called for that.
    pub(crate) fn wait(self) -> Ran {
        let output = self.child.wait_with_output().unwrap();
        let count = fs::read(self.notes.path().join("count")).unwrap();
        let number = |at: usize| u64::from_ne_bytes(count[at..at + 8].try_into().unwrap());
        let log = fs::read(self.notes.path().join("log")).unwrap_or_default();
        let within = format!(" {}/", self.folder.display());
        let line = |line: &str| line.replacen(&within, " ", 1).replacen(&format!(" {} ", self.folder.display()), " . ", 1);
        Ran {
            status: output.status,
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            calls: number(0),
            struck: Some(number(8)).filter(|struck| *struck > 0),
            log: String::from_utf8_lossy(&log).lines().map(line).collect(),
        }
    }
}

impl Ran {
    /// Whether SIGKILL ended it.
    pub(crate) fn was_killed(&self) -> bool {
        self.status.signal() == Some(9)
    }

    /// Everything, for the message of a test that fails.
    pub(crate) fn told(&self) -> String {
        let Self { status, out, err, calls, struck, log } = self;
        format!("{status}, struck {struck:?} of {calls}\n{out}{err}{}", log.join("\n"))
    }
}
