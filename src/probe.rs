//! Self-audit (自查): runs a mechanism, or a request on a table in memory, on neighbouring data with recorded randomness and
//! looks for what differential privacy forbids.
//!
//! A [`Subject`] says what it claims of each step and releases numbers; a [`Probe`] holds the two against each other. It takes
//! mechanisms and tables, never a gate or a space: nothing here can open one, and nothing it draws is noise for an answer.
//!
//! ```text
//! check            what must hold                                                     decided
//! claims           neighbours have the same steps, sensitivities and noise laws       exactly
//! account          sensitivity over scale is within the share, the shares within the  exactly
//!                  whole
//! sensitivity      exact values of neighbours differ by the claim at most, L1 and L2  exactly
//! replay           under one seed neighbours get the same noise, from as many random  exactly
//!                  words, and the same places are filled
//! order            under one seed the same data in another order gives the same       exactly
//! law              noise has the claimed law: bins, both tails, zero, residues of 8   exact binomial test
//! independence     no two noises agree in sign more or less often than they should    exact binomial test
//! distinguishing   no event is likelier on one side than epsilon and delta allow      Clopper-Pearson bounds
//! ```
//!
//! ```
//! use usufruct::budget::{Epsilon, Loss};
//! use usufruct::dp::LaplaceMechanism;
//! use usufruct::probe::{Claim, Noise, Probe, Subject};
//! use usufruct::random::Random;
//!
//! /// A count at epsilon 1.
//! struct Count(LaplaceMechanism);
//!
//! impl Subject for Count {
//!     type Data = Vec<i64>;
//!
//!     fn steps(&self, data: &Vec<i64>) -> Vec<Claim> {
//!         vec![Claim::new("count", self.claimed(), 1, Noise::Laplace(self.0.scale()), vec![data.len() as i128])]
//!     }
//!
//!     fn release(&self, data: &Vec<i64>, random: &mut dyn Random) -> Vec<Option<i128>> {
//!         vec![Some(self.0.release(data.len() as i128, random))]
//!     }
//!
//!     fn claimed(&self) -> Loss {
//!         Loss::approx("1", "0").expect("an amount")
//!     }
//! }
//!
//! let count = Count(LaplaceMechanism::new(1, Epsilon::parse("1")?)?);
//! let report = Probe::new(count).neighbours(vec![4, 5], vec![4, 5, 6]).runs(4_000).run();
//! assert!(report.findings.is_empty(), "{report}");
//! assert!(report.epsilon_low > 0.5 && report.epsilon_low <= 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a report proves
//! A finding of an exact check is a fault, or a false claim, on the data that was given. A finding of a statistical check is one
//! but for a chance of 10^-6 a run of the probe, all its tests together; [`ProbeReport::epsilon_low`] is a lower bound of the true
//! epsilon with the same confidence.
//!
//! # Not promised
//! Anything by the absence of findings: a lower bound is evidence, and data, seeds or events that were not tried may show
//! more. Time, memory and errors of the machine are not looked at. A report may tell about the data it was run on: run
//! it on made-up tables, or keep it with the data.
//!
//! # Source
//! Record and replay, claimed sensitivities: Cebere et al., "Re:cord-play", arXiv 2602.17454. Lower bounds from an event chosen on
//! other runs: Jagielski, Ullman, Oprea, arXiv 2006.07709; Clopper and Pearson 1934. Rule L5 of `docs/rules.md`.

mod binomial;
mod distinguish;
#[cfg(feature = "embedded")]
mod error;
mod exact;
mod finding;
mod law;
mod noise;
#[cfg(feature = "embedded")]
mod request;
#[cfg(feature = "embedded")]
mod rows;
mod run;
mod subject;

#[cfg(test)]
mod tests;

#[cfg(feature = "embedded")]
pub use error::ProbeError;
pub use finding::{Check, Norm, ProbeFinding, ProbeReport, Violation};
#[cfg(feature = "embedded")]
pub use request::RequestProbe;
#[cfg(feature = "embedded")]
pub use rows::{Cell, Rows};
pub use run::Probe;
pub use subject::{Chosen, Claim, Noise, Subject};
