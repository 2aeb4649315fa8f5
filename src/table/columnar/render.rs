//! Values of Arrow as text, and as integers.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};

use crate::value::{Day, Instant, integer, write_time_of_day};

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rendered {
    Text,
    Null,
    NotUtf8,
}

/// Writes the value at a place behind a text.
pub(super) type Render<'a> = Box<dyn Fn(usize, &mut String) -> Rendered + 'a>;

/// The integer at a place, null if it is none of a kind that has nulls, or an error.
pub(super) type IntegerOf<'a> = Box<dyn Fn(usize) -> Result<Option<i64>, ()> + 'a>;

/// Numbers as decimals without an exponent, floats as the shortest that reads back; dates and times as ISO 8601.
pub(super) fn render(values: &dyn Array) -> Render<'_> {
    use DataType as D;
    match values.data_type() {
        D::Boolean => {
            let values = values.as_boolean();
            Box::new(|at, out| text(out, if values.value(at) { "true" } else { "false" }))
        }
        D::Int8 => shown::<Int8Type>(values),
        D::Int16 => shown::<Int16Type>(values),
        D::Int32 => shown::<Int32Type>(values),
        D::Int64 => shown::<Int64Type>(values),
        D::UInt8 => shown::<UInt8Type>(values),
        D::UInt16 => shown::<UInt16Type>(values),
        D::UInt32 => shown::<UInt32Type>(values),
        D::UInt64 => shown::<UInt64Type>(values),
        D::Float16 => {
            let values = values.as_primitive::<Float16Type>();
            Box::new(|at, out| float(out, f64::from(values.value(at)), f32::from(values.value(at))))
        }
        D::Float32 => {
            let values = values.as_primitive::<Float32Type>();
            Box::new(|at, out| float(out, f64::from(values.value(at)), values.value(at)))
        }
        D::Float64 => {
            let values = values.as_primitive::<Float64Type>();
            Box::new(|at, out| float(out, values.value(at), values.value(at)))
        }
        D::Decimal32(precision, scale) => decimal::<Decimal32Type>(values, *precision, *scale),
        D::Decimal64(precision, scale) => decimal::<Decimal64Type>(values, *precision, *scale),
        D::Decimal128(precision, scale) => decimal::<Decimal128Type>(values, *precision, *scale),
        D::Decimal256(precision, scale) => decimal::<Decimal256Type>(values, *precision, *scale),
        D::Date32 => {
            let values = values.as_primitive::<Date32Type>();
            Box::new(|at, out| date(out, i64::from(values.value(at))))
        }
        D::Date64 => {
            let values = values.as_primitive::<Date64Type>();
            Box::new(|at, out| match values.value(at) {
                whole if whole % DAY_MS == 0 => date(out, whole / DAY_MS),
                millis => timestamp(out, millis, TimeUnit::Millisecond, false),
            })
        }
        D::Time32(TimeUnit::Second) => times::<Time32SecondType>(values, TimeUnit::Second),
        D::Time32(_) => times::<Time32MillisecondType>(values, TimeUnit::Millisecond),
        D::Time64(TimeUnit::Microsecond) => times::<Time64MicrosecondType>(values, TimeUnit::Microsecond),
        D::Time64(_) => times::<Time64NanosecondType>(values, TimeUnit::Nanosecond),
        D::Timestamp(unit, zone) => {
            let (unit, utc) = (*unit, zone.is_some());
            match unit {
                TimeUnit::Second => timestamps::<TimestampSecondType>(values, unit, utc),
                TimeUnit::Millisecond => timestamps::<TimestampMillisecondType>(values, unit, utc),
                TimeUnit::Microsecond => timestamps::<TimestampMicrosecondType>(values, unit, utc),
                TimeUnit::Nanosecond => timestamps::<TimestampNanosecondType>(values, unit, utc),
            }
        }
        D::Utf8 => {
            let values = values.as_string::<i32>();
            Box::new(|at, out| text(out, values.value(at)))
        }
        D::LargeUtf8 => {
            let values = values.as_string::<i64>();
            Box::new(|at, out| text(out, values.value(at)))
        }
        D::Utf8View => {
            let values = values.as_string_view();
            Box::new(|at, out| text(out, values.value(at)))
        }
        D::Binary => {
            let values = values.as_binary::<i32>();
            Box::new(|at, out| bytes(out, values.value(at)))
        }
        D::LargeBinary => {
            let values = values.as_binary::<i64>();
            Box::new(|at, out| bytes(out, values.value(at)))
        }
        D::BinaryView => {
            let values = values.as_binary_view();
            Box::new(|at, out| bytes(out, values.value(at)))
        }
        D::FixedSizeBinary(_) => {
            let values = values.as_fixed_size_binary();
            Box::new(|at, out| bytes(out, values.value(at)))
        }
        // Null; all other types were refused when the file was opened.
        _ => Box::new(|_, _| Rendered::Null),
    }
}

