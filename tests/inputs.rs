//! Whatever a user names as a file: only a regular one is read, and nothing else is waited for.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code, reason = "the other tests of the command line use the rest")]
#[path = "cli/world.rs"]
mod world;

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use world::{PEOPLE, World, usufruct};

/// A run that has not ended by then waits for something: a test that fails is better than one that hangs.
const ENDS: Duration = Duration::from_secs(60);

/// Runs the binary with these bytes on stdin: its exit code, stdout and stderr.
fn run(world: &World, args: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut child =
        usufruct(world.folder()).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Fails when the run does not want them all.
    let _ = stdin.write_all(input);
    drop(stdin);
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if begun.elapsed() > ENDS => {
                child.kill().unwrap();
                panic!("{args:?} has not ended after {ENDS:?}");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.unwrap().read_to_string(&mut out).unwrap();
    child.stderr.unwrap().read_to_string(&mut err).unwrap();
    (status.code().unwrap(), out, err)
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// A world with a right, a request, a receipt and a desensitised file.
fn world() -> World {
    let world = World::with_people();
    world.write(
        "policy.toml",
        "release = \"enclave\"\n[columns.age]\ntechnique = \"bin\"\nwidth = 10\n[default]\ntechnique = \"suppress\"\n",
    );
    for line in [
        "key new --kind desensitise -o people.keys",
        "desensitise people.csv --policy policy.toml --keys people.keys -o open.csv --sign owner.key",
    ] {
        world.done(&words(line));
    }
    let sql = "SELECT COUNT(*) FROM people";
    let sign = ["--right", "use.right", "--key", "holder.key", "--epsilon", "0.1", sql];
    world.done(&[&["request"][..], &sign, &["-o", "q.request"]].concat());
    world.done(&[&["ask", "space"][..], &sign, &["--receipt", "q.receipt"]].concat());
    world
}

#[test]
fn pipes_devices_and_folders_are_refused_at_once_by_every_verb() {
    let world = world();
    assert!(Command::new("mkfifo").arg(world.path("pipe")).status().unwrap().success());
    world.write("recognisers.toml", "");
    for input in ["pipe", "/dev/zero", "space"] {
        world.write("wrong.toml", PEOPLE.replace("people.csv", input));
        for line in [
            "key public FILE",
            "space new other --key FILE",
            "space new other --key owner.key --next FILE",
            "publish space --describe FILE --key owner.key",
            "publish space --describe people.toml --key FILE",
            "publish space --describe wrong.toml --key owner.key",
            "grant --key FILE --dataset space/cards/people.dataset --to holder.pub --terms terms.toml -o a.right",
            "grant --key owner.key --dataset FILE --to holder.pub --terms terms.toml -o a.right",
            "grant --key owner.key --dataset space/cards/people.dataset --to FILE --terms terms.toml -o a.right",
            "grant --key owner.key --dataset space/cards/people.dataset --to holder.pub --terms FILE -o a.right",
            "request --right FILE --key holder.key --epsilon 0.1 SQL -o a.request",
            "request --right use.right --key FILE --epsilon 0.1 SQL -o a.request",
            "request --right use.right --key holder.key --checkpoint FILE --epsilon 0.1 SQL -o a.request",
            "answer space FILE",
            "ask space --right FILE --key holder.key --epsilon 0.1 SQL",
            "ask space --right use.right --key FILE --epsilon 0.1 SQL",
            "quote space --right FILE --key holder.key --epsilon 0.1 SQL",
            "refill space --key FILE --dataset people --epsilon 1 --reason accepted",
            "inspect FILE",
            "audit space --key FILE",
            "audit space --key owner.pub --checkpoint FILE",
            "verify FILE --key owner.pub",
            "verify q.receipt --key FILE",
            "verify q.receipt --key owner.pub --request FILE",
            "verify q.receipt --key owner.pub --answer FILE",
            "verify open.csv.manifest --key owner.pub --file FILE",
            "verify open.csv.manifest --key owner.pub --opening FILE --source people.csv",
            "verify open.csv.manifest --key owner.pub --opening open.csv.opening --source FILE",
            "classify FILE",
            "classify people.csv --recognisers FILE",
            "policy suggest FILE",
            "policy check FILE",
            "policy check policy.toml FILE",
            "policy check policy.toml people.csv --keys FILE",
            "desensitise FILE --policy policy.toml -o a.csv",
            "desensitise people.csv --policy FILE -o a.csv",
            "desensitise people.csv --policy policy.toml --keys FILE -o a.csv",
            "desensitise people.csv --policy policy.toml --sign FILE -o a.csv",
        ] {
            let args: Vec<&str> = words(line)
                .into_iter()
                .map(|word| match word {
                    "FILE" => input,
                    "SQL" => "SELECT COUNT(*) FROM people",
                    word => word,
                })
                .collect();
            let (code, out, err) = run(&world, &args, b"");
            assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
            assert!(err.contains("not a regular file") && err.contains(input), "{args:?}: {err}");
        }
    }
    assert_eq!(world.parts(), Vec::<std::path::PathBuf>::new());
    assert_eq!(world.spent(), "0.1");
}

#[test]
fn a_dash_is_stdin_where_a_stream_is_enough() {
    let world = world();
    let read = |name: &str| std::fs::read(world.path(name)).unwrap();
    let shown = world.done(&["inspect", "use.right"]);
    assert_eq!(run(&world, &["inspect", "-"], &read("use.right")), (0, shown, String::new()));
    let proved = world.done(&["verify", "q.receipt", "--key", "owner.pub"]);
    assert_eq!(run(&world, &["verify", "-", "--key", "owner.pub"], &read("q.receipt")), (0, proved, String::new()));
    let (code, out, err) = run(&world, &["answer", "space", "-"], &read("q.request"));
    assert!(code == 0 && out.contains("spent epsilon 0.1"), "{out}{err}");
    let (code, _, err) = run(&world, &["answer", "space", "-"], &vec![0; 1 << 20]);
    assert!(code == 2 && err.contains("stdin has more than"), "{err}");
    let (code, _, err) = run(&world, &["inspect", "-"], b"");
    assert!(code == 2 && err.contains("not an artefact of ours"), "{err}");
    // Descriptions and keys have a place: there `-` is the name of a file that is not there.
    let (code, _, err) = run(&world, &["publish", "space", "--describe", "-", "--key", "owner.key"], PEOPLE.as_bytes());
    assert!(code == 2 && err.contains("cannot open \"-\""), "{err}");
    assert_eq!(world.spent(), "0.2");
}
