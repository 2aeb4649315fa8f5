//! One declaration for each stored record: its fields, their keys, their types, and which of them may be absent.
//!
//! [`record!`](crate::codec::record!) makes from it the type, the writer, the strict reader, and the table that the page in
//! `docs/` must list. Fields stand in the order in which their keys are encoded (checked when the crate is compiled), so that
//! writing sorts nothing and reading takes them one after the other.
//!
//! ```text
//! record! {
//!     /// A point of time with a name.
//!     pub struct Mark, format 1 {          key of the format version, which is always 1
//!         /// When.
//!         2 => pub at: Time,
//!         /// How often; absent when 0.
//!         7 => pub times: u64 = 0,
//!         /// Whose.
//!         -1 => pub holder: Option<Digest>,
//!     }
//! }
//! ```
//! An enum declares `kind "name" => Variant { fields }`, or `Variant(name: Record)`; who stores it writes the kind.

use super::decode::{MapKeys, rank};
use super::{CodecError, Decoder, Encoder, Limits, OrderedMap, required};

/// What a field of a record can be.
pub(crate) trait Field: Sized {
    /// How the page calls it.
    const SHAPE: &'static str;
    /// Whether it may be absent.
    const OPTIONAL: bool = false;

    /// Whether this value is written by leaving the field out.
    fn is_absent(&self) -> bool {
        false
    }

    /// What an absent field means.
    fn absent() -> Option<Self> {
        None
    }

    /// Writes one item.
    fn write(&self, out: &mut Encoder);

    /// Reads one item; `key` is for the error.
    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError>;
}

/// A type that [`record!`](crate::codec::record!) has declared.
pub(crate) trait Record: Sized {
    /// The key of the format version, if the record has one.
    const FORMAT: Option<i64>;
    /// Its fields, in order.
    const TABLE: &'static [Row];

    /// Writes the fields into a map.
    fn write_fields(&self, map: &mut OrderedMap<'_>);

    /// Reads the fields of a map.
    fn read_fields(map: &mut Fields<'_, '_>) -> Result<Self, CodecError>;

    /// The canonical bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.ordered_map(Self::FORMAT, |map| self.write_fields(map));
        out.into_bytes()
    }

    /// Reads the canonical bytes and nothing else.
    fn from_bytes(bytes: &[u8], limits: Limits) -> Result<Self, CodecError> {
        let mut decoder = Decoder::new(bytes, limits)?;
        let mut fields = Fields::open(&mut decoder, Self::FORMAT)?;
        let record = Self::read_fields(&mut fields)?;
        fields.finish()?;
        decoder.finish()?;
        Ok(record)
    }
}

/// One line of the table of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: i64,
    pub(crate) name: &'static str,
    pub(crate) shape: &'static str,
    pub(crate) optional: bool,
}

/// That the keys are written in the order in which they are encoded.
pub(crate) const fn in_order(table: &[Row]) -> bool {
    let mut at = 1;
    while at < table.len() {
        if rank(table[at - 1].key) >= rank(table[at].key) {
            return false;
        }
        at += 1;
    }
    true
}

/// The most fields of a record: the head of its map is one byte.
pub(crate) const FIELDS_MAX: usize = 23;

/// Takes the fields of a map one after the other.
pub(crate) struct Fields<'d, 'b> {
    decoder: &'d mut Decoder<'b>,
    keys: MapKeys,
    next: Option<i64>,
    format: Option<i64>,
}

impl<'d, 'b> Fields<'d, 'b> {
    pub(crate) fn open(decoder: &'d mut Decoder<'b>, format: Option<i64>) -> Result<Self, CodecError> {
        let mut keys = decoder.map(FIELDS_MAX)?;
        let next = keys.next(decoder)?;
        Ok(Self { decoder, keys, next, format })
    }

    /// The field with this key, which stands behind those read before.
    pub(crate) fn field<T: Field>(&mut self, key: i64) -> Result<T, CodecError> {
        let value = self.optional(key)?;
        required(value.or_else(T::absent), key)
    }

    /// The field with this key, where absence stands for `absent` and nothing else does.
    pub(crate) fn field_or<T: Field + PartialEq>(&mut self, key: i64, absent: T) -> Result<T, CodecError> {
        match self.optional(key)? {
            Some(value) if value == absent => Err(CodecError::Value { key, expected: "another value, or no such field" }),
            value => Ok(value.unwrap_or(absent)),
        }
    }

