//! The file of seen checkpoints on the command line: audits believe signatures only, and a fork is shown and proved.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "cli/world.rs"]
#[allow(dead_code)]
mod world;

use std::fs;
use std::process::Command;

use serde_json::Value;
use usufruct::id::Digest;
use usufruct::key::SigningKey;
use usufruct::ledger::{Checkpoint, LedgerReading, origin_of};
use world::World;

const COUNT: &str = "SELECT COUNT(*) FROM people";
const AUDIT: [&str; 4] = ["audit", "space", "--key", "owner.pub"];

fn audit(file: &str) -> Vec<&str> {
    [&AUDIT[..], &["--checkpoint", file]].concat()
}

#[test]
fn an_audit_believes_signatures_only() {
    let world = World::with_people();
    world.done(&[&World::ask("0.1", COUNT)[..], &["--receipt", "q.receipt"]].concat());
    world.done(&[
        "request",
        "--right",
        "use.right",
        "--key",
        "holder.key",
        "--epsilon",
        "0.1",
        "--checkpoint",
        "q.receipt",
        COUNT,
        "-o",
        "q.request",
    ]);
    let line = fs::read_to_string(world.path("holder.key.seen")).unwrap();
    let words: Vec<&str> = line.trim_end().split(' ').collect();

    // A line with its signatures, a receipt, a note; a line from before without.
    fs::copy(world.path("space/ledger/checkpoint"), world.path("note")).unwrap();
    world.write("unsigned", words[..3].join(" ") + "\n");
    for (file, witness) in [
        ("holder.key.seen", "signed by the gate"),
        ("q.receipt", "signed by the gate"),
        ("note", "signed by the gate"),
        ("unsigned", "unsigned: taken at the holder's word"),
    ] {
        let told = world.json(&audit(file));
        assert_eq!((told["rollback"].as_str(), told["witness"].as_str()), (Some("none"), Some(witness)), "{file}");
        assert!(world.done(&audit(file)).contains(witness), "{file}");
    }
    assert_eq!(world.json(&AUDIT)["witness"], Value::Null);

    // The same claims without the gate's signature.
    let reading = LedgerReading::open(&world.path("space/ledger"), |_, _| {}).unwrap();
    let (ledger, size, root) = (reading.book.head().certificate().unwrap().value().ledger, reading.tree.size(), reading.tree.root());
    let holder = SigningKey::open(world.path("holder.key")).unwrap();
    let forge = |size: u64, root: [u8; 32]| Checkpoint::new(&origin_of(ledger), size, root).unwrap().sign(&holder).unwrap();
    for (name, note) in [("own", forge(size, root)), ("later", forge(size + 9, [1; 32]))] {
        world.write(name, &note);
        world.fails(1, &["not signed by the certified gate"], &audit(name));
        let claimed = Checkpoint::claimed(&note).unwrap();
        let root = Digest::from_bytes(*claimed.root());
        world.write(name, format!("{ledger} {} {root} {} {}\n", claimed.size(), words[3], base64(note.as_bytes())));
        world.fails(1, &["not signed by the certified gate"], &audit(name));
        world.fails(1, &["not signed by the certified gate"], &["verify", name, "--key", "owner.pub"]);
    }
    // Of another owner, of another ledger, of none.
    world.fails(1, &["the gate's certificate"], &["audit", "space", "--key", "holder.pub", "--checkpoint", "holder.key.seen"]);
    world.write("other", format!("{} 1 {}\n", Digest::of(b"other"), Digest::of(b"")));
    world.fails(2, &["has no checkpoint of this ledger"], &audit("other"));
    world.write("torn", &line[..line.len() - 1]);
    world.fails(2, &["line 1"], &audit("torn"));
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |group: u32, at: u32| char::from(DIGITS[(group >> (18 - 6 * at) & 63) as usize]);
    let encode = |chunk: &[u8]| {
        let group = chunk.iter().chain(&[0; 2]).take(3).fold(0, |group, byte| group << 8 | u32::from(*byte));
        (0..4).map(|at| if at as usize > chunk.len() { '=' } else { digit(group, at) }).collect::<String>()
    };
    bytes.chunks(3).map(encode).collect()
}

#[test]
fn a_seen_file_is_inspected_and_verified() {
    let world = World::with_people();
    world.done(&World::ask("0.1", COUNT));
    let told = world.json(&["inspect", "holder.key.seen"]);
    assert_eq!((told["kind"].as_str(), told["line_1"]["size"].as_u64()), (Some("seen checkpoints"), Some(8)));
    assert!(told["line_1"]["gate_certificate"]["gate_key"].is_string() && told["line_1"]["note"].is_array());
    let told = world.json(&["verify", "holder.key.seen", "--key", "owner.pub"]);
    assert!(told["proved"][0].as_str().unwrap().contains("signed its first 8 entries"), "{told}");
    let told = world.json(&["verify", "holder.key.seen", "--key", "holder.pub"]);
    assert_eq!(told["proved"].as_array().unwrap().len(), 0);
    assert!(told["not_proved"][0].as_str().unwrap().contains("of another owner"), "{told}");
}

#[test]
fn a_gate_that_keeps_two_histories_is_caught() {
    let world = World::with_people();
    let copy = |from: &str, to: &str| {
        assert!(Command::new("cp").args(["-a", from, to]).current_dir(world.folder()).status().unwrap().success());
    };
    copy("space", "twin");
    fs::copy(world.path("space/ledger/checkpoint"), world.path("base")).unwrap();
    world.done(&World::ask("0.1", COUNT));
    // The twin goes another way, to the same size. Only who holds both notes can tell.
    let mut ask = World::ask("0.2", COUNT);
    ask[1] = "twin";
    let run = world.run(&[&ask[..], &["--checkpoint", "base"]].concat());
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("signed two roots of its first 8 entries") && run.err.contains("holder.key.seen.fork"), "{}", run.err);
    assert!(run.out.contains("COUNT(*)"), "what was paid for is shown: {}", run.out);

    let told = world.json(&["verify", "holder.key.seen.fork", "--key", "owner.pub"]);
    assert!(told["proved"].as_array().unwrap().iter().any(|proved| proved.as_str().unwrap().starts_with("a fork: ")), "{told}");
    assert!(world.json(&["inspect", "holder.key.seen.fork"])["contradictions"].is_array());
    world.fails(2, &["says two things"], &audit("holder.key.seen.fork"));
    // The holder stays with the first history.
    assert_eq!(world.json(&audit("holder.key.seen"))["rollback"], "none");
    let run = world.run(&["audit", "twin", "--key", "owner.pub", "--checkpoint", "holder.key.seen", "--json"]);
    assert_eq!((run.code, serde_json::from_str::<Value>(&run.out).unwrap()["rollback"].as_str()), (1, Some("found")));
    assert_eq!(world.run(&ask).code, 3);
    world.done(&World::ask("0.1", COUNT));
}
