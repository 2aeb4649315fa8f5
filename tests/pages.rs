//! `docs/files.md` against the parsers of the files that people write, in both directions: what the page says is so, and what a
//! parser knows is on the page.
#![cfg(feature = "embedded")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};
use usufruct::dataset::DescriptionFile;
use usufruct::desensitise::{KeyRing, Parameter, Policy, Techniques};
use usufruct::grade::Recognisers;
use usufruct::id::ColumnName;
use usufruct::right::Terms;

/// No key and no word of any file.
const NONESUCH: &str = "nonesuch";

/// A kind of file: its name on the page, and its reader. What is read is told in words that are equal when it means the same.
struct FileKind {
    name: &'static str,
    read: fn(&str) -> Result<String, String>,
}

const KINDS: [FileKind; 5] = [
    FileKind { name: "D.toml", read: description },
    FileKind { name: "T.toml", read: terms },
    FileKind { name: "P.toml", read: policy },
    FileKind { name: "K.toml", read: keys },
    FileKind { name: "R.toml", read: recognisers },
];

fn description(text: &str) -> Result<String, String> {
    DescriptionFile::parse(text, Path::new("")).map(|file| format!("{file:?}")).map_err(|error| error.to_string())
}

fn terms(text: &str) -> Result<String, String> {
    Terms::parse(text).map(|terms| format!("{terms:?}")).map_err(|error| error.to_string())
}

/// Without the parameters, which a manifest repeats as they were spelt.
fn policy(text: &str) -> Result<String, String> {
    let policy = Policy::parse(text).map_err(|error| error.to_string())?;
    let section = |name: &ColumnName| {
        let column = policy.column(name).unwrap();
        let (technique, kind, grade, order) = (&column.technique, &column.kind, &column.grade, &column.date_order);
        format!("{name} {technique:?} {kind:?} {grade:?} {order:?} {:?}", policy.off_kind(column))
    };
    let sections: Vec<String> = policy.sections().map(section).collect();
    Ok(format!("{:?} {:?} {} {sections:?}", policy.release(), policy.order(), policy.max_bad()))
}

fn keys(text: &str) -> Result<String, String> {
    KeyRing::parse(text).map(|ring| ring.to_toml().to_string()).map_err(|error| error.to_string())
}

fn recognisers(text: &str) -> Result<String, String> {
    let all = Recognisers::parse(text).map_err(|error| error.to_string())?;
    let file: Table = toml::from_str(text).unwrap();
    let names = file.get("recogniser").and_then(Value::as_array).into_iter().flatten();
    let kinds = names.map(|entry| all.kind(entry["name"].as_str().unwrap()).unwrap());
    Ok(format!("{:?}", kinds.map(|kind| (all.grade(&kind), all.role(&kind), kind)).collect::<Vec<_>>()))
}

/// What the page says of one kind of file.
struct Section {
    tables: Vec<KeyTable>,
    examples: Vec<Table>,
}

/// The keys of one table of a file.
struct KeyTable {
    /// The names of the tables around; `*` is any.
    path: Vec<String>,
    /// For sections of a policy: of this technique alone.
    technique: Option<String>,
    rows: Vec<Row>,
}

struct Row {
    key: String,
    kind: String,
    default: String,
    example: String,
    doc: String,
}

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/files.md")).unwrap()
}

fn section(page: &str, kind: &FileKind) -> Section {
    let (_, rest) = page.split_once(&format!("\n## {}:", kind.name)).unwrap_or_else(|| panic!("{} has no section", kind.name));
    let text = rest.split("\n## ").next().unwrap();
    let mut section = Section { tables: Vec::new(), examples: Vec::new() };
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix(&format!("### {}", kind.name)) {
            section.tables.push(KeyTable::of(heading));
        } else if line.starts_with("| `") {
            section.tables.last_mut().unwrap().rows.push(Row::of(line));
        } else if line.starts_with("```toml ") {
            let file: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            section.examples.push(toml::from_str(&file.join("\n")).unwrap());
        }
    }
    section
}

/// The texts between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The words of a type: what stands in double quotes between backticks.
fn words(kind: &str) -> BTreeSet<&str> {
    quoted(kind).into_iter().filter_map(|word| word.strip_prefix('"')?.strip_suffix('"')).collect()
}

fn value(text: &str) -> Value {
    let table: Table = toml::from_str(&format!("x = {text}")).unwrap_or_else(|error| panic!("{text}: {error}"));
    table["x"].clone()
}

