//! A run of all checks on one mechanism, from a seed.

use super::distinguish::{self, Claimed};
use super::noise::Tally;
use super::{ProbeFinding, ProbeReport, Subject, Violation, exact};
use crate::random::RecordedRandom;

/// The chance of a false alarm of all statistical tests of one run together, by half for the law and independence of noise and
/// by half for the distinguishing test.
pub(super) const FALSE_ALARM: f64 = 1e-6;
/// Enough to see a quarter more than the claimed epsilon around 1.
const RUNS: u32 = 20_000;

/// Runs the checks on a [`Subject`].
///
/// All randomness comes from the seed, so a run can be repeated.
#[derive(Debug)]
pub struct Probe<S: Subject> {
    subject: S,
    seed: String,
    runs: u32,
    pairs: Vec<(S::Data, S::Data)>,
    orders: Vec<(S::Data, S::Data)>,
}

impl<S: Subject> Probe<S> {
    /// A probe without data.
    #[must_use]
    pub fn new(subject: S) -> Self {
        Self { subject, seed: "probe".to_owned(), runs: RUNS, pairs: Vec::new(), orders: Vec::new() }
    }

    /// The same with another seed.
    #[must_use]
    pub fn seed(self, seed: &str) -> Self {
        Self { seed: seed.to_owned(), ..self }
    }

    /// The same with so many releases of each side of a pair, 20,000 unless it is said; half of them train the
    /// distinguishing test. With few it sees only gross faults, with none the statistical checks are left out.
    #[must_use]
    pub fn runs(self, runs: u32) -> Self {
        Self { runs, ..self }
    }

    /// The same with a pair of neighbouring data more.
    #[must_use]
    pub fn neighbours(mut self, left: S::Data, right: S::Data) -> Self {
        self.pairs.push((left, right));
        self
    }

    /// The same with a pair more that is one set of data in two orders.
    #[must_use]
    pub fn reordered(mut self, left: S::Data, right: S::Data) -> Self {
        self.orders.push((left, right));
        self
    }

    /// Runs all checks on all pairs.
    pub fn run(&self) -> ProbeReport {
        let claimed = Claimed::of(self.subject.claimed());
        let mut report = ProbeReport {
            findings: Vec::new(),
            epsilon_low: 0.0,
            epsilon_claimed: claimed.epsilon,
            delta: claimed.delta,
            pairs: self.pairs.len(),
            runs: self.runs,
            tests: 0,
        };
        let mut tallies = Vec::new();
        for (pair, sides) in self.pairs.iter().enumerate() {
            let faults = self.compare(pair, sides, claimed, &mut report, &mut tallies);
            note(&mut report, pair, faults);
        }
        // Only now is it known how many tests there are.
        let tests: u64 = tallies.iter().map(|(_, tally)| tally.tests()).sum();
        for (pair, tally) in &tallies {
            note(&mut report, *pair, tally.faults(FALSE_ALARM / 2.0 / tests.max(1) as f64));
        }
        report.tests += tests;
        for (pair, (left, right)) in self.orders.iter().enumerate() {
            let faults = exact::order(&self.subject, left, right, &format!("{}: {pair}", self.seed));
            note(&mut report, pair, faults);
        }
        report
    }

    /// What is wrong with a pair, but for its noise, which goes to `tallies`.
    fn compare(
        &self,
        pair: usize,
        (left, right): &(S::Data, S::Data),
        claimed: Claimed,
        report: &mut ProbeReport,
        tallies: &mut Vec<(usize, Tally)>,
    ) -> Vec<Violation> {
        let seed = format!("{}: {pair}", self.seed);
        let claims = (self.subject.steps(left), self.subject.steps(right));
        let mut faults = exact::claims(&claims.0, &claims.1);
        let same = !faults.iter().any(|fault| matches!(fault, Violation::Claims { part: "the number" | "the number of values", .. }));
        faults.extend(exact::account(&claims.0, self.subject.claimed()));
        if same {
            faults.extend(exact::sensitivity(&claims.0, &claims.1));
            faults.extend(exact::replay(&self.subject, (left, right), (&claims.0, &claims.1), &seed));
        }
        if self.runs < 2 {
            return faults;
        }
        let mut tally = (Tally::new(&claims.0), Tally::new(&claims.1));
        let side = |data, side: &str, tally: &mut Tally| -> Vec<Vec<Option<i128>>> {
            let mut random = RecordedRandom::from_seed(&format!("{seed}: {side}"));
            let mut release = || {
                let out = self.subject.release(data, &mut random);
                tally.add(&out);
                out
            };
            (0..self.runs).map(|_| release()).collect()
        };
        let outcomes = (side(left, "left", &mut tally.0), side(right, "right", &mut tally.1));
        tallies.extend([(pair, tally.0), (pair, tally.1)]);
        let alpha = FALSE_ALARM / 2.0 / self.pairs.len() as f64;
        let (low, fault) = distinguish::test((&claims.0, &claims.1), (&outcomes.0, &outcomes.1), claimed, alpha);
        report.tests += 1;
        report.epsilon_low = report.epsilon_low.max(low);
        faults.extend(fault);
        faults
    }
}

fn note(report: &mut ProbeReport, pair: usize, faults: Vec<Violation>) {
    let room = ProbeReport::FINDINGS_MAX.saturating_sub(report.findings.len());
    report.findings.extend(faults.into_iter().take(room).map(|fault| ProbeFinding { pair, fault }));
}
