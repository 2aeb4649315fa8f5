//! The law of one noise, as it is named wherever it is reported.

use std::fmt;

use super::{Scale, SigmaSquared};

/// The law of one noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// The discrete Laplace law of this scale.
    Laplace(Scale),
    /// The discrete Gaussian law of this sigma^2.
    Gaussian(SigmaSquared),
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Laplace(scale) => write!(f, "laplace {scale}"),
            Self::Gaussian(sigma_squared) => write!(f, "gaussian {sigma_squared}"),
        }
    }
}
