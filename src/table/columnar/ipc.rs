//! The file format of Arrow: IPC.

use std::fs::File;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::{Block, CompressionType, MessageHeader, MetadataVersion, root_as_footer, root_as_message};
use arrow_schema::{DataType, Fields, SchemaRef};

use super::{Columnar, Fault, read_at};
use crate::table::Format;

/// 64 MiB: the schema, and 24 bytes a record batch.
const FOOTER_BYTES_MAX: usize = 64 << 20;

/// 1 GiB of a record batch or dictionary, as it stands in the file, and decompressed.
const BLOCK_BYTES_MAX: u64 = 1 << 30;

const MAGIC: &[u8] = b"ARROW1";

/// No frame of LZ4 grows by more when decompressed.
const LZ4_RATIO_MAX: u64 = 255;

/// An IPC file whose footer was read.
pub(in crate::table) struct Ipc {
    file: File,
    schema: SchemaRef,
    version: MetadataVersion,
    dictionaries: Vec<Block>,
    batches: Vec<Block>,
}

impl Columnar for Ipc {
    const FORMAT: Format = Format::Ipc;
    type Batches = Batches;

    fn open(mut file: File) -> Result<Self, Fault> {
        let len = super::len(&file)?;
        let mut head = [0; 6];
        read_at(&mut file, 0, &mut head)?;
        if head != MAGIC {
            let stream = head[..4] == [0xff; 4];
            return Err(if stream { Fault::Unsupported("the stream format") } else { Fault::Malformed });
        }
        // The length of the footer and the magic bytes.
        let mut tail = [0; 10];
        let tail_at = len.checked_sub(tail.len() as u64).filter(|at| *at >= 8).ok_or(Fault::Malformed)?;
        read_at(&mut file, tail_at, &mut tail)?;
        let (size, magic) = tail.split_at(4);
        let size = u32::from_le_bytes(size.try_into().map_err(|_| Fault::Malformed)?);
        let footer_at = tail_at.checked_sub(size.into()).filter(|at| *at >= 8);
        let (Some(footer_at), Ok(size)) = (footer_at, usize::try_from(size)) else {
            return Err(Fault::Malformed);
        };
        if magic != MAGIC || size > FOOTER_BYTES_MAX {
            return Err(Fault::Malformed);
        }
        let mut bytes = vec![0; size];
        read_at(&mut file, footer_at, &mut bytes)?;
        let footer = root_as_footer(&bytes).map_err(|_| Fault::Malformed)?;
        let schema = footer.schema().ok_or(Fault::Malformed)?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(Fault::Unsupported("the byte order of another machine"));
        }
        let (dictionaries, batches) = (blocks(footer.dictionaries(), footer_at)?, blocks(footer.recordBatches(), footer_at)?);
        Ok(Self { schema: Arc::new(fb_to_schema(schema)), version: footer.version(), dictionaries, batches, file })
    }

    fn fields(&self) -> &Fields {
        self.schema.fields()
    }

    fn records(&self) -> Option<u64> {
        None
    }

    /// The record batches as they stand: the format cannot be read in smaller parts.
    fn batches(mut self, columns: &[usize], _: usize, _: usize) -> Result<Batches, Fault> {
        let coded = columns.iter().any(|&at| matches!(self.schema.field(at).data_type(), DataType::Dictionary(..)));
        let mut decoder = FileDecoder::new(Arc::clone(&self.schema), self.version).with_projection(columns.to_vec());
        for block in self.dictionaries.iter().filter(|_| coded) {
            let buffer = read_block(&mut self.file, block)?;
            decoder.read_dictionary(block, &buffer).map_err(|_| Fault::Malformed)?;
        }
        Ok(Batches { file: self.file, decoder, blocks: self.batches.into_iter() })
    }
}

/// One reading.
pub(in crate::table) struct Batches {
    file: File,
    decoder: FileDecoder,
    blocks: std::vec::IntoIter<Block>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = self.blocks.next()?;
        let batch = read_block(&mut self.file, &block)
            .and_then(|buffer| self.decoder.read_record_batch(&block, &buffer).map_err(|_| Fault::Malformed)?.ok_or(Fault::Malformed));
        Some(batch)
    }
}

/// The blocks of the footer, if they stand before it.
fn blocks<'a>(found: Option<impl IntoIterator<Item = &'a Block>>, end: u64) -> Result<Vec<Block>, Fault> {
    let blocks: Vec<Block> = found.into_iter().flatten().copied().collect();
    if blocks.iter().all(|block| is_within(block, end)) { Ok(blocks) } else { Err(Fault::Malformed) }
}

fn is_within(block: &Block, end: u64) -> bool {
    let (Ok(begin), Ok(metadata), Ok(body)) =
        (u64::try_from(block.offset()), u64::try_from(block.metaDataLength()), u64::try_from(block.bodyLength()))
    else {
        return false;
    };
    let bytes = metadata.saturating_add(body);
    metadata >= 8 && bytes <= BLOCK_BYTES_MAX && begin.checked_add(bytes).is_some_and(|block_end| block_end <= end)
}

fn read_block(file: &mut File, block: &Block) -> Result<Buffer, Fault> {
    let size = |bytes: i64| usize::try_from(bytes).map_err(|_| Fault::Malformed);
    let metadata = size(block.metaDataLength().into())?;
    let mut bytes = MutableBuffer::from_len_zeroed(metadata + size(block.bodyLength())?);
    let begin = u64::try_from(block.offset()).map_err(|_| Fault::Malformed)?;
    read_at(file, begin, &mut bytes)?;
    check_message(&bytes[..metadata], &bytes[metadata..])?;
    Ok(bytes.into())
}

/// What a message says of the sizes of its buffers, before the library allocates them.
fn check_message(metadata: &[u8], body: &[u8]) -> Result<(), Fault> {
    let framed = if metadata.starts_with(&[0xff; 4]) { 8 } else { 4 };
    let message = root_as_message(metadata.get(framed..).ok_or(Fault::Malformed)?).map_err(|_| Fault::Malformed)?;
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()),
        _ => None,
    };
    let batch = batch.filter(|batch| batch.length() >= 0).ok_or(Fault::Malformed)?;
    let mut decompressed = 0u64;
    for buffer in batch.buffers().into_iter().flatten() {
        let (Ok(begin), Ok(bytes)) = (usize::try_from(buffer.offset()), usize::try_from(buffer.length())) else {
            return Err(Fault::Malformed);
        };
        let found = begin.checked_add(bytes).and_then(|end| body.get(begin..end)).ok_or(Fault::Malformed)?;
        let Some((prefix, compressed)) = batch.compression().and_then(|codec| Some((codec, found.split_first_chunk::<8>()?))) else {
            continue;
        };
        // Not all that is said is true of LZ4: the library decompresses it to its end.
        let said = u64::try_from(i64::from_le_bytes(*compressed.0)).unwrap_or(0);
        let most = match prefix.codec() {
            CompressionType::LZ4_FRAME if said > 0 => LZ4_RATIO_MAX.saturating_mul(compressed.1.len() as u64),
            _ => said,
        };
        if said > most {
            return Err(Fault::Malformed);
        }
        decompressed = decompressed.saturating_add(said);
    }
    if decompressed > BLOCK_BYTES_MAX { Err(Fault::Malformed) } else { Ok(()) }
}
