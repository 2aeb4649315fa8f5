//! The figures that `docs/next.md` has goals for, and their limits, one a line: name, value, unit, with tabs between.
//!
//! ```text
//! cargo run --release --features hazmat,parquet --example figures                       all, in about a minute
//! cargo run --release --features hazmat,parquet --example figures -- noise aggregate    groups that print such names
//! ```
//! Limits and twins are measured in turn with what they are compared to, in the same run. Rates of computing are per
//! second of CPU time, so that other work on the machine hardly shows; what waits for the disk goes by the clock. All are
//! medians.

#[path = "figures/aggregate.rs"]
mod aggregate;
#[path = "figures/ask.rs"]
mod ask;
#[path = "figures/desensitise.rs"]
mod desensitise;
#[path = "figures/ledger.rs"]
mod ledger;
#[path = "figures/market.rs"]
mod market;
#[path = "figures/measure.rs"]
mod measure;
#[path = "figures/noise.rs"]
mod noise;
#[path = "figures/receipt.rs"]
mod receipt;
#[path = "register/mod.rs"]
mod register;
#[path = "figures/right.rs"]
mod right;

use std::error::Error;

type Outcome = Result<(), Box<dyn Error>>;

/// The first parts of what a group prints, and the group.
type Group = (&'static [&'static str], fn() -> Outcome);

const GROUPS: [Group; 15] = [
    (&["noise.laplace", "noise.gaussian", "limit.chacha20"], noise::laplace),
    (&["plan.1000x50"], noise::plan),
    (&["continual.factor"], noise::continual),
    (&["aggregate.rows", "aggregate.plain", "aggregate.twin"], aggregate::rows),
    (&["aggregate.unit"], aggregate::units),
    (&["aggregate.unknown"], aggregate::unknown),
    (&["aggregate.quantile"], aggregate::quantiles),
    (&["ask.latency_1m", "limit.fdatasync"], ask::latency),
    (&["ask.async_64"], ask::at_once),
    (&["desensitise.arrow", "limit.aes_block", "limit.hmac", "limit.memcpy"], desensitise::in_memory),
    (&["desensitise.csv", "desensitise.parquet", "desensitise.unique", "limit.sort", "desensitise.peak"], desensitise::files),
    (&["right.verify", "limit.ed25519_verify"], right::verify),
    (&["ledger.spend", "ledger.entry", "ask.syncs", "ask.disk", "limit.fdatasync"], ledger::spend),
    (&["grant.at"], ledger::grants),
    (&["receipt", "limit.ed25519_verify"], receipt::bytes_and_time),
];

fn main() -> Outcome {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let meet = |name: &str| wanted.iter().any(|wanted| name.starts_with(wanted.as_str()) || wanted.starts_with(name));
    let groups: Vec<_> = GROUPS.into_iter().filter(|(names, _)| wanted.is_empty() || names.iter().any(|name| meet(name))).collect();
    if groups.is_empty() {
        let names: Vec<_> = GROUPS.iter().flat_map(|(names, _)| *names).copied().collect();
        return Err(format!("no figure begins so; the names begin with {}", names.join(", ")).into());
    }
    if cfg!(debug_assertions) {
        eprintln!("a debug build: these are not the numbers of the crate, run with --release");
    }
    groups.into_iter().try_for_each(|(_, group)| group())
}
