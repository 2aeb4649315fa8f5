//! What a probe reports: findings, each with the check that made it.

use std::fmt;

/// What a probe found; its [`fmt::Display`] is for people.
///
/// It may tell about the data it was run on, and so says `"internal": true` where it is serialized (rule G3).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct ProbeReport {
    /// What is wrong, [`ProbeReport::FINDINGS_MAX`] at most.
    pub findings: Vec<ProbeFinding>,
    /// A lower bound of the true epsilon at [`Self::delta`], over all pairs, at confidence 1 - 10^-6.
    pub epsilon_low: f64,
    /// The epsilon that is claimed at that delta.
    pub epsilon_claimed: f64,
    /// The delta: the one that is claimed, and in zCDP 10^-6 more.
    pub delta: f64,
    /// How many pairs of neighbours were compared.
    pub pairs: usize,
    /// Releases of each side of each pair.
    pub runs: u32,
    /// How many statistical tests share the chance of a false alarm.
    pub tests: u64,
}

impl ProbeReport {
    /// More findings say nothing new.
    pub const FINDINGS_MAX: usize = 100;

    /// Whether a check found something.
    #[must_use]
    pub fn found(&self, check: Check) -> bool {
        self.findings.iter().any(|finding| finding.fault.check() == check)
    }
}

#[cfg(feature = "embedded")]
impl serde::Serialize for ProbeReport {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;

        let Self { findings, epsilon_low, epsilon_claimed, delta, pairs, runs, tests } = self;
        let mut out = serializer.serialize_struct("ProbeReport", 8)?;
        out.serialize_field("internal", &true)?;
        out.serialize_field("findings", findings)?;
        out.serialize_field("epsilon_low", epsilon_low)?;
        out.serialize_field("epsilon_claimed", epsilon_claimed)?;
        out.serialize_field("delta", delta)?;
        out.serialize_field("pairs", pairs)?;
        out.serialize_field("runs", runs)?;
        out.serialize_field("tests", tests)?;
        out.end()
    }
}

impl fmt::Display for ProbeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { findings, epsilon_low, epsilon_claimed, delta, pairs, runs, tests } = self;
        writeln!(f, "{pairs} pairs of neighbours, {runs} releases of each side, {tests} statistical tests")?;
        writeln!(f, "epsilon at delta {delta:e}: at least {epsilon_low:.4} (confidence 1 - 1e-6), claimed {epsilon_claimed:.4}")?;
        for finding in findings {
            writeln!(f, "{finding}")?;
        }
        if findings.is_empty() {
            writeln!(f, "no finding; that is no proof")?;
        }
        Ok(())
    }
}

/// A fault, and where it showed.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
pub struct ProbeFinding {
    /// The pair of data, in the order in which they were given; those in another order count for themselves.
    pub pair: usize,
    /// What is wrong.
    pub fault: Violation,
}

impl fmt::Display for ProbeFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pair {}, {}: {}", self.pair, self.fault.check(), self.fault)
    }
}

/// Which check found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
#[cfg_attr(feature = "embedded", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Check {
    /// Neighbours have the same steps and claims.
    Claims,
    /// Sensitivities and scales against the loss.
    Account,
    /// Exact values against the sensitivity.
    Sensitivity,
    /// The same randomness on both sides.
    Replay,
    /// The same data in another order.
    Order,
    /// The law of the noise.
    Law,
    /// Independence of noises.
    Independence,
    /// Events against epsilon and delta.
    Distinguishing,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claims => "claims",
            Self::Account => "account",
            Self::Sensitivity => "sensitivity",
            Self::Replay => "replay",
            Self::Order => "order",
            Self::Law => "law",
            Self::Independence => "independence",
            Self::Distinguishing => "distinguishing",
        })
    }
}

/// A norm of sensitivity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
#[cfg_attr(feature = "embedded", serde(rename_all = "snake_case"))]
pub enum Norm {
    /// The sum of magnitudes.
    L1,
    /// The sum of squares.
    SquaredL2,
}

