//! The declaration of records: what is written is what is read, and nothing else is.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

use super::*;
use crate::codec::{Boolean, Bytes, Inside, List, OrFalse, Positive, Set, Text, assert_documented};

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
    let expected =
        [(1, "at", false), (3, "format", false), (7, "times", true), (8, "whole", true), (24, "name", false), (-1, "holder", true)];
    assert_eq!(rows, expected);
    assert_eq!(Act::KINDS.iter().map(|kind| (kind.0, kind.1, kind.2.len())).collect::<Vec<_>>(), [(0, "mark", 6), (4, "part", 2)]);
    assert_eq!((Act::Whole(mark()).kind(), Act::Part { from: 1, to: None }.name()), (0, "part"));
    let page = "\n### Mark\n\n| key | field | type |\n|---|---|---|\n| 1 | at | number |\n| 3 | format | 1 |\n| 7 | times | number, absent: 0 |\n\
        | 8 | whole | true or absent |\n| 24 | name | byte string |\n| -1 | holder | 16 bytes; optional |\n\n| 9 | other | |\n";
    assert_documented(page, "### Mark", Mark::TABLE);
}

#[test]
fn kinds_go_both_ways() {
    for act in [Act::Whole(mark()), Act::Part { from: 4, to: None }, Act::Part { from: 4, to: Some(6) }] {
        let mut out = Encoder::new();
        out.ordered_map(&[], |map| act.write_fields(map));
        let bytes = out.into_bytes();
        let mut decoder = Decoder::new(&bytes, Limits::default()).unwrap();
        let mut fields = Fields::open(&mut decoder, &[]).unwrap();
        assert_eq!(Act::read_fields(act.kind(), &mut fields).unwrap(), Some(act));
        fields.finish().unwrap();
        decoder.finish().unwrap();
    }
    let mut decoder = Decoder::new(&[0xa0], Limits::default()).unwrap();
    assert_eq!(Act::read_fields(9, &mut Fields::open(&mut decoder, &[]).unwrap()).unwrap(), None);
}

record! {
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Place {
        2 => x: u64,
        9 => y: u64 = 0,
        -2 => z: Option<Pair>,
    }
}

record! {
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Placed, format 3, fixed 4 unit = -7 {
        1 => at: u64,
        8 => whole: bool,
    } with {
        place: Place,
    }
}

record! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Pair [
        low: i64,
        high: i64,
        ;
        step: u64 = 1,
    ]
}

/// The entries of a whole [`Placed`], each as canonical bytes.
fn placed_entries() -> Vec<(i64, Vec<u8>)> {
    let item = |write: &dyn Fn(&mut Encoder)| {
        let mut out = Encoder::new();
        write(&mut out);
        out.into_bytes()
    };
    let number = |number: i64| item(&|out| _ = out.int(number));
    let pair = item(&|out| _ = out.array(2).int(-1).int(1));
    [1, 5, 1, -7]
        .map(number)
        .into_iter()
        .chain([item(&|out| _ = out.boolean(true)), number(6), pair])
        .zip([1, 2, 3, 4, 8, 9, -2])
        .map(|(item, key)| (key, item))
        .collect()
}

fn map_of(entries: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let mut out = Encoder::new();
    out.map(|map| entries.iter().for_each(|(key, item)| _ = map.key(*key).raw(item)));
    out.into_bytes()
}

#[test]
fn fields_of_another_record_stand_where_their_keys_belong() {
    let names: Vec<_> = Placed::TABLE.iter().map(|row| (row.key, row.name, row.shape)).collect();
    let expected = [
        (1, "at", "number"),
        (2, "x", "number"),
        (3, "format", "1"),
        (4, "unit", "-7"),
        (8, "whole", "true"),
        (9, "y", "number"),
        (-2, "z", "`[low, high, ? step]`"),
    ];
    assert_eq!(names, expected);
    let read = |entries: &[(i64, Vec<u8>)]| Placed::from_bytes(&map_of(entries), Limits::default());
    let whole = placed_entries();
    let placed = Placed { at: 1, whole: true, place: Place { x: 5, y: 6, z: Some(Pair { low: -1, high: 1, step: 1 }) } };
    assert_eq!((placed.to_bytes(), read(&whole).unwrap()), (map_of(&whole), placed.clone()));
    for (at, (key, _)) in whole.iter().enumerate() {
        let without: Vec<_> = whole.iter().filter(|entry| entry.0 != *key).cloned().collect();
        match key {
            8 => assert_eq!(read(&without).unwrap(), Placed { whole: false, ..placed.clone() }),
            9 => assert_eq!(read(&without).unwrap(), Placed { place: Place { y: 0, ..placed.place.clone() }, ..placed.clone() }),
            -2 => assert_eq!(read(&without).unwrap(), Placed { place: Place { z: None, ..placed.place.clone() }, ..placed.clone() }),
            key => assert_eq!(read(&without), Err(CodecError::MissingKey { key: *key })),
        }
        let mut other = whole.clone();
        other[at].1 = vec![0x18, 0x63];
        assert_eq!(read(&other).is_ok(), [1, 2, 9].contains(key), "{key}");
    }
    for unknown in [0, 5, 7, 10, 24, -1, -3] {
        let more: Vec<_> = whole.iter().cloned().chain([(unknown, vec![0])]).collect();
        assert_eq!(read(&more), Err(CodecError::UnknownKey { key: unknown }), "{unknown}");
    }
    let bytes = map_of(&whole);
    assert!((0..bytes.len()).all(|end| Placed::from_bytes(&bytes[..end], Limits::default()).is_err()));
    assert_eq!(Placed::from_bytes(&[bytes, vec![0]].concat(), Limits::default()), Err(CodecError::Trailing { found: 1 }));
}

