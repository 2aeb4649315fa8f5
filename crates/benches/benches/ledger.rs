//! The ledger: durable charges of 1, 64 and 1,024 callers from at most 16 threads, beside the fdatasync of a sector in the same
//! run. `cargo bench -p usufruct-benches --bench ledger [-- SECONDS]`
#![allow(missing_docs)]

#[path = "../../../examples/figures/measure.rs"]
#[allow(dead_code)]
mod measure;
#[path = "ledger/spends.rs"]
mod spends;

use std::time::Duration;

use measure::print;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let seconds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(4);
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR"))?;
    for callers in [1, 64, 1024] {
        let before = spends::fdatasync_per_s(folder.path(), Duration::from_secs(1))?;
        let spent = spends::spend(folder.path(), callers, Duration::from_secs(seconds))?;
        let limit = (before + spends::fdatasync_per_s(folder.path(), Duration::from_secs(1))?) / 2.0;
        let name = format!("ledger.spend_{callers}");
        print(&format!("{name}.per_s"), spent.per_s, "1/s");
        print(&format!("{name}.ratio"), spent.per_s / limit, "of fdatasync");
        print(&format!("{name}.batch"), spent.batch, "charges");
        print(&format!("{name}.cpu_us"), spent.cpu_us, "us");
        print("limit.fdatasync.per_s", limit, "1/s");
        print("ledger.entry.bytes", spent.entry_bytes as f64, "bytes");
    }
    Ok(())
}
