//! Open data (开放): the only way to a file that leaves its enclave.
//!
//! ```text
//! policy + keys --bind--> BoundPolicy --\
//!                                  open --> OUT, OUT.opening, OUT.manifest (release, residuals, risk)
//! statement of risk --------------/
//! ```
//! [`BoundPolicy::apply`] makes files for an enclave; what is `controlled` or `public` is made here, where the policy meets a
//! statement of how well persons can be told apart by the quasi-identifiers that leave.
//!
//! - `controlled`: the manifest says `risk: not assessed` until the room `anonymity` can measure it.
//! - `public`: refused, since it needs such a statement.
//!
//! # Source
//! Rule H3 of `docs/rules.md`; GB/T 37964-2019, 3.12 to 3.14.
//!
//! # Not promised
//! A controlled file is as safe as the agreement under which it is handed over.

use crate::desensitise::{ApplyError, BoundPolicy, DesensitiseReport, ReleaseModel, Risk, Run, Target};
use crate::table::RecordSource;

/// Makes the file that the policy describes, whatever its release model; for an enclave this is [`BoundPolicy::apply`].
///
/// # Errors
/// As [`BoundPolicy::apply`]; a public file is always [`ApplyError::Refused`].
pub fn open(
    bound: &BoundPolicy<'_>,
    source: &(dyn RecordSource + Sync),
    target: &Target,
    run: &mut Run<'_>,
) -> Result<DesensitiseReport, ApplyError> {
    match bound.policy().release() {
        ReleaseModel::Enclave => bound.apply(source, target, run),
        // The check of the policy refuses `public` before anything is written.
        ReleaseModel::Controlled | ReleaseModel::Public => bound.write(source, target, run, Some(Risk::NotAssessed)),
    }
}
