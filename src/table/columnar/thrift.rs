//! Thrift's compact protocol, walked over before a library allocates what a file says.
//!
//! # Source
//! Apache Thrift, `doc/specs/thrift-compact-protocol.md`; Apache Parquet, `parquet.thrift`.

use std::io::Read;

/// Structs of Parquet lie within each other less than 10 deep.
const DEPTH_MAX: usize = 24;

/// What a top-level field of a struct holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Integer(i64),
    List(u64),
    Other,
}

/// The bytes are not a struct, or say more than they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Walks over one struct of at most `bytes_max` bytes and shows its top-level fields; how many bytes it is.
pub(super) fn walk(input: impl Read, bytes_max: u64, show: &mut dyn FnMut(i64, Value) -> Result<(), Broken>) -> Result<u64, Broken> {
    let mut walker = Walker { input, left: bytes_max };
    walker.structure(0, Some(show))?;
    Ok(bytes_max - walker.left)
}

struct Walker<R> {
    input: R,
    /// How many bytes there may still be.
    left: u64,
}

type Show<'a> = Option<&'a mut dyn FnMut(i64, Value) -> Result<(), Broken>>;

impl<R: Read> Walker<R> {
    fn structure(&mut self, depth: usize, mut show: Show<'_>) -> Result<(), Broken> {
        if depth > DEPTH_MAX {
            return Err(Broken);
        }
        let mut field = 0i64;
        loop {
            let head = self.byte()?;
            let kind = head & 0x0f;
            if kind == 0 {
                return Ok(());
            }
            field = match head >> 4 {
                0 => unzigzag(self.varint()?),
                delta => field + i64::from(delta),
            };
            // In a struct the type of a boolean is its value.
            let value = if matches!(kind, 1 | 2) { Value::Other } else { self.value(kind, depth)? };
            if let Some(show) = &mut show {
                show(field, value)?;
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<Value, Broken> {
        match kind {
            1..=3 => self.byte().map(|_| Value::Other),
            4..=6 => self.varint().map(|value| Value::Integer(unzigzag(value))),
            7 => self.skip(8).map(|()| Value::Other),
            8 => {
                let bytes = self.varint()?;
                self.skip(bytes).map(|()| Value::Other)
            }
            9 | 10 => self.list(depth).map(Value::List),
            11 => self.map(depth).map(|()| Value::Other),
            12 => self.structure(depth + 1, None).map(|()| Value::Other),
            _ => Err(Broken),
        }
    }

    fn list(&mut self, depth: usize) -> Result<u64, Broken> {
        let head = self.byte()?;
        let size = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        // Every element is at least a byte.
        if size > self.left || depth > DEPTH_MAX {
            return Err(Broken);
        }
        for _ in 0..size {
            self.value(head & 0x0f, depth + 1)?;
        }
        Ok(size)
    }

    fn map(&mut self, depth: usize) -> Result<(), Broken> {
        let size = self.varint()?;
        if size == 0 {
            return Ok(());
        }
        if size > self.left || depth > DEPTH_MAX {
            return Err(Broken);
        }
        let kinds = self.byte()?;
        for _ in 0..size {
            self.value(kinds >> 4, depth + 1)?;
            self.value(kinds & 0x0f, depth + 1)?;
        }
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, Broken> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Broken)
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let mut byte = [0];
        self.left = self.left.checked_sub(1).ok_or(Broken)?;
        self.input.read_exact(&mut byte).map_err(|_| Broken)?;
        Ok(byte[0])
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Broken> {
        self.left = self.left.checked_sub(bytes).ok_or(Broken)?;
        let skipped = std::io::copy(&mut self.input.by_ref().take(bytes), &mut std::io::sink()).map_err(|_| Broken)?;
        if skipped == bytes { Ok(()) } else { Err(Broken) }
    }
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<(u64, Vec<(i64, Value)>), Broken> {
        let mut fields = Vec::new();
        let taken = walk(bytes, bytes.len() as u64, &mut |field, value| {
            fields.push((field, value));
            Ok(())
        })?;
        Ok((taken, fields))
    }

    #[test]
    fn fields_of_every_kind_are_shown() {
        // 1: i32 -1; 2: true; 5: i64 300; 6: "ab"; 7: list of 2 bytes; 8: { 1: i32 0 }; 40: double
        let bytes = b"\x15\x01\x11\x36\xd8\x04\x18\x02ab\x19\x23\x07\x08\x1c\x15\x00\x00\x07\x50........\x00rest";
        let (taken, fields) = fields(bytes).unwrap();
        assert_eq!(taken, bytes.len() as u64 - 4);
        let expected = [
            (1, Value::Integer(-1)),
            (2, Value::Other),
            (5, Value::Integer(300)),
            (6, Value::Other),
            (7, Value::List(2)),
            (8, Value::Other),
            (40, Value::Other),
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn what_says_more_than_it_has_is_broken() {
        let deep = [0x1c; 100];
        let endless = [0xff; 20];
        for bytes in
            [&b""[..], b"\x15", b"\x18\x09ab\x00", b"\x19\xf3\xff\xff\xff\xff\x07\x00", b"\x1d\x00\x00", b"\x15\x80", &deep, &endless]
        {
            assert_eq!(fields(bytes), Err(Broken), "{bytes:x?}");
        }
    }
}
