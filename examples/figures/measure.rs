//! How time is taken and numbers are printed.

use std::fs;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// What is run again and again, and how much of it one call is.
pub(crate) struct Work<'a> {
    amount: f64,
    call: Box<dyn FnMut() + 'a>,
}

/// A round of one work lasts at least so long.
const ROUND_S: f64 = 0.05;
/// Rounds of each work, of which the median counts.
const ROUNDS: usize = 9;

impl<'a> Work<'a> {
    pub(crate) fn new(amount: u32, call: impl FnMut() + 'a) -> Self {
        Self { amount: amount.into(), call: Box::new(call) }
    }
}

/// How much of each work one thread does in a second of its CPU time; the works take turns.
pub(crate) fn rates<const N: usize>(works: [Work<'_>; N]) -> [f64; N] {
    let mut works = works.map(|mut work| {
        let calls = calls_of_a_round(&mut work.call);
        (work, calls, Vec::new())
    });
    for _ in 0..ROUNDS {
        for (work, calls, rates) in &mut works {
            let start = thread_cpu_s();
            (0..*calls).for_each(|_| (work.call)());
            rates.push(work.amount * f64::from(*calls) / (thread_cpu_s() - start));
        }
    }
    works.map(|(.., rates)| median(rates))
}

fn calls_of_a_round(call: &mut dyn FnMut()) -> u32 {
    call();
    let mut calls = 1;
    loop {
        let start = thread_cpu_s();
        (0..calls).for_each(|_| call());
        if thread_cpu_s() - start >= ROUND_S {
            return calls;
        }
        calls *= 2;
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Seconds by the clock.
pub(crate) fn seconds(call: impl FnOnce()) -> f64 {
    let start = Instant::now();
    call();
    start.elapsed().as_secs_f64()
}

/// CPU time of this thread, in nanoseconds as the kernel counts them.
pub(crate) fn thread_cpu_s() -> f64 {
    cpu_s(ClockId::ThreadCPUTime)
}

/// CPU time of all threads of this process, ended ones too.
pub(crate) fn process_cpu_s() -> f64 {
    cpu_s(ClockId::ProcessCPUTime)
}

fn cpu_s(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The most memory that this process has had.
pub(crate) fn peak_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(1024.0 * line.split_ascii_whitespace().nth(1)?.parse::<f64>().ok()?)
}

/// Prints one figure.
pub(crate) fn print(name: &str, value: f64, unit: &str) {
    if value >= 1000.0 {
        println!("{name}\t{value:.0}\t{unit}");
    } else {
        println!("{name}\t{value:.3}\t{unit}");
    }
}
