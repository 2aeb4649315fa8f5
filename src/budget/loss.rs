//! A privacy loss in the unit of its dataset: (epsilon, delta) or (rho, delta).

use std::fmt;

use super::{BudgetError, Delta, Epsilon, Rho};
use crate::codec::{CodecError, Decoder, Encoder, Field};

/// How the loss of a dataset is counted; chosen once per dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Model {
    /// Epsilon and delta add up; pure when delta is 0.
    Approx,
    /// Rho and delta add up: zero-concentrated differential privacy.
    Zcdp,
}

impl Model {
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approx => "approx",
            Self::Zcdp => "zcdp",
        }
    }

    /// What adds up in it, beside delta.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Approx => "epsilon",
            Self::Zcdp => "rho",
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An amount of privacy loss in the unit of its dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// (epsilon, delta)-differential privacy.
    Approx {
        /// Epsilon.
        epsilon: Epsilon,
        /// Delta.
        delta: Delta,
    },
    /// delta-approximate rho-zCDP.
    Zcdp {
        /// Rho.
        rho: Rho,
        /// Delta.
        delta: Delta,
    },
}

impl Loss {
    /// (epsilon, delta) from decimals such as `"0.2"` and `"0"`.
    ///
    /// # Errors
    /// Not decimals within the limits.
    pub fn approx(epsilon: &str, delta: &str) -> Result<Self, BudgetError> {
        Ok(Self::Approx { epsilon: Epsilon::parse(epsilon)?, delta: Delta::parse(delta)? })
    }

    /// (rho, delta) from decimals such as `"0.5"` and `"0.000001"`.
    ///
    /// # Errors
    /// Not decimals within the limits.
    pub fn zcdp(rho: &str, delta: &str) -> Result<Self, BudgetError> {
        Ok(Self::Zcdp { rho: Rho::parse(rho)?, delta: Delta::parse(delta)? })
    }

    /// What a pure epsilon mechanism costs in the given model: epsilon itself, or epsilon^2 / 2 as rho, rounded up (rule
    /// B8).
    ///
    /// # Errors
    /// Too large.
    pub fn of_pure(epsilon: Epsilon, model: Model) -> Result<Self, BudgetError> {
        match model {
            Model::Approx => Ok(Self::pure(epsilon)),
            Model::Zcdp => Ok(Self::Zcdp { rho: Rho::of_pure(epsilon).ok_or(BudgetError::Overflow)?, delta: Delta::ZERO }),
        }
    }

    /// Epsilon alone.
    #[must_use]
    pub const fn pure(epsilon: Epsilon) -> Self {
        Self::Approx { epsilon, delta: Delta::ZERO }
    }

    /// The model of the amount.
    #[must_use]
    pub const fn model(&self) -> Model {
        match self {
            Self::Approx { .. } => Model::Approx,
            Self::Zcdp { .. } => Model::Zcdp,
        }
    }

    /// Nothing, in the given model.
    #[must_use]
    pub const fn zero(model: Model) -> Self {
        match model {
            Model::Approx => Self::Approx { epsilon: Epsilon::ZERO, delta: Delta::ZERO },
            Model::Zcdp => Self::Zcdp { rho: Rho::ZERO, delta: Delta::ZERO },
        }
    }

