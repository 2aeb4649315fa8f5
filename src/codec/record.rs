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
//!         /// What for: text of this length at most. The form stands beside the type where the type alone does not say it.
//!         8 => pub note: String as Text<64>,
//!         /// Whose.
//!         -1 => pub holder: Option<Digest>,
//!     }
//! }
//! ```
//! - `pub struct Mark, format 1, fixed 3 unit = 10 { .. }`: the entry 3 is always 10, and stands in no field.
//! - `pub struct Mark { .. } with { pub place: Place, }`: the fields of the record `Place` stand in the same map, each where its
//!   key belongs.
//! - `pub struct Pair [ pub low: u64, pub high: u64, ]`: an array of just these. `; pub step: u64 = 1` behind them is one item
//!   more, absent when 1. `pub struct Pair as "range" [ .. ]` has a name of its own on the page.
//! - An enum declares `kind "name" => Variant { fields }`, or `Variant(name: Record)`; who stores it writes the kind.
//!
//! What only the whole can tell is checked by who reads it, behind the record: terms that could be granted, say.

use super::decode::{MapKeys, rank};
use super::{CodecError, Decoder, Encoder, Field, Limits};

/// A map that [`record!`](crate::codec::record!) has declared.
pub(crate) trait Record: Sized {
    /// The entries that are always the same: the format version first.
    const FIXED: &'static [Fixed];
    /// Its own fields, in the order of their keys.
    const OWN: &'static [Row];
    /// All entries, in the order of their keys.
    const TABLE: &'static [Row];
    /// Whether the fields of another record stand among its own.
    const IS_MIXED: bool = false;

    /// Writes the fields into a map.
    fn write_fields(&self, map: &mut impl Entries);

    /// Reads the fields of a map.
    fn read_fields(map: &mut Fields<'_, '_>) -> Result<Self, CodecError>;

    /// Writes the map.
    fn write_map(&self, out: &mut Encoder) {
        if Self::IS_MIXED {
            out.map(|map| {
                for fixed in Self::FIXED {
                    map.key(fixed.key).int(fixed.value);
                }
                self.write_fields(map);
            });
        } else {
            out.ordered_map(Self::FIXED, |map| self.write_fields(map));
        }
    }

    /// Reads the map.
    fn read_map(decoder: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut fields = Fields::open(decoder, Self::FIXED)?;
        let record = Self::read_fields(&mut fields)?;
        fields.finish()?;
        Ok(record)
    }

    /// The canonical bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        self.write_map(&mut out);
        out.into_bytes()
    }

    /// Reads the canonical bytes and nothing else.
    fn from_bytes(bytes: &[u8], limits: Limits) -> Result<Self, CodecError> {
        let mut decoder = Decoder::new(bytes, limits)?;
        let record = Self::read_map(&mut decoder)?;
        decoder.finish()?;
        Ok(record)
    }
}

/// What takes the entries of a map.
pub(crate) trait Entries {
    /// One entry.
    fn entry<F: Field>(&mut self, key: i64, value: &F::Value);

    /// A field, unless it is absent.
    fn field<F: Field>(&mut self, key: i64, value: &F::Value) {
        if !F::is_absent(value) {
            self.entry::<F>(key, value);
        }
    }

    /// A field, unless it is `absent`.
    fn field_or<F: Field<Value: PartialEq>>(&mut self, key: i64, value: &F::Value, absent: &F::Value) {
        if value != absent {
            self.field::<F>(key, value);
        }
    }
}

/// An entry that is always the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixed {
    pub(crate) key: i64,
    pub(crate) value: i64,
    /// What a reader says to another value.
    pub(crate) expected: &'static str,
}

/// One line of the table of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: i64,
    pub(crate) name: &'static str,
    pub(crate) shape: &'static str,
    pub(crate) optional: bool,
}

/// That the keys are written in the order in which they are encoded, each once.
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

/// The lines of two tables that are in order, in order.
pub(crate) const fn merged<const N: usize>(one: &[Row], other: &[Row]) -> [Row; N] {
    let mut all = [Row { key: 0, name: "", shape: "", optional: false }; N];
    let (mut left, mut right) = (0, 0);
    while left + right < N {
        let is_left = right == other.len() || left < one.len() && rank(one[left].key) < rank(other[right].key);
        all[left + right] = if is_left { one[left] } else { other[right] };
        if is_left { left += 1 } else { right += 1 }
    }
    all
}

