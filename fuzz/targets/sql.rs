//! SQL texts: what is accepted is a canonical query, whose text says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usufruct::query::Query;

fuzz_target!(|text: &str| {
    let Ok(query) = Query::sql(text) else { return };
    let bytes = query.encode();
    assert_eq!(Query::from_canonical_bytes(&bytes).as_ref(), Ok(&query));
    if let Ok(again) = Query::sql(&query.to_string()) {
        assert_eq!(again.encode(), bytes, "its text says the same");
    }
});
