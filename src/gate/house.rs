//! What a gate does without being asked: it applies owner's acts from the inbox, and gives back reservations that expired.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::GateError;
use super::acts::{Applied, snapshot_beside};
use super::environment::Environment;
use super::service::{Service, guarded};
use crate::file::OutputOptions;
use crate::ledger::{Act, Proposal};

/// How often the inbox is looked at.
const INTERVAL: Duration = Duration::from_millis(500);
/// Refunds of one batch.
const REFUNDS_MAX: usize = 1024;

impl<E: Environment> Service<E> {
    /// The housekeeper: looks around twice a second until the space is closed.
    pub(super) fn keep_house(self: &Arc<Self>) {
        loop {
            guarded(|| {
                self.empty_inbox();
                self.refund_expired();
            });
            if !self.housekeeping.wait(INTERVAL) {
                return;
            }
        }
    }

    /// Applies what lies in the inbox, in the order of the names. What became of a file `NAME` stands in `done/NAME.applied` or
    /// `done/NAME.refused`; then the file is removed. Files are to be renamed into the folder whole; names that begin with a
    /// dot or end in `.part` are left alone, as are snapshots, which go with their publication.
    pub(super) fn empty_inbox(&self) {
        let inbox = self.folder.inbox();
        let Ok(entries) = fs::read_dir(&inbox) else { return };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| is_act(path)).collect();
        files.sort();
        for path in files {
            let outcome = self.apply_file(&path);
            // A disk that is full, a gate that stopped: nothing is known about the act, so it stays and is tried again.
            if outcome.as_ref().is_err_and(GateError::is_temporary) {
                continue;
            }
            if self.tell(&inbox, &path, &outcome).is_some() {
                let _ = fs::remove_file(snapshot_beside(&path));
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// Writes what became of an act, durably, before the act goes.
    fn tell(&self, inbox: &Path, act: &Path, outcome: &Result<Applied, GateError>) -> Option<()> {
        let name = act.file_name()?.to_str()?;
        let done = inbox.join("done");
        let _ = fs::create_dir(&done);
        let (suffix, text) = match outcome {
            Ok(applied) => ("applied", format!("{applied}\n")),
            Err(error) => ("refused", format!("{error}\n")),
        };
        crate::file::write(&done.join(format!("{name}.{suffix}")), text.as_bytes(), OutputOptions { force: true, private: true }).ok()
    }

    /// Gives back what was charged for requests that never started and can no longer be tried. Not from the ones that are running:
    /// those have started, or are started by the same batch as they are charged.
    pub(super) fn refund_expired(&self) {
        let Ok(now) = self.now() else { return };
        let Ok(due) = self.view().and_then(|view| Ok(view.due(now, REFUNDS_MAX)?)) else { return };
        for request in due {
            // One that was started or refunded meanwhile is not admitted, which is as it should be.
            let _ = self.writer.append(Proposal { acts: vec![Act::Refund { request }] });
        }
    }
}

fn is_act(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(".");
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file && !name.starts_with('.') && ![".part", ".snapshot"].iter().any(|suffix| name.ends_with(suffix))
}
