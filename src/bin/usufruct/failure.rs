//! Failures and their exit codes (rule L6).

use std::fmt::Display;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use usufruct::budget::Balance;
use usufruct::dataset::{DescriptionError, PublishError};
use usufruct::desensitise::{ApplyError, KeyFileError, PolicyError};
use usufruct::envelope::EnvelopeError;
use usufruct::error::Error;
use usufruct::file::{OutputError, ReadError};
use usufruct::gate::{AnswerError, FolderError, GateError};
use usufruct::grade::{RecogniserError, SurveyError};
use usufruct::holder::SeenError;
use usufruct::key::KeyError;
use usufruct::receipt::ReceiptError;
use usufruct::right::{Accounts, RightError, SignError, TermsFileError, Verdict};
use usufruct::table::{SinkError, TableError};

use crate::{interrupt, output};

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
        Self::new(exit_of_io(kind), format!("{}: {kind}", path.display()))
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// Tells the user, and gives the exit code.
    pub(crate) fn tell(&self) -> ExitCode {
        if !self.message.is_empty() {
            output::say(format_args!("error: {}", self.message));
        }
        for hint in &self.hints {
            output::say(format_args!("       {hint}"));
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
        let exit = exit_of(&error);
        let failure = match path {
            // Errors of opening and writing files name them already.
            Some(path) if !error.to_string().contains(&format!("{path:?}")) => Self::new(exit, format_args!("{}: {error}", path.display())),
            _ => Self::new(exit, &error),
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
            Error::Gate(GateError::Folder(FolderError::Locked)) => failure.hint("try again when it is done"),
            _ => failure,
        }
    }
}

/// Both accounts that a request would have charged, for the owner.
fn accounts(accounts: &Accounts) -> Vec<String> {
    let Accounts { requested, dataset, right, uses, uses_left } = accounts;
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

/// A path that leads nowhere is bad input; a disk that fails is not.
const fn exit_of_io(kind: ErrorKind) -> Exit {
    match kind {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::InvalidData => Exit::Input,
        _ => Exit::Environment,
    }
}

fn exit_of(error: &Error) -> Exit {
    match error {
        Error::Random(_) | Error::Ledger(_) => Exit::Environment,
        Error::Key(error) | Error::Envelope(EnvelopeError::Key(error)) | Error::Sign(SignError::Envelope(EnvelopeError::Key(error))) => {
            exit_of_key(error)
        }
        Error::File(error) | Error::Description(DescriptionError::File(error)) | Error::Terms(TermsFileError::File(error)) => {
            exit_of_read(error)
        }
        Error::Recogniser(RecogniserError::File(error)) | Error::Policy(PolicyError::File(error)) => exit_of_read(error),
        Error::KeyFile(KeyFileError::File(error)) => exit_of_read(error),
        Error::KeyFile(KeyFileError::Output(error)) => exit_of_output(error),
        Error::Table(error) => exit_of_table(error),
        Error::Output(error) => exit_of_output(error),
        Error::Gate(error) => exit_of_gate(error),
        Error::Answer(error) => match error {
            AnswerError::Refused { verdict, .. } => exit_of_verdict(verdict),
            AnswerError::Gate(error) => exit_of_gate(error),
            _ => Exit::Environment,
        },
        Error::Survey(error) => exit_of_survey(error),
        Error::Apply(error) => exit_of_apply(error),
        Error::Receipt(ReceiptError::Malformed(_)) => Exit::Input,
        Error::Receipt(_) => Exit::Environment,
        Error::Seen(SeenError::Io(kind)) => exit_of_io(*kind),
        Error::Seen(SeenError::Output(error)) => exit_of_output(error),
        _ => Exit::Input,
    }
}

const fn exit_of_read(error: &ReadError) -> Exit {
    match error {
        ReadError::Open { kind, .. } => exit_of_io(*kind),
        ReadError::Changed { .. } | ReadError::Read { .. } => Exit::Environment,
        _ => Exit::Input,
    }
}

const fn exit_of_key(error: &KeyError) -> Exit {
    match error {
        KeyError::File(error) => exit_of_read(error),
        KeyError::Output(error) => exit_of_output(error),
        KeyError::Signer => Exit::Environment,
        _ => Exit::Input,
    }
}

const fn exit_of_table(error: &TableError) -> Exit {
    match error {
        TableError::Open { kind, .. } => exit_of_io(*kind),
        TableError::Read { .. } | TableError::Changed => Exit::Environment,
        _ => Exit::Input,
    }
}

const fn exit_of_survey(error: &SurveyError) -> Exit {
    match error {
        SurveyError::Table(error) => exit_of_table(error),
        SurveyError::Cancelled => Exit::Interrupted,
    }
}

fn exit_of_apply(error: &ApplyError) -> Exit {
    match error {
        ApplyError::Table(error) => exit_of_table(error),
        ApplyError::Output(error) | ApplyError::Sink(SinkError::Output(error)) => exit_of_output(error),
        ApplyError::Refused(_) | ApplyError::Release { .. } => Exit::Refused,
        ApplyError::Cancelled => Exit::Interrupted,
        ApplyError::OffKind(_) | ApplyError::TooManyBad { .. } | ApplyError::OrderMemory { .. } | ApplyError::PermuteMemory { .. } => {
            Exit::Input
        }
        _ => Exit::Environment,
    }
}

const fn exit_of_output(error: &OutputError) -> Exit {
    match error {
        OutputError::Failed { .. } => Exit::Environment,
        _ => Exit::Input,
    }
}

const fn exit_of_verdict(verdict: &Verdict) -> Exit {
    match verdict {
        Verdict::Envelope(EnvelopeError::Malformed { .. }) | Verdict::Right(RightError::Malformed(_)) => Exit::Input,
        _ => Exit::Refused,
    }
}

const fn exit_of_gate(error: &GateError) -> Exit {
    match error {
        GateError::Folder(FolderError::Exists { .. } | FolderError::NotASpace { .. }) => Exit::Input,
        GateError::Folder(FolderError::Output(error)) => exit_of_output(error),
        GateError::NotTheOwner | GateError::Oversubscribed { .. } | GateError::Envelope(_) => Exit::Refused,
        GateError::Verdict(verdict) => exit_of_verdict(verdict),
        GateError::OtherDescription { .. } | GateError::Act(_) | GateError::Budget(_) => Exit::Input,
        GateError::Publish(error) => match error {
            PublishError::Table(error) => exit_of_table(error),
            PublishError::Output(error) => exit_of_output(error),
            PublishError::Cancelled => Exit::Interrupted,
            _ => Exit::Input,
        },
        _ => Exit::Environment,
    }
}
