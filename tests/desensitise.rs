//! Desensitised files as a portal makes them: the binary on real and on bad files.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../examples/register/mod.rs"]
mod register;
#[allow(dead_code, reason = "the other test of the command line uses the rest")]
#[path = "cli/world.rs"]
mod world;

use std::fs::{self, File};
use std::io::BufWriter;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use world::{CANARY, World, usufruct};

/// Keys and a register.
fn with_register(rows: u64) -> World {
    let world = World::empty();
    world.done(&["key", "new", "-o", "owner.key"]);
    world.done(&["key", "public", "owner.key", "-o", "owner.pub"]);
    world.done(&["key", "new", "--kind", "desensitise", "--algorithm", "aes-cmac", "-o", "people.keys"]);
    register::Register::new(3, rows).write_csv(&mut BufWriter::new(File::create(world.path("register.csv")).unwrap())).unwrap();
    world
}

fn desensitise<'a>(input: &'a str, policy: &'a str, out: &'a str) -> Vec<&'a str> {
    vec!["desensitise", input, "--policy", policy, "--keys", "people.keys", "-o", out, "--sign", "owner.key"]
}

/// Every file of the folder but those named, which must not hold any of these texts.
fn holds_none(world: &World, but: &[&str], texts: &[&str]) {
    for entry in fs::read_dir(world.folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if but.contains(&name) || path.is_dir() {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        for text in texts {
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{name} holds {text}");
        }
    }
}

/// Classify, suggest, desensitise, verify, for every release model and format.
fn whole_way(world: &World, input: &str, delimiter: &str, rows: u64) {
    let flags = ["--delimiter", delimiter];
    let found = world.json(&[&["classify", input][..], &flags].concat());
    assert_eq!(found["internal"], true);
    for (release, out) in [("enclave", "open.csv"), ("controlled", "open.parquet"), ("enclave", "open.arrow")] {
        world.done(&[&["policy", "suggest", input, "--release", release, "-o", "policy.toml", "--force"][..], &flags].concat());
        world.done(&[&["policy", "check", "policy.toml", input, "--keys", "people.keys"][..], &flags].concat());
        let told = world.json(&[&desensitise(input, "policy.toml", out)[..], &flags, &["--force"]].concat());
        assert_eq!((told["rows_written"].as_u64(), told["rows_left_out"].as_u64()), (Some(rows), Some(0)), "{told}");
        assert_eq!(fs::metadata(world.path(out)).unwrap().permissions().mode() & 0o777, 0o600);
        let manifest = format!("{out}.manifest");
        let opening = format!("{out}.opening");
        let verify = ["verify", &manifest, "--key", "owner.pub", "--file", out, "--opening", &opening, "--source", input];
        let proved = world.done(&verify);
        assert!(proved.contains("byte for byte") && proved.contains(&format!("of {rows} rows")), "{proved}");
        let shown = world.done(&["inspect", &manifest]);
        assert!(shown.contains(release) && shown.contains("residual"), "{shown}");
        // One bit of the file, of the manifest, of the source.
        tampered(world, out, &verify, "it is not about");
        tampered(world, &manifest, &verify, "");
        tampered(world, &opening, &verify, "");
        tampered(world, input, &verify, "its source is not");
    }
}

fn tampered(world: &World, name: &str, verify: &[&str], says: &str) {
    let bytes = fs::read(world.path(name)).unwrap();
    let mut other = bytes.clone();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    fs::write(world.path(name), other).unwrap();
    let run = world.run(verify);
    assert!((run.code == 1 || run.code == 2) && run.err.contains(says), "{name}: {} {}", run.code, run.err);
    fs::write(world.path(name), bytes).unwrap();
}

#[test]
fn a_register_goes_the_whole_way() {
    let world = with_register(20_000);
    whole_way(&world, "register.csv", ",", 20_000);
    // Nobody of the register is in what left.
    let people: Vec<register::Person> = register::Register::new(3, 200).collect();
    let ids: Vec<&str> = people.iter().map(register::Person::id).collect();
    holds_none(&world, &["register.csv"], &ids);
    let mobiles: Vec<&str> = people.iter().map(register::Person::mobile).collect();
    holds_none(&world, &["register.csv"], &mobiles);
}

#[test]
#[ignore = "a million people; run by .ci/run"]
fn a_register_of_a_million_goes_the_whole_way() {
    let world = with_register(1_000_000);
    whole_way(&world, "register.csv", ",", 1_000_000);
}

#[test]
fn adult_goes_the_whole_way() {
    let adult = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/datasets/adult/adult.csv");
    if !adult.exists() {
        println!("skipped: no ../shared");
        return;
    }
    let world = with_register(1);
    fs::copy(adult, world.path("adult.csv")).unwrap();
    whole_way(&world, "adult.csv", ";", 30_162);
}

const POLICY: &str = "release = \"enclave\"\n\
    [columns.phone]\ntechnique = \"mask\"\nkeep_first = 3\nkeep_last = 4\nkind = \"mobile\"\n\
    [columns.birth]\ntechnique = \"date\"\nlevel = \"month\"\n\
    [columns.note]\ntechnique = \"suppress\"\n\
    [columns.n]\ntechnique = \"keep\"\n";

/// A thousand good rows and these.
fn with_rows(rows: &[&str]) -> World {
    let world = with_register(1);
    let good: String = (0..1000).map(|n| format!("138{n:08},1990-01-31,fine,{n}\n")).collect();
    world.write("in.csv", format!("phone,birth,note,n\n{good}{}\n", rows.join("\n")));
    world.write("p.toml", format!("max_bad = \"0.1\"\n{POLICY}"));
    world
}

#[test]
fn cells_of_another_kind_are_never_let_through() {
    let rows = [
        "kanarienvogel,1990-01-31,a,1",
        "１３８００１３８０００,1990-01-31,a,2",
        "+86 138-0013-8000,1990-01-31,a,3",
        "138001380001,1990-01-31,a,4",
        "13800138000,1990-02-30,a,5",
        "13800138000,0000-00-00,a,6",
        "13800138000,kanarienvogel,a,7",
        "👩‍👩‍👧‍👦e\u{301},1990-01-31,a,8",
        "\u{202e}00083100831,1990-01-31,a,9",
        "\"1380013\n8000\",1990-01-31,a,10",
        ",,,11",
        "\"\",\"\",\"\",12",
        "13800138000,19900131,a,13",
        "13800138000,\"1990年1月31日\",=cmd|kanarienvogel,14",
    ];
    let world = with_rows(&rows);
    let told = world.json(&desensitise("in.csv", "p.toml", "out.csv"));
    let out = fs::read_to_string(world.path("out.csv")).unwrap();
    assert!(out.starts_with("phone,birth,n\n138****0000,1990-01,0\n"), "{}", &out[..60]);
    let bad: u64 = told["rows_left_out"].as_u64().unwrap();
    assert_eq!(told["rows_written"].as_u64().unwrap() + bad, 1000 + rows.len() as u64);
    let last: Vec<&str> = out.lines().skip(1001).collect();
    // Full width and separators are the same number; nulls stay nulls; dates of other forms are dates.
    let expected = ["138****8000,1990-01,2", "138****8000,1990-01,3", ",,11", ",,12", "138****8000,1990-01,13", "138****8000,1990-01,14"];
    assert_eq!(last, expected);
    let quarantine = fs::read_to_string(world.path("out.csv.quarantine.csv")).unwrap();
    assert_eq!(quarantine.lines().count() as u64, 1 + bad, "{quarantine}");
    assert!(quarantine.contains("1001,") && quarantine.contains("\"phone\",not of the kind mobile"), "{quarantine}");
    assert!(quarantine.contains("\"birth\",not a date"), "{quarantine}");
    assert_eq!(fs::metadata(world.path("out.csv.quarantine.csv")).unwrap().permissions().mode() & 0o777, 0o600);
    holds_none(&world, &["in.csv"], &[CANARY, "fine"]);
}

#[test]
fn a_policy_may_refuse_or_suppress_instead() {
    let world = with_rows(&["kanarienvogel,1990-01-31,a,1"]);
    world.write("p.toml", format!("off_kind = \"refuse\"\n{POLICY}"));
    world.fails(2, &["record 1001", "column phone: not of the kind mobile"], &desensitise("in.csv", "p.toml", "out.csv"));
    world.write("p.toml", format!("off_kind = \"suppress\"\n{POLICY}"));
    let told = world.json(&desensitise("in.csv", "p.toml", "out.csv"));
    assert_eq!((told["cells_suppressed"].as_u64(), told["rows_written"].as_u64()), (Some(1), Some(1001)));
    assert!(fs::read_to_string(world.path("out.csv")).unwrap().ends_with("\n,1990-01,1\n"));
    holds_none(&world, &["in.csv"], &[CANARY]);
}

#[test]
fn too_many_bad_rows_stop_the_run_and_leave_no_file() {
    let world = with_rows(&["kanarienvogel,1990-01-31,a,1", "kanarienvogel,1990-01-31,a,2"]);
    world.write("p.toml", POLICY);
    world.fails(2, &["max_bad = 0.001", "quarantine.csv"], &desensitise("in.csv", "p.toml", "out.csv"));
    for name in ["out.csv", "out.csv.manifest", "out.csv.opening"] {
        assert!(!world.path(name).exists(), "{name}");
    }
    assert!(fs::read_to_string(world.path("out.csv.quarantine.csv")).unwrap().contains("1001,"));
    holds_none(&world, &["in.csv"], &[CANARY]);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_written() {
    let world = with_rows(&[]);
    let run = |policy: &str, says: &[&str], code: i32| {
        world.write("q.toml", policy);
        world.fails(code, says, &desensitise("in.csv", "q.toml", "out.csv"));
        assert!(!world.path("out.csv").exists());
    };
    run(&format!("{POLICY}[columns.ghost]\ntechnique = \"keep\"\n"), &["column ghost: the file has no such column"], 3);
    run("release = \"enclave\"", &["column phone: the policy says nothing about it"], 3);
    run("release = \"public\"\norder = \"shuffled\"\n[default]\ntechnique = \"suppress\"", &["anonymity statement"], 3);
    run(&POLICY.replace("mask", "md5"), &["`md5` is not known"], 2);
    run("release = kanarienvogel", &["line 1"], 2);
    let key = format!("{POLICY}[columns.phone]\n")
        .replace("technique = \"mask\"\nkeep_first = 3\nkeep_last = 4\nkind = \"mobile\"", "technique = \"pseudonym\"\nkey = \"none\"");
    run(key.trim_end_matches("[columns.phone]\n"), &["key \"none\""], 3);

    world.write("q.toml", POLICY);
    world.chmod("people.keys", 0o644);
    world.fails(2, &["people.keys", "644"], &desensitise("in.csv", "q.toml", "out.csv"));
    world.chmod("people.keys", 0o600);
    world.fails(2, &["none.keys"], &["desensitise", "in.csv", "--policy", "q.toml", "--keys", "none.keys", "-o", "out.csv"]);
    world.fails(2, &["none.csv"], &desensitise("none.csv", "q.toml", "out.csv"));
    world.fails(2, &[".csv, .parquet or .arrow"], &desensitise("in.csv", "q.toml", "out.xlsx"));
    world.write("out.csv", "theirs");
    world.fails(2, &["exists", "--force"], &desensitise("in.csv", "q.toml", "out.csv"));
    assert_eq!(fs::read(world.path("out.csv")).unwrap(), b"theirs");
    world.done(&[&desensitise("in.csv", "q.toml", "out.csv")[..], &["--force"]].concat());
    world.fails(1, &["no_such_folder"], &desensitise("in.csv", "q.toml", "no_such_folder/out.csv"));
    #[cfg(target_os = "linux")]
    world.fails(1, &["/proc/self/out.csv"], &desensitise("in.csv", "q.toml", "/proc/self/out.csv"));
}

#[test]
fn what_tells_of_no_person_is_said_and_signed() {
    let world = with_register(1);
    world.write("in.csv", "name,price\nOak table,120\nChair,35\n");
    let policy = "release = \"enclave\"\n[columns.name]\ntechnique = \"keep\"\n[columns.price]\ntechnique = \"keep\"\n";
    world.write("p.toml", policy);
    world.fails(3, &["column name: its header names the name of a person", "not_personal"], &desensitise("in.csv", "p.toml", "out.csv"));
    world.write("p.toml", policy.replacen("\"keep\"", "\"keep\"\nnot_personal = \"names of products\"", 1));
    let told = world.json(&["policy", "check", "p.toml", "in.csv"]);
    assert_eq!(told["not_personal"], serde_json::json!({"name": "names of products"}));
    world.done(&desensitise("in.csv", "p.toml", "out.csv"));
    world.done(&["verify", "out.csv.manifest", "--key", "owner.pub", "--file", "out.csv"]);
    assert!(world.json(&["inspect", "out.csv.manifest"]).to_string().contains("names of products"));
    let told = world.json(&["classify", "in.csv"]);
    assert_eq!((&told["columns"][0]["header_names"], &told["columns"][0]["grade"]), (&"name".into(), &3.into()));
}

#[test]
fn wide_files_and_huge_cells_have_an_end() {
    let world = with_register(1);
    let names: Vec<String> = (0..10_000).map(|n| format!("c{n}")).collect();
    let row = vec!["7"; 10_000].join(",");
    world.write("wide.csv", format!("{}\n{row}\n{row}\n", names.join(",")));
    world.write("p.toml", "release = \"enclave\"\n[default]\ntechnique = \"bin\"\nwidth = 10\n");
    let told = world.json(&desensitise("wide.csv", "p.toml", "wide.out.csv"));
    assert_eq!(told["rows_written"], 2);
    world.done(&["verify", "wide.out.csv.manifest", "--key", "owner.pub", "--file", "wide.out.csv"]);

    world.write("huge.csv", [b"a,b\n1,".as_slice(), &vec![b'x'; 100 << 20], b"\n"].concat());
    world.fails(2, &["record 1", "longer than"], &desensitise("huge.csv", "p.toml", "huge.out.csv"));
    fs::remove_file(world.path("huge.csv")).unwrap();
}

#[test]
fn rows_leave_in_the_order_the_policy_says() {
    let world = with_register(1);
    let rows: String = (0..5000).map(|n| format!("{}\n", (n * 7919) % 5000)).collect();
    world.write("in.csv", format!("n\n{rows}"));
    let run = |order: &str, out: &str| {
        world.write("p.toml", format!("release = \"enclave\"\norder = \"{order}\"\n[columns.n]\ntechnique = \"keep\"\n"));
        world.done(&desensitise("in.csv", "p.toml", out));
        fs::read_to_string(world.path(out)).unwrap()
    };
    assert_eq!(run("kept", "kept.csv"), format!("n\n{rows}"));
    let (one, two) = (run("shuffled", "one.csv"), run("shuffled", "two.csv"));
    assert_ne!(one, two);
    let sorted = |text: &str| {
        let mut lines: Vec<&str> = text.lines().skip(1).collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    assert_eq!(sorted(&one), sorted(&two));
    let by_output = run("by_output", "three.csv");
    assert_eq!(by_output, format!("n\n{}\n", sorted(&one)));
}

#[test]
fn the_same_person_has_the_same_pseudonym_in_every_file_and_format() {
    let world = with_register(1);
    world.write("a.csv", "id,n\n11010519491231002X,1\n");
    world.write("b.csv", "n,person\n2,11010519491231002x\n");
    let policy = |column: &str| {
        format!(
            "release = \"enclave\"\n[columns.{column}]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\ndomain = \"person\"\nkind = \"resident_id\"\n[default]\ntechnique = \"keep\"\n"
        )
    };
    world.write("a.toml", policy("id"));
    world.write("b.toml", policy("person"));
    world.done(&desensitise("a.csv", "a.toml", "a.out.csv"));
    world.done(&desensitise("b.csv", "b.toml", "b.out.csv"));
    let cell = |name: &str, at: usize| {
        fs::read_to_string(world.path(name)).unwrap().lines().nth(1).unwrap().split(',').nth(at).unwrap().to_owned()
    };
    assert_eq!(cell("a.out.csv", 0), cell("b.out.csv", 1));
    assert_eq!(cell("a.out.csv", 0).len(), 32);
}

/// Whatever the moment, nothing raw is anywhere but in the source, and the next run finds nothing in its way.
#[test]
fn killed_at_any_moment_it_leaves_nothing_raw() {
    const KILLS: u32 = 200;
    let world = with_register(1);
    let rows: String = (0..60_000u32).map(|n| format!("138{:08},1990-01-31,{CANARY}{n},{n}\n", n * 7_919 % 100_000_000)).collect();
    world.write("in.csv", format!("phone,birth,note,n\n{rows}"));
    world.write("p.toml", POLICY.replace("release", "order = \"shuffled\"\nrelease"));
    let args = [&desensitise("in.csv", "p.toml", "out.parquet")[..], &["--force"]].concat();
    let begun = Instant::now();
    world.done(&args);
    let whole = begun.elapsed();
    let mut finished = 0;
    for kill in 0..KILLS {
        let mut child = usufruct(world.folder()).args(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Evenly over a run and a little more.
        std::thread::sleep(whole * kill / (KILLS - 20));
        let _ = child.kill();
        finished += u32::from(child.wait().unwrap().success());
        if kill % 20 == 0 {
            holds_none(&world, &["in.csv"], &[CANARY, "13800007919"]);
        }
    }
    holds_none(&world, &["in.csv"], &[CANARY, "13800007919"]);
    assert!(finished < KILLS / 2, "{finished} runs were not killed");
    world.done(&args);
    world.done(&["verify", "out.parquet.manifest", "--key", "owner.pub", "--file", "out.parquet"]);
    assert_eq!(world.parts(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn ctrl_c_leaves_nothing() {
    let world = with_register(400_000);
    world.write("p.toml", "release = \"enclave\"\n[default]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\n");
    for wait in [100, 400, 700] {
        let mut child = usufruct(world.folder())
            .args(desensitise("register.csv", "p.toml", "out.csv"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "after {wait} ms");
        assert!(!world.path("out.csv").exists() && world.parts().is_empty());
    }
}

#[test]
fn columns_are_named_in_json_and_numbers_are_counts() {
    let world = with_register(500);
    let told: Value = world.json(&["classify", "register.csv"]);
    let columns = told["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 9);
    for column in columns {
        assert!(column["name"].is_string() && column["kind"].is_string(), "{column}");
        assert!((1..=4).contains(&column["grade"].as_u64().unwrap()), "{column}");
        assert!(column["matched"].as_u64() <= column["sampled"].as_u64(), "{column}");
    }
    assert_eq!(columns[0]["kind"], "resident_id");
}
