//! The rooms of `DESIGN.md` section 3 in their total order: a room refers only to rooms above it, and to itself.
//!
//! The checker reads sources as tokens, comments and strings left out, so that neither a doc link nor a message counts.
//! It knows `use` and inline paths, groups, and chains of `super` that leave a room, in test modules too.
//! Beside it stand the checks that every file says in its first line what it is for, and that no public name stands for two things.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

/// A room and where it stands in the total order.
fn rooms() -> Vec<String> {
    let design = std::fs::read_to_string(root().join("DESIGN.md")).unwrap();
    let (_, section) = design.split_once("\n## 3.").expect("DESIGN.md has a section 3");
    let (_, list) = section.split_once("\n```\n").expect("with a list");
    let (list, _) = list.split_once("\n```").unwrap();
    list.lines().filter(|line| !line.starts_with("src/")).flat_map(rooms_of).collect()
}

/// `group   room[, room]   words`: the names stand in the second column.
fn rooms_of(line: &str) -> Vec<String> {
    let names = line.get(11..).unwrap_or_default().split("  ").next().unwrap_or_default();
    names.split(", ").map(str::to_owned).filter(|name| !name.is_empty()).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What is wrong with the source of a module, whose path from the crate's root is `module`.
fn violations(rooms: &[String], module: &[&str], source: &str) -> Vec<String> {
    let place = |name: &str| rooms.iter().position(|room| room == name);
    let room = module[0];
    let Some(own) = place(room) else { return vec![format!("{room} is not in the list of rooms")] };
    let tokens = tokens(source);
    let at = |index: usize| tokens.get(index).map_or("", String::as_str);
    let mut found = Vec::new();
    let mut refer = |name: &str| match place(name) {
        Some(other) if other <= own => {}
        Some(_) => found.push(format!("{room} refers to {name}, which stands below it")),
        None => found.push(format!("{room} refers to {name}, which is no room")),
    };
    // The braces that are open, and whether each is that of a module.
    let mut braces = Vec::new();
    let mut leaving = Vec::new();
    for index in 0..tokens.len() {
        match at(index) {
            "{" => braces.push(index >= 2 && at(index - 2) == "mod"),
            "}" => drop(braces.pop()),
            // The visibilities `pub(crate)` and `pub(in crate::room)` refer to nothing.
            "crate" if at(index + 1) == ")" || at(index.wrapping_sub(1)) == "in" => {}
            "crate" if at(index + 1) == "::" && at(index + 2) == "{" => first_names(&tokens[index + 3..]).for_each(&mut refer),
            "crate" if at(index + 1) == "::" => refer(at(index + 2)),
            "crate" => refer("the whole crate"),
            "usufruct" if at(index + 1) == "::" => refer("the crate by its name"),
            "path" if at(index.wrapping_sub(1)) == "[" && at(index + 1) == "=" => refer("a file by its path"),
            "super" if at(index.wrapping_sub(1)) != "::" || at(index.wrapping_sub(2)) == "self" => {
                let chain = (0..).take_while(|step| at(index + 2 * step) == "super" && at(index + 2 * step + 1) == "::").count();
                let depth = module.len() + braces.iter().filter(|module| **module).count();
                if chain >= depth {
                    leaving.push(format!("{room} leaves itself by {chain} times super"));
                }
            }
            _ => {}
        }
    }
    found.extend(leaving);
    found
}

/// The first names of the paths of a group, from behind its brace on.
fn first_names(tokens: &[String]) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let mut expected = true;
    let mut names = Vec::new();
    for token in tokens {
        match token.as_str() {
            "{" => depth += 1,
            "}" if depth == 0 => break,
            "}" => depth -= 1,
            "," if depth == 0 => expected = true,
            name if expected => {
                names.push(name);
                expected = false;
            }
            _ => {}
        }
    }
    names.into_iter()
}

