//! From bytes to fields: plain records by their marks, all others by `csv-core`, with limits, places, and the errors it
//! does not tell.

use std::io::{self, Read};

use csv_core::ReadRecordResult;

use super::CsvOptions;
use super::block::Block;
use super::decode::{Decoded, other_mark};
use super::scan::Marks;
use crate::table::{COLUMNS_MAX, Encoding, Position, TableError};

/// 256 KiB: fewer calls than the disk needs, small enough for the second-level cache.
const BUFFER_BYTES: usize = 256 << 10;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why no more plain records were found.
enum Plain {
    /// The buffer ends within a record.
    Unfinished,
    /// The record is not plain, or the block is full.
    Other,
}

/// A reader of records. A header is record 0.
pub(super) struct Reader<R> {
    input: Decoded<R>,
    buffer: Box<[u8]>,
    /// What is read and not yet taken: `buffer[at..filled]`.
    at: usize,
    filled: usize,
    /// The place of `buffer[at]` in the input.
    offset: u64,
    core: csv_core::Reader,
    delimiter: u8,
    record: u64,
    field_bytes_max: usize,
    record_bytes_max: usize,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R, options: &CsvOptions) -> Self {
        let record_bytes_max = options.record_bytes_max.min(CsvOptions::RECORD_BYTES_CAP);
        Self {
            input: Decoded::new(input, options.encoding),
            buffer: vec![0; BUFFER_BYTES].into(),
            at: 0,
            filled: 0,
            offset: 0,
            core: csv_core::ReaderBuilder::new().delimiter(options.delimiter).build(),
            delimiter: options.delimiter,
            record: u64::from(!options.header),
            field_bytes_max: options.field_bytes_max.min(record_bytes_max),
            record_bytes_max,
        }
    }

    /// How many records were read, the header not counted.
    pub(super) fn records_read(&self) -> u64 {
        self.record - 1
    }

    /// The names of the columns; to be called once, first.
    pub(super) fn header(&mut self) -> Result<Vec<String>, TableError> {
        self.begin()?;
        let mut block = Block::new(COLUMNS_MAX, 1);
        let (begin, fields) = self.first(&mut block)?;
        self.record += 1;
        block.push(begin);
        let name = |(at, field): (usize, u32)| {
            let name = std::str::from_utf8(block.field(0, at)).map(str::to_owned);
            name.map_err(|_| TableError::HeaderNotUtf8 { field })
        };
        (0..fields).zip(1..).map(name).collect()
    }

    /// How many fields the first record has, where it is data: another reader gives it out.
    pub(super) fn width(mut self) -> Result<usize, TableError> {
        self.begin()?;
        self.first(&mut Block::new(COLUMNS_MAX, 1)).map(|(_, fields)| fields)
    }

    /// Goes to where the first record is; to be called once, first, where there is no header.
    pub(super) fn begin(&mut self) -> Result<(), TableError> {
        self.skip_byte_order_mark()
    }

    /// The fields of the first record: where it begins and how many there are.
    fn first(&mut self, block: &mut Block) -> Result<(u64, usize), TableError> {
        match self.fields(block) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(TableError::Empty),
            Err(TableError::Ragged { expected, found, .. }) => Err(TableError::ColumnCount { most: expected, found }),
            Err(error) => Err(error),
        }
    }

    /// Appends records to the block, which is not full yet; false at the end of the input.
    pub(super) fn records(&mut self, block: &mut Block, bytes_max: usize) -> Result<bool, TableError> {
        while let Plain::Unfinished = self.plain_records(block, bytes_max) {
            if block.is_full(bytes_max) {
                return Ok(true);
            }
            if !self.refill()? {
                break;
            }
        }
        if block.is_full(bytes_max) { Ok(true) } else { self.record(block) }
    }

    /// Appends the plain records that stand whole in the buffer: quotes around whole fields only, as many fields as there
    /// are columns, and short enough. It gives the same fields as `csv-core` does.
    fn plain_records(&mut self, block: &mut Block, bytes_max: usize) -> Plain {
        let input = &self.buffer[..self.filled];
        let (delimiter, short) = (self.delimiter, self.field_bytes_max.min(self.record_bytes_max));
        let mut marks = Marks::new(input, self.at, delimiter);
        let (mut begin, mut field) = (self.at, self.at);
        // The quoted field under way: it ends with its closing quote.
        let mut quoted = None;
        let mut plain = block.plain(self.at);
        let mut records = 0;
        let stopped = loop {
            if field == begin && !plain.is_open(bytes_max) {
                break Plain::Other;
            }
            let Some(at) = marks.next() else { break Plain::Unfinished };
            match input[at] {
                b'"' if at == field && quoted.is_none() => {
                    let Some(close) = marks.find(|&mark| input[mark] == b'"') else { break Plain::Unfinished };
                    quoted = Some((at + 1, close));
                    match input.get(close + 1) {
                        Some(&next) if next == delimiter || matches!(next, b'\n' | b'\r') => {}
                        Some(_) => break Plain::Other,
                        None => break Plain::Unfinished,
                    }
                }
                b'"' => break Plain::Other,
                byte => {
                    let ends_record = byte != delimiter;
                    // An empty line, or the LF of CR LF, is no record.
                    if at > begin || !ends_record {
                        let (from, to) = quoted.take().unwrap_or((field, at));
                        if !plain.field(from, to) {
                            break Plain::Other;
                        }
                    }
                    if ends_record {
                        if at > begin {
                            if at - begin > short || !plain.push(self.offset + (begin - self.at) as u64) {
                                break Plain::Other;
                            }
                            records += 1;
                        }
                        begin = at + 1;
                    }
                    field = at + 1;
                }
            }
        };
        plain.finish(input, begin);
        let taken = begin - self.at;
        self.record += records;
        self.take(taken);
        stopped
    }

    /// Reads behind what is left in the buffer; false at the end of the input, and when a record is so long that it should
    /// be read in parts.
    fn refill(&mut self) -> Result<bool, TableError> {
        let left = self.filled - self.at;
        if left > BUFFER_BYTES / 2 {
            return Ok(false);
        }
        self.buffer.copy_within(self.at..self.filled, 0);
        (self.at, self.filled) = (0, left);
        let read = self.read_at(left)?;
        self.filled += read;
        Ok(read > 0)
    }

    /// Appends a record of any kind to the block; false at the end of the input.
    fn record(&mut self, block: &mut Block) -> Result<bool, TableError> {
        let Some((begin, fields)) = self.fields(block)? else {
            return Ok(false);
        };
        if fields != block.columns() {
            let position = self.position(begin, None);
            return Err(TableError::Ragged { position, expected: block.columns(), found: fields });
        }
        block.push(begin);
        self.record += 1;
        Ok(true)
    }

    /// Writes the fields of one record behind the last of the block; where it begins and how many fields it has.
    fn fields(&mut self, block: &mut Block) -> Result<Option<(u64, usize)>, TableError> {
        let Some(begin) = self.next_begin()? else {
            return Ok(None);
        };
        let mut fields = 0; // finished
        let mut used = 0; // bytes written
        let mut field_start = 0; // where the unfinished field starts among them
        loop {
            let more = self.fill()?;
            let used_max = (self.record_bytes_max + 1).min(field_start + self.field_bytes_max + 1);
            let (bytes, ends) = block.room(used, used_max, fields);
            // At the end of the input one line end is added: it ends the record unless a quote is open, which csv-core would not tell.
            let input = if more { &self.buffer[self.at..self.filled] } else { b"\n".as_slice() };
            let (result, taken, written, ended) = self.core.read_record(input, bytes, ends);
            if let Some(&end) = ends[..ended].last() {
                field_start = end;
            }
            used += written;
            fields += ended;
            if more {
                self.take(taken);
            }
            match result {
                ReadRecordResult::Record => return Ok(Some((begin, fields))),
                ReadRecordResult::InputEmpty if more => {}
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {
                    return Err(TableError::UnclosedQuote { position: self.position(begin, None) });
                }
                ReadRecordResult::OutputFull if used - field_start > self.field_bytes_max => {
                    let position = self.position(begin, Some(fields));
                    return Err(TableError::FieldTooLong { position, most: self.field_bytes_max });
                }
                ReadRecordResult::OutputFull if used > self.record_bytes_max => {
                    let position = self.position(begin, None);
                    return Err(TableError::RecordTooLong { position, most: self.record_bytes_max });
                }
                ReadRecordResult::OutputFull => block.grow(used, self.record_bytes_max + 1),
                ReadRecordResult::OutputEndsFull => return Err(self.too_many_fields(begin, fields)),
            }
        }
    }

    /// Counts the fields of a record that has more than expected, keeping none of them.
    fn too_many_fields(&mut self, begin: u64, expected: usize) -> TableError {
        let position = self.position(begin, None);
        let mut found = expected;
        let (mut bytes, mut ends) = ([0; 4096], [0; 64]);
        loop {
            let more = match self.fill() {
                Ok(more) => more,
                Err(error) => return error,
            };
            let input = if more { &self.buffer[self.at..self.filled] } else { b"\n".as_slice() };
            let (result, taken, _, ended) = self.core.read_record(input, &mut bytes, &mut ends);
            found += ended;
            if more {
                self.take(taken);
            }
            match result {
                ReadRecordResult::Record => return TableError::Ragged { position, expected, found },
                ReadRecordResult::InputEmpty | ReadRecordResult::End if !more => return TableError::UnclosedQuote { position },
                _ => {}
            }
        }
    }

    /// Skips the line ends between records; where the next record begins, if there is one.
    fn next_begin(&mut self) -> Result<Option<u64>, TableError> {
        while self.fill()? {
            let rest = &self.buffer[self.at..self.filled];
            let skipped = rest.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
            self.take(skipped.unwrap_or(rest.len()));
            if skipped.is_some() {
                return Ok(Some(self.offset));
            }
        }
        Ok(None)
    }

    /// Skips the mark of UTF-8 and refuses that of another encoding.
    fn skip_byte_order_mark(&mut self) -> Result<(), TableError> {
        let wanted = self.input.encoding();
        let failed = |error: io::Error| TableError::Read { byte: 0, kind: error.kind() };
        let mut found = self.input.first_bytes().map_err(failed)?.and_then(|first| other_mark(first, wanted));
        while found.is_none() && self.filled < BYTE_ORDER_MARK.len() {
            let read = self.read_at(self.filled)?;
            if read == 0 {
                break;
            }
            self.filled += read;
        }
        let first = &self.buffer[..self.filled];
        if wanted == Encoding::Utf8 {
            found = other_mark(first, wanted);
        }
        if let Some(found) = found {
            return Err(TableError::OtherEncoding { found, wanted });
        }
        if first.starts_with(BYTE_ORDER_MARK) {
            self.take(BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    /// Whether there is something in the buffer; reads if it is empty.
    fn fill(&mut self) -> Result<bool, TableError> {
        if self.at == self.filled {
            self.at = 0;
            self.filled = 0;
            self.filled = self.read_at(0)?;
        }
        Ok(self.filled > 0)
    }

    fn read_at(&mut self, start: usize) -> Result<usize, TableError> {
        loop {
            match self.input.read(&mut self.buffer[start..]) {
                Ok(read) => return Ok(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData && self.input.encoding() != Encoding::Utf8 => {
                    let position = Position { record: self.record, field: None, byte: None };
                    return Err(TableError::Malencoded { position, encoding: self.input.encoding() });
                }
                Err(error) => return Err(TableError::Read { byte: self.offset, kind: error.kind() }),
            }
        }
    }

    fn take(&mut self, bytes: usize) {
        self.at += bytes;
        self.offset += bytes as u64;
    }

    fn position(&self, begin: u64, fields_before: Option<usize>) -> Position {
        let field = fields_before.and_then(|before| u32::try_from(before + 1).ok());
        // Places count the bytes of UTF-8, which are not those of a file in another encoding.
        Position { record: self.record, field, byte: (self.input.encoding() == Encoding::Utf8).then_some(begin) }
    }
}
