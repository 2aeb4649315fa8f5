//! Data spaces in which data is used without being seen (数据可用不可见).

pub mod label;
pub mod codec;
pub mod random;
pub mod id;
pub mod key;
pub mod envelope;

pub mod budget;

pub mod ledger;

pub mod grade;
pub mod dataset;