/// Integers that are within 64 bits; texts and decimals that are such integers, the fraction of a number being zeros.
pub(super) fn integer_of(values: &dyn Array) -> IntegerOf<'_> {
    use DataType as D;
    match values.data_type() {
        D::Int8 => whole::<Int8Type>(values),
        D::Int16 => whole::<Int16Type>(values),
        D::Int32 => whole::<Int32Type>(values),
        D::Int64 => whole::<Int64Type>(values),
        D::UInt8 => whole::<UInt8Type>(values),
        D::UInt16 => whole::<UInt16Type>(values),
        D::UInt32 => whole::<UInt32Type>(values),
        D::UInt64 => {
            let values = values.as_primitive::<UInt64Type>();
            Box::new(|at| i64::try_from(values.value(at)).map(Some).map_err(|_| ()))
        }
        other => {
            let number = other.is_floating() || other.is_decimal();
            let render = render(values);
            Box::new(move |at| {
                let mut text = String::new();
                match render(at, &mut text) {
                    Rendered::Null => return Ok(None),
                    Rendered::NotUtf8 => return Err(()),
                    Rendered::Text if text.is_empty() => return Ok(None),
                    Rendered::Text => {}
                }
                let digits = match text.split_once('.') {
                    Some((digits, fraction)) if number && fraction.bytes().all(|digit| digit == b'0') => digits,
                    _ => &text,
                };
                integer(digits.as_bytes()).map(Some).ok_or(())
            })
        }
    }
}

fn text(out: &mut String, text: &str) -> Rendered {
    out.push_str(text);
    Rendered::Text
}

/// Unannotated bytes: the texts of old Hive and Impala.
fn bytes(out: &mut String, bytes: &[u8]) -> Rendered {
    std::str::from_utf8(bytes).map_or(Rendered::NotUtf8, |found| text(out, found))
}

fn show(out: &mut String, value: impl std::fmt::Display) -> Rendered {
    // Writing to a string does not fail.
    let _ = write!(out, "{value}");
    Rendered::Text
}

fn shown<T: ArrowPrimitiveType<Native: std::fmt::Display>>(values: &dyn Array) -> Render<'_> {
    let values: &PrimitiveArray<T> = values.as_primitive();
    Box::new(|at, out| show(out, values.value(at)))
}

fn whole<T: ArrowPrimitiveType<Native: Into<i64>>>(values: &dyn Array) -> IntegerOf<'_> {
    let values: &PrimitiveArray<T> = values.as_primitive();
    Box::new(|at| Ok(Some(values.value(at).into())))
}

/// The shortest decimal that reads back, without an exponent; Rust's way of showing floats.
fn float(out: &mut String, value: f64, shortest: impl std::fmt::Display) -> Rendered {
    if value.is_nan() { Rendered::Null } else { show(out, shortest) }
}

fn decimal<T: DecimalType>(values: &dyn Array, precision: u8, scale: i8) -> Render<'_> {
    let values: &PrimitiveArray<T> = values.as_primitive();
    Box::new(move |at, out| text(out, &T::format_decimal(values.value(at), precision, scale)))
}

const DAY_MS: i64 = 86_400_000;

const fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

fn times<T: ArrowPrimitiveType<Native: Into<i64>>>(values: &dyn Array, unit: TimeUnit) -> Render<'_> {
    let values: &PrimitiveArray<T> = values.as_primitive();
    Box::new(move |at, out| time(out, values.value(at).into(), unit))
}

fn timestamps<T: ArrowPrimitiveType<Native = i64>>(values: &dyn Array, unit: TimeUnit, utc: bool) -> Render<'_> {
    let values: &PrimitiveArray<T> = values.as_primitive();
    Box::new(move |at, out| timestamp(out, values.value(at), unit, utc))
}

fn timestamp(out: &mut String, value: i64, unit: TimeUnit, utc: bool) -> Rendered {
    let (seconds, nanos) = split(value, unit);
    show(out, Instant::from_unix(seconds, nanos));
    if utc {
        out.push('Z');
    }
    Rendered::Text
}

/// `2024-02-29`; years of more than four digits have a sign, as ISO 8601 wants.
fn date(out: &mut String, days: i64) -> Rendered {
    show(out, Day::from_unix_d(days))
}

/// `12:34:56`, with a fraction of 3, 6 or 9 digits if there is one.
fn time(out: &mut String, value: i64, unit: TimeUnit) -> Rendered {
    let (seconds, nanos) = split(value, unit);
    // Writing to a string does not fail.
    let _ = write_time_of_day(seconds, nanos, out);
    Rendered::Text
}

/// Whole seconds, and nanoseconds behind them.
fn split(value: i64, unit: TimeUnit) -> (i64, u32) {
    let per_second = per_second(unit);
    let nanos = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    (value.div_euclid(per_second), u32::try_from(nanos).unwrap_or(0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shown_by(write: impl FnOnce(&mut String) -> Rendered) -> String {
        let mut out = String::new();
        assert_eq!(write(&mut out), Rendered::Text);
        out
    }

    #[test]
    fn dates_and_times_are_iso_8601() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (2_932_897, "+10000-01-01"),
        ] {
            assert_eq!(shown_by(|out| date(out, days)), expected);
        }
        let cases = [
            (0, TimeUnit::Second, "1970-01-01T00:00:00"),
            (-1, TimeUnit::Millisecond, "1969-12-31T23:59:59.999"),
            (1_709_210_096_120_000, TimeUnit::Microsecond, "2024-02-29T12:34:56.120"),
            (1_709_210_096_120_000_001, TimeUnit::Nanosecond, "2024-02-29T12:34:56.120000001"),
        ];
        for (value, unit, expected) in cases {
            assert_eq!(shown_by(|out| timestamp(out, value, unit, false)), expected);
            assert_eq!(shown_by(|out| timestamp(out, value, unit, true)), format!("{expected}Z"));
        }
        for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
            for extreme in [i64::MIN, i64::MAX] {
                shown_by(|out| timestamp(out, extreme, unit, true));
            }
        }
    }
}