/// Identifiers, `::` and single characters; comments, strings, characters and lifetimes left out.
fn tokens(source: &str) -> Vec<String> {
    let chars: Vec<char> = source.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut index = 0;
    while index < chars.len() {
        match (at(index), at(index + 1)) {
            ('/', '/') => index += (index..chars.len()).take_while(|&index| at(index) != '\n').count(),
            ('/', '*') => index = comment_end(&chars, index),
            ('"', _) => index = string_end(&chars, index + 1),
            ('\'', '\\') => index = quote_end(&chars, index + 3),
            ('\'', _) if at(index + 2) == '\'' => index += 3,
            ('\'', _) => index += 1 + (index + 1..chars.len()).take_while(|&index| is_word(at(index))).count(),
            (':', ':') => {
                tokens.push("::".to_owned());
                index += 2;
            }
            (c, _) if is_word(c) => {
                let word: String = chars[index..].iter().take_while(|c| is_word(**c)).collect();
                index += word.chars().count();
                match (word.as_str(), at(index)) {
                    ("r" | "br", '"' | '#') if raw_string_end(&chars, index).is_some() => index = raw_string_end(&chars, index).unwrap(),
                    ("b", '"') => index = string_end(&chars, index + 1),
                    _ => tokens.push(word),
                }
            }
            (c, _) => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                index += 1;
            }
        }
    }
    tokens
}

