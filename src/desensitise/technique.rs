//! Techniques, one child each, and what all of them have in common.

mod cells;
mod characters;
#[cfg(all(feature = "embedded", any(test, feature = "hazmat")))]
pub mod conformance;
mod emitted;
mod given;
mod method;
mod numbers;
mod off_kind;
mod registry;
mod setting;
mod shown;
mod suggestion;
#[cfg(test)]
mod tests;
mod value;
mod work;

mod bin;
mod clamp;
mod date;
mod date_shift;
mod keep;
mod mask;
mod permute;
mod pseudonym;
mod redact;
mod round;
mod suppress;
mod truncate;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

pub use emitted::Emitted;
pub use given::Given;
#[cfg(feature = "hazmat")]
pub use method::sealed::Sealed;
pub use method::{About, KeyAsked, Method, Parameter};
pub use off_kind::{OffKind, OffReason, OffRow};
pub use registry::Techniques;
pub use setting::{OutputType, Setting};
pub use shown::{Shown, ShownCharacters};
pub use suggestion::{KEY_ID_DEFAULT, Rank, Suggestion};
pub use value::Value;
pub use work::{Collect, Emit, Kernel, Whole, Work};

#[cfg(feature = "embedded")]
use super::Problem;
use super::keys::{KeyFileError, KeyRing};
use crate::class::Class;
#[cfg(feature = "embedded")]
use crate::id::Name;
#[cfg(feature = "embedded")]
use crate::value::DateOrder;

/// Makes of the list of techniques: their names for the room, the seal, and what a policy may name.
macro_rules! techniques {
    ($($file:ident: $method:ident $(with $($more:ident),+)?;)+) => {
        /// The techniques of this crate, and what else their files have for the outside.
        pub(in crate::desensitise) mod built_in {
            $(pub use super::$file::{$method $($(, $more)+)?};)+
        }

        $(impl method::sealed::Sealed for built_in::$method {})+

        impl Techniques {
            /// The techniques of this crate.
            #[must_use]
            pub fn builtin() -> Self {
                Self::none()$(.and::<built_in::$method>())+
            }
        }
    };
}

// All there are, in the order in which people are told of them. A new one takes its file, the line `mod` above, and a line here.
techniques! {
    keep: Keep;
    suppress: Suppress;
    mask: Mask;
    truncate: Truncate;
    pseudonym: Pseudonym;
    redact: Redact;
    bin: Bin;
    round: Round;
    clamp: Clamp;
    date: DateCut;
    date_shift: DateShift with SHIFT_DAYS_MAX, SHIFT_DAYS_MIN;
    permute: Permute with PERMUTE_BYTES_MAX, Permutation;
}

/// What is done to a column: a technique with its parameters. What it can be asked stands in [`Method`], which each implements.
///
/// ```
/// use usufruct::desensitise::{Mask, Technique};
///
/// let technique = Technique::new(Mask::ends(3, 4));
/// assert_eq!(technique.name(), "mask");
/// assert!(technique.nature().deterministic && technique.key().is_none());
/// ```
#[derive(Clone)]
pub struct Technique {
    about: About,
    /// Reads again what is stated.
    #[cfg(feature = "embedded")]
    parse: fn(&mut Given) -> Result<Self, Problem>,
    method: Arc<dyn Method>,
}

impl Technique {
    /// The technique that works like this.
    #[must_use]
    pub fn new<M: Method>(method: M) -> Self {
        Self {
            about: M::about(),
            #[cfg(feature = "embedded")]
            parse: |given| M::parse(given).map(Self::new),
            method: Arc::new(method),
        }
    }

    /// The word of policies.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.about.name
    }

    /// What is known of it without its parameters.
    #[must_use]
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// What a policy states of it, in the order of the names, where it states this of every section too.
    ///
    /// # Errors
    /// What it states would not be read as the same technique.
    #[cfg(feature = "embedded")]
    pub(super) fn stated(&self, date_order: Option<DateOrder>) -> Result<Vec<(Name, String)>, Problem> {
        let order = date_order.map(|order| ("date_order", order.as_str().into()));
        let values = self.parameters().into_iter().chain(order);
        let mut given = Given::new(values.map(|(name, value)| (name.to_owned(), value)));
        given.one_of("date_order", DateOrder::parse, &["dmy", "mdy", "ymd"])?;
        let again = (self.parse)(&mut given)?;
        let stated = given.finish(self.name())?;
        if again == *self { Ok(stated) } else { Err(Problem::Unstated { technique: self.name() }) }
    }

    /// Makes ready to treat a column cell by cell.
    ///
    /// # Errors
    /// There is no key, a parameter is not for such columns, or the technique takes whole columns only.
    pub fn kernel(&self, setting: &Setting, keys: &KeyRing) -> Result<Kernel, TechniqueError> {
        match self.work(setting, keys)? {
            Work::Cells(kernel) => Ok(kernel),
            Work::Column(_) => Err(TechniqueError::WholeColumn { technique: self.name() }),
        }
    }
}

impl Deref for Technique {
    type Target = dyn Method;

    fn deref(&self) -> &Self::Target {
        &*self.method
    }
}

/// Two techniques are one when a policy would say the same of both.
impl PartialEq for Technique {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.parameters() == other.parameters()
    }
}

impl Eq for Technique {}

impl fmt::Debug for Technique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.method.fmt(f)
    }
}

/// Why a technique cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TechniqueError {
    /// A parameter has no meaning.
    #[error("{technique}: {parameter} is {expected}")]
    Parameter {
        /// The technique.
        technique: &'static str,
        /// Its parameter.
        parameter: &'static str,
        /// What it can be.
        expected: &'static str,
    },
    /// It needs all rows at once: see [`Work::Column`].
    #[error("{technique} takes a whole column, not batches")]
    WholeColumn {
        /// The technique.
        technique: &'static str,
    },
    /// It holds the column in memory.
    #[error("{technique} holds the column in memory, at most {most} bytes of it")]
    Memory {
        /// The technique.
        technique: &'static str,
        /// The most bytes.
        most: usize,
    },
    /// No key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

impl TechniqueError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}
