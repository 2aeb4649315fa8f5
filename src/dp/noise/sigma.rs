//! The parameter of a discrete Gaussian law: sigma^2 as a reduced fraction.

use std::fmt;

use super::Scale;
use crate::dp::DpError;

/// The parameter sigma^2 of a discrete Gaussian law as a reduced fraction: P(y) is proportional to
/// exp(-y^2 / (2 sigma^2)).
///
/// It bounds the variance from above (Canonne, Kamath, Steinke, arXiv 2004.00010). Both parts are positive, coprime and
/// below 2^126, as those of a [`Scale`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SigmaSquared(Scale);

impl SigmaSquared {
    /// sigma^2 = `numerator / denominator`, reduced.
    ///
    /// # Errors
    /// [`DpError::ScaleZero`] when a part is zero, [`DpError::ScaleLimit`] when a reduced part is not below 2^126.
    pub fn new(numerator: u128, denominator: u128) -> Result<Self, DpError> {
        Scale::new(numerator, denominator).map(Self)
    }

    /// The numerator p.
    #[must_use]
    pub fn numerator(&self) -> u128 {
        self.0.numerator()
    }

    /// The denominator q.
    #[must_use]
    pub fn denominator(&self) -> u128 {
        self.0.denominator()
    }
}

impl fmt::Display for SigmaSquared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SigmaSquared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigmaSquared({self})")
    }
}
