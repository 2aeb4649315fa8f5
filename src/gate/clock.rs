//! Gate time, from a wall clock that is believed only as far as the ledger and a monotonic clock allow.

use std::time::Duration;

use crate::id::Time;
use crate::ledger::ClockError;
use crate::right::SKEW_S;

/// The furthest a wall clock may run from the monotonic one before it is no longer believed.
const JUMP_S: u64 = 3600;

/// Gate time (rule C7): never before the last entry of the ledger, and refused when the clock is clearly wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    wall: Duration,
    monotonic: Duration,
}

impl Clock {
    /// Remembers where both clocks stood.
    pub(super) const fn start(wall: Duration, monotonic: Duration) -> Self {
        Self { wall, monotonic }
    }

    /// Gate time, given both clocks and the time of the last entry.
    pub(super) fn gate_time(&self, wall: Duration, monotonic: Duration, last: Option<Time>) -> Result<Time, ClockError> {
        if wall.as_secs().abs_diff(self.unix(monotonic).as_secs()) > JUMP_S {
            return Err(ClockError::Jumped);
        }
        let now = Time::from_unix_s(wall.as_secs());
        match last {
            Some(last) if last.since_s(now) > SKEW_S => Err(ClockError::Behind),
            Some(last) => Ok(now.max(last)),
            None => Ok(now),
        }
    }

    /// The time since 1970 at a moment of the monotonic clock, by the wall clock of the start: steady, for the ticks of a quantum.
    pub(super) fn unix(&self, monotonic: Duration) -> Duration {
        self.wall.saturating_add(monotonic.saturating_sub(self.monotonic))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back_and_wrong_clocks_are_refused() {
        let clock = Clock::start(Duration::from_secs(10_000), Duration::from_secs(5));
        let at = |wall, monotonic, last| clock.gate_time(Duration::from_secs(wall), Duration::from_secs(monotonic), last);
        assert_eq!(at(10_010, 15, None).unwrap().unix_s(), 10_010);
        assert_eq!(at(10_010, 15, Some(Time::from_unix_s(10_300))).unwrap().unix_s(), 10_300);
        assert!(at(10_010, 15, Some(Time::from_unix_s(10_310))).is_ok());
        assert!(at(10_010, 15, Some(Time::from_unix_s(10_311))).is_err());
        assert!(at(13_610, 15, None).is_ok());
        assert!(at(13_611, 15, None).is_err());
        assert!(at(6_410, 15, None).is_ok());
        assert!(at(6_409, 15, None).is_err());
    }
}
