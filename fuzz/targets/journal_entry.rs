//! What stands in the journal: entries, and the frames of batches around them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usufruct::ledger::{Book, Entry, Frame};

fn entry(bytes: &[u8]) -> Option<Entry> {
    let entry = Entry::decode(bytes).ok()?;
    assert_eq!(entry.encode(), bytes, "accepted bytes are the canonical ones");
    Some(entry)
}

fn frame(bytes: &[u8]) {
    let Ok(frame) = Frame::decode(bytes) else { return };
    assert_eq!(frame.encode(), bytes, "accepted bytes are the canonical ones");
    let mut book = Book::default();
    for entry in frame.entries().filter_map(entry) {
        let _ = book.apply(&entry);
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Some(entry) = entry(bytes) {
        // An entry that cannot follow leaves everything as it was.
        let mut book = Book::default();
        assert_eq!(book.apply(&entry).is_ok(), book.size() == 1);
    }
    frame(bytes);
});
