//! Failures and their exit codes (rule L6).

use std::fmt::Display;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use usufruct::archive::ArchiveError;
use usufruct::budget::Balance;
use usufruct::class::Class;
use usufruct::desensitise::ApplyError;
use usufruct::error::Error;
use usufruct::file::OutputError;
use usufruct::gate::{AnswerError, GateError};
use usufruct::right::Accounts;
use usufruct::table::SinkError;

use crate::interrupt;
use crate::say::say;

/// How the process ends when it does not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The machine, or doubt about what was read.
    Environment,
    /// What the user gave.
    Input,
    /// A right, a budget or an owner says no.
    Refused,
    /// Ctrl-C.
    Interrupted,
}

/// Why a verb did not do its work: lines for stderr, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    hints: Vec<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, message: message.to_string(), hints: Vec::new() }
    }

    pub(crate) fn input(message: impl Display) -> Self {
        Self::new(Exit::Input, message)
    }

    /// An error of the system on a file of the user's.
    pub(crate) fn io(path: &Path, kind: ErrorKind) -> Self {
        Self::new(Exit::from(Class::of_io(kind)), format!("{}: {kind}", path.display()))
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// Tells the user, and gives the exit code.
    pub(crate) fn tell(&self) -> ExitCode {
        if !self.message.is_empty() {
            say(format_args!("error: {}", self.message));
        }
        for hint in &self.hints {
            say(format_args!("       {hint}"));
        }
        ExitCode::from(match self.exit {
            Exit::Environment => 1,
            Exit::Input => 2,
            Exit::Refused => 3,
            Exit::Interrupted => interrupt::EXIT_CODE,
        })
    }
}

impl<E: Into<Error>> From<(E, Option<&Path>)> for Failure {
    fn from((error, path): (E, Option<&Path>)) -> Self {
        let error = error.into();
        let exit = Exit::from(error.class());
        // On the gate's machine the owner reads: the whole verdict, of which the holder learns the code.
        let message = if let Error::Answer(error) = &error { error.for_owner() } else { error.to_string() };
        let failure = match path {
            // Errors of opening and writing files name them already.
            Some(path) if !message.contains(&format!("{path:?}")) => Self::new(exit, format_args!("{}: {message}", path.display())),
            _ => Self::new(exit, &message),
        };
        match &error {
            Error::Answer(AnswerError::Refused { verdict, refusal }) => {
                let failure = verdict.accounts().map_or_else(Vec::new, accounts).into_iter().fold(failure, Self::hint);
                failure.hint(format_args!("the holder learns: {refusal}"))
            }
            Error::Output(OutputError::TargetExists { .. })
            | Error::Apply(
                ApplyError::Output(OutputError::TargetExists { .. })
                | ApplyError::Sink(SinkError::Output(OutputError::TargetExists { .. })),
            ) => failure.hint("--force replaces it"),
            Error::Gate(GateError::Oversubscribed { .. }) => failure.hint("--oversubscribe grants it all the same"),
            Error::Gate(GateError::Archive(ArchiveError::Locked)) => failure
                .hint("--wait SECONDS waits for it; owner's acts can be put into its `inbox`, and `status` and `audit` read beside it"),
            _ => failure,
        }
    }
}

/// Both accounts that a request would have charged, for the owner.
fn accounts(accounts: &Accounts) -> Vec<String> {
    let Accounts { requested, dataset, right, uses, uses_left, .. } = accounts;
    let line = |balance: &Balance| {
        format!("limit {}, spent {}, requested {requested}, remaining {}", balance.limit(), balance.spent(), balance.left())
    };
    vec![format!("dataset: {}", line(dataset)), format!("right:   {}; {uses_left} of {uses} uses remaining", line(right))]
}

/// From errors of the crate to failures, with the file they are about.
pub(crate) trait OrFail<T> {
    /// The error is about this file.
    fn about(self, path: &Path) -> Result<T, Failure>;
    /// The error says itself what it is about.
    fn or_fail(self) -> Result<T, Failure>;
}

impl<T, E: Into<Error>> OrFail<T> for Result<T, E> {
    fn about(self, path: &Path) -> Result<T, Failure> {
        self.map_err(|error| Failure::from((error, Some(path))))
    }

    fn or_fail(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::from((error, None)))
    }
}

impl From<Class> for Exit {
    fn from(class: Class) -> Self {
        match class {
            Class::BadInput => Self::Input,
            Class::Refused => Self::Refused,
            Class::Interrupted => Self::Interrupted,
            // The machine and doubt; and whatever comes.
            _ => Self::Environment,
        }
    }
}
