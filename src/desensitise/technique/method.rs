//! What every technique says of itself, in its own file: the one trait of techniques.

use std::fmt;

use super::shown::Shown;
use super::suggestion::Suggestion;
use super::value::Value;
use super::{Given, OutputType, Setting, TechniqueError, Work};
use crate::desensitise::keys::KeyRing;
use crate::desensitise::residual::{Domain, Known, Nature, Residual};
use crate::desensitise::{Problem, ReleaseModel};
use crate::grade::Finding;
use crate::id::{ColumnName, Name};

/// A technique with its parameters. Nothing else knows one technique from another: whoever adds one writes a file with this trait and a
/// line in the list of `src/desensitise/technique.rs`.
///
/// What a technique does to cells, in the words of the suite `conformance` (feature `hazmat`), which every one passes:
/// - **Nulls** stay nulls. A cell that is not treated is null in the output, and its row is listed.
/// - **Cells of another Arrow type** than `Utf8` and `Int64` are never emitted.
/// - **Batches** may be cut anywhere, and come in any order to a kernel.
/// - **Deterministic** means that equal cells have equal outputs, in any row of any batch of any run.
/// - **Output**: the cells are of the type that [`Method::output`] says, whatever comes in.
/// - **Residual**: no output has fewer values behind it than [`Method::residual_given`] says.
/// - **Keys**: a technique that names a key cannot work without it, and does otherwise by another key, version or domain; one that names
///   none works without any.
/// - **Parameters**: [`Method::parameters`] are what [`Method::parse`] makes the same technique from, in the order of [`About`].
/// - **Suggestions** can be carried out on the columns that they are made for.
///
/// Sealed, since what a technique emits may leave (rule H1): others than those of this crate take the feature `hazmat`.
pub trait Method: sealed::Sealed + fmt::Debug + Send + Sync + 'static {
    /// Its word and its parameters.
    fn about() -> About
    where
        Self: Sized;

    /// From its section of a policy. Every parameter of [`About`] is asked for, whichever are given.
    ///
    /// # Errors
    /// A parameter that is missing or has no meaning.
    fn parse(given: &mut Given) -> Result<Self, Problem>
    where
        Self: Sized;

    /// Its parameters where they are not what stands for an absent one: what a policy would say of it.
    fn parameters(&self) -> Vec<(&'static str, Value)>;

    /// Whether it is deterministic, reversible, linkable.
    fn nature(&self) -> Nature;

    /// What it leaves open of a value of this domain (rule H2), for one who knows more of the same person from other columns of the
    /// output. By its parameters alone, never by looking at data.
    fn residual_given(&self, domain: &Domain, known: &[Known]) -> Residual;

    /// As [`Method::residual_given`], where nothing more is known.
    fn residual(&self, domain: &Domain) -> Residual {
        self.residual_given(domain, &[])
    }

    /// What its outputs show of their values, so that what several columns show of one value can be put together: everything, unless it says
    /// otherwise, of what is not hidden by a key.
    fn shows(&self, domain: &Domain) -> Shown {
        if self.residual(domain) == Residual::Unbounded { Shown::Nothing } else { Shown::Everything }
    }

    /// What can still be learnt of a column, in words, for whoever reads the manifest.
    fn leaks(&self) -> &'static [&'static str];

    /// What it emits for such a column.
    fn output(&self, setting: &Setting) -> OutputType;

    /// Makes ready to treat a column.
    ///
    /// # Errors
    /// There is no key, or a parameter is not for such columns.
    fn work(&self, setting: &Setting, keys: &KeyRing) -> Result<Work, TechniqueError>;

    /// The key that it works with.
    fn key(&self) -> Option<KeyAsked<'_>> {
        None
    }

    /// The column that tells whose each row is.
    fn subject(&self) -> Option<&ColumnName> {
        None
    }

    /// Whether it takes the order of day and month to carry it out on dates that have their year last.
    fn needs_date_order(&self) -> bool {
        false
    }

    /// Whether it takes the day of the month, which a month of a year does not name.
    fn needs_day(&self) -> bool {
        false
    }

    /// Whether it moves days by a number that is the same for all records of a subject, so that the gaps between them stay.
    fn keeps_gaps(&self) -> bool {
        false
    }

    /// Whether nobody without its key can know which output is a person's, so that nobody is told apart by it.
    fn is_hidden_by_key(&self) -> bool {
        self.key().is_some()
    }

    /// Whether no output tells anything of its value: all that grade 4 lets into a public file.
    fn leaves_nothing(&self) -> bool {
        false
    }

    /// Whether numbers leave as they are spelled where the file has no types.
    fn keeps_spelling(&self) -> bool {
        false
    }

    /// Whether most rows have an output of their own, which is not worth a dictionary.
    fn hardly_repeats(&self) -> bool {
        false
    }

    /// What leaves less of the column than this, and as much as possible: the next step when too many persons are unique by it.
    fn coarser(&self, finding: &Finding) -> Option<Suggestion> {
        let _ = finding;
        None
    }

    /// What a first policy should do to a column, if this technique is worth a thought for it. All that are made for a column are tried
    /// in the order of their ranks, until the release model lets one pass.
    fn suggest(finding: &Finding, release: ReleaseModel) -> Option<Suggestion>
    where
        Self: Sized,
    {
        let _ = (finding, release);
        None
    }
}

/// What is known of a technique without its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The word of policies and manifests.
    pub name: &'static str,
    /// What may stand in its section of a policy, beside what stands in every one.
    pub parameters: &'static [Parameter],
    /// Sections of it in TOML, as policies write them, which show every parameter.
    pub examples: &'static [&'static str],
}

/// What may stand in the section of a technique, as `docs/files.md` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it can be.
    pub takes: &'static str,
    /// What stands for an absent one: a value, `none`, or that it is required.
    pub default: &'static str,
    /// What it is for.
    pub doc: &'static str,
}

/// The key that a technique asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyAsked<'a> {
    /// Its name.
    pub id: &'a Name,
    /// Its version; the highest without.
    pub version: Option<u32>,
    /// Who shares what it makes; the column itself, or its subject, without.
    pub domain: Option<&'a Name>,
}

impl KeyAsked<'_> {
    /// The parameter of its name.
    pub const ID: Parameter = Parameter { name: "key", takes: "name", default: "required", doc: "the `id` of a key in `K.toml`" };
    /// The parameter of its version.
    pub const VERSION: Parameter = Parameter { name: "key_version", takes: "integer", default: "none", doc: "the highest unless told" };
    /// The parameter of its domain, in general.
    pub const DOMAIN: Parameter = Parameter { name: "domain", takes: "name", default: "none", doc: "who shares what it makes" };

    /// These three, where they are given.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, Value)> {
        let Self { id, version, domain } = self;
        let version = version.map(|version| (Self::VERSION.name, version.into()));
        let domain = domain.map(|domain| (Self::DOMAIN.name, domain.as_str().into()));
        std::iter::once((Self::ID.name, id.as_str().into())).chain(version).chain(domain).collect()
    }
}

pub(crate) mod sealed {
    /// Says that what a technique emits may leave. Whoever is outside can name it under the feature `hazmat` only.
    pub trait Sealed {}
}
