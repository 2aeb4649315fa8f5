//! Verbs that have their name already and their work in a later version.

use std::ffi::OsString;

use clap::{Args, Subcommand};

use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Later {
    #[command(hide = true, disable_help_flag = true)]
    Anonymise(Anything),
    #[command(hide = true, disable_help_flag = true)]
    Risk(Anything),
    #[command(hide = true, disable_help_flag = true)]
    Subgrant(Anything),
    #[command(hide = true, disable_help_flag = true)]
    Revoke(Anything),
}

#[derive(Args)]
pub(crate) struct Anything {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _words: Vec<OsString>,
}

impl Later {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let name = match self {
            Self::Anonymise(_) => "anonymise",
            Self::Risk(_) => "risk",
            Self::Subgrant(_) => "subgrant",
            Self::Revoke(_) => "revoke",
        };
        Err(Failure::input(format_args!("`{name}` is not in this version yet")))
    }
}
