use std::time::Duration;

use crate::id::Time;
use crate::right::{SKEW_S, Verdict};

/// The furthest a wall clock may run from the monotonic one before it is no longer believed.
const JUMP_S: u64 = 3600;

/// Gate time (rule C7): never before the last entry of the ledger, and refused when the clock is clearly wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    wall_s: u64,
    monotonic: Duration,
}

impl Clock {
    /// Remembers where both clocks stood.
    pub(super) const fn start(wall_s: u64, monotonic: Duration) -> Self {
        Self { wall_s, monotonic }
    }

    /// Gate time, given both clocks and the time of the last entry.
    pub(super) fn gate_time(&self, wall_s: u64, monotonic: Duration, last: Option<Time>) -> Result<Time, Verdict> {
        let expected = self.wall_s.saturating_add(monotonic.saturating_sub(self.monotonic).as_secs());
        if wall_s.abs_diff(expected) > JUMP_S {
            return Err(Verdict::Clock("it jumped by more than an hour since the gate started; restart the gate"));
        }
        let now = Time::from_unix_s(wall_s);
        match last {
            Some(last) if last.since_s(now) > SKEW_S => Err(Verdict::Clock("it is more than 300 s behind the last entry of the ledger")),
            Some(last) => Ok(now.max(last)),
            None => Ok(now),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back_and_wrong_clocks_are_refused() {
        let clock = Clock::start(10_000, Duration::from_secs(5));
        let at = |wall, monotonic, last| clock.gate_time(wall, Duration::from_secs(monotonic), last);
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
