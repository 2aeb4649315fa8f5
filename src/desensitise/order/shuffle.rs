//! A shuffle of more rows than fit in memory: each to a part that is drawn, each part shuffled in memory.

use super::encoding::{EncodedRows, RowEncoding};
use super::{CHUNK_BYTES, HeldRows, Leave, below};
use crate::desensitise::ApplyError;
use crate::random::Random;
use crate::spill::{Chunk, Spill, SpillError};

/// Rows that are scattered over parts on disk.
///
/// Each row goes to one of [`PARTS`] parts, drawn uniformly for it alone; the parts leave one behind the other, each in an order
/// drawn uniformly, and a part that does not fit in memory is scattered again.
///
/// Every order of the rows is equally likely. For this is a sort by keys, which are drawn for each row independently and from
/// one distribution: the numbers of its parts are the digits of its key, of which only as many are drawn as are needed, and rows
/// that agree in those are told apart by a uniform order. Whatever the rows are, a permutation of them has the same keys with the
/// same probability.
///
/// # Source
/// P. Sanders, Random permutations on distributed, external and hierarchical memory, Information Processing Letters 67 (6),
/// 1998, 305 to 309.
pub(super) struct Scatter {
    spill: Spill,
    parts: Vec<Part>,
    /// How much of a part waits to be written in one piece.
    chunk_bytes: usize,
}

/// Parts of one level. With [`CHUNK_BYTES`] for each, 32 MiB wait to be written.
pub(super) const PARTS: usize = 128;

#[derive(Default)]
struct Part {
    waiting: Vec<u8>,
    chunks: Vec<Chunk>,
    bytes: usize,
    rows: usize,
}

impl Scatter {
    pub(super) fn new(held: &HeldRows) -> Result<Self, SpillError> {
        let parts = (0..held.parts).map(|_| Part::default()).collect();
        Ok(Self { spill: held.target.create()?, parts, chunk_bytes: CHUNK_BYTES.min(held.most / held.parts) })
    }

    pub(super) fn add<'a>(&mut self, rows: impl Iterator<Item = &'a [u8]>, random: &mut dyn Random) -> Result<(), SpillError> {
        let parts = self.parts.len() as u64;
        for row in rows {
            let part = &mut self.parts[below(parts, random)];
            part.waiting.extend_from_slice(row);
            part.bytes = part.bytes.saturating_add(row.len());
            part.rows += 1;
            if part.waiting.len() >= self.chunk_bytes {
                part.chunks.push(self.spill.write(&mut part.waiting)?);
            }
        }
        Ok(())
    }

    /// Lets all rows leave.
    pub(super) fn finish(self, held: &HeldRows, random: &mut dyn Random, leave: &mut Leave<'_>) -> Result<(), ApplyError> {
        let Self { spill, parts, .. } = self;
        for part in parts {
            // A row that is larger than the memory is alone sooner or later.
            if part.rows <= 1 || EncodedRows::memory_of(part.bytes, part.rows) <= held.most {
                let mut rows = part.whole(&spill, &held.encoding)?;
                shuffle(&mut rows, random);
                leave.all(&rows)?;
            } else {
                let mut smaller = Self::new(held)?;
                let mut spans = Vec::new();
                let Part { waiting, chunks, .. } = part;
                let mut scatter = |bytes: &[u8]| {
                    spans.clear();
                    held.encoding.find(bytes, &mut spans)?;
                    smaller.add(spans.iter().map(|&(from, to)| &bytes[from..to]), random)
                };
                scatter(&waiting)?;
                drop(waiting);
                for chunk in &chunks {
                    leave.go_on()?;
                    scatter(&spill.read(chunk)?)?;
                }
                smaller.finish(held, random, leave)?;
            }
        }
        Ok(())
    }
}

impl Part {
    fn whole(self, spill: &Spill, encoding: &RowEncoding) -> Result<EncodedRows, SpillError> {
        let mut rows = EncodedRows { bytes: Vec::with_capacity(self.bytes), spans: Vec::with_capacity(self.rows) };
        for chunk in &self.chunks {
            rows.bytes.extend_from_slice(&spill.read(chunk)?);
        }
        rows.bytes.extend_from_slice(&self.waiting);
        encoding.find(&rows.bytes, &mut rows.spans)?;
        Ok(rows)
    }
}

/// An order drawn uniformly (Fisher and Yates, Durstenfeld's form).
pub(super) fn shuffle(rows: &mut EncodedRows, random: &mut dyn Random) {
    for last in (1..rows.spans.len()).rev() {
        rows.spans.swap(last, below(last as u64 + 1, random));
    }
}