    /// That no field is left.
    pub(crate) fn finish(mut self) -> Result<(), CodecError> {
        self.skip_format(None)?;
        self.next.map_or(Ok(()), |key| Err(CodecError::UnknownKey { key }))
    }

    fn optional<T: Field>(&mut self, key: i64) -> Result<Option<T>, CodecError> {
        self.skip_format(Some(key))?;
        match self.next {
            Some(next) if next == key => {
                let value = T::read(self.decoder, key)?;
                self.next = self.keys.next(self.decoder)?;
                Ok(Some(value))
            }
            Some(next) if rank(next) < rank(key) => Err(CodecError::UnknownKey { key: next }),
            _ => Ok(None),
        }
    }

    fn skip_format(&mut self, before: Option<i64>) -> Result<(), CodecError> {
        let due = |format: &mut i64| before.is_none_or(|key| rank(*format) < rank(key));
        match self.format.take_if(due) {
            Some(key) if self.field::<u64>(key)? != 1 => Err(CodecError::Value { key, expected: "format 1" }),
            _ => Ok(()),
        }
    }
}

impl<T: Field> Field for Option<T> {
    const SHAPE: &'static str = T::SHAPE;
    const OPTIONAL: bool = true;

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn write(&self, out: &mut Encoder) {
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        T::read(decoder, key).map(Some)
    }
}

impl Field for u64 {
    const SHAPE: &'static str = "number";

    fn write(&self, out: &mut Encoder) {
        out.uint(*self);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        decoder.uint()
    }
}

/// True; absent otherwise.
impl Field for bool {
    const SHAPE: &'static str = "true";
    const OPTIONAL: bool = true;

    fn is_absent(&self) -> bool {
        !self
    }

    fn absent() -> Option<Self> {
        Some(false)
    }

    fn write(&self, out: &mut Encoder) {
        out.boolean(*self);
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        if decoder.boolean()? { Ok(true) } else { Err(CodecError::Value { key, expected: "true, or no such field" }) }
    }
}

impl<const N: usize> Field for [u8; N] {
    const SHAPE: &'static str = match N {
        16 => "16 bytes",
        32 => "32 bytes",
        _ => "bytes",
    };

    fn write(&self, out: &mut Encoder) {
        out.bytes(self);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        decoder.byte_array()
    }
}

/// As long as the whole record may be.
impl Field for Vec<u8> {
    const SHAPE: &'static str = "byte string";

    fn write(&self, out: &mut Encoder) {
        out.bytes(self);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        decoder.bytes(usize::MAX).map(<[u8]>::to_vec)
    }
}

