//! What a gate does without being asked: it applies owner's acts from the inbox, and gives back reservations that expired.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use super::GateError;
use super::acts::{ACT_BYTES_MAX, Applied};
use super::environment::Environment;
use super::jobs::guarded;
use super::service::Service;
use crate::archive::{ArchiveError, Inbox, InboxOutcome};
use crate::dataset::PublicationFile;
use crate::file::{OutputError, ReadError};
use crate::ledger::{Act, ClockReset, GateCertificate, Proposal};

/// How often the inbox is looked at.
const INTERVAL: Duration = Duration::from_millis(500);
/// Refunds of one batch.
const REFUNDS_MAX: usize = 1024;

impl<E: Environment> Service<E> {
    /// The housekeeper: looks around twice a second until the space is closed. Once the ledger has stopped there is nothing that it
    /// could do.
    pub(super) fn keep_house(self: &Arc<Self>) {
        let mut left = HashSet::new();
        loop {
            if self.takes_entries().is_ok() {
                if self.applies_inbox {
                    guarded(|| self.empty_inbox(&mut left));
                }
                guarded(|| self.refund_expired());
            }
            if !self.housekeeping.wait(INTERVAL) {
                return;
            }
        }
    }

    /// Applies what lies in the inbox, in its order. An act that must wait makes those behind it wait, which may follow from it; but
    /// for acts about clock and certificate, which may be what it waits for. One that panics is left until the space is opened again.
    fn empty_inbox(&self, left: &mut HashSet<String>) {
        let inbox = Inbox::of(&self.folder);
        let mut waits = false;
        for name in inbox.names() {
            if left.contains(&name) || waits && !self.lets_others_pass(&inbox, &name) {
                continue;
            }
            let mut outcome = None;
            guarded(|| outcome = Some(self.apply_taken(&inbox, &name)));
            let told = match &outcome {
                None => {
                    left.insert(name);
                    continue;
                }
                Some(Err(error)) if is_to_be_tried_again(error) => Err(()),
                Some(Err(error)) => inbox.tell(&name, InboxOutcome::Refused, &format!("{error}\n")).map_err(drop),
                Some(Ok(applied)) => inbox.tell(&name, InboxOutcome::Applied, &format!("{applied}\n")).map_err(drop),
            };
            waits |= told.is_err();
        }
    }

    fn apply_taken(&self, inbox: &Inbox, name: &str) -> Result<Applied, GateError> {
        let act = inbox.take(name).map_err(|error| in_inbox(name, &error))?;
        let bytes = crate::file::read(act, ACT_BYTES_MAX)?;
        let Ok(publication) = PublicationFile::decode(&bytes) else { return self.apply(&bytes) };
        let snapshot = inbox.take_snapshot(name).map_err(|error| in_inbox(name, &error))?;
        Ok(Applied::Published(Box::new(self.publish_file(&publication, &snapshot)?)))
    }

    fn lets_others_pass(&self, inbox: &Inbox, name: &str) -> bool {
        let Ok(bytes) = crate::file::read(inbox.act(name), ACT_BYTES_MAX) else { return false };
        matches!(self.signed::<ClockReset>(&bytes), Ok(Some(_))) || matches!(self.signed::<GateCertificate>(&bytes), Ok(Some(_)))
    }

    /// Gives back what was charged for requests that never started and can no longer be tried. Not from the ones that are running:
    /// those have started, or are started by the same batch as they are charged.
    fn refund_expired(&self) {
        let Ok(now) = self.now() else { return };
        let Ok(due) = self.view().and_then(|view| Ok(view.due(now, REFUNDS_MAX)?)) else { return };
        for request in due {
            // One that was started or refunded meanwhile is not admitted, which is as it should be.
            let _ = self.writer.append(Proposal { acts: vec![Act::Refund { request }] });
        }
    }
}

fn in_inbox(name: &str, error: &io::Error) -> GateError {
    ArchiveError::Io { name: format!("inbox/{name}"), kind: error.kind() }.into()
}

/// A disk that is full, a gate that stopped: nothing is known about the act, so it stays. What only another act or another file can
/// mend is told at once, since other acts wait behind it.
fn is_to_be_tried_again(error: &GateError) -> bool {
    match error {
        GateError::NoGateKey { .. }
        | GateError::Archive(ArchiveError::Output(OutputError::TargetExists { .. } | OutputError::NotAFile { .. }))
        | GateError::Read(ReadError::Open { kind: ErrorKind::PermissionDenied, .. }) => false,
        error => error.is_temporary(),
    }
}