impl KeyTable {
    /// Reads what stands behind the name of the file in a heading: nothing, or `` : `columns.NAME` by `mask` ``.
    fn of(heading: &str) -> Self {
        let mut names = quoted(heading).into_iter();
        let path = match names.next() {
            None => Vec::new(),
            Some(name) => name.trim_matches(['[', ']']).split('.').map(|part| if part == "NAME" { "*" } else { part }.to_owned()).collect(),
        };
        Self { path, technique: names.next().map(str::to_owned), rows: Vec::new() }
    }

    fn keys(&self) -> BTreeSet<&str> {
        self.rows.iter().map(|row| row.key.as_str()).collect()
    }

    /// Every table of a file that this one describes.
    fn within<'a>(&self, file: &'a mut Table) -> Vec<&'a mut Table> {
        let mut found = vec![file];
        for name in &self.path {
            found = found.into_iter().flat_map(|table| step(table, name)).collect();
        }
        let technique = |table: &Table| table.get("technique").and_then(Value::as_str).map(str::to_owned);
        found.into_iter().filter(|table| self.technique.is_none() || technique(table) == self.technique).collect()
    }
}

/// The tables that stand in a table under a name; those of an array are each meant.
fn step<'a>(table: &'a mut Table, name: &str) -> Vec<&'a mut Table> {
    let named = table.iter_mut().filter(|(key, _)| name == "*" || name == *key);
    named
        .flat_map(|(_, value)| match value {
            Value::Table(table) => vec![table],
            Value::Array(elements) => elements.iter_mut().filter_map(Value::as_table_mut).collect(),
            _ => Vec::new(),
        })
        .collect()
}

impl Row {
    fn of(line: &str) -> Self {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 5, "{line}");
        let of = |at: usize| cells[at].to_owned();
        Self { key: quoted(cells[0])[0].to_owned(), kind: of(1), default: of(2), example: of(3), doc: of(4) }
    }

    fn is_refused(&self) -> bool {
        self.example == "refused"
    }
}

impl Section {
    /// What becomes of each example when one table in it is changed, for all tables in all of them that `change` says it changed.
    fn changed(&self, kind: &FileKind, table: &KeyTable, change: impl Fn(&mut Table) -> bool) -> Vec<Result<String, String>> {
        let mut read = Vec::new();
        for example in &self.examples {
            for at in 0..table.within(&mut example.clone()).len() {
                let mut file = example.clone();
                if change(table.within(&mut file)[at]) {
                    read.push((kind.read)(&toml::to_string(&file).unwrap()));
                }
            }
        }
        read
    }

    /// As [`Self::changed`], where the key stands, by another value or by none.
    fn with(&self, kind: &FileKind, table: &KeyTable, key: &str, value: Option<&Value>) -> Vec<Result<String, String>> {
        self.changed(kind, table, |table| match (table.remove(key), value) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(_), Some(value)) => table.insert(key.to_owned(), value.clone()).is_none(),
        })
    }

    /// Whether the key has this value in some example.
    fn shows(&self, table: &KeyTable, key: &str, value: &Value) -> bool {
        self.examples.iter().any(|example| table.within(&mut example.clone()).iter().any(|table| table.get(key) == Some(value)))
    }
}

/// Every row of the page with where it stands.
fn each_row(mut visit: impl FnMut(&FileKind, &Section, &KeyTable, &Row, &str)) {
    let page = page();
    for kind in &KINDS {
        let section = section(&page, kind);
        for table in &section.tables {
            for row in &table.rows {
                let place = format!("{}, {:?} {:?}, {}", kind.name, table.path, table.technique, row.key);
                visit(kind, &section, table, row, &place);
            }
        }
    }
}

