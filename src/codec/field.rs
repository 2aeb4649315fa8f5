//! What a field of a record can be: types with one form, and forms that a type may have in one record and not in another.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use super::{CodecError, Decoder, Encoder, ItemKind, Limits, Record};

/// One item of a record: a type that is always written the same way, or the name of a way to write values of another type.
pub(crate) trait Field {
    /// What is written and read; most often the type itself.
    type Value;
    /// How the page calls it.
    const SHAPE: &'static str;
    /// Whether it may be absent.
    const OPTIONAL: bool = false;

    /// Whether this value is written by leaving the field out.
    fn is_absent(_: &Self::Value) -> bool {
        false
    }

    /// What an absent field means.
    fn absent() -> Option<Self::Value> {
        None
    }

    /// Writes one item.
    fn write(value: &Self::Value, out: &mut Encoder);

    /// Reads one item; `key` is for the error.
    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self::Value, CodecError>;
}

impl<F: Field> Field for Option<F> {
    type Value = Option<F::Value>;
    const SHAPE: &'static str = F::SHAPE;
    const OPTIONAL: bool = true;

    fn is_absent(value: &Self::Value) -> bool {
        value.is_none()
    }

    fn absent() -> Option<Self::Value> {
        Some(None)
    }

    fn write(value: &Self::Value, out: &mut Encoder) {
        if let Some(value) = value {
            F::write(value, out);
        }
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self::Value, CodecError> {
        F::read(decoder, key).map(Some)
    }
}

/// A map in a map.
impl<R: Record> Field for R {
    type Value = Self;
    const SHAPE: &'static str = "map";

    fn write(value: &Self, out: &mut Encoder) {
        value.write_map(out);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        Self::read_map(decoder)
    }
}

impl Field for u64 {
    type Value = Self;
    const SHAPE: &'static str = "number";

    fn write(value: &Self, out: &mut Encoder) {
        out.uint(*value);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        decoder.uint()
    }
}

impl Field for i64 {
    type Value = Self;
    const SHAPE: &'static str = "integer";

    fn write(value: &Self, out: &mut Encoder) {
        out.int(*value);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        decoder.int()
    }
}

/// True; absent otherwise.
impl Field for bool {
    type Value = Self;
    const SHAPE: &'static str = "true";
    const OPTIONAL: bool = true;

    fn is_absent(value: &Self) -> bool {
        !value
    }

    fn absent() -> Option<Self> {
        Some(false)
    }

    fn write(value: &Self, out: &mut Encoder) {
        out.boolean(*value);
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        if decoder.boolean()? { Ok(true) } else { Err(CodecError::Value { key, expected: "true, or no such field" }) }
    }
}

impl<const N: usize> Field for [u8; N] {
    type Value = Self;
    const SHAPE: &'static str = match N {
        16 => "16 bytes",
        32 => "32 bytes",
        _ => "bytes",
    };

    fn write(value: &Self, out: &mut Encoder) {
        out.bytes(value);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        decoder.byte_array()
    }
}

/// As long as the whole record may be.
impl Field for Vec<u8> {
    type Value = Self;
    const SHAPE: &'static str = "byte string";

    fn write(value: &Self, out: &mut Encoder) {
        out.bytes(value);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        decoder.bytes(usize::MAX).map(<[u8]>::to_vec)
    }
}

/// Bytes, so many at most.
pub(crate) enum Bytes<const MOST: usize> {}

impl<const MOST: usize> Field for Bytes<MOST> {
    type Value = Vec<u8>;
    const SHAPE: &'static str = "byte string";

    fn write(value: &Vec<u8>, out: &mut Encoder) {
        out.bytes(value);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Vec<u8>, CodecError> {
        decoder.bytes(MOST).map(<[u8]>::to_vec)
    }
}

/// Text of so many bytes at most.
pub(crate) enum Text<const MOST: usize> {}

impl<const MOST: usize> Field for Text<MOST> {
    type Value = String;
    const SHAPE: &'static str = "text";

    fn write(value: &String, out: &mut Encoder) {
        out.text(value);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<String, CodecError> {
        decoder.text(MOST).map(str::to_owned)
    }
}

/// A number of at least 1.
pub(crate) enum Positive {}

impl Field for Positive {
    type Value = u64;
    const SHAPE: &'static str = "number";

    fn write(value: &u64, out: &mut Encoder) {
        out.uint(*value);
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<u64, CodecError> {
        Some(decoder.uint()?).filter(|number| *number > 0).ok_or(CodecError::Value { key, expected: "a number of at least 1" })
    }
}

/// A boolean that is there either way.
pub(crate) enum Boolean {}

impl Field for Boolean {
    type Value = bool;
    const SHAPE: &'static str = "boolean";