/// Declares a stored record; see the module.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(, format $format:literal)? {
            $($(#[$field_meta:meta])* $key:literal => $field_vis:vis $field:ident : $type:ty $(= $absent:expr)?,)*
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        impl $crate::codec::Record for $name {
            const FORMAT: Option<i64> = [$(Some($format),)? None][0];
            const TABLE: &'static [$crate::codec::Row] =
                &[$($crate::codec::record!(@row $key, $field, $type $(, $absent)?)),*];

            fn write_fields(&self, map: &mut $crate::codec::OrderedMap<'_>) {
                $($crate::codec::record!(@write map, $key, &self.$field $(, $absent)?);)*
            }

            fn read_fields(map: &mut $crate::codec::Fields<'_, '_>) -> Result<Self, $crate::codec::CodecError> {
                Ok(Self { $($field: $crate::codec::record!(@read map, $key $(, $absent)?),)* })
            }
        }

        const _: () = assert!($crate::codec::in_order(<$name as $crate::codec::Record>::TABLE), "keys out of order");
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[$variant_meta:meta])*
                $kind:literal $words:literal => $variant:ident
                $(($inner:ident : $record:ty))?
                $({ $($(#[$field_meta:meta])* $key:literal => $field:ident : $type:ty,)* })?,
            )*
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $($(#[$variant_meta])* $variant $(($record))? $({ $($(#[$field_meta])* $field: $type,)* })?,)*
        }

        impl $name {
            /// Number, name and fields of every kind.
            pub(crate) const KINDS: &'static [(u64, &'static str, &'static [$crate::codec::Row])] = &[$((
                $kind,
                $words,
                $(<$record as $crate::codec::Record>::TABLE)?
                $(&[$($crate::codec::record!(@row $key, $field, $type)),*])?
            )),*];

            /// The name of the kind, for people.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $words,)*
                }
            }

            const fn kind(&self) -> u64 {
                match self {
                    $(Self::$variant { .. } => $kind,)*
                }
            }

            fn write_fields(&self, map: &mut $crate::codec::OrderedMap<'_>) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => {
                        $($crate::codec::Record::write_fields($inner, map);)?
                        $($($crate::codec::record!(@write map, $key, $field);)*)?
                    })*
                }
            }

            /// The fields of a kind; nothing for a kind that this version does not know.
            fn read_fields(
                kind: u64,
                map: &mut $crate::codec::Fields<'_, '_>,
            ) -> Result<Option<Self>, $crate::codec::CodecError> {
                Ok(Some(match kind {
                    $($kind => Self::$variant
                        $((<$record as $crate::codec::Record>::read_fields(map)?))?
                        $({ $($field: $crate::codec::record!(@read map, $key)),* })?,)*
                    _ => return Ok(None),
                }))
            }
        }

        const _: () = {
            let mut at = 0;
            while at < $name::KINDS.len() {
                assert!($crate::codec::in_order($name::KINDS[at].2), "keys out of order");
                at += 1;
            }
        };
    };
    (@row $key:literal, $field:ident, $type:ty $(, $absent:expr)?) => {
        $crate::codec::Row {
            key: $key,
            name: stringify!($field),
            shape: <$type as $crate::codec::Field>::SHAPE,
            optional: <$type as $crate::codec::Field>::OPTIONAL $(|| !stringify!($absent).is_empty())?,
        }
    };
    (@write $map:ident, $key:literal, $value:expr) => { $map.field($key, $value) };
    (@write $map:ident, $key:literal, $value:expr, $absent:expr) => { $map.field_or($key, $value, &$absent) };
    (@read $map:ident, $key:literal) => { $map.field($key)? };
    (@read $map:ident, $key:literal, $absent:expr) => { $map.field_or($key, $absent)? };
}

pub(crate) use record;

/// That the first table behind `heading` in the page lists exactly these fields: key, name, and the shape among its words.
#[cfg(test)]
#[allow(clippy::unwrap_used, missing_docs)]
pub(crate) fn assert_documented(page: &str, heading: &str, table: &[Row]) {
    let (_, section) = page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("the page lacks {heading:?}"));
    let lines = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).skip(2);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let listed: Vec<_> = lines.map(cells).collect();
    for row in table {
        let key = row.key.to_string();
        let line = listed.iter().find(|cells| cells[0] == key).unwrap_or_else(|| panic!("{heading}: key {key} is not listed"));
        assert_eq!(line[1], row.name, "{heading}: key {key}");
        assert!(line[2].contains(row.shape), "{heading}: key {key} is {:?}, not {:?}", row.shape, line[2]);
        let optional = line[2].contains("absent") || line[2].contains("optional");
        assert!(optional || !row.optional, "{heading}: key {key} may be absent");
    }
    assert_eq!(listed.len(), table.len(), "{heading} lists other keys");
}

#[cfg(test)]
#[allow(clippy::unwrap_used, missing_docs, unreachable_pub)]
mod tests {
    use super::*;

    record! {
        #[derive(Debug, PartialEq, Eq)]
        pub struct Mark, format 3 {
            1 => at: u64,
            7 => times: u64 = 0,
            8 => whole: bool,
            24 => name: Vec<u8>,
            -1 => holder: Option<[u8; 16]>,
        }
    }

    record! {
        #[derive(Debug, PartialEq, Eq)]
        pub enum Act {
            0 "mark" => Whole(mark: Mark),
            4 "part" => Part { 4 => from: u64, 5 => to: Option<u64>, },
        }
    }

    fn mark() -> Mark {
        Mark { at: 9, times: 2, whole: true, name: b"n".to_vec(), holder: Some([5; 16]) }
    }

    fn read(bytes: &[u8]) -> Result<Mark, CodecError> {
        Mark::from_bytes(bytes, Limits::default())
    }

