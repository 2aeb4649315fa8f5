//! What a question means, and what is released of it (计算).
//!
//! A [`Bound`] query knows its types, groups and base vectors; an [engine](crate::engine) computes each vector exactly; [`Exact`]
//! sums leave only through noise, each vector noised once and shared by the items that need it (rule D4). Nothing here knows
//! what computes: what the rules say of a row and of a unit is evaluated by [`Evaluator`], [`ContributionBound`] and
//! [`Bound::additions`], on whatever rows an engine has.
//!
//! ```text
//! Query + Schema --> Bound --price--> Split: one share of the price and one mechanism for each step
//!                      |                |
//! Blocks ---engine---> Exact ---noise---+--> Noisy --> Group { key, estimates: value, low, high, method }
//!
//! row --> WHERE is true --> group of values, or `other`, or dropped --> (unit: choose groups, then rows, then all rows)
//!     --> a null drops out of its own column --> clamp --> x - c, (x - c)^2, slot of a table --> sum
//!
//! steps: which groups of unknown values are named --> which are the largest --> noise on vectors, quantiles from grids
//! ```
//!
//! Whatever can be wrong about a question is found by [`Bound::new`] and [`Split::new`], before anything is charged.
//!
//! # Source
//! Rules B7, C8, D1, D4, E6, F1 to F3 of `docs/rules.md`.
//!
//! # Not promised
//! Constant time: how long a choice takes depends on its scores. Answers leave at a quantum of time (rule G2).

mod batch;
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
mod split;
pub(crate) mod summand;
mod table;
mod vector;

pub use batch::Batch;
pub use bound::{ANSWER_BYTES_MAX, BindError, Bound, CELLS_MAX, Output, Step};
pub use contribution::{ContributionBound, UnitRow};
pub use estimate::{Estimate, Group, NO_BINS, NO_INTERVAL, Width};
pub use evaluator::Evaluator;
pub use exact::{Exact, ExactError, ExactPart};
pub use group::{Key, group_hash};
pub use noisy::Noisy;
pub use price::PriceError;
pub use split::{SHARE_UNITS, Split, SplitError};
pub use vector::{Vector, VectorKind};
