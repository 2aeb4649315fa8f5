//! A folder with keys, a space and a dataset, and the binary to use them with.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A few people, one of whom has a name that must never be seen.
pub(crate) const CANARY: &str = "kanarienvogel";
pub(crate) const PEOPLE: &str = r#"
name = "people"
data = "people.csv"
unit = "row"
rows_are_independent = true
budget = { model = "approx", epsilon = "3" }
columns.age = { type = "integer", bounds = [0, 120], grade = 2 }
columns.sex = { type = "text", values = ["f", "m"], grade = 1 }
columns.city = { type = "text", grade = 2 }
"#;
pub(crate) const TERMS: &str = r#"
kind = "process"
operations = ["count", "mean"]
columns = ["sex", "age"]
purposes = ["research:health"]
budget = { epsilon = "2" }
uses = 100
not_after = "2090-01-01T00:00:00Z"
"#;

/// How a run ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) struct World {
    folder: tempfile::TempDir,
}

pub(crate) fn usufruct(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usufruct"));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

impl World {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Keys of an owner and a holder, and a space.
    pub(crate) fn with_space() -> Self {
        let world = Self::empty();
        for name in ["owner", "holder"] {
            world.done(&["key", "new", "-o", &format!("{name}.key")]);
            world.done(&["key", "public", &format!("{name}.key"), "-o", &format!("{name}.pub")]);
        }
        world.done(&["space", "new", "space", "--key", "owner.key", "--quantum-ms", "0"]);
        world
    }

    /// Also a small dataset and a right to count people and average their ages.
    pub(crate) fn with_people() -> Self {
        let world = Self::with_space();
        let rows: String = (0..1000).map(|i| format!("{},{},town\n", i % 100, if i % 5 == 0 { "f" } else { "m" })).collect();
        world.write("people.csv", format!("age,sex,city\n7,f,{CANARY}\n{rows}"));
        world.write("people.toml", PEOPLE);
        world.write("terms.toml", TERMS);
        world.done(&["publish", "space", "--describe", "people.toml", "--key", "owner.key"]);
        world.grant("terms.toml", "use.right");
        world
    }

    pub(crate) fn grant(&self, terms: &str, right: &str) {
        let card = "space/cards/people.dataset";
        self.done(&["grant", "--key", "owner.key", "--dataset", card, "--to", "holder.pub", "--terms", terms, "-o", right]);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Runs the binary; whatever happens, no canary shows, nothing panics, and no part of a file is left.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        let Output { status, stdout, stderr } = usufruct(self.folder()).args(args).output().unwrap();
        let run = Run {
            code: status.code().expect("ended by itself"),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        };
        for text in [&run.out, &run.err] {
            assert!(!text.contains(CANARY) && !text.contains("panicked"), "{args:?}: {text}");
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{args:?}: {text:?}");
        }
        assert_eq!(self.parts(), Vec::<PathBuf>::new(), "{args:?}");
        run
    }

    /// Runs the binary, which must do its work.
    pub(crate) fn done(&self, args: &[&str]) -> String {
        let run = self.run(args);
        assert_eq!(run.code, 0, "{args:?}: {}", run.err);
        run.out
    }

    /// The one JSON object on stdout of a run that does its work.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let out = self.done(&[args, &["--json"]].concat());
        assert_eq!(out.lines().count(), 1, "{out}");
        serde_json::from_str(&out).unwrap()
    }

    /// The run must end with this code and say all of these on stderr, and nothing on stdout.
    pub(crate) fn fails(&self, code: i32, says: &[&str], args: &[&str]) {
        let run = self.run(args);
        assert_eq!(run.code, code, "{args:?}: {}{}", run.out, run.err);
        assert_eq!(run.out, "", "{args:?}");
        for word in says {
            assert!(run.err.contains(word), "{args:?}: {word} is not in: {}", run.err);
        }
        assert!(run.err.starts_with(|c: char| c.is_lowercase()), "{}", run.err);
    }

    /// `ask` with the holder's key and the right `use.right`.
    pub(crate) fn ask(epsilon: &'static str, sql: &'static str) -> Vec<&'static str> {
        vec!["ask", "space", "--right", "use.right", "--key", "holder.key", "--epsilon", epsilon, sql]
    }

    /// What the datasets have spent, by the audit, which must find nothing wrong.
    pub(crate) fn spent(&self) -> String {
        let audit = self.json(&["audit", "space", "--key", "owner.pub"]);
        assert_eq!(audit["ok"], true);
        audit["datasets"][0]["spent"]["epsilon"].as_str().unwrap().to_owned()
    }

    /// Parts of files, anywhere.
    pub(crate) fn parts(&self) -> Vec<PathBuf> {
        let (mut parts, mut folders) = (Vec::new(), vec![self.folder().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "part") {
                    parts.push(path);
                }
            }
        }
        parts
    }
}
