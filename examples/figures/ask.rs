use crate::Outcome;
use crate::market::{Appends, Market};
use crate::measure::{median, print, process_cpu_s, seconds};

const ROWS: u64 = 1_000_000;
const ASKS: usize = 31;

/// From the bytes of a request to the sealed answer over 1,000,000 rows, with a quantum of 0. The first question after a
/// start also reads and hashes the columns it asks for.
pub(crate) fn latency() -> Outcome {
    let (mut market, space) = Market::new(ROWS)?;
    drop(space);
    let gate = market.gate()?;
    let mut appends = Appends::new(market.path())?;
    let (mut latency, mut fdatasync, mut beyond, mut cpu, mut first) = (Vec::new(), Vec::new(), Vec::new(), 0.0, None);
    for _ in 0..=ASKS {
        let request = market.request(None)?;
        let start = process_cpu_s();
        let mut outcome = None;
        let taken = seconds(|| outcome = Some(gate.answer(request.bytes())));
        let used = process_cpu_s() - start;
        outcome.ok_or("no outcome")??;
        if first.is_none() {
            first = Some(taken);
            continue;
        }
        let two = appends.next_s()? + appends.next_s()?;
        latency.push(taken * 1e3);
        fdatasync.push(two / 2.0 * 1e3);
        beyond.push((taken - two) * 1e3);
        cpu += used * 1e3;
    }
    print("ask.latency_1m.ms", median(latency), "ms");
    print("ask.latency_1m.first.ms", first.unwrap_or_default() * 1e3, "ms");
    print("ask.latency_1m.beyond_2_fdatasync.ms", median(beyond), "ms");
    print("ask.latency_1m.cpu.ms", cpu / ASKS as f64, "ms of CPU time, all threads");
    print("limit.fdatasync.ms", median(fdatasync), "ms");
    Ok(())
}