fn comment_end(chars: &[char], start: usize) -> usize {
    let (mut index, mut depth) = (start, 0);
    while index + 1 < chars.len() {
        match (chars[index], chars[index + 1]) {
            ('/', '*') => (depth, index) = (depth + 1, index + 2),
            ('*', '/') => (depth, index) = (depth - 1, index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            return index;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut index = start;
    while index < chars.len() && chars[index] != '"' {
        index += if chars[index] == '\\' { 2 } else { 1 };
    }
    index + 1
}

fn quote_end(chars: &[char], start: usize) -> usize {
    start + (start..chars.len()).take_while(|&index| chars[index] != '\'').count() + 1
}

/// Behind `r` or `br`: hashes, a quote, and all up to the quote with as many hashes. `r#name` is none.
fn raw_string_end(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start..].iter().take_while(|c| **c == '#').count();
    if chars.get(start + hashes) != Some(&'"') {
        return None;
    }
    let closes = |index: &usize| chars[*index] == '"' && chars[index + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    Some((start + hashes + 1..chars.len()).find(closes)? + 1 + hashes)
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_room_refers_only_to_rooms_above_it() {
    let rooms = rooms();
    assert!(rooms.len() > 20 && rooms[0] == "label" && rooms.last().unwrap() == "error", "{rooms:?}");
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    assert!(files.len() > 50);
    let mut found = Vec::new();
    for file in files {
        let relative = file.strip_prefix(root().join("src")).unwrap().with_extension("");
        let module: Vec<&str> = relative.iter().map(|part| part.to_str().unwrap()).collect();
        let source = std::fs::read_to_string(&file).unwrap();
        match module[0] {
            "lib" => {}
            // The command line is another crate: it reaches the rooms only through what is public.
            "bin" => assert!(!source.contains("#[path") && !source.contains("include!"), "{}", file.display()),
            _ => found.extend(violations(&rooms, &module, &source).into_iter().map(|found| format!("{}: {found}", file.display()))),
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_table_of_contents_is_in_the_order_of_the_rooms() {
    let rooms = rooms();
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let names: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let order: Vec<Option<usize>> = names.iter().map(|name| rooms.iter().position(|room| room == name)).collect();
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{names:?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut files = Vec::new();
    // The last two are no part of the package.
    let folders = ["src", "tests", "examples", "benches", "fuzz/targets", "crates"].map(|folder| root().join(folder));
    folders.iter().filter(|folder| folder.is_dir()).for_each(|folder| sources(folder, &mut files));
    assert!(files.len() > 300, "{}", files.len());
    files.retain(|file| !says_its_purpose(&std::fs::read_to_string(file).unwrap()));
    assert!(files.is_empty(), "without a module doc: {files:#?}");
}

/// A doc of the module in the first line, and more in it than a word.
fn says_its_purpose(source: &str) -> bool {
    source.lines().next().and_then(|line| line.strip_prefix("//! ")).is_some_and(|line| line.split_whitespace().count() > 1)
}

#[test]
fn a_file_that_does_not_is_found() {
    for source in ["", "use std::fmt;\n", "//!\n//! Ids.\n", "//! Ids.\n", "// Ids of requests.\n", "/// Ids of requests.\nstruct Id;"] {
        assert!(!says_its_purpose(source), "{source:?}");
    }
    assert!(says_its_purpose("//! Ids of requests.\n\nuse std::fmt;\n"));
}

/// The public types and traits that a source declares; what stands in a function or in a module of tests is none.
fn public_names(source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let at = |index: usize| tokens.get(index).map_or("", String::as_str);
    let is_tests = |index: usize| at(index) == "mod" && at(index + 1) == "tests" && at(index + 2) == "{";
    let end = (0..tokens.len()).find(|index| is_tests(*index)).unwrap_or(tokens.len());
    let declares = |index: &usize| at(*index) == "pub" && matches!(at(index + 1), "struct" | "enum" | "trait" | "type" | "union");
    (0..end).filter(declares).map(|index| at(index + 2).to_owned()).filter(|name| name != "$").collect()
}

#[test]
fn no_public_name_stands_for_two_things() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let is_tests = |file: &Path| file.iter().any(|part| matches!(part.to_str(), Some("tests" | "tests.rs" | "bin")));
    let mut found = std::collections::BTreeMap::<String, Vec<PathBuf>>::new();
    for file in files.into_iter().filter(|file| !is_tests(file)) {
        for name in public_names(&std::fs::read_to_string(&file).unwrap()) {
            found.entry(name).or_default().push(file.clone());
        }
    }
    assert!(found.len() > 300, "{}", found.len());
    // Closes a trait against implementations from outside, in each room that needs it.
    found.remove("Sealed");
    found.retain(|_, files| files.len() > 1);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn public_names_are_those_that_others_see() {
    let source = "pub struct A; pub(crate) struct B; struct C; /// pub struct D;\n pub enum E {} record! { pub struct F [ pub g: H, ] }\n\
        mod tests { pub struct I; }";
    assert_eq!(public_names(source), ["A", "E", "F"]);
}

#[test]
fn planted_violations_are_found() {
    let rooms: Vec<String> = ["label", "codec", "id", "key", "gate"].map(str::to_owned).into();
    let refused = |module: &[&str], source: &str| assert!(!violations(&rooms, module, source).is_empty(), "{source}");
    let room = &["codec"][..];
    for source in [
        "use crate::key::SigningKey;",
        "fn f() -> crate::gate::Gate { panic!() }",
        "fn f() { let x = 1; crate::key::open(x) }",
        "use crate::{label::Label, key::{self, Signer}};",
        "use crate::{label, id};",
        "use { crate::label, crate::key };",
        "use ::std::fmt; pub(crate) use crate::key;",
        "use crate::nowhere::Thing;",
        "use crate::*;",
        "use crate as c;",
        "use usufruct::key::Signer;",
        "#[path = \"key.rs\"] mod key;",
        "use super::key::Signer;",
        "use self::super::key;",
        "mod inner { use super::super::key; }",
        "fn f() { { super::key::f() } }",
        "#[cfg(test)] mod tests { use crate::key::SigningKey; }",
        "macro_rules! m { () => { $crate::key::f() } }",
        "fn f<'a>(x: &'a str) -> char { let c = '\"'; crate::key::f(); c }",
        "const S: &str = r#\"\"# ; use crate::key;",
        "/* a /* b */ */ use crate::key;",
    ] {
        refused(room, source);
    }
    refused(&["codec", "decode"], "use super::super::key;");
    refused(&["nowhere"], "");
}

#[test]
fn what_is_allowed_is_not_found() {
    let rooms: Vec<String> = ["label", "codec", "id", "key"].map(str::to_owned).into();
    for source in [
        "use crate::label::Label; use crate::codec::Encoder;",
        "use crate::{label::Label, codec::{Decoder, Encoder}};",
        "/// See [`crate::key::Signer`].\nfn f() {}",
        "// crate::key\n/* crate::key */ const S: &str = \"crate::key \\\" crate::key\";",
        "const S: &[u8] = br##\"crate::key \"# crate::key\"##;",
        "pub(crate) fn f() {} pub(in crate::key) fn g() {}",
        "mod inner { use super::Encoder; fn f() { { super::g() } } }",
        "use self::inner::Thing; use std::fmt;",
        "fn f<'key>(x: &'key u8) -> char { '\\'' }",
    ] {
        assert_eq!(violations(&rooms, &["codec"], source), Vec::<String>::new(), "{source}");
    }
    assert!(violations(&rooms, &["codec", "decode"], "use super::Limits; mod tests { use super::super::Limits; }").is_empty());
}
