//! Writing snapshots: every cell is checked here, once, and whatever is wrong with one is found here.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::ControlFlow;

use unicode_normalization::UnicodeNormalization as _;

use super::batch::{Batch, Cells};
use super::dictionary::Full;
use super::index::{ColumnIndex, DICTIONARY_BLOCK_BYTES, DictionaryIndex, Extent, HEADER, Index, TRAILER, rows_of_block, stored};
use super::store::{Recoding, Store};
use super::watch::Repeats;
use super::{BLOCK_ROWS, BLOCKS_MAX, ColumnBlock, PublishError, ROWS_MAX, RowKey, UNITS_MAX, UnitBlock, Warning, table_schema};
use crate::codec::Encoder;
use crate::dataset::{Column, Description, Schema};
use crate::file::{Output, OutputError, OutputStep};
use crate::form;
use crate::id::{ColumnName, Digest};
use crate::label::Label;
use crate::table::{RecordSource, TableError};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Rows in the snapshot.
    pub rows: u64,
    /// Units in the snapshot, when the unit is a column.
    pub units: Option<u64>,
    /// [`super::Snapshot::digest`].
    pub digest: Digest,
    /// What the owner should look at.
    pub warnings: Vec<Warning>,
}

/// How far writing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishProgress {
    /// Which reading of the source this is, from 1; there is more than one only when columns do not fit into memory.
    pub reading: u32,
    /// Records of this reading so far.
    pub records: u64,
    /// What of `total` is done.
    pub done: u64,
    /// The size of the source, in bytes or records, if it is known.
    pub total: Option<u64>,
}

/// Columns kept in memory for sorting, unless one alone is larger.
const COLUMN_BYTES_MAX: usize = 1 << 30;

/// Reads a source, checks every cell, and writes the snapshot of a dataset to `output`, which is committed.
///
/// `key` is the one of the lineage. `progress` is told after every batch of records and may end the work.
///
/// # Errors
/// Anything wrong with a cell, with its place and never with the cell itself; a source that changes meanwhile; limits;
/// the output. Nothing stands at the target then.
pub fn write_snapshot(
    source: &dyn RecordSource,
    description: &Description,
    key: &RowKey,
    output: Output,
    progress: &mut dyn FnMut(PublishProgress) -> ControlFlow<()>,
) -> Result<Summary, PublishError> {
    write_within(COLUMN_BYTES_MAX, source, description, key, output, progress)
}

pub(super) fn write_within(
    column_bytes_max: usize,
    source: &dyn RecordSource,
    description: &Description,
    key: &RowKey,
    output: Output,
    progress: &mut dyn FnMut(PublishProgress) -> ControlFlow<()>,
) -> Result<Summary, PublishError> {
    let schema = description.schema();
    check_schema(source, schema)?;
    let file = Writer::new(output, schema)?;
    let job = Job { source, schema, progress, sink: file, sourced: description.public_source().is_some() };
    let (content, file) = job.run(key, column_bytes_max)?;
    let Content { rows, units, warnings } = content;
    let digest = file.finish(schema, rows)?;
    Ok(Summary { rows, units, digest, warnings })
}

/// The same, but the blocks go to `sink`; how many rows there are.
pub(super) fn write_to<S: Sink>(
    source: &dyn RecordSource,
    schema: &Schema,
    key: &RowKey,
    sink: S,
    progress: &mut dyn FnMut(PublishProgress) -> ControlFlow<()>,
) -> Result<(u64, S), PublishError> {
    check_schema(source, schema)?;
    // What the owner should hear was said when the description was published, so warnings are not asked for.
    let (content, sink) = Job { source, schema, progress, sink, sourced: false }.run(key, COLUMN_BYTES_MAX)?;
    Ok((content.rows, sink))
}

fn check_schema(source: &dyn RecordSource, schema: &Schema) -> Result<(), PublishError> {
    // A card is public: no column of it is called by what is a cell.
    let names: Vec<&str> = schema.columns().iter().map(|column| column.name.as_str()).collect();
    if let Some((at, kind)) = form::first_identifier(&names) {
        return Err(PublishError::NameIsData { column: at + 1, kind });
    }
    if *source.schema() == table_schema(schema) { Ok(()) } else { Err(PublishError::Schema) }
}

/// Where blocks go, each column's in their order. Columns are named by their place in the schema.
pub(super) trait Sink {
    /// The next block of a column.
    fn cells(&mut self, place: usize, block: ColumnBlock) -> Result<(), PublishError>;

