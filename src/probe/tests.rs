//! Probes find planted faults, and pass what is sound.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tests")]

mod faults;
#[cfg(feature = "embedded")]
mod request;

use super::*;