/// The most entries of a record: their number has one byte behind the head.
pub(crate) const FIELDS_MAX: usize = 255;

/// Takes the fields of a map one after the other.
pub(crate) struct Fields<'d, 'b> {
    decoder: &'d mut Decoder<'b>,
    keys: MapKeys,
    next: Option<i64>,
    /// Those that are still to come.
    fixed: &'static [Fixed],
    /// The fields of another record in the same map: passed over.
    others: &'static [Row],
}

impl<'d, 'b> Fields<'d, 'b> {
    pub(crate) fn open(decoder: &'d mut Decoder<'b>, fixed: &'static [Fixed]) -> Result<Self, CodecError> {
        let mut keys = decoder.map(FIELDS_MAX)?;
        let next = keys.next(decoder)?;
        Ok(Self { decoder, keys, next, fixed, others: &[] })
    }

    /// Reads another record, whose fields stand among those of a record with the fields `own`; those are what is left.
    pub(crate) fn beside<R: Record>(&mut self, own: &'static [Row]) -> Result<R, CodecError> {
        let mut decoder = self.decoder.clone();
        let Self { ref keys, next, fixed, .. } = *self;
        let mut fields = Fields { decoder: &mut decoder, keys: keys.clone(), next, fixed, others: own };
        fields.pass_over()?;
        let record = R::read_fields(&mut fields)?;
        fields.finish()?;
        self.others = R::TABLE;
        self.pass_over()?;
        Ok(record)
    }

    /// The field with this key, which stands behind those read before.
    pub(crate) fn field<F: Field>(&mut self, key: i64) -> Result<F::Value, CodecError> {
        match self.optional::<F>(key)?.or_else(F::absent) {
            Some(value) => Ok(value),
            None => Err(self.missing(key)),
        }
    }

    /// The field with this key, where absence stands for `absent` and nothing else does.
    pub(crate) fn field_or<F: Field<Value: PartialEq>>(&mut self, key: i64, absent: F::Value) -> Result<F::Value, CodecError> {
        match self.optional::<F>(key)? {
            Some(value) if value == absent => Err(CodecError::Value { key, expected: "another value, or no such field" }),
            value => Ok(value.unwrap_or(absent)),
        }
    }

    /// That no field is left.
    pub(crate) fn finish(mut self) -> Result<(), CodecError> {
        self.take_fixed(None)?;
        self.next.map_or(Ok(()), |key| Err(CodecError::UnknownKey { key }))
    }

    fn optional<F: Field>(&mut self, key: i64) -> Result<Option<F::Value>, CodecError> {
        self.take_fixed(Some(key))?;
        self.take(key, |decoder| F::read(decoder, key))
    }

