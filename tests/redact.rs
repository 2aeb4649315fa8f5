//! Free text on its way out: suggested, redacted in place, and held back where the release model asks for more.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code, reason = "the other tests of the command line use the rest")]
#[path = "cli/world.rs"]
mod world;

use std::fmt::Write as _;
use std::fs;

use world::World;

/// What stands in the notes and must not be seen afterwards.
const HIDDEN: [&str; 7] =
    ["13812345678", "王小明", "欧阳静", "11010519491231002X", "zhang.wei@example.com", "+33 1 42 68 53 00", "6222020200112230"];

/// What must stay.
const STAYS: [&str; 3] = ["反映路灯不亮", "订单号20240117000012345", "no answer on"];

fn with_notes() -> World {
    let world = World::empty();
    world.done(&["key", "new", "--kind", "desensitise", "-o", "people.keys"]);
    let notes = [
        "市民王小明反映路灯不亮，电话13812345678。",
        "由欧阳静老师签收，订单号20240117000012345，物流正常",
        "身份证11010519491231002X已核，邮箱zhang.wei@example.com",
        "no answer on +33 1 42 68 53 00 since Monday, will try again later",
        "退款至6222020200112230，金额一百元整",
    ];
    let mut csv = "case,备注\n".to_owned();
    for row in 0..400 {
        writeln!(csv, "K{row:05},\"{} 第{row}次\"", notes[row % notes.len()]).unwrap();
    }
    world.write("notes.csv", csv);
    world
}

#[test]
fn notes_are_redacted_in_an_enclave() {
    let world = with_notes();
    world.done(&["policy", "suggest", "notes.csv", "-o", "policy.toml"]);
    let policy = fs::read_to_string(world.path("policy.toml")).unwrap();
    assert!(policy.contains("[columns.\"备注\"]\ntechnique = \"redact\"\n"), "{policy}");
    world.done(&["policy", "check", "policy.toml", "notes.csv", "--keys", "people.keys"]);
    for out in ["open.csv", "open.parquet", "open.arrow"] {
        let told = world.json(&["desensitise", "notes.csv", "--policy", "policy.toml", "--keys", "people.keys", "-o", out]);
        assert_eq!((told["rows_written"].as_u64(), told["cells_suppressed"].as_u64()), (Some(400), Some(0)), "{told}");
        let bytes = fs::read(world.path(out)).unwrap();
        for hidden in HIDDEN {
            assert!(!bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes()), "{out} holds {hidden}");
        }
    }
    let open = fs::read_to_string(world.path("open.csv")).unwrap();
    for stays in STAYS.into_iter().chain(["市民[name]反映", "电话[mobile]。", "由[name]老师", "身份证[resident_id]已核", "至[bank_card]，"])
    {
        assert!(open.contains(stays), "{stays}: {open}");
    }
    let shown = world.done(&["inspect", "open.csv.manifest"]);
    assert!(shown.contains("redact") && shown.contains("every word that is not recognised"), "{shown}");
}

#[test]
fn above_grade_two_only_an_enclave_takes_it() {
    let world = with_notes();
    let policy = |release: &str, grade: u64| {
        format!(
            "release = \"{release}\"\norder = \"shuffled\"\n[columns.case]\ntechnique = \"suppress\"\n[columns.\"备注\"]\ntechnique = \"redact\"\ngrade = {grade}\n"
        )
    };
    world.write("policy.toml", policy("controlled", 3));
    let says = ["redact leaves as few as 1 input", "controlled needs 10", "for release = \"enclave\" alone"];
    for args in
        [&["policy", "check", "policy.toml", "notes.csv"][..], &["desensitise", "notes.csv", "--policy", "policy.toml", "-o", "open.csv"]]
    {
        let run = world.run(args);
        assert!(run.code == 3 && says.iter().all(|word| run.err.contains(word)), "{args:?}: {}", run.err);
    }
    assert!(!world.path("open.csv").exists());
    world.done(&["policy", "suggest", "notes.csv", "--release", "controlled", "-o", "suggested.toml"]);
    let suggested = fs::read_to_string(world.path("suggested.toml")).unwrap();
    assert!(suggested.contains("[columns.\"备注\"]\ntechnique = \"suppress\"\n"), "{suggested}");
    world.write("policy.toml", policy("enclave", 3));
    world.done(&["policy", "check", "policy.toml", "notes.csv"]);
}
