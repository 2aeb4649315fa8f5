//! How many visits there were so far, told every day of a week: one budget for all of them.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fs;
use std::path::Path;

use ring::hmac;
use usufruct::budget::{Delta, Rho};
use usufruct::dp::accountant::zcdp;
use usufruct::dp::continual::{ContinualError, Counter, CounterPlan, StateKey, factor};
use usufruct::random::{Random as _, SystemRandom};

use crate::notebook::REPORT_DELTA;
use crate::plot::{Outcome, number};

const RESTAURANT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/datasets/restaurant/week_data.csv");

const DAYS: u32 = 7;
/// Whoever comes more often counts so often.
const VISITS_MAX: u32 = 3;
const RHO: &str = "0.1";
/// Well above the guests there can be: a public number.
const ROOM: u32 = 10_000;

/// Who came on each day.
struct Visits {
    source: &'static str,
    days: Vec<Vec<u64>>,
}

impl Visits {
    fn read() -> Result<Self, Box<dyn Error>> {
        if !Path::new(RESTAURANT).is_file() {
            return Ok(Self::generated());
        }
        let mut days = vec![Vec::new(); DAYS as usize];
        for line in fs::read_to_string(RESTAURANT)?.lines().skip(1).filter(|line| !line.is_empty()) {
            let mut cells = line.split(',');
            let visitor = cells.next().ok_or("a line of week_data.csv is short")?.parse()?;
            let day: usize = cells.next_back().ok_or("a line of week_data.csv is short")?.trim().parse()?;
            days.get_mut(day.wrapping_sub(1)).ok_or("a day of week_data.csv is none of the week")?.push(visitor);
        }
        Ok(Self { source: "a restaurant", days })
    }

    /// 400 visits a day, half of them of 300 guests who like to come again.
    fn generated() -> Self {
        let visitor = |day: u64, visit: u64| {
            let place = (day * 400 + visit).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            if visit.is_multiple_of(2) { place % 300 } else { 300 + place % 5_000 }
        };
        let days = (0..u64::from(DAYS)).map(|day| (0..400).map(|visit| visitor(day, visit)).collect()).collect();
        Self { source: "a generated restaurant", days }
    }
}

pub(crate) fn count() -> Outcome {
    println!("\n7. A COUNT THAT GOES ON: visits so far, every day of a week, {VISITS_MAX} of one guest at most");
    let rho = Rho::parse(RHO)?;
    let plan = CounterPlan::new(DAYS, VISITS_MAX, 1, rho)?;
    let worth = zcdp::epsilon_of(rho, Delta::parse(REPORT_DELTA)?)?;
    println!("rho {RHO} for all days together, worth epsilon {worth} at a delta of {REPORT_DELTA}");
    let half_widths = (0..DAYS).filter_map(|day| plan.half_width(day)).map(|half| half.to_string()).collect::<Vec<_>>();
    println!("intervals reach to both sides by {}: known before the first day", half_widths.join(", "));
    let noise = factor(DAYS, VISITS_MAX, 1)?;
    println!("noise: {noise:.2} times that of one count; over 1,024 days, each guest once, {:.2} times", factor(1_024, 1, 1)?);

    let visits = Visits::read()?;
    let mut random = SystemRandom::new()?;
    let mut secret = [0; 32];
    random.fill(&mut secret);
    // Guests are known to the counter by keyed ids only.
    let guests = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let key = StateKey::generate(&mut random);
    let mut counter = Counter::new(plan, ROOM)?;
    let (mut all, mut bounded, mut inside) = (0, 0, 0);
    let mut seen: HashMap<u64, u32> = HashMap::new();
    println!("  of {}", visits.source);
    println!("  day  visits so far  counted  released  interval");
    for (day, visitors) in (1..).zip(&visits.days) {
        all += visitors.len();
        for visitor in visitors {
            let tag = hmac::sign(&guests, &visitor.to_be_bytes());
            let mut id = [0; 16];
            id.copy_from_slice(&tag.as_ref()[..16]);
            counter.admit(id)?;
        }
        // The same by hand, for the truth: a guest counts once a day, and on so many days.
        for visitor in visitors.iter().collect::<HashSet<_>>() {
            let times = seen.entry(*visitor).or_default();
            *times += 1;
            bounded += i128::from(*times <= VISITS_MAX);
        }
        // A service writes the state to a file and its ledger here, durably, before the value leaves.
        let released = counter.close(&key, day, &mut random, |_state| Ok::<(), ContinualError>(()))?;
        let half = i128::try_from(released.half_width)?;
        let (low, high) = (released.value - half, released.value + half);
        inside += usize::from((low..=high).contains(&bounded));
        println!("  {day:>3}  {:>13}  {:>7}  {:>8}  [{low}, {high}]", number(all as f64), bounded, released.value);
    }
    println!("  {inside} of {DAYS} intervals hold what was counted");
    Ok(())
}