    /// All values of a text column in the order of their codes, once.
    fn values<'v>(&mut self, column: (usize, &Column), count: usize, texts: impl Iterator<Item = &'v str>) -> Result<(), PublishError>;

    /// The next block of units.
    fn units(&mut self, block: UnitBlock) -> Result<(), PublishError>;
}

struct Job<'a, S> {
    source: &'a dyn RecordSource,
    schema: &'a Schema,
    progress: &'a mut dyn FnMut(PublishProgress) -> ControlFlow<()>,
    sink: S,
    sourced: bool,
}

/// What the summary is made of.
struct Content {
    rows: u64,
    units: Option<u64>,
    warnings: Vec<Warning>,
}

/// A row on its way to its place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct UnitRow {
    id: [u8; 16],
    tag: [u8; 16],
    /// Its place among the kept rows of the source: where its cells are until they are written.
    row: u64,
}

impl<'a, S: Sink> Job<'a, S> {
    fn run(mut self, key: &RowKey, column_bytes_max: usize) -> Result<(Content, S), PublishError> {
        let version = self.source.version()?;
        let content = match self.schema.unit_column() {
            None => self.by_row()?,
            Some(unit) => self.by_unit(unit, key, column_bytes_max)?,
        };
        if self.source.version()? == version { Ok((content, self.sink)) } else { Err(TableError::Changed.into()) }
    }

