//! The entries of one step: proposals admitted in order over the state that all before them would make.

use super::book::{BookError, Changes, Overlay, State, apply};
use super::entry::Entry;
use super::proposal::{Admitted, Proposal, Ticket};
use crate::codec::Encoder;
use crate::id::Time;

/// The entries that are to be made durable in one step, and what they would make of the state.
pub(in crate::ledger) struct Batch<'s, S> {
    overlay: Overlay<'s, S>,
    entries: Encoded,
    /// The most bytes of entries and their length prefixes.
    limit: usize,
}

/// The bytes of entries, one after the other, in buffers that serve again.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Encoded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// What became of a proposal.
pub(super) enum Taken {
    /// It is in the batch, or cannot follow.
    Judged(Result<Admitted, BookError>),
    /// It does not fit behind what the batch has already.
    Full,
}

/// The journal puts the length of an entry before it.
const PREFIX_BYTES: usize = 4;

impl<'s, S: State> Batch<'s, S> {
    /// For about so many proposals.
    pub(super) fn new(state: &'s S, mut entries: Encoded, limit: usize, count: usize) -> Self {
        entries.bytes.clear();
        entries.ends.clear();
        Self { overlay: Overlay::for_requests(state, count), entries, limit }
    }

    /// Admits a proposal whole, or leaves the batch as it was.
    pub(super) fn take(&mut self, proposal: &Proposal, now: Time) -> Taken {
        let before = (self.entries.bytes.len(), self.entries.ends.len());
        let taken = self.admit(proposal, now);
        if !matches!(taken, Taken::Judged(Ok(_))) {
            self.entries.bytes.truncate(before.0);
            self.entries.ends.truncate(before.1);
        }
        taken
    }

    fn admit(&mut self, proposal: &Proposal, now: Time) -> Taken {
        let (index, first) = (self.overlay.head().size(), self.entries.ends.is_empty());
        let before = self.entries.payload();
        let Self { overlay, entries, limit } = self;
        let mut admitted = Admitted { ticket: Ticket::new(index.into()), time: Time::MAX, events: Vec::with_capacity(proposal.acts.len()) };
        let mut add = |entry: Entry| {
            if admitted.events.is_empty() {
                admitted.time = entry.time;
            }
            admitted.events.push(entry.event);
        };
        let length = |found| BookError::Length { index, found, limit: *limit };
        let judged = match proposal.acts.as_slice() {
            [] => Err(length(0)),
            // What one act changes stands or falls by itself.
            [act] => act.entry(overlay, now).and_then(|entry| {
                entries.push(&entry);
                if entries.payload() <= *limit {
                    apply(overlay, &entry)?;
                }
                add(entry);
                Ok(())
            }),
            acts => {
                let mut whole = Overlay::new(overlay);
                let all = acts.iter().try_for_each(|act| {
                    let entry = act.entry(&whole, now)?;
                    entries.push(&entry);
                    apply(&mut whole, &entry)?;
                    add(entry);
                    Ok(())
                });
                let changes = whole.into_changes();
                all.map(|()| {
                    if entries.payload() <= *limit {
                        overlay.merge(changes);
                    }
                })
            }
        };
        match judged {
            Err(problem) => Taken::Judged(Err(problem)),
            Ok(()) if entries.payload() <= *limit => Taken::Judged(Ok(admitted)),
            Ok(()) if first => Taken::Judged(Err(length(entries.payload() - before))),
            Ok(()) => Taken::Full,
        }
    }

    /// The bytes to make durable, and what to merge once they are.
    pub(super) fn finish(self) -> (Encoded, Changes) {
        (self.entries, self.overlay.into_changes())
    }
}

impl Encoded {
    fn push(&mut self, entry: &Entry) {
        let mut out = Encoder::behind(std::mem::take(&mut self.bytes));
        entry.write(&mut out);
        self.bytes = out.into_bytes();
        self.ends.push(self.bytes.len());
    }

    fn payload(&self) -> usize {
        self.bytes.len() + PREFIX_BYTES * self.ends.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Each entry.
    pub(in crate::ledger) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}
