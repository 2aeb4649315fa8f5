//! Data spaces in which data is used without being seen (数据可用不可见).

pub mod codec;
pub mod dp;
pub mod id;
pub mod label;
pub mod random;
