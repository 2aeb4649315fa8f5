//! Rows held back until they can leave in an order that is not that of the source, however many there are (rule H5).
//!
//! ```text
//! emitted rows --RowEncoding--> bytes --push--> in memory, up to `most`, shuffled or sorted --> batches that leave
//!                                                   | more
//!                                                   v
//!                     shuffled:  parts on disk, drawn row by row --> each shuffled in memory, one behind the other
//!                     by_output: sorted runs on disk             --> merged
//! ```
//! What is on disk stands in the target's folder, in a file without a name under a key that is nowhere else ([`Spill`]): once
//! the rows, while a part is scattered again that part twice, while runs are merged in rounds all of them twice.
//!
//! # Not promised
//! Who watches the disk while the process runs sees from which stretch of the source the rows of a part are.
//!
//! [`Spill`]: crate::spill::SpillError

mod encoding;
mod merge;
mod shuffle;

use arrow_schema::SchemaRef;

pub(super) use self::encoding::EncodedRows;
use self::encoding::RowEncoding;
use self::merge::Runs;
use self::shuffle::Scatter;
use super::ApplyError;
use super::plan::{Desensitised, OtherColumns};
use crate::random::Random;
use crate::spill::{SpillError, SpillTarget};

/// The most bytes of emitted rows that are held in memory for `shuffled` and `by_output` unless told otherwise: 128 MiB, so that
/// a run stays below 512 MiB with all else. More rows go through an encrypted file without a name in the target's folder.
pub const HELD_BYTES_MAX: usize = 128 << 20;

/// What is encrypted and written in one piece. Of each there are 24 bytes in memory, 100 MB for a terabyte.
const CHUNK_BYTES: usize = 256 << 10;

/// The most rows of a batch that leaves, and its bytes unless one row has more: far below the 2 GiB of a column of texts.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 16 << 20;

/// Emitted rows, held back.
pub(super) struct Held<'a> {
    place: HeldRows,
    order: Order<'a>,
    rows: EncodedRows,
    count: u64,
}

/// Where rows are held.
pub(super) struct HeldRows {
    encoding: RowEncoding,
    target: SpillTarget,
    /// Bytes in memory.
    most: usize,
    /// Parts of one level of a shuffle.
    parts: usize,
}

/// The order in which they leave, and what is on disk of them.
enum Order<'a> {
    Shuffled(&'a mut dyn Random, Option<Scatter>),
    ByOutput(Option<Runs>),
}

impl HeldRows {
    /// Rows of these columns: `most` bytes in memory, the others in a file that `target` makes.
    pub(super) fn new(columns: &SchemaRef, target: SpillTarget, most: usize) -> Result<Self, OtherColumns> {
        Ok(Self { encoding: RowEncoding::of(columns)?, target, most, parts: shuffle::PARTS })
    }

    /// To leave in an order drawn uniformly.
    pub(super) fn shuffled(self, random: &mut dyn Random) -> Held<'_> {
        self.in_order(Order::Shuffled(random, None))
    }

    /// To leave sorted by their cells, column by column.
    pub(super) fn by_output<'a>(self) -> Held<'a> {
        self.in_order(Order::ByOutput(None))
    }

    fn in_order(self, order: Order<'_>) -> Held<'_> {
        Held { place: self, order, rows: EncodedRows::default(), count: 0 }
    }
}

impl Held<'_> {
    /// What makes rows ready to be held, on any thread.
    pub(super) fn encoding(&self) -> RowEncoding {
        self.place.encoding.clone()
    }

    pub(super) fn push(&mut self, rows: &EncodedRows) -> Result<(), SpillError> {
        self.count += rows.spans.len() as u64;
        if let Order::Shuffled(random, Some(scatter)) = &mut self.order {
            return scatter.add(rows.iter(), *random);
        }
        self.rows.append(rows);
        if self.rows.memory() <= self.place.most {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        match &mut self.order {
            Order::Shuffled(random, scatter) => scatter.insert(Scatter::new(&self.place)?).add(rows.iter(), *random),
            Order::ByOutput(Some(runs)) => runs.add(rows),
            Order::ByOutput(runs) => runs.insert(Runs::new(&self.place)?).add(rows),
        }
    }

    /// Hands all rows to `write`, in batches; `go_on` is asked now and then.
    pub(super) fn finish(
        self,
        go_on: &mut dyn FnMut() -> Result<(), ApplyError>,
        write: &mut dyn FnMut(&Desensitised) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        let Self { place, order, mut rows, count } = self;
        let mut leave = Leave { encoding: &place.encoding, batch: EncodedRows::default(), count: 0, go_on, write };
        match order {
            Order::Shuffled(random, Some(scatter)) => scatter.finish(&place, random, &mut leave)?,
            Order::Shuffled(random, None) => {
                shuffle::shuffle(&mut rows, random);
                leave.all(&rows)?;
            }
            Order::ByOutput(Some(mut runs)) => {
                runs.add(rows)?;
                runs.finish(&place, &mut leave)?;
            }
            Order::ByOutput(None) => {
                merge::sort(&mut rows);
                leave.all(&rows)?;
            }
        }
        leave.write_batch()?;
        // No row was lost and none came twice, whatever went over the disk.
        if leave.count == count { Ok(()) } else { Err(SpillError::Damaged.into()) }
    }
}

/// The way out for rows in their order.
struct Leave<'a> {
    encoding: &'a RowEncoding,
    batch: EncodedRows,
    count: u64,
    go_on: &'a mut dyn FnMut() -> Result<(), ApplyError>,
    write: &'a mut dyn FnMut(&Desensitised) -> Result<(), ApplyError>,
}

impl Leave<'_> {
    fn go_on(&mut self) -> Result<(), ApplyError> {
        (self.go_on)()
    }

    fn all(&mut self, rows: &EncodedRows) -> Result<(), ApplyError> {
        rows.iter().try_for_each(|row| self.one(row))
    }

    fn one(&mut self, row: &[u8]) -> Result<(), ApplyError> {
        let EncodedRows { bytes, spans } = &self.batch;
        if spans.len() == BATCH_ROWS || bytes.len() + row.len() > BATCH_BYTES {
            self.write_batch()?;
        }
        self.batch.push(row);
        Ok(())
    }

    fn write_batch(&mut self) -> Result<(), ApplyError> {
        if !self.batch.spans.is_empty() {
            self.go_on()?;
            self.count += self.batch.spans.len() as u64;
            (self.write)(&self.encoding.decode(&self.batch)?)?;
            self.batch.clear();
        }
        Ok(())
    }
}

/// A uniform number below `bound`, which is not 0: Lemire's multiplication with rejection.
#[expect(clippy::cast_possible_truncation, reason = "the low half on purpose; the high half is below a length in memory")]
fn below(bound: u64, random: &mut dyn Random) -> usize {
    let least = bound.wrapping_neg() % bound;
    loop {
        let product = u128::from(random.next_u64()) * u128::from(bound);
        if product as u64 >= least {
            return (product >> 64) as usize;
        }
    }
}

#[cfg(test)]
mod tests;
