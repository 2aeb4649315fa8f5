//! Kinds and spellings: whatever `classify` names is read the same way by what `policy suggest` proposes for it, by
//! `desensitise`, by `publish` and by the literals of a question; and what `policy check` accepts, `desensitise` completes.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code, reason = "the other tests of the command line use the rest")]
#[path = "cli/world.rs"]
mod world;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use world::World;

const ROWS: usize = 40;

/// Kind, how it is written, and what it is read as: the tables of `docs/values.md`.
fn spellings() -> Vec<(String, String, String)> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/values.md")).unwrap();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>();
    let rows = page.lines().filter(|line| line.starts_with("| `")).map(cells);
    let rows: Vec<_> = rows.map(|row| (row[1].clone(), row[2].clone(), row[3].clone())).collect();
    assert!(["date", "year_month", "amount", "number"].iter().all(|kind| rows.iter().filter(|row| row.0 == *kind).count() > 3));
    rows
}

/// A header that says of numbers what they are, and of dates nothing.
fn header(kind: &str) -> &'static str {
    match kind {
        "amount" => "salary",
        "number" => "height",
        _ => "x",
    }
}

fn with_keys() -> World {
    let world = World::empty();
    world.done(&["key", "new", "--kind", "desensitise", "--algorithm", "aes-cmac", "-o", "people.keys"]);
    world
}

/// A file of a column of these cells beside one that always leaves.
fn write(world: &World, name: &str, header: &str, cells: &[&str]) {
    let rows: String = cells.iter().enumerate().fold(String::new(), |mut rows, (row, cell)| {
        writeln!(rows, "\"{cell}\",{}", row % 3).unwrap();
        rows
    });
    world.write(name, format!("{header},n\n{rows}"));
}

fn repeated(cell: &str) -> Vec<&str> {
    vec![cell; ROWS]
}

fn column(world: &World, file: &str) -> Value {
    world.json(&["classify", file])["columns"][0].clone()
}

/// The cells of the first column that `desensitise` writes under a policy that `policy check` accepts; nothing is left out.
fn desensitised(world: &World, file: &str, policy: &str) -> Vec<String> {
    let tried = &world.json(&["policy", "check", policy, file, "--keys", "people.keys"])["trial"];
    assert_eq!((&tried["rows_left_out"], &tried["cells_suppressed"]), (&0.into(), &0.into()), "{file}");
    let told = world.json(&["desensitise", file, "--policy", policy, "--keys", "people.keys", "-o", "out.csv", "--force"]);
    assert_eq!((&told["rows_left_out"], &told["cells_suppressed"]), (&0.into(), &0.into()), "{file}");
    let out = fs::read_to_string(world.path("out.csv")).unwrap();
    out.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().0.trim_matches('"').to_owned()).collect()
}

/// What the manifest of the last file says that is left open of its first column.
fn residual(world: &World) -> String {
    let shown = world.done(&["inspect", "out.csv.manifest"]);
    let line = shown.lines().find(|line| line.trim_start().starts_with("residual")).unwrap();
    line.trim_start().trim_start_matches("residual").trim().to_owned()
}

/// The check says no, for these reasons.
fn refused(world: &World, says: &[&str], args: &[&str]) {
    let run = world.run(&[&["policy", "check"], args, &["--keys", "people.keys"]].concat());
    assert_eq!((run.code, run.out.as_str()), (3, ""), "{args:?}: {}", run.err);
    says.iter().for_each(|words| assert!(run.err.contains(words), "{words} is not in: {}", run.err));
}

fn suggested(world: &World, file: &str, release: &str) -> String {
    world.done(&["policy", "suggest", file, "--release", release, "-o", "suggested.toml", "--force"]);
    fs::read_to_string(world.path("suggested.toml")).unwrap()
}

#[test]
fn every_spelling_goes_the_whole_way() {
    let world = with_keys();
    for (kind, written, read) in spellings() {
        write(&world, "written.csv", header(&kind), &repeated(&written));
        write(&world, "read.csv", header(&kind), &repeated(&read));
        let (found, plain) = (column(&world, "written.csv"), column(&world, "read.csv"));
        assert_eq!((&found["kind"], &found["matched"]), (&kind.as_str().into(), &ROWS.into()), "{written}: {found}");
        assert_eq!((&found["grade"], &found["kind"]), (&plain["grade"], &plain["kind"]), "{written}");
        for release in ["enclave", "controlled"] {
            let suggested = |file| {
                let policy = suggested(&world, file, release);
                let technique = policy.lines().find(|line| line.starts_with("technique")).unwrap().to_owned();
                (technique, desensitised(&world, file, "suggested.toml"))
            };
            let ((technique, of_written), of_read) = (suggested("written.csv"), suggested("read.csv"));
            // What may leave as it is keeps its spelling; all else is a function of the value.
            let expected =
                if technique.contains("keep") { repeated(&written).iter().map(ToString::to_string).collect() } else { of_read.1 };
            assert_eq!((&technique, of_written), (&of_read.0, expected), "{written} in {release}");
            assert_eq!(technique.contains("keep"), kind == "number", "{written} in {release}: {technique}");
        }
    }
}

