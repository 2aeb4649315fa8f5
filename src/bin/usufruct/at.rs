//! The space that a verb works on.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use usufruct::gate::SpaceOptions;
use usufruct::space::Space;

use crate::failure::{Failure, OrFail};

#[derive(Args)]
pub(crate) struct At {
    /// The space
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) wait: Wait,
}

#[derive(Args, Clone, Copy)]
pub(crate) struct Wait {
    /// Wait so long for another process that has the space open; not at all unless told
    #[arg(long = "wait", value_name = "SECONDS", default_value_t = 0)]
    seconds: u32,
}

impl Wait {
    pub(crate) fn time(self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// Opens a space for one verb; its inbox is for gates that stay.
    pub(crate) fn open(self, dir: &std::path::Path) -> Result<Space, Failure> {
        Space::open_with(dir, SpaceOptions::default().wait(self.time()).inbox(false)).or_fail()
    }
}

impl At {
    pub(crate) fn open(&self) -> Result<Space, Failure> {
        self.wait.open(&self.dir)
    }
}
