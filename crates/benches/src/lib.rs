//! The package is its benches, in the folder `benches`; cargo wants a library beside them.
//!
//! `cargo bench -p usufruct-benches [--bench aggregate|ask|desensitise|grade|ledger|noise|right|table]`