    fn write(value: &bool, out: &mut Encoder) {
        out.boolean(*value);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<bool, CodecError> {
        decoder.boolean()
    }
}

/// What an item of an array may be: `false` where there is nothing.
pub(crate) struct OrFalse<F>(PhantomData<F>);

impl<F: Field> Field for OrFalse<F> {
    type Value = Option<F::Value>;
    const SHAPE: &'static str = F::SHAPE;

    fn write(value: &Self::Value, out: &mut Encoder) {
        match value {
            Some(value) => F::write(value, out),
            None => drop(out.boolean(false)),
        }
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self::Value, CodecError> {
        match decoder.peek()? {
            ItemKind::Boolean if decoder.boolean()? => Err(CodecError::Value { key, expected: "a value, or false" }),
            ItemKind::Boolean => Ok(None),
            _ => F::read(decoder, key).map(Some),
        }
    }
}

/// An array, so many items at most.
pub(crate) struct List<F, const MOST: usize>(PhantomData<F>);

impl<F: Field, const MOST: usize> Field for List<F, MOST> {
    type Value = Vec<F::Value>;
    const SHAPE: &'static str = "array";

    fn write(value: &Self::Value, out: &mut Encoder) {
        out.array(value.len());
        value.iter().for_each(|item| F::write(item, out));
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self::Value, CodecError> {
        (0..decoder.array(MOST)?).map(|_| F::read(decoder, key)).collect()
    }
}

/// A set of so many members at most. It has one encoding: its members in strictly increasing order.
pub(crate) struct Set<F, const MOST: usize>(PhantomData<F>);

impl<F: Field<Value: Ord>, const MOST: usize> Field for Set<F, MOST> {
    type Value = BTreeSet<F::Value>;
    const SHAPE: &'static str = "array";

    fn write(value: &Self::Value, out: &mut Encoder) {
        out.array(value.len());
        value.iter().for_each(|member| F::write(member, out));
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self::Value, CodecError> {
        let mut set = BTreeSet::new();
        for _ in 0..decoder.array(MOST)? {
            let member = F::read(decoder, key)?;
            if set.last().is_some_and(|last| *last >= member) {
                return Err(CodecError::Value { key, expected: "a set in strictly increasing order" });
            }
            set.insert(member);
        }
        Ok(set)
    }
}

/// The bytes of another record, so many at most, as a byte string.
pub(crate) struct Inside<R, const MOST: usize>(PhantomData<R>);

impl<R: Record, const MOST: usize> Field for Inside<R, MOST> {
    type Value = R;
    const SHAPE: &'static str = "byte string";

    fn write(value: &R, out: &mut Encoder) {
        out.bytes(&value.to_bytes());
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<R, CodecError> {
        R::from_bytes(decoder.bytes(MOST)?, Limits::of_bytes(MOST))
    }
}

/// A type that is written as another one. `stored!(Grade as u64, "number", |grade| .., |number| .., "a grade from 1 to 4")`: the
/// second closure gives nothing for what is no value, the words at the end say what is one. `stored!(Item as StoredItem)`: as a
/// record that is made `From` it, and that it is made from by `TryFrom`, which checks the whole.
macro_rules! stored {
    ($type:ty as $record:ty) => {
        impl $crate::codec::Field for $type {
            type Value = Self;
            const SHAPE: &'static str = <$record as $crate::codec::Field>::SHAPE;

            fn write(value: &Self, out: &mut $crate::codec::Encoder) {
                <$record as $crate::codec::Field>::write(&value.into(), out);
            }

            fn read(decoder: &mut $crate::codec::Decoder<'_>, key: i64) -> Result<Self, $crate::codec::CodecError> {
                <$record as $crate::codec::Field>::read(decoder, key)?.try_into()
            }
        }
    };
    ($type:ty as $form:ty, $shape:literal, $write:expr, $read:expr, $expected:literal) => {
        impl $crate::codec::Field for $type {
            type Value = Self;
            const SHAPE: &'static str = $shape;

            fn write(value: &Self, out: &mut $crate::codec::Encoder) {
                let write: fn(&Self) -> <$form as $crate::codec::Field>::Value = $write;
                <$form as $crate::codec::Field>::write(&write(value), out);
            }

            fn read(decoder: &mut $crate::codec::Decoder<'_>, key: i64) -> Result<Self, $crate::codec::CodecError> {
                let read: fn(<$form as $crate::codec::Field>::Value) -> Option<Self> = $read;
                let stored = <$form as $crate::codec::Field>::read(decoder, key)?;
                read(stored).ok_or($crate::codec::CodecError::Value { key, expected: $expected })
            }
        }
    };
}

pub(crate) use stored;

stored!(u32 as u64, "number", |number| (*number).into(), |number| Self::try_from(number).ok(), "a number of 32 bits");
stored!(usize as u64, "number", |number| *number as u64, |number| Self::try_from(number).ok(), "a number in range");