    /// The unit is a row: a block of every column is written when it is full.
    fn by_row(&mut self) -> Result<Content, PublishError> {
        let schema = self.schema;
        let mut stores = stored(schema).map(|(place, column)| new_store(place, column)).collect::<Result<Vec<_>, _>>()?;
        let mut repeats: Vec<Option<Repeats<'_>>> = schema.columns().iter().map(Repeats::of).collect();
        let mut filled = 0;
        let flush =
            |stores: &mut [Store<'_>], sink: &mut S| stores.iter_mut().try_for_each(|store| sink.cells(store.place, store.take_block()));
        let rows = self.read(1, &vec![true; schema.columns().len()], |job, batch| {
            for (place, repeats) in repeats.iter_mut().enumerate() {
                if let (Some(repeats), Some(cells)) = (repeats, batch.column(place)) {
                    repeats.take(cells);
                }
            }
            let all: Vec<usize> = (0..batch.rows).collect();
            let mut rest = all.as_slice();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(BLOCK_ROWS - filled));
                push(&mut stores, batch, now)?;
                filled += now.len();
                if filled == BLOCK_ROWS {
                    flush(&mut stores, &mut job.sink)?;
                    filled = 0;
                }
                rest = later;
            }
            Ok(())
        })?;
        if filled > 0 {
            flush(&mut stores, &mut self.sink)?;
        }
        for store in &stores {
            if let Some(dictionary) = store.dictionary() {
                self.sink.values((store.place, store.column), dictionary.len(), dictionary.iter())?;
            }
        }
        let mut warnings: Vec<Warning> = stores.iter().flat_map(|store| store.watch.warnings(self.sourced)).collect();
        warnings.extend(repeats.iter().flatten().filter_map(Repeats::warning));
        Ok(Content { rows, units: None, warnings })
    }

    /// The unit is a column: rows are read, sorted by (unit id, row tag), and written column by column.
    fn by_unit(&mut self, unit: usize, key: &RowKey, column_bytes_max: usize) -> Result<Content, PublishError> {
        let schema = self.schema;
        let mut content = Content { rows: 0, units: None, warnings: Vec::new() };
        let mut order: Vec<UnitRow> = Vec::new();
        let mut waiting: Vec<usize> = stored(schema).map(|(place, _)| place).collect();
        let mut wanted = vec![true; schema.columns().len()];
        for reading in 1.. {
            let new = |place: &usize| new_store(*place, &schema.columns()[*place]);
            let mut stores = waiting.iter().map(new).collect::<Result<Vec<_>, _>>()?;
            waiting.clear();
            let mut kept = 0;
            let records = self.read(reading, &wanted, |_, batch| {
                let units = Units::of(batch.column(unit));
                let rows: Vec<usize> = (0..batch.rows).filter(|&row| units.is_some(row)).collect();
                if reading == 1 {
                    order.extend((kept..).zip(&rows).map(|(row_of_source, &row)| {
                        let id = key.short(Label::UNIT, &[&units.canonical(row)]);
                        let tag = key.short(Label::ROW, &[&id, &batch.encode_row(row)]);
                        UnitRow { id, tag, row: row_of_source }
                    }));
                }
                push(&mut stores, batch, &rows)?;
                kept += rows.len() as u64;
                while stores.len() > 1 && stores.iter().map(Store::bytes).sum::<usize>() > column_bytes_max {
                    waiting.extend(stores.pop().map(|store| store.place));
                }
                Ok(())
            })?;
            if reading == 1 {
                order.sort_unstable();
                let count = 1 + order.windows(2).filter(|pair| pair[0].id != pair[1].id).count() as u64;
                let count = if order.is_empty() { 0 } else { count };
                if count > UNITS_MAX {
                    return Err(PublishError::TooMany { what: "units", most: UNITS_MAX });
                }
                content.rows = kept;
                content.units = Some(count);
                self.unit_blocks(&order)?;
                if kept < records {
                    content.warnings.push(Warning::RowsWithoutUnit { column: schema.columns()[unit].name.clone() });
                }
            } else if kept != content.rows {
                return Err(TableError::Changed.into());
            }
            for store in &stores {
                self.sorted_column(store, &order)?;
                content.warnings.extend(store.watch.warnings(self.sourced));
            }
            if waiting.is_empty() {
                break;
            }
            waiting.reverse();
            wanted.iter_mut().enumerate().for_each(|(place, wanted)| *wanted = place == unit || waiting.contains(&place));
        }
        Ok(content)
    }

    fn unit_blocks(&mut self, order: &[UnitRow]) -> Result<(), PublishError> {
        let block =
            |rows: &[UnitRow]| UnitBlock { ids: rows.iter().map(|row| row.id).collect(), tags: rows.iter().map(|row| row.tag).collect() };
        order.chunks(BLOCK_ROWS).try_for_each(|rows| self.sink.units(block(rows)))
    }

    fn sorted_column(&mut self, store: &Store<'_>, order: &[UnitRow]) -> Result<(), PublishError> {
        let mut recoding = Recoding::of(store);
        for rows in order.chunks(BLOCK_ROWS) {
            self.sink.cells(store.place, store.block_of(rows.iter().map(|row| place(row.row)), &mut recoding))?;
        }
        if let Some(dictionary) = store.dictionary() {
            let values = recoding.old().iter().filter_map(|&old| dictionary.get(old));
            self.sink.values((store.place, store.column), recoding.old().len(), values)?;
        }
        Ok(())
    }

    /// Reads the source once, in batches of at most a block; how many records it has.
    fn read(
        &mut self,
        reading: u32,
        wanted: &[bool],
        mut take: impl FnMut(&mut Self, &Batch<'_>) -> Result<(), PublishError>,
    ) -> Result<u64, PublishError> {
        let size = self.source.size_hint();
        let mut count = 0;
        for records in self.source.read()? {
            let records = records?;
            for start in (0..records.len()).step_by(BLOCK_ROWS) {
                let rows = rows_of_block((records.len() - start) as u64, 0);
                count += rows as u64;
                if count > ROWS_MAX {
                    return Err(PublishError::TooMany { what: "rows", most: ROWS_MAX });
                }
                take(self, &Batch::read(&records, start, rows, self.schema, wanted)?)?;
                let byte = records.position(start + rows - 1, None).byte;
                let (done, total) = match (byte, size.bytes) {
                    (Some(byte), Some(bytes)) => (byte, Some(bytes)),
                    _ => (count, size.records),
                };
                if (self.progress)(PublishProgress { reading, records: count, done, total }).is_break() {
                    return Err(PublishError::Cancelled);
                }
            }
        }
        Ok(count)
    }
}

fn new_store(place: usize, column: &Column) -> Result<Store<'_>, PublishError> {
    Store::new(place, column).map_err(|full| too_many_values(&column.name, full))
}