    #[test]
    fn the_writer_makes_what_the_reader_takes_and_the_general_encoder_makes() {
        let small = Mark { times: 0, whole: false, holder: None, ..mark() };
        for mark in [mark(), small] {
            let mut out = Encoder::new();
            out.map(|map| {
                map.key(-1).bytes(&[5; 16]);
                map.key(24).bytes(b"n");
                map.key(8).boolean(true);
                map.key(7).uint(2);
                map.key(3).uint(1);
                map.key(1).uint(9);
            });
            assert_eq!(mark.to_bytes() == out.into_bytes(), mark.whole);
            assert_eq!(read(&mark.to_bytes()).unwrap(), mark);
        }
    }

    #[test]
    fn whatever_is_not_declared_is_refused() {
        let encode = |keys: &[i64]| {
            let mut out = Encoder::new();
            out.map(|map| {
                for key in keys {
                    match key {
                        24 => drop(map.key(24).bytes(b"n")),
                        8 => drop(map.key(8).boolean(true)),
                        key => drop(map.key(*key).uint(u64::from(*key != 7))),
                    }
                }
            });
            out.into_bytes()
        };
        assert!(read(&encode(&[1, 3, 24])).is_ok());
        assert!(read(&encode(&[1, 3, 8, 24])).is_ok());
        assert_eq!(read(&encode(&[1, 24])), Err(CodecError::MissingKey { key: 3 }));
        assert_eq!(read(&encode(&[3, 24])), Err(CodecError::MissingKey { key: 1 }));
        assert_eq!(read(&encode(&[1, 3])), Err(CodecError::MissingKey { key: 24 }));
        for unknown in [0, 2, 4, 9, 25, -2] {
            assert_eq!(read(&encode(&[1, 3, 24, unknown])), Err(CodecError::UnknownKey { key: unknown }), "{unknown}");
        }
        let twice = "another value, or no such field";
        assert_eq!(read(&encode(&[1, 3, 7, 24])), Err(CodecError::Value { key: 7, expected: twice }));
        let mut bytes = encode(&[1, 3, 8, 24]);
        let at = bytes.iter().position(|byte| *byte == 0xf5).unwrap();
        bytes[at] = 0xf4;
        assert!(matches!(read(&bytes), Err(CodecError::Value { key: 8, .. })));
        let mut bytes = encode(&[1, 3, 24]);
        bytes[4] = 2;
        assert_eq!(read(&bytes), Err(CodecError::Value { key: 3, expected: "format 1" }));
    }

    #[test]
    fn tables_say_what_was_declared() {
        let rows: Vec<_> = Mark::TABLE.iter().map(|row| (row.key, row.name, row.optional)).collect();
        let expected = [(1, "at", false), (7, "times", true), (8, "whole", true), (24, "name", false), (-1, "holder", true)];
        assert_eq!(rows, expected);
        assert_eq!(Act::KINDS.iter().map(|kind| (kind.0, kind.1, kind.2.len())).collect::<Vec<_>>(), [(0, "mark", 5), (4, "part", 2)]);
        assert_eq!((Act::Whole(mark()).kind(), Act::Part { from: 1, to: None }.name()), (0, "part"));
        let page = "\n### Mark\n\n| key | field | type |\n|---|---|---|\n| 1 | at | number |\n| 7 | times | number, absent: 0 |\n\
            | 8 | whole | true or absent |\n| 24 | name | byte string |\n| -1 | holder | 16 bytes; optional |\n\n| 9 | other | |\n";
        assert_documented(page, "### Mark", Mark::TABLE);
    }

    #[test]
    fn kinds_go_both_ways() {
        for act in [Act::Whole(mark()), Act::Part { from: 4, to: None }, Act::Part { from: 4, to: Some(6) }] {
            let mut out = Encoder::new();
            out.ordered_map(None, |map| act.write_fields(map));
            let bytes = out.into_bytes();
            let mut decoder = Decoder::new(&bytes, Limits::default()).unwrap();
            let mut fields = Fields::open(&mut decoder, None).unwrap();
            assert_eq!(Act::read_fields(act.kind(), &mut fields).unwrap(), Some(act));
            fields.finish().unwrap();
            decoder.finish().unwrap();
        }
        let mut decoder = Decoder::new(&[0xa0], Limits::default()).unwrap();
        assert_eq!(Act::read_fields(9, &mut Fields::open(&mut decoder, None).unwrap()).unwrap(), None);
    }
}
