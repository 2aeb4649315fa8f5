//! What a question means, and what is released of it (计算).
//!
//! A [`BoundQuery`] knows its types, groups and base vectors; an [engine](crate::engine) computes each vector exactly, and parts
//! that saw other units add up ([`ExactPart`]); [`Exact`] sums leave only through noise, each vector noised once and shared by the
//! items that need it (rule D4). Nothing here knows what computes: what the rules say of a row and of a unit is evaluated by
//! [`Evaluator`], [`ContributionBound`] and [`BoundQuery::additions`], on whatever rows an engine has.
//!
//! ```text
//! Query + Schema --> BoundQuery -------price-------> Allocation: one share of the price and one mechanism for each step
//!                        |                                |
//! Blocks -----engine-----+--> ExactPart                   |
//!                              | merge, complete          |
//!                              v                          v
//!                             Exact ---------noise--------+--> Noisy --> Group { key, estimates: value, low, high, method }
//!
//! row --> WHERE is true --> group of values, or `other`, or dropped --> (unit: choose groups, then rows, then all rows)
//!     --> a null drops out of its own column --> clamp --> x - c, (x - c)^2, slot of a table --> sum
//!
//! steps: which groups of unknown values are named --> which are the largest --> noise on vectors, quantiles from grids
//! ```
//!
//! Whatever can be wrong about a question is found by [`BoundQuery::new`] and [`Allocation::new`], before anything is charged.
//!
//! # Source
//! Rules B7, C8, D1, D2, D4, E6, F1 to F3 of `docs/rules.md`.
//!
//! # Not promised
//! Constant time: how long a choice takes depends on its scores. Answers leave at a quantum of time (rule G2).

mod allocation;
mod batch;
mod binning;
pub(crate) mod bound;
mod contribution;
mod decimal;
mod estimate;
pub(crate) mod evaluator;
mod exact;
mod filter;
pub(crate) mod group;
mod noisy;
mod price;
mod rank;
pub(crate) mod summand;
mod vector;

pub use allocation::{Allocation, AllocationError, SHARE_UNITS};
pub use batch::Batch;
pub use bound::{ANSWER_BYTES_MAX, AnswerColumn, BindError, BoundQuery, CELLS_MAX, ReleaseStep};
pub use contribution::{ContributionBound, UnitRow};
pub use estimate::{Group, IntervalEstimate, IntervalWidth, NO_BINS, NO_INTERVAL};
pub use evaluator::Evaluator;
pub use exact::{Exact, ExactError, ExactPart};
pub use group::{GroupKey, group_hash};
pub use noisy::Noisy;
pub use price::PriceError;
pub use vector::{Vector, VectorKind};
