//! Data spaces in which data is used without being seen (数据可用不可见).