fn push(stores: &mut [Store<'_>], batch: &Batch<'_>, rows: &[usize]) -> Result<(), PublishError> {
    for store in stores {
        if let Some(cells) = batch.column(store.place) {
            store.push(cells, rows).map_err(|full| too_many_values(&store.column.name, full))?;
        }
    }
    Ok(())
}

pub(super) fn too_many_values(column: &ColumnName, Full { what, most }: Full) -> PublishError {
    PublishError::Dictionary { column: column.clone(), what, most }
}

#[expect(clippy::cast_possible_truncation, reason = "it counts rows that are in memory")]
const fn place(row: u64) -> usize {
    row as usize
}

/// The cells of the unit column.
struct Units<'a>(Option<&'a Cells<'a>>);

impl<'a> Units<'a> {
    fn of(cells: Option<&'a Cells<'a>>) -> Self {
        Self(cells)
    }

    fn is_some(&self, row: usize) -> bool {
        match self.0 {
            Some(Cells::Texts(texts)) => texts[row].is_some(),
            Some(Cells::Numbers(numbers)) => numbers[row].is_some(),
            None => false,
        }
    }

    /// A text in normalisation form C, so that one person does not become two by the way a name was typed.
    fn canonical(&self, row: usize) -> Vec<u8> {
        let mut out = Encoder::new();
        match self.0 {
            Some(Cells::Texts(texts)) => {
                out.text(&texts[row].unwrap_or_default().nfc().collect::<String>());
            }
            Some(Cells::Numbers(numbers)) => {
                out.int(numbers[row].unwrap_or_default());
            }
            None => {}
        }
        out.into_bytes()
    }
}

/// The file under way.
struct Writer {
    output: Output,
    offset: u64,
    blocks: usize,
    /// By place.
    columns: BTreeMap<usize, ColumnIndex>,
    /// Present when the unit is a column.
    units: Option<Vec<Extent>>,
    /// The block on its way.
    bytes: Vec<u8>,
}

impl Writer {
    fn new(output: Output, schema: &Schema) -> Result<Self, PublishError> {
        let column = |(place, _)| (place, ColumnIndex { place, blocks: Vec::new(), dictionary: None });
        let columns = stored(schema).map(column).collect();
        let units = schema.unit_column().map(|_| Vec::new());
        let mut file = Self { output, offset: 0, blocks: 0, columns, units, bytes: Vec::new() };
        file.write(&HEADER)?;
        Ok(file)
    }

    fn block(&mut self, bytes: &[u8]) -> Result<Extent, PublishError> {
        self.blocks += 1;
        if self.blocks > BLOCKS_MAX {
            return Err(PublishError::TooMany { what: "blocks of 65536 cells", most: BLOCKS_MAX as u64 });
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
        let extent = Extent { offset: self.offset, length: bytes.len() as u64, digest: Digest::from_bytes(digest) };
        self.write(bytes)?;
        Ok(extent)
    }

    /// Writes a block that `encode` makes.
    fn encoded(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> Result<Extent, PublishError> {
        let mut bytes = std::mem::take(&mut self.bytes);
        encode(&mut bytes);
        let extent = self.block(&bytes)?;
        self.bytes = bytes;
        Ok(extent)
    }

    fn finish(mut self, schema: &Schema, rows: u64) -> Result<Digest, PublishError> {
        let columns = std::mem::take(&mut self.columns).into_values().collect();
        let index = Index { schema: schema.hash(), rows, columns, units: self.units.take() }.encode();
        self.write(&index)?;
        self.write(&(index.len() as u64).to_le_bytes())?;
        self.write(&TRAILER)?;
        self.output.commit()?;
        Ok(Digest::of(&index))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PublishError> {
        self.offset += bytes.len() as u64;
        self.output.write_all(bytes).map_err(|error| {
            let target = self.output.target().to_owned();
            OutputError::Failed { target, step: OutputStep::Write, kind: error.kind() }.into()
        })
    }
}

impl Sink for Writer {
    fn cells(&mut self, place: usize, block: ColumnBlock) -> Result<(), PublishError> {
        let extent = self.encoded(|bytes| block.encode(bytes))?;
        self.columns.entry(place).and_modify(|column| column.blocks.push(extent));
        Ok(())
    }

    fn values<'v>(&mut self, (place, _): (usize, &Column), count: usize, texts: impl Iterator<Item = &'v str>) -> Result<(), PublishError> {
        let (mut bytes, mut blocks) = (Vec::new(), Vec::new());
        for text in texts {
            let len = u32::try_from(text.len()).map_err(|_| PublishError::TooMany { what: "bytes in a value", most: u32::MAX.into() })?;
            bytes.extend_from_slice(&len.to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
            if bytes.len() >= DICTIONARY_BLOCK_BYTES {
                blocks.push(self.block(&bytes)?);
                bytes.clear();
            }
        }
        if !bytes.is_empty() {
            blocks.push(self.block(&bytes)?);
        }
        self.columns.entry(place).and_modify(|column| column.dictionary = Some(DictionaryIndex { values: count, blocks }));
        Ok(())
    }

    fn units(&mut self, block: UnitBlock) -> Result<(), PublishError> {
        let extent = self.encoded(|bytes| block.encode(bytes))?;
        self.units.iter_mut().for_each(|units| units.push(extent));
        Ok(())
    }
}
