//! Open data (开放): the only way to a file that leaves its enclave.
//!
//! ```text
//! policy + keys --bind--> BoundPolicy --\
//!                                  open --> OUT, OUT.opening, OUT.manifest (release, residuals, uniqueness)
//! records -----------------------/
//! ```
//! [`BoundPolicy::apply`] makes files for an enclave; what is `controlled` or `public` is made here, where the policy meets a
//! measurement of how well persons can be told apart by what leaves.
//!
//! - `controlled`: who is unique is counted in the rows as they are written ([`crate::anonymity`]); a file in which more are than the
//!   policy lets be does not appear. The manifest states the shares, and anybody with the file can count them again.
//! - `public`: refused, since it needs a statement of anonymity.
//!
//! # Source
//! Rule H3 of `docs/rules.md`; GB/T 37964-2019, 3.12 to 3.14.
//!
//! # Not promised
//! A controlled file is as safe as the agreement under which it is handed over.

use crate::desensitise::{ApplyError, BoundPolicy, DesensitiseReport, ReleaseModel, Run, Target};
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
        ReleaseModel::Controlled | ReleaseModel::Public => bound.write(source, target, run),
    }
}
