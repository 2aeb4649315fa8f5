//! Every public error says its class: the command line's exit codes come from it, and a backend's answers.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

/// What looks like an error and is none, with the reason why it has no class.
const FINDINGS: [(&str, &str); 3] = [
    ("src/desensitise/technique/off_kind.rs OffReason", "why a cell stays out: the run goes on, and the report lists it"),
    ("src/ledger/journal/frame.rs Expected", "words of a `FrameError`, which has one"),
    (
        "src/probe/finding.rs Violation",
        "what an audit was asked to find: its report is the answer, and `ProbeReport` says whether it holds",
    ),
];

/// The public types of a source that are errors, and whether each has a method `class`.
fn errors(source: &str) -> Vec<(String, bool)> {
    let items = ["\npub enum ", "\npub struct "].map(|start| source.match_indices(start).map(move |(at, _)| (at, at + start.len())));
    let mut found = Vec::new();
    for (at, name) in items.into_iter().flatten() {
        let name: String = source[name..].chars().take_while(|c| c.is_alphanumeric()).collect();
        // Its docs and attributes: back to the line that ends the item before.
        let head = &source[source[..at].rfind("\n\n").unwrap_or(0)..at];
        let derives = head.split("#[derive(").skip(1).filter_map(|rest| rest.split(')').next());
        let is_error = derives.flat_map(|list| list.split(',')).any(|word| matches!(word.trim(), "Error" | "thiserror::Error"));
        if is_error || name.ends_with("Error") {
            let of = |block: &str| block.split("\n}\n").next().unwrap().contains(" fn class(");
            let has_class = source.split(&format!("\nimpl {name} {{\n")).skip(1).any(of);
            found.push((name, has_class));
        }
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The command line is another crate.
        if path.is_dir() && path.file_name().unwrap() != "bin" {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_str().unwrap().replace('\\', "/");
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_public_error_has_a_class_or_a_reason_to_have_none() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let all = files.iter().flat_map(|(file, source)| errors(source).into_iter().map(move |(name, has)| (format!("{file} {name}"), has)));
    let all: Vec<(String, bool)> = all.collect();
    assert!(all.len() > 50, "{}", all.len());
    let mut without: Vec<&str> = all.iter().filter(|(_, has)| !has).map(|(name, _)| name.as_str()).collect();
    without.sort_unstable();
    assert_eq!(without, FINDINGS.map(|(name, _)| name));
}

#[test]
fn an_error_without_a_class_is_found() {
    let class = "\nimpl Wrong {\n    pub const fn class(&self) -> Class {\n        Class::Doubt\n    }\n}\n";
    let wrong = "\n/// No.\n#[derive(Debug, thiserror::Error)]\n#[error(\"no\")]\npub struct Wrong;\n";
    assert_eq!(errors(wrong), [("Wrong".to_owned(), false)]);
    assert_eq!(errors(&format!("{wrong}{class}")), [("Wrong".to_owned(), true)]);
    assert_eq!(errors("\n#[derive(Debug)]\npub enum OtherError {\n}\n"), [("OtherError".to_owned(), false)]);
    assert!(errors("\n#[derive(Debug)]\npub struct Right;\n\n#[derive(Error)]\nstruct Inner;\n").is_empty());
}
