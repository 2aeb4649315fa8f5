//! `usufruct classify` as its user meets it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::{Command, Output};

const CSV: &str = "姓名,身份证号,shouji,sex,备注\n\
                   王伟,11010519491231002X,13812345678,男,无\n\
                   李小明,440524188001010014,13912345678,女,电话13812345679\n\
                   欧阳锋,360426199101010071,15012345678,男,canary7177\n";

fn classify(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_usufruct")).current_dir(folder).arg("classify").args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("people.csv"), CSV).unwrap();
    folder
}

#[test]
fn a_report_for_people_and_one_for_programs() {
    let folder = folder();
    let told = classify(folder.path(), &["people.csv"]);
    assert!(told.status.success(), "{}", text(&told.stderr));
    let shown = text(&told.stdout);
    assert!(shown.starts_with("internal: ") && shown.contains("resident_id") && shown.contains("file: grade 3"), "{shown}");
    assert!(!shown.contains("canary7177") && !shown.contains("13812345678"), "{shown}");

    let told = classify(folder.path(), &["people.csv", "--json", "-o", "report.json"]);
    let shown: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(shown, file);
    assert_eq!(shown["internal"], true);
    let kinds: Vec<&str> = shown["columns"].as_array().unwrap().iter().map(|column| column["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["name", "resident_id", "mobile", "category", "text"]);
    let id = &shown["columns"][1];
    assert_eq!((&id["name"], &id["grade"], &id["matched"], &id["sampled"]), (&"身份证号".into(), &3.into(), &3.into(), &3.into()));
    assert_eq!((&shown["columns"][4]["also"]["mobile"], &shown["columns"][4]["grade"]), (&1.into(), &3.into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path().join("report.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // It is not written over.
    assert_eq!(classify(folder.path(), &["people.csv", "-o", "report.json"]).status.code(), Some(2));
}

#[test]
fn a_shareable_report_rounds() {
    let folder = folder();
    let told = classify(folder.path(), &["people.csv", "--json", "--shareable"]);
    let shown: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(shown["internal"], false);
    for column in shown["columns"].as_array().unwrap() {
        for count in ["matched", "sampled", "nulls", "distinct"] {
            assert_eq!(column[count].as_u64().unwrap() % 10, 0);
        }
    }
    assert_eq!(shown["columns"][4]["also"]["other"], 0);
}

#[test]
fn recognisers_of_the_user_and_what_is_wrong_with_them() {
    let folder = folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("r.toml", "[[recogniser]]\nname = \"sexes\"\npattern = \"男|女\"\ngrade = 4\n");
    let told = classify(folder.path(), &["people.csv", "--json", "--recognisers", "r.toml"]);
    let shown: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((&shown["columns"][3]["kind"], &shown["columns"][3]["grade"]), (&"sexes".into(), &4.into()));
    write("bad.toml", "[[recogniser]]\nname = \"x\"\npattern = \"(canary7177\"\ngrade = 4\n");
    for words in [
        &["people.csv", "--recognisers", "bad.toml"][..],
        &["none.csv"],
        &["people.csv", "--encoding", "latin1"],
        &["people.csv", "--delimiter", "ab"],
    ] {
        let told = classify(folder.path(), words);
        assert_eq!(told.status.code(), Some(2), "{words:?}");
        assert!(told.stdout.is_empty() && text(&told.stderr).starts_with("error: ") && !text(&told.stderr).contains("canary"), "{words:?}");
    }
}

#[test]
fn other_dialects() {
    let folder = folder();
    // 姓名;手机 in GB 18030.
    let mut gb = b"\xd0\xd5\xc3\xfb;\xca\xd6\xbb\xfa\n".to_vec();
    gb.extend_from_slice(b"\xcd\xf5\xce\xb0;13812345678\n");
    std::fs::write(folder.path().join("gb.csv"), gb).unwrap();
    let told = classify(folder.path(), &["gb.csv", "--encoding", "gb18030", "--delimiter", ";", "--json"]);
    let shown: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((&shown["columns"][0]["kind"], &shown["columns"][1]["kind"]), (&"name".into(), &"mobile".into()));
}
