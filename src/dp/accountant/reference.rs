//! Accounts to compare with, off the way of an answer: no engine, gate or ledger calls what is here.
//!
//! ```text
//! rdp          a fixed plan by Rényi divergences: wider than `plan`, for longer ones, and for mechanisms known by a bound only
//! continuous   what the literature and other accountants say of continuous laws; nothing of it can be charged
//! ```
//! Tests hold the accountants that are charged to these; the bench `noise` times them; a researcher may want them.

pub mod continuous;
pub mod rdp;