#[test]
fn every_example_is_read() {
    let page = page();
    let mut count = 0;
    for kind in &KINDS {
        for example in section(&page, kind).examples {
            (kind.read)(&toml::to_string(&example).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", kind.name));
            count += 1;
        }
    }
    assert_eq!(page.matches("```toml").count(), count, "an example stands in no section");
}

#[test]
fn every_key_stands_in_an_example_or_is_refused_by_name() {
    each_row(|kind, section, table, row, place| {
        if row.is_refused() {
            let found = section.changed(kind, table, |table| table.insert(row.key.clone(), Value::from(1)).is_none());
            assert!(!found.is_empty(), "{place}");
            for error in found {
                let error = error.expect_err(place);
                assert!(error.contains(&row.key) && !error.contains("unknown field"), "{place}: {error}");
            }
        } else if row.example.starts_with('`') {
            assert!(section.shows(table, &row.key, &value(quoted(&row.example)[0])), "{place}");
        } else {
            assert!(row.example.starts_with("see the file") && !section.with(kind, table, &row.key, None).is_empty(), "{place}");
        }
    });
}

#[test]
fn every_default_is_what_stands_for_an_absent_key() {
    each_row(|kind, section, table, row, place| {
        let without = section.with(kind, table, &row.key, None);
        if row.is_refused() {
            assert_eq!(row.default, "none", "{place}");
        } else if row.default.starts_with("required") {
            assert!(without.iter().all(Result::is_err), "{place}: {without:?}");
        } else if row.default.starts_with('`') {
            assert_eq!(without, section.with(kind, table, &row.key, Some(&value(quoted(&row.default)[0]))), "{place}");
        } else {
            assert!(row.default == "none" || row.default == "by grade", "{place}");
            assert!(without.iter().any(Result::is_ok), "{place}: {without:?}");
        }
    });
}

#[test]
fn every_word_is_one_that_the_parser_knows() {
    let mut lists = 0;
    each_row(|kind, section, table, row, place| {
        let words = words(&row.kind);
        if words.len() < 2 {
            return;
        }
        let wrong = if row.kind.starts_with("list") { Value::Array(vec![NONESUCH.into()]) } else { NONESUCH.into() };
        let error = section.with(kind, table, &row.key, Some(&wrong)).swap_remove(0).expect_err(place);
        for word in &words {
            assert!(error.contains(word), "{place}, {word}: {error}");
        }
        let known = ["known are ", "a check is one of "].into_iter().find_map(|before| error.split_once(before));
        if let Some((_, known)) = known {
            assert_eq!(known.split(", ").collect::<BTreeSet<_>>(), words, "{place}");
            lists += 1;
        }
    });
    assert!(lists > 8, "the parsers told {lists} lists of words");
}

/// The keys that a parser says it knows when it meets one that it does not.
fn known(error: &str) -> BTreeSet<&str> {
    let (_, list) = error.split_once("; known are ").or_else(|| error.split_once(", expected ")).unwrap_or_else(|| panic!("{error}"));
    if list.contains('`') { quoted(list).into_iter().collect() } else { list.split(", ").collect() }
}

#[test]
fn every_key_that_a_parser_knows_is_on_the_page() {
    let page = page();
    for kind in &KINDS {
        let section = section(&page, kind);
        for table in &section.tables {
            let place = format!("{}, {:?} {:?}", kind.name, table.path, table.technique);
            let errors = section.changed(kind, table, |table| table.insert(NONESUCH.to_owned(), Value::from(1)).is_none());
            let error = errors.first().unwrap_or_else(|| panic!("{place}: in no example")).as_ref().expect_err(&place);
            // The reader of `unit` tells its shape in place of its one key.
            if table.path == ["unit"] {
                assert!(error.contains("{ column = ") && table.keys().len() == 1, "{error}");
                continue;
            }
            let mut told = table.keys();
            if table.path == ["columns", "*"] && kind.name == "P.toml" {
                let Some(technique) = &table.technique else { continue };
                let common = section.tables.iter().find(|other| other.path == table.path && other.technique.is_none());
                assert!(error.contains(technique.as_str()), "{error}");
                told.extend(common.unwrap().keys());
            }
            let refused: BTreeSet<&str> = table.rows.iter().filter(|row| row.is_refused()).map(|row| row.key.as_str()).collect();
            let known = known(error);
            assert!(known.is_subset(&told), "{place}: {:?} are not on the page", known.difference(&told));
            assert!(told.difference(&known).all(|key| refused.contains(key)), "{place}: {told:?}, {known:?}");
        }
    }
}

#[test]
fn every_technique_stands_on_the_page_as_it_says_of_itself() {
    let section = section(&page(), KINDS.iter().find(|kind| kind.name == "P.toml").unwrap());
    let row = section.tables.iter().flat_map(|table| &table.rows).find(|row| row.key == "technique").unwrap();
    let techniques = Techniques::builtin();
    let names: Vec<&str> = techniques.iter().map(|about| about.name).collect();
    let headings: Vec<&str> = section.tables.iter().filter_map(|table| table.technique.as_deref()).collect();
    assert_eq!(headings, names);
    assert_eq!(quoted(&row.kind).iter().map(|word| word.trim_matches('"')).collect::<Vec<_>>(), names);
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/manifest.md")).unwrap();
    let words = manifest.lines().find_map(|line| line.strip_prefix("| 3 | technique | name |")).unwrap();
    assert_eq!(quoted(words), names, "docs/manifest.md");
    for about in techniques.iter() {
        let table = section.tables.iter().find(|table| table.technique.as_deref() == Some(about.name)).unwrap();
        let said = about.parameters.iter().map(|Parameter { name, takes, default, doc }| [*name, takes, default, doc]);
        let told = table.rows.iter().map(|row| [&row.key, &row.kind, &row.default, &row.doc].map(String::as_str));
        assert_eq!(told.collect::<Vec<_>>(), said.collect::<Vec<_>>(), "{}", about.name);
    }
}