    /// Whether the amount is nothing at all.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::zero(self.model())
    }

    /// The sum.
    ///
    /// # Errors
    /// Different models, or too large.
    pub fn checked_add(&self, other: &Self) -> Result<Self, BudgetError> {
        self.combine(other, Epsilon::checked_add, Rho::checked_add, Delta::checked_add)?.ok_or(BudgetError::Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// Different models, or a part of `other` is larger.
    pub fn checked_sub(&self, other: &Self) -> Result<Self, BudgetError> {
        let left = self.combine(other, Epsilon::checked_sub, Rho::checked_sub, Delta::checked_sub)?;
        left.ok_or(BudgetError::Exhausted { needed: *other, left: *self })
    }

    /// Whether every part is at most that of `limit`; amounts of another model never fit.
    #[must_use]
    pub fn fits_in(&self, limit: &Self) -> bool {
        limit.checked_sub(self).is_ok()
    }

    /// Epsilon or rho, and delta, in their units.
    pub(crate) const fn units(&self) -> (u64, u64) {
        match self {
            Self::Approx { epsilon, delta } => (epsilon.units(), delta.units()),
            Self::Zcdp { rho, delta } => (rho.units(), delta.units()),
        }
    }

    fn combine(
        &self,
        other: &Self,
        epsilons: fn(Epsilon, Epsilon) -> Option<Epsilon>,
        rhos: fn(Rho, Rho) -> Option<Rho>,
        deltas: fn(Delta, Delta) -> Option<Delta>,
    ) -> Result<Option<Self>, BudgetError> {
        Ok(match (*self, *other) {
            (Self::Approx { epsilon, delta }, Self::Approx { epsilon: e, delta: d }) => {
                epsilons(epsilon, e).zip(deltas(delta, d)).map(|(epsilon, delta)| Self::Approx { epsilon, delta })
            }
            (Self::Zcdp { rho, delta }, Self::Zcdp { rho: r, delta: d }) => {
                rhos(rho, r).zip(deltas(delta, d)).map(|(rho, delta)| Self::Zcdp { rho, delta })
            }
            _ => return Err(BudgetError::Model { expected: self.model(), found: other.model() }),
        })
    }
}

/// `[model, epsilon or rho, delta]`.
impl Field for Loss {
    type Value = Self;
    const SHAPE: &'static str = "loss";

    fn write(value: &Self, out: &mut Encoder) {
        match value {
            Self::Approx { epsilon, delta } => out.array(3).uint(0).uint(epsilon.units()).uint(delta.units()),
            Self::Zcdp { rho, delta } => out.array(3).uint(1).uint(rho.units()).uint(delta.units()),
        };
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        let offset = decoder.offset();
        let wrong = || CodecError::Unexpected { offset, expected: "an amount of budget as [model, epsilon or rho, delta]" };
        if decoder.array(3)? != 3 {
            return Err(wrong());
        }
        let (model, first, delta) = (decoder.uint()?, decoder.uint()?, decoder.uint()?);
        let delta = Delta::from_units(delta).ok_or_else(wrong)?;
        match model {
            0 => Ok(Self::Approx { epsilon: Epsilon::from_units(first).ok_or_else(wrong)?, delta }),
            1 => Ok(Self::Zcdp { rho: Rho::from_units(first).ok_or_else(wrong)?, delta }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Approx { epsilon, delta } if *delta == Delta::ZERO => write!(f, "epsilon {epsilon}"),
            Self::Approx { epsilon, delta } => write!(f, "epsilon {epsilon}, delta {delta}"),
            Self::Zcdp { rho, delta } if *delta == Delta::ZERO => write!(f, "rho {rho}"),
            Self::Zcdp { rho, delta } => write!(f, "rho {rho}, delta {delta}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_different_models_never_mix() {
        let approx = Loss::approx("1", "0").unwrap();
        let zcdp = Loss::Zcdp { rho: Rho::ZERO, delta: Delta::ZERO };
        assert!(matches!(approx.checked_add(&zcdp), Err(BudgetError::Model { .. })));
        assert!(!zcdp.fits_in(&approx));
    }

    #[test]
    fn a_pure_epsilon_has_a_price_in_both_models() {
        let epsilon = Epsilon::parse("0.3").unwrap();
        assert_eq!(Loss::of_pure(epsilon, Model::Approx), Loss::approx("0.3", "0"));
        assert_eq!(Loss::of_pure(epsilon, Model::Zcdp), Loss::zcdp("0.045", "0"));
        assert_eq!(Loss::of_pure(Epsilon::MAX, Model::Zcdp), Err(BudgetError::Overflow));
    }

    #[test]
    fn both_parts_must_fit() {
        let limit = Loss::approx("1", "0.1").unwrap();
        assert!(Loss::approx("1", "0.1").unwrap().fits_in(&limit));
        assert!(!Loss::approx("1.000000000001", "0").unwrap().fits_in(&limit));
        assert!(!Loss::approx("0", "0.100000000000000001").unwrap().fits_in(&limit));
    }

    #[test]
    fn the_encoding_goes_both_ways_and_out_of_range_is_refused() {
        let loss = Loss::approx("0.2", "0.000001").unwrap();
        let mut out = Encoder::new();
        Loss::write(&loss, &mut out);
        let bytes = out.into_bytes();
        assert_eq!(Loss::read(&mut Decoder::new(&bytes, crate::codec::Limits::default()).unwrap(), 0).unwrap(), loss);
        let mut out = Encoder::new();
        out.array(3).uint(0).uint(u64::MAX).uint(0);
        let bytes = out.into_bytes();
        assert!(Loss::read(&mut Decoder::new(&bytes, crate::codec::Limits::default()).unwrap(), 0).is_err());
    }
}
