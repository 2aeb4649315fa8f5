//! Desensitisation of records (脱敏): techniques, what each leaves open, and the keys of the keyed ones.
//!
//! What this module promises:
//! - An output cell comes from a technique and from nothing else: [`Emitted`] has no other maker (rule H1).
//! - A cell that a technique cannot treat is never emitted: it is listed in [`OffKind`] with its reason, and the output
//!   holds a null in its place.
//! - Every technique is one file with one trait, [`Method`], and passes the suite `conformance` (feature `hazmat`): what is said of
//!   techniques here, policies and manifests know from it alone.
//! - A technique says what it leaves open by its parameters alone, never by looking at data ([`Method::residual`]).
//!
//! ```text
//! Method, one file each --Technique::new--> Technique --kernel(Setting, KeyRing)--> Kernel --emit(cells)--> Emitted, OffKind
//!     \--about(), parse(Given)                  \--residual(Domain), nature(), key(), leaks(), ...
//! ```
//! ```
//! # #[cfg(feature = "records")] {
//! use std::sync::Arc;
//! use usufruct::arrow::arrow_array::{ArrayRef, StringArray};
//! use usufruct::desensitise::{Domain, KeyRing, Mask, OffKind, Residual, Setting, Technique};
//! use usufruct::grade::{Kind, ValueType};
//! use usufruct::id::ColumnName;
//!
//! let technique = Technique::new(Mask::ends(3, 4));
//! let domain = Domain { kind: Kind::Mobile, value_type: ValueType::Text };
//! assert_eq!(technique.residual(&domain), Residual::AtLeast(10_000));
//!
//! let setting = Setting { column: ColumnName::new("phone")?, domain, date_order: None, has_months: false, decimals: None };
//! let kernel = technique.kernel(&setting, &KeyRing::default())?;
//! let cells: ArrayRef = Arc::new(StringArray::from(vec![Some("138 0013 8000"), None, Some("none")]));
//! let mut off = OffKind::default();
//! let out = kernel.emit(&cells, None, &mut off);
//! assert_eq!(out.array(), &(Arc::new(StringArray::from(vec![Some("138****8000"), None, None])) as ArrayRef));
//! assert_eq!(off.rows().len(), 1);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! GB/T 37964-2019 annex A (techniques), GB/T 42460-2023; RFC 2104, RFC 4493 (keyed functions); rules H1, H2, H4, H8, L7 of
//! `docs/rules.md`.
//!
//! # Not promised
//! That an output is anonymous: a residual counts the values that one cell may come from, not what other cells, other
//! files or frequencies tell. A pseudonym hides a value only from those without the key, and who has it can try values.

#[cfg(feature = "embedded")]
mod apply;
#[cfg(feature = "embedded")]
mod beforehand;
#[cfg(feature = "records")]
mod canonical;
#[cfg(feature = "embedded")]
mod fit;
#[cfg(feature = "embedded")]
mod joint;
#[cfg(feature = "records")]
mod keys;
#[cfg(feature = "embedded")]
mod linkage;
mod manifest;
mod measure;
#[cfg(feature = "embedded")]
mod order;
#[cfg(feature = "embedded")]
mod plan;
#[cfg(feature = "embedded")]
mod policy;
#[cfg(feature = "records")]
mod prf;
#[cfg(feature = "records")]
mod problem;
#[cfg(feature = "embedded")]
mod quarantine;
mod release;
#[cfg(feature = "records")]
mod residual;
#[cfg(feature = "records")]
mod rows;
#[cfg(feature = "records")]
mod technique;
#[cfg(feature = "embedded")]
mod trial;

#[cfg(feature = "embedded")]
pub use apply::{ApplyError, BoundPolicy, DesensitiseProgress, DesensitiseReport, Run, Stage, Target};
#[cfg(feature = "embedded")]
pub use fit::suggest_fitting;
#[cfg(feature = "records")]
pub use keys::{KEYS_MAX, KeyFileError, KeyRing, PrfAlgorithm, PrfKey};
#[cfg(feature = "embedded")]
pub use linkage::{LINKAGE_ROWS_MAX, Linkage};
pub use manifest::{KeyUse, Manifest, ManifestColumn, OutputFile, Risk, SourceOpening};
pub use measure::{Nature, Residual};
#[cfg(feature = "embedded")]
pub use order::HELD_BYTES_MAX;
#[cfg(feature = "embedded")]
pub use plan::{DesensitisePlan, Desensitised, OtherColumns};
#[cfg(feature = "embedded")]
pub use policy::{Alone, ColumnPolicy, Objection, OffKindRule, Policy, PolicyError, Untreated, suggest};
#[cfg(feature = "records")]
pub use problem::Problem;
#[cfg(feature = "embedded")]
pub use quarantine::{OffKindCell, QUARANTINE_LINES_MAX};
pub use release::{Need, ReleaseModel, RowOrder, grade_after};
#[cfg(feature = "records")]
pub use residual::{Domain, Known};
#[cfg(all(feature = "records", feature = "hazmat"))]
pub use technique::Sealed;
#[cfg(feature = "records")]
pub use technique::built_in::*;
#[cfg(all(feature = "embedded", any(test, feature = "hazmat")))]
pub use technique::conformance;
#[cfg(feature = "records")]
pub use technique::{
    About, Collect, Emit, Emitted, Given, KEY_ID_DEFAULT, Kernel, KeyAsked, Method, OffKind, OffReason, OffRow, OutputType, Parameter,
    Rank, Setting, Shown, ShownCharacters, Suggestion, Technique, TechniqueError, Techniques, Value, Whole, Work,
};
#[cfg(feature = "embedded")]
pub use trial::Trial;
