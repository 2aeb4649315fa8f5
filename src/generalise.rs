//! Generalisation of values (泛化): coarser numbers, dates and places, each level with exact borders.
//!
//! Shared by desensitising techniques and anonymity models.
//!
//! # Source
//! GB/T 37964-2019 annex A; rule H2 of `DESIGN.md`.

pub(crate) mod civil;
mod number;

pub(crate) use number::Number;