    fn take<T>(&mut self, key: i64, read: impl FnOnce(&mut Decoder<'b>) -> Result<T, CodecError>) -> Result<Option<T>, CodecError> {
        match self.next {
            Some(next) if next == key => {
                let value = read(self.decoder)?;
                self.next = self.keys.next(self.decoder)?;
                self.pass_over()?;
                Ok(Some(value))
            }
            Some(next) if rank(next) < rank(key) => Err(CodecError::UnknownKey { key: next }),
            _ => Ok(None),
        }
    }

    fn take_fixed(&mut self, before: Option<i64>) -> Result<(), CodecError> {
        while let [Fixed { key, value, expected }, rest @ ..] = self.fixed
            && before.is_none_or(|before| rank(*key) < rank(before))
        {
            self.fixed = rest;
            match self.take(*key, Decoder::int)? {
                Some(found) if found == *value => {}
                Some(_) => return Err(CodecError::Value { key: *key, expected }),
                None => return Err(self.missing(*key)),
            }
        }
        Ok(())
    }

    fn pass_over(&mut self) -> Result<(), CodecError> {
        while let Some(key) = self.next
            && self.others.iter().any(|row| row.key == key)
        {
            self.decoder.skip()?;
            self.next = self.keys.next(self.decoder)?;
        }
        Ok(())
    }

    /// What is not even CBOR says so, and not that a field is missing.
    fn missing(&mut self, key: i64) -> CodecError {
        while self.next.is_some() {
            match self.decoder.skip().and_then(|()| self.keys.next(self.decoder)) {
                Ok(next) => self.next = next,
                Err(error) => return error,
            }
        }
        CodecError::MissingKey { key }
    }
}

/// Declares a stored record; see the module.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident
        $(, format $format:literal)?
        $(, fixed $fixed_key:literal $fixed_name:ident = $fixed_value:literal)*
        {
            $($(#[$field_meta:meta])* $key:literal => $field_vis:vis $field:ident : $type:ty $(as $form:ty)? $(= $absent:expr)?,)*
        }
        $(with { $(#[$inner_meta:meta])* $inner_vis:vis $inner:ident : $record:ty, })?
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$inner_meta])* $inner_vis $inner: $record,)?
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        impl $crate::codec::Record for $name {
            const FIXED: &'static [$crate::codec::Fixed] = &[
                $($crate::codec::record!(@fixed $format, format, 1),)?
                $($crate::codec::record!(@fixed $fixed_key, $fixed_name, $fixed_value),)*
            ];
            const OWN: &'static [$crate::codec::Row] =
                &[$($crate::codec::record!(@row $key, $field, ($type $(, $form)?) $(, $absent)?)),*];
            const TABLE: &'static [$crate::codec::Row] = {
                const FIXED: &[$crate::codec::Row] = &[
                    $($crate::codec::record!(@fixed_row $format, format, 1),)?
                    $($crate::codec::record!(@fixed_row $fixed_key, $fixed_name, $fixed_value),)*
                ];
                const OWN: &[$crate::codec::Row] = <$name as $crate::codec::Record>::OWN;
                const ALL: &[$crate::codec::Row] = &$crate::codec::merged::<{ FIXED.len() + OWN.len() }>(FIXED, OWN);
                $crate::codec::record!(@mixed ALL $(, $record)?)
            };
            const IS_MIXED: bool = !<[&str]>::is_empty(&[$(stringify!($inner))?]);

            fn write_fields(&self, map: &mut impl $crate::codec::Entries) {
                $($crate::codec::Record::write_fields(&self.$inner, map);)?
                $($crate::codec::record!(@write map, $key, ($type $(, $form)?), &self.$field $(, $absent)?);)*
            }

            fn read_fields(map: &mut $crate::codec::Fields<'_, '_>) -> Result<Self, $crate::codec::CodecError> {
                $(let $inner = map.beside::<$record>(Self::OWN)?;)?
                Ok(Self {
                    $($inner,)?
                    $($field: $crate::codec::record!(@read map, $key, ($type $(, $form)?) $(, $absent)?),)*
                })
            }
        }

