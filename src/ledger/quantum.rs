//! The quantum of a space: the step of every time that leaves it.

use crate::class::Class;
use crate::codec::stored;
use crate::id::Time;

/// The step of every time that leaves a space, in milliseconds: 0 (none), a divisor of 1,000, or a multiple of 1,000 up to
/// 60,000, so that whole seconds and quanta always fall together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
pub struct Quantum(u32);

/// A length that no quantum has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quantum of {found} ms: expected 0, a divisor of 1000, or a multiple of 1000 up to {}", Quantum::MS_MAX)]
pub struct QuantumError {
    /// What was asked.
    pub found: u32,
}

impl QuantumError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}

impl Quantum {
    /// No quantum: answers leave when they are ready, and times are whole seconds.
    pub const NONE: Self = Self(0);
    /// What a space has unless told otherwise: longer than an answer over a million rows takes, and short for whoever waits.
    pub const DEFAULT: Self = Self(100);
    /// The longest: nobody waits longer than a minute for a boundary.
    pub const MS_MAX: u32 = 60_000;

    /// Of so many milliseconds.
    ///
    /// # Errors
    /// A length that is not one of those above.
    pub const fn new(ms: u32) -> Result<Self, QuantumError> {
        if is_quantum(ms) { Ok(Self(ms)) } else { Err(QuantumError { found: ms }) }
    }

    /// The shortest of at least so many milliseconds; the longest of all for more.
    #[must_use]
    pub const fn at_least(ms: u32) -> Self {
        let mut found = if ms > Self::MS_MAX { Self::MS_MAX } else { ms };
        while !is_quantum(found) {
            found += 1;
        }
        Self(found)
    }

    /// Milliseconds.
    #[must_use]
    pub const fn ms(self) -> u32 {
        self.0
    }

    /// What written times are multiples of: times are whole seconds, so at least 1.
    #[must_use]
    pub const fn unit_s(self) -> u64 {
        if self.0 < 1000 { 1 } else { self.0 as u64 / 1000 }
    }

    /// The last written time that is not after `time`.
    #[must_use]
    pub const fn floor(self, time: Time) -> Time {
        Time::from_unix_s(time.unix_s() - time.unix_s() % self.unit_s())
    }

    /// The first written time that is not before `time`; at the end of time the last one.
    #[must_use]
    pub const fn ceil(self, time: Time) -> Time {
        let floor = self.floor(time);
        if floor.unix_s() == time.unix_s() { floor } else { floor.plus_s(self.unit_s()) }
    }
}

const fn is_quantum(ms: u32) -> bool {
    ms == 0 || (ms <= Quantum::MS_MAX && (1000u32.is_multiple_of(ms) || ms.is_multiple_of(1000)))
}

stored!(
    Quantum as u64,
    "milliseconds",
    |quantum| quantum.0.into(),
    |ms| u32::try_from(ms).ok().and_then(|ms| Self::new(ms).ok()),
    "0, a divisor of 1000, or a multiple of 1000 up to 60000"
);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_quanta_fall_together() {
        for ms in 0..=70_000 {
            let valid = ms == 0 || (ms <= 60_000 && (1000 % ms == 0 || ms % 1000 == 0));
            assert_eq!(Quantum::new(ms).is_ok(), valid, "{ms}");
            let next = Quantum::at_least(ms);
            assert!(Quantum::new(next.ms()).is_ok() && (next.ms() >= ms || ms > Quantum::MS_MAX), "{ms}");
        }
        assert_eq!(
            [0, 1, 3, 101, 501, 1_001, 59_999, 60_001].map(|ms| Quantum::at_least(ms).ms()),
            [0, 1, 4, 125, 1_000, 2_000, 60_000, 60_000]
        );
        assert_eq!(
            Quantum::new(150).unwrap_err().to_string(),
            "a quantum of 150 ms: expected 0, a divisor of 1000, or a multiple of 1000 up to 60000"
        );
    }

    #[test]
    fn written_times_are_multiples_of_the_unit() {
        let time = Time::from_unix_s(1_767_225_659);
        for (ms, unit, floor) in [(0, 1, 659), (1, 1, 659), (100, 1, 659), (1_000, 1, 659), (20_000, 20, 640), (60_000, 60, 600)] {
            let quantum = Quantum::new(ms).unwrap();
            assert_eq!((quantum.unit_s(), quantum.floor(time).unix_s()), (unit, 1_767_225_000 + floor), "{ms}");
        }
    }
}
