//! A sort of more rows than fit in memory: sorted runs on disk, merged.

use std::vec;

use super::encoding::{EncodedRows, RowEncoding};
use super::{CHUNK_BYTES, HeldRows, Leave};
use crate::desensitise::ApplyError;
use crate::spill::{Chunk, Spill, SpillError};

/// Runs of rows on disk, each sorted.
///
/// # Source
/// D. E. Knuth, The Art of Computer Programming 3, 5.4: external sorting by balanced merging.
pub(super) struct Runs {
    spill: Spill,
    runs: Vec<Vec<Chunk>>,
    /// The largest chunk there is: a row may be larger than [`CHUNK_BYTES`].
    chunk_bytes: usize,
}

impl Runs {
    pub(super) fn new(held: &HeldRows) -> Result<Self, SpillError> {
        Ok(Self { spill: held.target.create()?, runs: Vec::new(), chunk_bytes: CHUNK_BYTES })
    }

    /// Adds a run.
    pub(super) fn add(&mut self, mut rows: EncodedRows) -> Result<(), SpillError> {
        sort(&mut rows);
        let mut run = RunWriter::default();
        rows.iter().try_for_each(|row| run.push(row, self))?;
        run.finish(self)
    }

    /// Lets all rows leave. Each round of merging needs as much disk again as there are rows, until it is done.
    pub(super) fn finish(mut self, held: &HeldRows, leave: &mut Leave<'_>) -> Result<(), ApplyError> {
        while self.runs.len() > self.most_at_once(held.most) {
            let mut longer = Self::new(held)?;
            let (at_once, runs) = (self.most_at_once(held.most), std::mem::take(&mut self.runs));
            for runs in runs.chunks(at_once) {
                let mut run = RunWriter::default();
                let mut merge = Merge::new(&self.spill, &held.encoding, runs)?;
                while let Some(row) = merge.first() {
                    run.push(row, &mut longer)?;
                    // Once a chunk.
                    if run.waiting.is_empty() {
                        leave.go_on()?;
                    }
                    merge.advance()?;
                }
                run.finish(&mut longer)?;
            }
            self = longer;
        }
        let mut merge = Merge::new(&self.spill, &held.encoding, &self.runs)?;
        while let Some(row) = merge.first() {
            leave.one(row)?;
            merge.advance()?;
        }
        Ok(())
    }

    /// Runs of which one chunk each fits in memory, with the places of its rows.
    const fn most_at_once(&self, most: usize) -> usize {
        let runs = most / (2 * self.chunk_bytes);
        if runs < 2 { 2 } else { runs }
    }
}

/// A run that is being written.
#[derive(Default)]
struct RunWriter {
    waiting: Vec<u8>,
    chunks: Vec<Chunk>,
}

impl RunWriter {
    fn push(&mut self, row: &[u8], runs: &mut Runs) -> Result<(), SpillError> {
        self.waiting.extend_from_slice(row);
        if self.waiting.len() >= CHUNK_BYTES { self.write(runs) } else { Ok(()) }
    }

    fn write(&mut self, runs: &mut Runs) -> Result<(), SpillError> {
        runs.chunk_bytes = runs.chunk_bytes.max(self.waiting.len());
        self.chunks.push(runs.spill.write(&mut self.waiting)?);
        Ok(())
    }

    fn finish(mut self, runs: &mut Runs) -> Result<(), SpillError> {
        if !self.waiting.is_empty() {
            self.write(runs)?;
        }
        runs.runs.push(self.chunks);
        Ok(())
    }
}

/// The rows of several runs in their order: a heap of runs by their first rows.
struct Merge<'a> {
    spill: &'a Spill,
    encoding: &'a RowEncoding,
    heap: Vec<Run>,
}

/// A run that is being read.
struct Run {
    chunks: vec::IntoIter<Chunk>,
    rows: EncodedRows,
    at: usize,
}

impl<'a> Merge<'a> {
    fn new(spill: &'a Spill, encoding: &'a RowEncoding, runs: &[Vec<Chunk>]) -> Result<Self, SpillError> {
        let mut heap = Vec::with_capacity(runs.len());
        for chunks in runs {
            let mut run = Run { chunks: chunks.clone().into_iter(), rows: EncodedRows::default(), at: 0 };
            if run.refill(spill, encoding)? {
                heap.push(run);
            }
        }
        // Whatever is sorted is a heap.
        heap.sort_unstable_by(|a, b| a.first().cmp(b.first()));
        Ok(Self { spill, encoding, heap })
    }

    fn first(&self) -> Option<&[u8]> {
        self.heap.first().map(Run::first)
    }

    fn advance(&mut self) -> Result<(), SpillError> {
        let Some(run) = self.heap.first_mut() else { return Ok(()) };
        run.at += 1;
        if run.at == run.rows.spans.len() && !run.refill(self.spill, self.encoding)? {
            self.heap.swap_remove(0);
        }
        self.sink();
        Ok(())
    }

    /// Puts the first run where it belongs.
    fn sink(&mut self) {
        let mut at = 0;
        loop {
            let children = 2 * at + 1..self.heap.len().min(2 * at + 3);
            let Some(child) = children.min_by(|a, b| self.heap[*a].first().cmp(self.heap[*b].first())) else { return };
            if self.heap[at].first() <= self.heap[child].first() {
                return;
            }
            self.heap.swap(at, child);
            at = child;
        }
    }
}

impl Run {
    fn first(&self) -> &[u8] {
        let (from, to) = self.rows.spans[self.at];
        &self.rows.bytes[from..to]
    }

    /// Reads the next chunk, if there is one.
    fn refill(&mut self, spill: &Spill, encoding: &RowEncoding) -> Result<bool, SpillError> {
        let Some(chunk) = self.chunks.next() else { return Ok(false) };
        self.rows.clear();
        self.rows.bytes = spill.read(&chunk)?;
        encoding.find(&self.rows.bytes, &mut self.rows.spans)?;
        self.at = 0;
        if self.rows.spans.is_empty() { Err(SpillError::Damaged) } else { Ok(true) }
    }
}

/// Sorts by the bytes, which is by the cells, column by column; equal rows look the same in any order.
pub(super) fn sort(rows: &mut EncodedRows) {
    let EncodedRows { bytes, spans } = rows;
    spans.sort_unstable_by(|a, b| bytes[a.0..a.1].cmp(&bytes[b.0..b.1]));
}