        const _: () = assert!($crate::codec::in_order(<$name as $crate::codec::Record>::TABLE), "keys out of order");
        const _: () = assert!(<$name as $crate::codec::Record>::TABLE.len() <= $crate::codec::FIELDS_MAX, "too many fields");
        $(const _: () = assert!(<$record as $crate::codec::Record>::FIXED.is_empty(), "a fixed entry among another's");)?
        $(const _: () = assert!(!<$record as $crate::codec::Record>::IS_MIXED, "a record in a record in a record");)?
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(as $shape:literal)? [
            $($(#[$item_meta:meta])* $item_vis:vis $item:ident : $type:ty $(as $form:ty)?,)*
            $(; $(#[$tail_meta:meta])* $tail_vis:vis $tail:ident : $tail_type:ty = $absent:expr,)?
        ]
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$item_meta])* $item_vis $item: $type,)*
            $($(#[$tail_meta])* $tail_vis $tail: $tail_type,)?
        }

        impl $name {
            /// Its items as the page lists them.
            const ITEMS: &'static str = concat!("`", stringify!([$($item),* $(, ? $tail)?]), "`");
        }

        impl $crate::codec::Field for $name {
            type Value = Self;
            const SHAPE: &'static str = [$($shape,)? Self::ITEMS][0];

            fn write(value: &Self, out: &mut $crate::codec::Encoder) {
                const ITEMS: usize = <[&str]>::len(&[$(stringify!($item)),*]);
                out.array(ITEMS $(+ usize::from(value.$tail != $absent))?);
                $(<$crate::codec::record!(@form $type $(, $form)?) as $crate::codec::Field>::write(&value.$item, out);)*
                $(if value.$tail != $absent {
                    <$tail_type as $crate::codec::Field>::write(&value.$tail, out);
                })?
            }

            fn read(decoder: &mut $crate::codec::Decoder<'_>, key: i64) -> Result<Self, $crate::codec::CodecError> {
                const ITEMS: usize = <[&str]>::len(&[$(stringify!($item)),*]);
                const MOST: usize = ITEMS + <[&str]>::len(&[$(stringify!($tail))?]);
                let offset = decoder.offset();
                let items = decoder.array(MOST)?;
                if items < ITEMS {
                    return Err($crate::codec::CodecError::Unexpected { offset, expected: Self::ITEMS });
                }
                Ok(Self {
                    $($item: <$crate::codec::record!(@form $type $(, $form)?) as $crate::codec::Field>::read(decoder, key)?,)*
                    $($tail: match items {
                        ITEMS => $absent,
                        _ => match <$tail_type as $crate::codec::Field>::read(decoder, key)? {
                            value if value == $absent => {
                                return Err($crate::codec::CodecError::Value { key, expected: "another last item, or none" });
                            }
                            value => value,
                        },
                    },)?
                })
            }
        }
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
                $(&[$($crate::codec::record!(@row $key, $field, ($type))),*])?
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

            fn write_fields(&self, map: &mut impl $crate::codec::Entries) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field),* })? => {
                        $($crate::codec::Record::write_fields($inner, map);)?
                        $($($crate::codec::record!(@write map, $key, ($type), $field);)*)?
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
                        $({ $($field: $crate::codec::record!(@read map, $key, ($type))),* })?,)*
                    _ => return Ok(None),
                }))
            }
        }

        $($(const _: () = assert!(!<$record as $crate::codec::Record>::IS_MIXED, "a mixed record among an entry's fields");)?)*
        const _: () = {
            let mut at = 0;
            while at < $name::KINDS.len() {
                assert!($crate::codec::in_order($name::KINDS[at].2), "keys out of order");
                at += 1;
            }
        };
    };
    (@form $type:ty) => { $type };
    (@form $type:ty, $form:ty) => { $form };
    (@fixed $key:literal, $name:ident, $value:literal) => {
        $crate::codec::Fixed { key: $key, value: $value, expected: concat!(stringify!($name), " ", stringify!($value)) }
    };
    (@fixed_row $key:literal, $name:ident, $value:literal) => {
        $crate::codec::Row { key: $key, name: stringify!($name), shape: stringify!($value), optional: false }
    };
    (@row $key:literal, $field:ident, ($($form:ty),+) $(, $absent:expr)?) => {
        $crate::codec::Row {
            key: $key,
            name: stringify!($field),
            shape: <$crate::codec::record!(@form $($form),+) as $crate::codec::Field>::SHAPE,
            optional: <$crate::codec::record!(@form $($form),+) as $crate::codec::Field>::OPTIONAL
                $(|| !stringify!($absent).is_empty())?,
        }
    };
    (@mixed $own:ident) => { $own };
    (@mixed $own:ident, $record:ty) => {{
        const OTHER: &[$crate::codec::Row] = <$record as $crate::codec::Record>::TABLE;
        &$crate::codec::merged::<{ $own.len() + OTHER.len() }>($own, OTHER)
    }};
    (@write $map:ident, $key:literal, ($($form:ty),+), $value:expr) => {
        $map.field::<$crate::codec::record!(@form $($form),+)>($key, $value)
    };
    (@write $map:ident, $key:literal, ($($form:ty),+), $value:expr, $absent:expr) => {
        $map.field_or::<$crate::codec::record!(@form $($form),+)>($key, $value, &$absent)
    };
    (@read $map:ident, $key:literal, ($($form:ty),+)) => {
        $map.field::<$crate::codec::record!(@form $($form),+)>($key)?
    };
    (@read $map:ident, $key:literal, ($($form:ty),+), $absent:expr) => {
        $map.field_or::<$crate::codec::record!(@form $($form),+)>($key, $absent)?
    };
}

pub(crate) use record;

#[cfg(test)]
mod tests;
