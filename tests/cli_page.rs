//! `docs/cli.md` against the command line: every verb and option in both directions, every example run, every shape of JSON.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What is said of an option or an argument: its letter, the name of its value, its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    letter: Option<String>,
    value: Option<String>,
    default: Option<String>,
}

/// The options of a verb by `--name`, and its arguments by their names.
type Options = BTreeMap<String, Said>;

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_usufruct"))
}

/// The help of a verb, with what is said of one thing in one line.
fn help(verb: &[&str]) -> String {
    let out = Command::new(binary()).args(verb).arg("--help").output().unwrap();
    assert!(out.status.success(), "{verb:?}");
    String::from_utf8(out.stdout).unwrap()
}

/// The lines of a part of a help, those that are indented further joined to the one before.
fn entries(help: &str, part: &str) -> Vec<String> {
    let Some((_, rest)) = help.split_once(&format!("\n{part}:\n")) else { return Vec::new() };
    let mut entries: Vec<String> = Vec::new();
    for line in rest.lines().take_while(|line| line.is_empty() || line.starts_with("  ")) {
        let indent = line.len() - line.trim_start().len();
        let begins = indent == 2 || indent == 6 && line.trim_start().starts_with("--");
        match entries.last_mut() {
            _ if begins => entries.push(line.trim().to_owned()),
            Some(entry) => *entry = format!("{entry} {}", line.trim()),
            None => {}
        }
    }
    entries
}

/// Every verb that does something, with its options.
fn verbs_of_the_binary() -> BTreeMap<String, Options> {
    let mut verbs = BTreeMap::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(verb) = open.pop() {
        let words: Vec<&str> = verb.iter().map(String::as_str).collect();
        let help = help(&words);
        let commands = entries(&help, "Commands");
        if commands.is_empty() {
            let said = entries(&help, "Arguments").into_iter().chain(entries(&help, "Options")).map(|entry| said_in_help(&entry));
            verbs.insert(verb.join(" "), said.filter(|(name, _)| !["--json", "--help"].contains(&name.as_str())).collect());
        }
        let names = commands.iter().map(|entry| entry.split(' ').next().unwrap()).filter(|name| *name != "help");
        open.extend(names.map(|name| [verb.as_slice(), &[name.to_owned()]].concat()));
    }
    verbs
}

/// `-o, --out <FILE>  what it is [default: x]`, or `[FILE]  what it is`.
fn said_in_help(entry: &str) -> (String, Said) {
    let default = entry.split_once("[default: ").map(|(_, rest)| rest.split(']').next().unwrap().to_owned());
    let (spec, _) = entry.split_once("  ").unwrap_or((entry, ""));
    let name = |value: &str| value.trim_matches(['<', '>', '[', ']']).to_owned();
    if !spec.starts_with('-') {
        return (name(spec), Said { default, ..Said::default() });
    }
    let (letter, long) = spec.split_once(", ").map_or((None, spec), |(letter, long)| (Some(letter.to_owned()), long));
    let (long, value) = long.split_once(' ').map_or((long, None), |(long, value)| (long, Some(name(value))));
    (long.to_owned(), Said { letter, value, default })
}

/// The sections of verbs: their names and texts.
fn sections(page: &str) -> impl Iterator<Item = (String, &str)> {
    page.split("\n### usufruct ").skip(1).map(|section| {
        let (verb, text) = section.split_once('\n').unwrap();
        (verb.to_owned(), text.split("\n## ").next().unwrap())
    })
}

/// `` | `-o`, `--out FILE` | default | what it is | ``.
fn said_on_the_page(line: &str) -> (String, Said) {
    // A bar inside a cell is escaped.
    let line = line.replace("\\|", "\u{1f}");
    let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
    assert_eq!(cells.len(), 3, "{line}");
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(|word| word.replace('\u{1f}', "|")).collect::<Vec<_>>();
    let mut names = quoted(cells[0]);
    let (last, default) = (names.pop().unwrap(), quoted(cells[1]).pop());
    if !last.starts_with('-') {
        return (last, Said { default, ..Said::default() });
    }
    let (long, value) = last.split_once(' ').map_or((last.as_str(), None), |(long, value)| (long, Some(value.to_owned())));
    (long.to_owned(), Said { letter: names.pop(), value, default })
}