#[test]
fn an_array_has_one_form_with_its_last_item_and_without() {
    let read = |bytes: &[u8]| Pair::read(&mut Decoder::new(bytes, Limits::default()).unwrap(), 7);
    for (pair, bytes) in [(Pair { low: 1, high: 2, step: 1 }, &[0x82, 1, 2][..]), (Pair { low: 1, high: 2, step: 3 }, &[0x83, 1, 2, 3])] {
        let mut out = Encoder::new();
        Pair::write(&pair, &mut out);
        assert_eq!((out.into_bytes(), read(bytes)), (bytes.to_vec(), Ok(pair)));
    }
    assert_eq!(read(&[0x83, 1, 2, 1]), Err(CodecError::Value { key: 7, expected: "another last item, or none" }));
    assert_eq!(read(&[0x81, 1]), Err(CodecError::Unexpected { offset: 0, expected: "`[low, high, ? step]`" }));
    assert!(matches!(read(&[0x84, 1, 2, 3, 4]), Err(CodecError::TooLong { .. })));
}

#[test]
fn a_map_of_more_than_23_entries_has_the_wider_head() {
    let mut out = Encoder::new();
    out.ordered_map(&[], |map| (0..30).for_each(|key| map.field::<u64>(key, &7)));
    let bytes = out.into_bytes();
    let general: Vec<_> = (0..30).map(|key| (key, vec![7])).collect();
    assert_eq!(bytes, map_of(&general));
    let mut decoder = Decoder::new(&bytes, Limits::default()).unwrap();
    let mut fields = Fields::open(&mut decoder, &[]).unwrap();
    assert!((0..30).all(|key| fields.field::<u64>(key) == Ok(7)));
    fields.finish().unwrap();
    decoder.finish().unwrap();
}

#[test]
fn what_is_no_cbor_says_so_and_not_that_a_field_is_missing() {
    assert!(matches!(read(&[0xa1, 0x07, 0x9a, 0xff, 0xff, 0xff, 0xff]), Err(CodecError::Truncated { .. })));
    assert_eq!(read(&[0xa1, 0x07, 0x80]), Err(CodecError::MissingKey { key: 1 }));
}

#[test]
fn every_form_goes_both_ways_and_has_its_limits() {
    fn both<F: Field<Value: PartialEq + std::fmt::Debug>>(value: &F::Value, bytes: &[u8], refused: &[&[u8]]) {
        let mut out = Encoder::new();
        F::write(value, &mut out);
        assert_eq!(out.into_bytes(), bytes);
        let read = |bytes: &[u8]| {
            let mut decoder = Decoder::new(bytes, Limits::default())?;
            let value = F::read(&mut decoder, 7)?;
            decoder.finish().map(|()| value)
        };
        assert_eq!(read(bytes).as_ref(), Ok(value));
        refused.iter().for_each(|bytes| assert!(read(bytes).is_err(), "{bytes:02x?}"));
    }
    both::<Bytes<2>>(&vec![1, 2], &[0x42, 1, 2], &[&[0x43, 1, 2, 3], &[0x61, b'a']]);
    both::<Text<2>>(&"ab".to_owned(), b"\x62ab", &[b"\x63abc", &[0x41, 1]]);
    both::<Boolean>(&false, &[0xf4], &[&[0]]);
    both::<Positive>(&1, &[1], &[&[0], &[0x20]]);
    both::<u32>(&u32::MAX, &[0x1a, 0xff, 0xff, 0xff, 0xff], &[&[0x1b, 0, 0, 0, 1, 0, 0, 0, 0]]);
    both::<OrFalse<u64>>(&None, &[0xf4], &[&[0xf5], &[0x40]]);
    both::<OrFalse<u64>>(&Some(4), &[4], &[]);
    both::<List<u64, 2>>(&vec![2, 1], &[0x82, 2, 1], &[&[0x83, 1, 2, 3]]);
    both::<Set<u64, 2>>(&[1, 2].into(), &[0x82, 1, 2], &[&[0x82, 2, 1], &[0x82, 1, 1], &[0x83, 1, 2, 3]]);
    both::<Option<List<u64, 2>>>(&Some(vec![]), &[0x80], &[&[0]]);
    let place = Place { x: 5, y: 0, z: None };
    both::<Inside<Place, 3>>(&place, &[0x43, 0xa1, 2, 5], &[&[0x44, 0xa1, 2, 0x18, 0x18], &[0xa1, 2, 5]]);
    both::<Place>(&place, &[0xa1, 2, 5], &[&[0xa2, 2, 5, 3, 0], &[0xa0]]);
}