/// Every technique of dates reads every spelling, and a shift keeps the form.
#[test]
fn every_technique_of_dates_reads_every_spelling() {
    let world = with_keys();
    for (kind, written, read) in spellings().into_iter().filter(|(kind, ..)| kind == "date" || kind == "year_month") {
        write(&world, "written.csv", "x", &repeated(&written));
        for (level, expected) in [("day", read.as_str()), ("month", &read[..7]), ("year", &read[..4])] {
            world.write(
                "p.toml",
                format!(
                    "release = \"enclave\"\n[columns.x]\ntechnique = \"date\"\nlevel = \"{level}\"\n[columns.n]\ntechnique = \"keep\"\n"
                ),
            );
            if kind == "year_month" && level == "day" {
                refused(&world, &["column x: date needs the day"], &["p.toml", "written.csv"]);
            } else {
                assert_eq!(desensitised(&world, "written.csv", "p.toml"), repeated(expected), "{written} to {level}");
            }
        }
        world.write("p.toml", "release = \"enclave\"\n[columns.x]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"n\"\ndays = 180\n[columns.n]\ntechnique = \"keep\"\n");
        if kind == "year_month" {
            refused(&world, &["column x: date_shift needs the day"], &["p.toml", "written.csv"]);
        } else {
            let shifted = desensitised(&world, "written.csv", "p.toml");
            write(&world, "shifted.csv", "x", &shifted.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(column(&world, "shifted.csv")["matched"], ROWS, "{written}: {shifted:?}");
        }
    }
}

/// What the issue began with: a column that is called dates, and of which every row was refused.
#[test]
fn a_column_of_many_spellings_of_dates_is_read_whole() {
    let world = with_keys();
    let cells = ["29/02/2024", "1 Jan 2020", "2024-05", "二〇二四年三月五日", "2024-03-05T08:30:00Z", "05/06/2024"];
    write(&world, "in.csv", "x", &cells.repeat(5));
    let found = column(&world, "in.csv");
    assert_eq!((&found["kind"], &found["date_order"]), (&"date".into(), &"dmy".into()));
    suggested(&world, "in.csv", "enclave");
    let expected = ["2024-02", "2020-01", "2024-05", "2024-03", "2024-03", "2024-06"].repeat(5);
    assert_eq!(desensitised(&world, "in.csv", "suggested.toml"), expected);
    // The month among them leaves nothing open as a month, and the manifest says so; others get the year.
    assert_eq!((&found["also"]["year_month"], residual(&world).as_str()), (&5.into(), "1"));
    suggested(&world, "in.csv", "controlled");
    assert!(desensitised(&world, "in.csv", "suggested.toml").iter().all(|cell| cell.len() == 4));
    assert_eq!(residual(&world), "12");
}

#[test]
fn salaries_keep_their_grade_in_every_spelling() {
    let world = with_keys();
    for cells in
        [&["+1.50", "1.5e3", ".15", "00001.50"][..], &["+1500", "+2500"], &["001500", "002500"], &["1500", " 2500 "], &["１５００"]]
    {
        write(&world, "in.csv", "salary", &cells.repeat(10));
        let found = column(&world, "in.csv");
        assert_eq!((&found["kind"], &found["grade"]), (&"amount".into(), &3.into()), "{cells:?}");
        for release in ["enclave", "controlled"] {
            assert!(suggested(&world, "in.csv", release).contains("technique = \"round\""));
            let left = desensitised(&world, "in.csv", "suggested.toml");
            assert!(left.iter().all(|cell| cell.parse::<i64>().unwrap() % 100 == 0), "{left:?}");
        }
    }
    // Where the header does not speak of numbers, zeros in front are part of a code, and it leaves as it was written.
    write(&world, "in.csv", "x", &["0017", "0021"].repeat(20));
    assert_ne!(column(&world, "in.csv")["kind"], "number");
    suggested(&world, "in.csv", "enclave");
    assert_eq!(desensitised(&world, "in.csv", "suggested.toml"), ["0017", "0021"].repeat(20));
}

fn by_month(date_order: &str) -> String {
    format!(
        "release = \"enclave\"\n[columns.birth]\ntechnique = \"date\"\nlevel = \"month\"\n{date_order}\n[columns.n]\ntechnique = \"keep\"\n"
    )
}

#[test]
fn an_order_that_the_cells_do_not_tell_is_declared_or_not_needed() {
    let world = with_keys();
    let cells = ["05/06/2024", "01/02/2024", "12/12/2024"].repeat(10);
    write(&world, "in.csv", "birth", &cells);
    let found = column(&world, "in.csv");
    assert_eq!((&found["kind"], &found["grade"], &found["date_order"]), (&"date".into(), &3.into(), &"unknown".into()));
    for release in ["enclave", "controlled"] {
        let policy = suggested(&world, "in.csv", release);
        assert!(policy.contains("do not tell the order of day and month"), "{policy}");
        assert_eq!(desensitised(&world, "in.csv", "suggested.toml"), ["2024"; 30]);
    }

    world.write("p.toml", by_month(""));
    let says = ["column birth: date needs the order of day and month", "declare date_order = \"dmy\" or \"mdy\""];
    refused(&world, &says, &["p.toml", "in.csv"]);
    world.fails(3, &says, &["desensitise", "in.csv", "--policy", "p.toml", "-o", "none.csv"]);
    for (order, expected) in [("dmy", ["2024-06", "2024-02", "2024-12"]), ("mdy", ["2024-05", "2024-01", "2024-12"])] {
        world.write("p.toml", by_month(&format!("date_order = \"{order}\"")));
        assert_eq!(desensitised(&world, "in.csv", "p.toml"), expected.repeat(10));
    }
    // All dates have their year last, so in this order none is one.
    world.write("p.toml", by_month("date_order = \"ymd\""));
    refused(&world, &["30 of 30 rows", "column birth: not a date: 30 cells"], &["p.toml", "in.csv"]);
    world.write("p.toml", by_month("date_order = \"ydm\""));
    world.fails(2, &["date_order: `ydm` is not known here; known are dmy, mdy, ymd"], &["policy", "check", "p.toml"]);
}

#[test]
fn one_cell_tells_the_order_of_a_column_and_two_may_contradict_each_other() {
    let world = with_keys();
    for (last, order, first) in [("13/06/2024", "dmy", "2024-06"), ("06/13/2024", "mdy", "2024-05")] {
        let mut cells = vec!["05/06/2024"; 2_000];
        cells.push(last);
        write(&world, "in.csv", "birth", &cells);
        assert_eq!(column(&world, "in.csv")["date_order"], order);
        world.write("p.toml", by_month(""));
        assert_eq!(desensitised(&world, "in.csv", "p.toml")[0], first);
    }
    write(&world, "in.csv", "x", &["13/06/2024", "06/13/2024", "05/06/2024"].repeat(20));
    let found = column(&world, "in.csv");
    assert_eq!((&found["kind"], &found["grade"]), (&"text".into(), &2.into()), "{found}");
    assert!(suggested(&world, "in.csv", "enclave").contains("technique = \"suppress\""));
}

/// A declared order is part of the policy; without one the policy is what it was.
#[test]
fn a_declared_order_counts_in_the_digest_of_the_policy() {
    let world = with_keys();
    write(&world, "in.csv", "birth", &repeated("13/06/2024"));
    let digest = |policy: &str| {
        world.write("p.toml", policy);
        world.json(&["desensitise", "in.csv", "--policy", "p.toml", "-o", "out.csv", "--force"])["policy"].as_str().unwrap().to_owned()
    };
    let (none, told) = (digest(&by_month("")), digest(&by_month("date_order = \"dmy\"")));
    assert_ne!(none, told);
    // SHA-256 of the encoding that stood before an order could be declared.
    assert_eq!(none, "e74d00a5788d1f084e3252ae154c0589c1921c11b12adfe40c006282e1f07e74");
}

/// Policies and files of all sorts: a check and a run agree, whatever they say.
#[test]
fn what_a_check_accepts_a_run_completes() {
    let world = with_keys();
    let mostly = |good: &'static str, bad: &'static str| [vec![good; 95], vec![bad; 5]].concat();
    let files = [
        ("salary", mostly("1500", "none")),
        ("salary", mostly("1500", "99999999999999999999999999999999999999")),
        ("birth", mostly("2024-02-29", "2024-02-30")),
        ("birth", mostly("2024-02-29", "2024-05")),
        ("birth", mostly("29/02/2024", "02/29/2024")),
        ("birth", mostly("05/06/2024", "2024-05-06")),
        ("mobile", mostly("13800138000", "+1 650 253 0000")),
        ("city", mostly("北京市朝阳区", "somewhere")),
        ("x", mostly("", "1")),
    ];
    let techniques = [
        "technique = \"keep\"",
        "technique = \"round\"\nto = 100\nstep = 1",
        "technique = \"bin\"\nwidth = 10",
        "technique = \"top_bottom\"\ntop = 2000",
        "technique = \"date\"\nlevel = \"day\"",
        "technique = \"date\"\nlevel = \"month\"",
        "technique = \"date\"\nlevel = \"year\"",
        "technique = \"date\"\nlevel = \"month\"\ndate_order = \"mdy\"",
        "technique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"n\"\ndays = 180",
        "technique = \"mask\"\nkeep_first = 3",
        "technique = \"truncate\"\nlevel = \"city\"",
        "technique = \"pseudonym\"\nkey = \"pseudonym\"",
        "technique = \"permute\"\nkey = \"pseudonym\"",
        "technique = \"suppress\"",
    ];
    let (mut accepted, mut refused) = (0, 0);
    for (header, cells) in &files {
        write(&world, "in.csv", header, cells);
        for technique in techniques {
            for rule in ["quarantine", "suppress", "refuse"] {
                let policy = format!(
                    "release = \"enclave\"\nmax_bad = \"0.05\"\noff_kind = \"{rule}\"\n[columns.{header}]\n{technique}\n[columns.n]\ntechnique = \"keep\"\n"
                );
                world.write("p.toml", &policy);
                let check = world.run(&["policy", "check", "p.toml", "in.csv", "--keys", "people.keys"]);
                let run = world.run(&["desensitise", "in.csv", "--policy", "p.toml", "--keys", "people.keys", "-o", "out.csv", "--force"]);
                assert_eq!(check.code == 0, run.code == 0, "{header}: {policy}: {} {}", check.err, run.err);
                assert!(matches!(check.code, 0 | 3), "{policy}: {}", check.err);
                *(if check.code == 0 { &mut accepted } else { &mut refused }) += 1;
            }
        }
    }
    assert!(accepted > 100 && refused > 50, "{accepted} {refused}");
}

/// Numbers of every spelling of cells, published as real columns, are met by literals of the same value.
#[test]
fn what_is_published_is_what_a_literal_names() {
    let world = World::with_space();
    let numbers: Vec<_> = spellings().into_iter().filter(|(kind, ..)| kind == "amount" || kind == "number").collect();
    let names: Vec<String> = (0..numbers.len()).map(|at| format!("c{at}")).collect();
    let row: Vec<String> = numbers.iter().map(|(_, written, _)| format!("\"{written}\"")).collect();
    world.write("cells.csv", format!("{}\n{}", names.join(","), format!("{}\n", row.join(",")).repeat(1_000)));
    let mut description = "name = \"cells\"\ndata = \"cells.csv\"\nunit = \"row\"\nrows_are_independent = true\nbudget = { model = \"approx\", epsilon = \"100\" }\n".to_owned();
    for name in &names {
        writeln!(description, "columns.{name} = {{ type = \"real\", step = \"0.01\", bounds = [\"-2000\", \"2000\"], grade = 2 }}")
            .unwrap();
    }
    world.write("cells.toml", description);
    world.done(&["publish", "space", "--describe", "cells.toml", "--key", "owner.key"]);
    let columns = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    world.write("terms.toml", format!("kind = \"process\"\noperations = [\"count\"]\ncolumns = [{columns}]\npurposes = [\"research:health\"]\nbudget = {{ epsilon = \"100\" }}\nuses = 1000\nnot_after = \"2090-01-01T00:00:00Z\"\n"));
    world.done(&[
        "grant",
        "--key",
        "owner.key",
        "--dataset",
        "space/cards/cells.dataset",
        "--to",
        "holder.pub",
        "--terms",
        "terms.toml",
        "-o",
        "use.right",
    ]);
    for ((_, written, read), name) in numbers.iter().zip(&names) {
        // A comma, a plus sign and a full-width digit are not of SQL.
        let of_sql = !written.contains([',', '+']) && written.is_ascii();
        for literal in [Some(read), of_sql.then_some(written)].into_iter().flatten() {
            let sql = format!("SELECT COUNT(*) FROM cells WHERE {name} = {literal}");
            let answer = world.json(&["ask", "space", "--right", "use.right", "--key", "holder.key", "--epsilon", "1", &sql]);
            let count: f64 = answer["rows"][0]["values"][0]["value"]
                .as_str()
                .map_or_else(|| answer["rows"][0]["values"][0]["value"].as_f64().unwrap(), |text| text.parse().unwrap());
            // Noise of scale 1 passes 100 with a chance below 10^-43.
            assert!((count - 1_000.0).abs() < 100.0, "{written} is not {literal}: {answer}");
        }
    }
}