#[test]
fn the_page_has_every_verb_and_option_and_no_other() {
    let page = page("cli.md");
    let options = |text: &str| text.lines().filter(|line| line.starts_with("| `")).map(said_on_the_page).collect::<Options>();
    let told: BTreeMap<String, Options> = sections(&page).map(|(verb, text)| (verb, options(text))).collect();
    let verbs = verbs_of_the_binary();
    assert!(verbs.len() > 20, "{:?}", verbs.keys());
    assert_eq!(told.keys().collect::<Vec<_>>(), verbs.keys().collect::<Vec<_>>());
    for (verb, options) in verbs {
        assert_eq!(told[&verb], options, "usufruct {verb}");
    }
}

/// What a shell block of the page prints in the folder. A failure ends the test.
fn run(folder: &Path, script: &str) -> String {
    let mut path = vec![binary().parent().unwrap().to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let path = std::env::join_paths::<_, PathBuf>(path).unwrap();
    let out = Command::new("sh").args(["-e", "-c", script]).current_dir(folder).env("PATH", path).output().unwrap();
    assert!(out.status.success(), "{script}\n{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Whether both have the same keys and types, all the way down. Null stands for any type, an empty list for any; in lists each
/// element has one that is like it in the other.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Null, _) | (_, Value::Null) => true,
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| alike(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            let each_has_its_like = |one: &[Value], other: &[Value]| one.iter().all(|one| other.iter().any(|other| alike(one, other)));
            one.is_empty() || other.is_empty() || each_has_its_like(one, other) && each_has_its_like(other, one)
        }
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

#[test]
fn the_examples_run_and_print_what_stands_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    for file in page("files.md").split("\n```toml ").skip(1) {
        let (name, rest) = file.split_once('\n').unwrap();
        fs::write(folder.path().join(name), rest.split("\n```").next().unwrap()).unwrap();
    }
    let page = page("cli.md");
    let (mut printed, mut compared, mut verb) = (String::new(), 0, String::new());
    for block in page.split("\n```").collect::<Vec<_>>().chunks(2).filter_map(|pair| pair.get(1).map(|block| (pair[0], *block))) {
        let (before, (kind, text)) = (block.0, block.1.split_once('\n').unwrap());
        if let Some((_, heading)) = before.rsplit_once("\n### usufruct ") {
            heading.lines().next().unwrap().clone_into(&mut verb);
        }
        match kind {
            "sh" => printed = run(folder.path(), text),
            "json" => {
                let told: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{verb}: {error}"));
                let found: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
                assert!(alike(&told, &found), "usufruct {verb}: the page says\n{told}\nand it prints\n{found}");
                compared += 1;
            }
            other => panic!("a block of {other:?}"),
        }
    }
    assert_eq!(compared, sections(&page).count(), "a verb without its JSON");
}

#[test]
fn shapes_that_differ_are_told_apart() {
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert!(alike(&value(r#"{"a":[{"b":1}],"c":null}"#), &value(r#"{"a":[{"b":2},{"b":3}],"c":"x"}"#)));
    for other in [r#"{"a":1,"b":2}"#, "{}", r#"{"b":1}"#, r#"{"a":"1"}"#, r#"{"a":[1]}"#] {
        assert!(!alike(&value(r#"{"a":1}"#), &value(other)), "{other}");
    }
    assert!(!alike(&value(r#"[{"a":1}]"#), &value(r#"[{"a":1},{"b":1}]"#)));
}

#[test]
fn what_is_next_is_not_here_yet() {
    let page = page("next.md");
    for verb in ["anonymise", "risk", "subgrant", "revoke"] {
        assert!(page.contains(&format!("| `usufruct {verb} ")), "{verb}");
        let out = Command::new(binary()).args([verb, "--any"]).output().unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(out.status.code() == Some(2) && said.contains("not in this version"), "{verb}: {said}");
    }
}