/// What is wrong: a finding and no error, so it has no class.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
#[cfg_attr(feature = "embedded", serde(rename_all = "snake_case", tag = "violation"))]
#[non_exhaustive]
pub enum Violation {
    /// The data decide what is claimed.
    #[error("{part} of step {step} differs between neighbours: {left} and {right}")]
    Claims {
        /// The step, by its place.
        step: usize,
        /// What differs.
        part: &'static str,
        /// On one side.
        left: String,
        /// On the other.
        right: String,
    },
    /// A step costs more than its share.
    #[error("{step} has the share {share}, and its sensitivity and scale make {needed}")]
    Share {
        /// The step.
        step: String,
        /// Epsilon or rho that it claims.
        share: f64,
        /// What it is.
        needed: f64,
    },
    /// The shares are more than the whole.
    #[error("the shares of the steps add up to more than the claimed {claimed}")]
    Whole {
        /// What the subject claims.
        claimed: String,
    },
    /// Exact values differ by more than is claimed.
    #[error("the exact values of {step} differ by {found} in {}, claimed {claimed}", if *norm == Norm::L1 { "L1" } else { "squared L2" })]
    Sensitivity {
        /// The step.
        step: String,
        /// In which norm.
        norm: Norm,
        /// The claim.
        claimed: u128,
        /// What was found; the greatest number where it is more.
        found: u128,
    },
    /// A release does not have as many numbers as it should.
    #[error("a release has {found} places, {needed} are needed")]
    Places {
        /// At least, or on the other side.
        needed: usize,
        /// What came out.
        found: usize,
    },
    /// Under one seed a place is filled for one neighbour alone, before any choice.
    #[error("under one seed, place {place} is filled for one neighbour only")]
    Filled {
        /// The place in the release.
        place: usize,
    },
    /// Under one seed the noise differs.
    #[error("under one seed, {step} has noise {left} at place {place} for one neighbour and {right} for the other")]
    Noise {
        /// The step.
        step: String,
        /// The place in the release.
        place: usize,
        /// The noise on one side.
        left: i128,
        /// On the other.
        right: i128,
    },
    /// Under one seed one neighbour draws more.
    #[error("under one seed, one neighbour draws {left} random words and the other {right}")]
    Words {
        /// On one side.
        left: u64,
        /// On the other.
        right: u64,
    },
    /// Another order of the same data shows.
    #[error("the order of the data shows in {part}")]
    Order {
        /// In what.
        part: &'static str,
    },
    /// An event of the noise is too frequent or too rare.
    #[error("noise of {step} at place {place} is {event} in {found} of {runs} releases, its law says {expected:.6} of them")]
    Law {
        /// The step.
        step: String,
        /// The place in the release.
        place: usize,
        /// The event.
        event: String,
        /// How often it came out.
        found: u64,
        /// Of how many.
        runs: u64,
        /// Its probability.
        expected: f64,
    },
    /// Two noises agree too often or too rarely.
    #[error("the noises at the places {places:?} have one sign in {found} of {runs} releases, independent ones in {expected:.6} of them")]
    Dependent {
        /// Two places of the release.
        places: (usize, usize),
        /// How often both or none were above 0.
        found: u64,
        /// Of how many.
        runs: u64,
        /// The probability.
        expected: f64,
    },
    /// An event tells neighbours apart better than is claimed.
    #[error(
        "epsilon is at least {low:.4}, claimed {claimed:.4}: {event} in {likely} of {runs} releases of one neighbour and {unlikely} of the other"
    )]
    Distinguished {
        /// The lower bound.
        low: f64,
        /// The claim.
        claimed: f64,
        /// The event.
        event: String,
        /// Where it is likelier.
        likely: u64,
        /// Where it is not.
        unlikely: u64,
        /// Of how many on each side.
        runs: u64,
    },
}

impl Violation {
    /// Which check finds it.
    #[must_use]
    pub const fn check(&self) -> Check {
        match self {
            Self::Claims { .. } => Check::Claims,
            Self::Share { .. } | Self::Whole { .. } => Check::Account,
            Self::Sensitivity { .. } => Check::Sensitivity,
            Self::Places { .. } | Self::Filled { .. } | Self::Noise { .. } | Self::Words { .. } => Check::Replay,
            Self::Order { .. } => Check::Order,
            Self::Law { .. } => Check::Law,
            Self::Dependent { .. } => Check::Independence,
            Self::Distinguished { .. } => Check::Distinguishing,
        }
    }
}
