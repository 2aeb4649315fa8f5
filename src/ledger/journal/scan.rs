//! Reading one segment: a pure function of its bytes.

use super::frame::{Chain, Expected, FrameError, Header, SegmentHeader, is_zero};
use super::{SECTOR_BYTES, SEGMENT_BYTES_MAX};

/// How far a journal has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// What the next batch must continue.
    pub(super) chain: Chain,
    /// Where in the present segment it would start; 0 before the segment's header.
    pub(super) offset: usize,
    /// Where the batch before it starts; equal to `offset` if the segment has none.
    pub(super) before: usize,
}

impl Cursor {
    pub(super) fn start(id: &[u8; 16]) -> Self {
        Self { chain: Chain::start(id), offset: 0, before: 0 }
    }
}

/// Which segment the bytes are.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) id: &'a [u8; 16],
    pub(super) number: u64,
    /// No segment follows, so an unfinished batch may stand at the end.
    pub(super) last: bool,
}

/// Gives every entry from the cursor to the end of the journal or of the segment to `visit`, moves the cursor there and
/// returns the length of what a crash left behind it (0 if nothing).
///
/// A crash leaves some sectors of the last frame on disk and others zero, and nothing after. That and only that is taken for a
/// torn batch; it was never acknowledged. Any other departure is a fault.
pub(super) fn scan(
    bytes: &[u8],
    place: Place<'_>,
    cursor: &mut Cursor,
    content: &mut Vec<u8>,
    visit: &mut dyn FnMut(u64, &[u8]),
) -> Result<usize, FrameError> {
    if cursor.offset == 0 {
        open_segment(bytes, place, &cursor.chain)?;
        (cursor.offset, cursor.before) = (SECTOR_BYTES, SECTOR_BYTES);
    }
    if bytes.len() < cursor.offset {
        let (expected, found) = (cursor.offset as u64, bytes.len() as u64);
        return Err(FrameError::new(bytes.len(), Expected::SegmentBytes { expected, found }));
    }
    while let Some(sector) = bytes[cursor.offset..].first_chunk::<SECTOR_BYTES>() {
        if is_zero(sector) {
            break;
        }
        if !next_frame(bytes, place.last, cursor, content, visit).map_err(|fault| fault.after(cursor.offset))? {
            break;
        }
    }
    let rest = &bytes[cursor.offset..];
    let left = used(rest);
    if left > 0 && !place.last {
        let at = rest.iter().position(|byte| *byte != 0).unwrap_or(0);
        return Err(FrameError::new(cursor.offset + at, Expected::Zeros));
    }
    // A later batch is written only after this one was acknowledged: then this is damage, not a torn tail.
    for (number, sector) in rest[..left].chunks(SECTOR_BYTES).enumerate().skip(1) {
        if Header::decode(sector).is_ok() {
            return Err(FrameError::new(cursor.offset + number * SECTOR_BYTES, Expected::End));
        }
    }
    Ok(left)
}

/// The length up to the last byte that is not zero. Most of a segment is zeros, written beforehand: they are compared by pages, as
/// every opening and every audit passes them.
fn used(bytes: &[u8]) -> usize {
    const ZEROS: [u8; 4096] = [0; 4096];
    let zeros = bytes.rchunks_exact(ZEROS.len()).take_while(|page| **page == ZEROS).count() * ZEROS.len();
    bytes[..bytes.len() - zeros].iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1)
}

fn open_segment(bytes: &[u8], place: Place<'_>, chain: &Chain) -> Result<(), FrameError> {
    let header = SegmentHeader::decode(bytes)?;
    header.continues(place.id, place.number, chain)?;
    let found = bytes.len() as u64;
    if header.bytes > SEGMENT_BYTES_MAX || header.bytes != found {
        return Err(FrameError::new(32, Expected::SegmentBytes { expected: header.bytes, found }));
    }
    Ok(())
}

/// Reads the frame at the cursor. False if it is torn.
fn next_frame(
    bytes: &[u8],
    last: bool,
    cursor: &mut Cursor,
    content: &mut Vec<u8>,
    visit: &mut dyn FnMut(u64, &[u8]),
) -> Result<bool, FrameError> {
    let rest = &bytes[cursor.offset..];
    let header = Header::decode(rest)?;
    header.continues(&cursor.chain)?;
    let (limit, found) = (rest.len() as u64, header.frame_bytes() as u64);
    let frame = rest.get(..header.frame_bytes()).ok_or(FrameError::new(28, Expected::Length { limit, found }))?;
    if last && Header::is_torn(frame)? {
        return Ok(false);
    }
    let hash = header.read(frame, content)?;
    for (entry, index) in header.entries(content).zip(header.index..) {
        visit(index, entry);
    }
    *cursor = Cursor { chain: header.extend(hash), offset: cursor.offset + frame.len(), before: cursor.offset };
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::used;

    #[test]
    fn what_is_used_ends_at_the_last_byte_that_is_not_zero() {
        for len in [0, 1, 4095, 4096, 4097, 9_000, 12_288] {
            let mut bytes = vec![0; len];
            assert_eq!(used(&bytes), 0, "{len}");
            for at in [0, 1, 4_094, 4_095, 4_096, 8_191, 8_192, 8_999, 12_287] {
                if at < len {
                    bytes[at] = 1;
                    assert_eq!(used(&bytes), at + 1, "{len} {at}");
                }
            }
        }
    }
}
