//! The command line as a user meets it: the binary in a folder of its own.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "cli/world.rs"]
mod world;

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use world::{PEOPLE, TERMS, World, usufruct};

const ADULT: &str = r#"
name = "adult"
title = "Adult census"
data = "adult.csv"
delimiter = ";"
unit = "row"
rows_are_independent = true
public_source = "the codebook of the census"
budget = { model = "approx", epsilon = "3", delta = "0" }
[columns.age]
type = "integer"
bounds = [0, 120]
grade = 2
[columns.sex]
type = "text"
values = ["Male", "Female"]
grade = 1
[columns.education]
type = "text"
grade = 2
"#;

fn number(value: &Value) -> f64 {
    value.to_string().parse().unwrap()
}

/// RULES F4: the truths of Adult, by sex.
const AGES: [(&str, f64, f64); 2] = [("Male", 39.184_003_925_417_07, 20_380.0), ("Female", 36.883_459_415_252_5, 9_782.0)];

/// The 95 % Fieller width of AVG(age) beside COUNT(*), for bounds [0, 120], a row as unit and true count and mean: that of
/// X_S - (m - c) X_N over n, with the shares of rule D4 for Laplace noise of sensitivities 60 (range 120) and 1 (range 1).
fn fieller_width(epsilon: f64, n: f64, m: f64) -> f64 {
    let shares = [(60.0_f64 / 120.0).powf(2.0 / 3.0), 1.0];
    let scale = |sensitivity: f64, share: f64| sensitivity / (epsilon * share / (shares[0] + shares[1]));
    let (b, c) = (scale(60.0, shares[0]), scale((m - 60.0).abs(), shares[1]));
    let tail = |q: f64| (b * b * (-q / b).exp() - c * c * (-q / c).exp()) / (b * b - c * c);
    let (mut low, mut high) = (0.0, 100.0 * (b + c));
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if tail(middle) > 0.05 { low = middle } else { high = middle }
    }
    2.0 * high / n
}

#[test]
fn the_whole_path_on_adult() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/datasets/adult/adult.csv");
    if !data.is_file() {
        println!("skipped: no ../shared");
        return;
    }
    let world = World::with_space();
    fs::copy(&data, world.path("adult.csv")).unwrap();
    world.write("adult.toml", ADULT);
    world.write("terms.toml", TERMS.replace("\"2\"", "\"3\""));
    let publish = ["publish", "space", "--describe", "adult.toml", "--key", "owner.key"];
    let published = world.json(&publish);
    let (id, card) = (published["id"].as_str().unwrap(), published["card"].as_str().unwrap());
    assert_eq!((published["version"].as_u64(), published["rows"].as_u64(), card), (Some(1), Some(30_162), "space/cards/adult.dataset"));
    world.done(&[
        "grant",
        "--key",
        "owner.key",
        "--dataset",
        card,
        "--to",
        "holder.pub",
        "--terms",
        "terms.toml",
        "--space",
        "space",
        "-o",
        "use.right",
    ]);

    // Request and answer apart; again is the same bytes, free.
    let sql = "SELECT sex, COUNT(*), AVG(age) FROM adult GROUP BY sex";
    world.done(&["request", "--right", "use.right", "--key", "holder.key", "--epsilon", "1", sql, "-o", "q.request"]);
    let first = world.json(&["answer", "space", "q.request", "--receipt", "q.receipt"]);
    assert_eq!(first["columns"], serde_json::json!(["sex", "COUNT(*)", "AVG(age)"]));
    assert_eq!(first["confidence"].to_string(), "0.95");
    assert_eq!((first["spent"]["epsilon"].as_str(), first["remaining"]["epsilon"].as_str()), (Some("1"), Some("2")));
    assert_eq!((first["remaining"]["uses"].as_u64(), first["receipt"].as_str()), (Some(99), Some("q.receipt")));
    let mut again = world.json(&["answer", "space", "q.request", "--receipt", "again.receipt"]);
    again["receipt"] = "q.receipt".into();
    assert_eq!(first, again);
    assert_eq!(fs::read(world.path("q.receipt")).unwrap(), fs::read(world.path("again.receipt")).unwrap());
    assert_eq!(world.spent(), "1");
    for (row, (sex, age, people)) in first["rows"].as_array().unwrap().iter().zip(AGES) {
        assert_eq!(row["key"], serde_json::json!([sex]));
        for (value, truth) in row["values"].as_array().unwrap().iter().zip([people, age]) {
            let (low, high) = (number(&value["low"]), number(&value["high"]));
            // 95 % intervals may miss; ten times their width does so with probability below 10^-12.
            let slack = 4.5 * (high - low);
            assert!(low - slack <= truth && truth <= high + slack, "{sex}: {value} and {truth}");
        }
        let mean = &row["values"][1];
        let (width, fieller) = (number(&mean["high"]) - number(&mean["low"]), fieller_width(1.0, people, age));
        assert!(fieller / 1.1 < width && width < 1.1 * fieller, "{sex}: {width}, Fieller {fieller}");
    }

    // With a budget whose noise is far below the steps shown, the truth itself; F2: within 1.1 of the Fieller width.
    let rich = ADULT.replace("name = \"adult\"", "name = \"rich\"").replace("epsilon = \"3\"", "epsilon = \"300000\"");
    world.write("rich.toml", rich);
    world.write("rich-terms.toml", TERMS.replace("\"2\"", "\"300000\""));
    world.done(&["publish", "space", "--describe", "rich.toml", "--key", "owner.key"]);
    let card = "space/cards/rich.dataset";
    world.done(&["grant", "--key", "owner.key", "--dataset", card, "--to", "holder.pub", "--terms", "rich-terms.toml", "-o", "rich.right"]);
    let ask = |epsilon, sql| world.json(&["ask", "space", "--right", "rich.right", "--key", "holder.key", "--epsilon", epsilon, sql]);
    let exact = ask("100000", "SELECT sex, AVG(age) FROM rich GROUP BY sex");
    for (row, (sex, age, _)) in exact["rows"].as_array().unwrap().iter().zip(AGES) {
        let value = &row["values"][0];
        assert!(number(&value["low"]) <= age && age <= number(&value["high"]), "{sex}: {value}");
        assert!((number(&value["value"]) - age).abs() < 1e-5, "{sex}: {value}");
    }
    let all = ask("100000", "SELECT AVG(age) FROM rich");
    assert!((number(&all["rows"][0]["values"][0]["value"]) - 38.437_901_995_888_865).abs() < 1e-5);

    // The others of the path.
    let quote = world.json(&["quote", "space", "--right", "use.right", "--key", "holder.key", "--epsilon", "0.2", sql]);
    assert_eq!((quote["groups"].as_u64(), quote["price"]["epsilon"].as_str()), (Some(2), Some("0.2")));
    assert!(number(&quote["widths"][0]["half"]) > 0.0 && quote["widths"][1]["half"].is_null());
    let verified = world.json(&["verify", "q.receipt", "--key", "owner.pub"]);
    assert_eq!((&verified["ok"], &verified["bound"], verified["proved"].as_array().unwrap().len()), (&true.into(), &true.into(), 7));
    let audit = world.json(&["audit", "space", "--key", "owner.pub", "--checkpoint", "holder.key.seen"]);
    assert_eq!((audit["rollback"].as_str(), audit["depth"].as_str()), (Some("none"), Some("full")));
    assert_eq!(audit["datasets"][0]["id"], id);

    // Spent is spent, also for the next version.
    world.done(&["request", "--right", "use.right", "--key", "holder.key", "--epsilon", "2", sql, "-o", "rest.request"]);
    world.done(&["answer", "space", "rest.request"]);
    assert_eq!(world.json(&publish)["version"], 2);
    world.done(&[
        "grant",
        "--key",
        "owner.key",
        "--dataset",
        "space/cards/adult.dataset",
        "--to",
        "holder.pub",
        "--terms",
        "terms.toml",
        "-o",
        "new.right",
    ]);
    let ask = ["ask", "space", "--right", "new.right", "--key", "holder.key", "--epsilon", "0.00001", sql];
    world.fails(3, &["the budget of the dataset: needed epsilon 0.00001, left epsilon 0", "the holder learns: budget"], &ask);
    let grant = [
        "grant",
        "--key",
        "owner.key",
        "--dataset",
        "space/cards/adult.dataset",
        "--to",
        "holder.pub",
        "--terms",
        "terms.toml",
        "--space",
        "space",
        "-o",
        "no.right",
    ];
    world.fails(3, &["live grants", "--oversubscribe"], &grant);
    assert!(!world.path("no.right").exists());

    // A second space over the same data has another ledger, where the right is worth nothing.
    world.done(&["space", "new", "other", "--key", "owner.key"]);
    world.done(&["publish", "other", "--describe", "adult.toml", "--key", "owner.key"]);
    world.fails(
        3,
        &["another ledger", "not allowed"],
        &["ask", "other", "--right", "new.right", "--key", "holder.key", "--epsilon", "0.1", sql],
    );

    world.done(&["refill", "space", "--key", "owner.key", "--dataset", "adult", "--epsilon", "0.5", "--reason", "accepted"]);
    world.done(&["ask", "space", "--right", "new.right", "--key", "holder.key", "--epsilon", "0.5", sql]);
    let audit = world.json(&["audit", "space", "--key", "owner.pub"]);
    let adult = &audit["datasets"][0];
    assert_eq!((adult["name"].as_str(), adult["lifetime"]["epsilon"].as_str()), (Some("adult"), Some("3.5")));
    assert_eq!(adult["refills"][0], serde_json::json!({"amount": {"epsilon": "0.5", "delta": "0"}, "reason": "accepted"}));
}

#[test]
fn refusals_cost_nothing_and_say_why() {
    let world = World::with_people();
    for (from, to, right) in [
        ("2090-", "2020-", "expired.right"),
        ("not_after", "not_before = \"2089-01-01T00:00:00Z\"\nnot_after", "early.right"),
        ("\"research:health\"", "\"research:health\", \"audit\"", "two.right"),
    ] {
        world.write("other.toml", TERMS.replace(from, to));
        world.grant("other.toml", right);
    }
    let count = "SELECT COUNT(*) FROM people";
    let ask = |right: &'static str, more: &[&'static str], sql: &'static str| {
        [&["ask", "space", "--right", right, "--key", "holder.key", "--epsilon", "0.5", sql], more].concat()
    };
    for (says, args) in [
        (["expired at 2020", "the holder learns: expired"], ask("expired.right", &[], count)),
        (["not before 2089", "the holder learns: not allowed"], ask("early.right", &[], count)),
        (["operation sum", "not allowed"], ask("use.right", &[], "SELECT SUM(age) FROM people")),
        (["column city", "not allowed"], ask("use.right", &[], "SELECT COUNT(*) FROM people WHERE city = 'town'")),
        (["column nobody", "not allowed"], ask("use.right", &[], "SELECT COUNT(nobody) FROM people")),
        (["AVG needs a number", "not allowed"], ask("use.right", &[], "SELECT AVG(sex) FROM people")),
        (["purpose marketing", "not allowed"], ask("use.right", &["--purpose", "marketing"], count)),
        (["more than 9 decimals", "not allowed"], World::ask("0.0000000001", count)),
    ] {
        world.fails(3, &says, &args);
    }
    // A price that the right had once.
    world.done(&World::ask("1.5", count));
    world.fails(
        3,
        &["the budget of the right: needed epsilon 1, left epsilon 0.5", "your right has epsilon 0.5 and 99 uses left"],
        &World::ask("1", count),
    );
    // Another owner's space does not say more than `refused`.
    world.done(&["space", "new", "stranger", "--key", "holder.key"]);
    world.fails(
        3,
        &["the holder learns: refused"],
        &["ask", "stranger", "--right", "use.right", "--key", "holder.key", "--epsilon", "0.1", count],
    );
    world.fails(3, &["not the owner's"], &["publish", "space", "--describe", "people.toml", "--key", "holder.key"]);
    world.fails(
        3,
        &["does not verify"],
        &["refill", "space", "--key", "holder.key", "--dataset", "people", "--epsilon", "1", "--reason", "accepted"],
    );
    assert_eq!(world.spent(), "1.5");
}

#[test]
fn bad_input_is_named_and_changes_nothing() {
    let world = World::with_people();
    let count = "SELECT COUNT(*) FROM people";
    for epsilon in ["-1", "NaN", "inf", "1e-1", "99999999", "0.0000000000001", ""] {
        world.fails(2, &["epsilon is a decimal from 0 to 1000000"], &World::ask(epsilon, count));
    }
    for (says, args) in [
        ("more than nothing", World::ask("0", count)),
        ("at most the budget of the right, epsilon 2", World::ask("2.1", count)),
        ("line 1, column 8: the function MAX is not supported", World::ask("0.1", "SELECT MAX(age) FROM people")),
        ("line 1, column 29: ORDER BY", World::ask("0.1", "SELECT COUNT(*) FROM people ORDER BY 1")),
        ("line 1, column 1:", World::ask("0.1", "DROP TABLE people")),
        ("FROM adult: the right is for the dataset people", World::ask("0.1", "SELECT COUNT(*) FROM adult")),
        ("at most 7 days", [World::ask("0.1", count), vec!["--expires", "604801"]].concat()),
        ("is past", [World::ask("0.1", count), vec!["--expires", "2020-01-01T00:00:00Z"]].concat()),
        ("--expires: expected", [World::ask("0.1", count), vec!["--expires", "soon"]].concat()),
        ("purpose", [World::ask("0.1", count), vec!["--purpose", "a::b"]].concat()),
        ("use.right\" exists", [World::ask("0.1", count), vec!["--receipt", "use.right"]].concat()),
        ("names", vec!["ask", "space", "--right", "use.right", "--key", "owner.key", "--epsilon", "0.1", count]),
        ("not a well-formed", vec!["answer", "space", "people.csv"]),
        ("cannot open \"nowhere\"", vec!["answer", "space", "nowhere"]),
        ("nowhere is not a space", vec!["answer", "nowhere", "use.right"]),
        ("a folder", vec!["inspect", "space"]),
        ("not an artefact of ours", vec!["inspect", "people.csv"]),
        ("not an artefact of ours", vec!["verify", "people.csv", "--key", "owner.pub"]),
        ("PUBLIC KEY", vec!["audit", "space", "--key", "owner.key"]),
        ("may be read by others", vec!["space", "new", "new", "--key", "owner.pub"]),
        ("exists", vec!["space", "new", "space", "--key", "owner.key", "--quantum-ms", "0"]),
        ("exists", vec!["key", "new", "-o", "holder.key"]),
        ("utf-8", vec!["publish", "space", "--describe", "people.toml", "--key", "owner.key", "--encoding", "big5"]),
        (
            "check the name and the delimiter",
            vec!["publish", "space", "--describe", "people.toml", "--key", "owner.key", "--delimiter", ";"],
        ),
        ("--reason", vec!["refill", "space", "--key", "owner.key", "--dataset", "people", "--epsilon", "1", "--reason", "why not"]),
        ("neither", vec!["refill", "space", "--key", "owner.key", "--dataset", "nobody", "--epsilon", "1", "--reason", "accepted"]),
        ("`subgrant` is not in this version yet", vec!["subgrant", "--key", "holder.key"]),
        ("unexpected argument", vec!["audit", "space", "--kee", "owner.pub"]),
    ] {
        world.fails(2, &[says], &args);
    }
    world.chmod("holder.key", 0o644);
    world.fails(2, &["holder.key", "mode 644", "chmod 600"], &World::ask("0.1", count));
    world.chmod("holder.key", 0o600);
    for (from, to, says) in [
        ("bounds = [0, 120]", "bounds = [120, 0]", "age"),
        ("bounds = [0, 120]", "bounds = [0.5, 120]", "bounds"),
        ("unit = \"row\"", "", "unit"),
        ("epsilon = \"3\"", "epsilon = 3.0", "line"),
        ("name = \"people\"", "name = \"", "line 2"),
    ] {
        world.write("wrong.toml", PEOPLE.replace(from, to));
        world.fails(2, &["wrong.toml", says], &["publish", "space", "--describe", "wrong.toml", "--key", "owner.key"]);
    }
    world.write("wrong.toml", PEOPLE.replace("[0, 120]", "[0, 130]"));
    world.fails(2, &["another description", "another name"], &["publish", "space", "--describe", "wrong.toml", "--key", "owner.key"]);
    assert_eq!(world.spent(), "0");
    assert_eq!(fs::read_dir(world.path("space/answers")).unwrap().count(), 0);
}

#[test]
fn cells_that_cannot_be_published_are_named_by_place() {
    let world = World::with_space();
    world.write("people.toml", PEOPLE);
    let publish = ["publish", "space", "--describe", "people.toml", "--key", "owner.key"];
    let canary = world::CANARY;
    for (csv, says) in [
        (format!("age,sex,city\n1,f,town\n2,f,{canary},x\n"), "record 2"),
        (format!("age,sex,city\n1,f,town\n{canary},f,town\n"), "column \"age\" is not an integer"),
        (format!("age,sex,city\n,f,{canary}\n"), "column age is empty"),
        (format!("age,sex,city\n1,f,\"{canary}\n"), "quoted field does not end"),
        (format!("age,sex\n1,{canary}\n"), "column \"city\" is not among the 2 fields"),
        (String::new(), "empty"),
    ] {
        world.write("people.csv", csv);
        world.fails(2, &[says], &publish);
    }
    world.write("people.csv", b"age,sex,city\n1,f,town\n2,f,\xff\xfe\n");
    world.fails(2, &["record 2", "column \"city\" is not UTF-8"], &publish);

    let mut csv = BufWriter::new(fs::File::create(world.path("people.csv")).unwrap());
    csv.write_all(b"age,sex,city\n1,f,").unwrap();
    (0..100).for_each(|_| csv.write_all(&[b'x'; 1 << 20]).unwrap());
    csv.into_inner().unwrap();
    world.fails(2, &["record 1", "longer than 16777216 bytes"], &publish);

    fs::remove_file(world.path("people.csv")).unwrap();
    world.fails(2, &["people.csv"], &publish);
    assert_eq!(fs::read_dir(world.path("space/snapshots")).unwrap().count(), 0);
}

#[cfg(feature = "hazmat")]
#[test]
fn data_is_published_from_every_format_and_encoding() {
    use usufruct::table::{FileOptions, FileSink, FileSource, Format, RawRows, RecordSource as _, SinkOptions};
    let world = World::with_space();
    world.write("gb.csv", [&b"age,sex,city\n1,f,"[..], b"\xb3\xc9\xb6\xbc", b"\n2,m,x\n"].concat());
    world.write("utf8.csv", "age,sex,city\n1,f,成都\n2,m,x\n");
    let source = FileSource::open(world.path("utf8.csv"), &FileOptions::default()).unwrap();
    let batch = source.read().unwrap().next().unwrap().unwrap().batch().clone();
    for format in [Format::Parquet, Format::Ipc] {
        let mut sink = FileSink::create(&world.path(format.as_str()), format, &batch.schema(), &SinkOptions::default()).unwrap();
        sink.write(sink.preparer().prepare(&RawRows(batch.clone())).unwrap()).unwrap();
        sink.finish().unwrap().commit().unwrap();
    }
    let describe = |data: &str| world.write("people.toml", PEOPLE.replace("data = \"people.csv\"", data));
    let publish = ["publish", "space", "--describe", "people.toml", "--key", "owner.key"];
    for data in
        ["data = \"gb.csv\"\nencoding = \"gb18030\"", "data = \"parquet\"", "data = \"ipc\"\nformat = \"ipc\"", "data = \"utf8.csv\""]
    {
        describe(data);
        assert!(world.done(&publish).contains("2 rows"), "{data}");
    }
    describe("data = \"gb.csv\"");
    world.fails(2, &["record 1", "column \"city\" is not UTF-8"], &publish);
    assert!(world.done(&[&publish[..], &["--encoding", "gbk"]].concat()).contains("2 rows"));
    for (data, says) in [
        ("data = \"utf8.csv\"\nencoding = \"big5\"", "encoding is"),
        ("data = \"utf8.csv\"\nformat = \"xlsx\"", "format is"),
        ("data = \"utf8.csv\"\nformat = \"parquet\"", "not readable as Parquet"),
        ("data = \"gb.csv\"\nencoding = \"utf-8\"", "is not UTF-8"),
    ] {
        describe(data);
        world.fails(2, &[says], &publish);
    }
}

#[test]
fn receipts_and_other_artefacts_verify_offline_or_not_at_all() {
    let world = World::with_people();
    let sql = "SELECT sex, COUNT(*) FROM people GROUP BY sex";
    world.done(&["request", "--right", "use.right", "--key", "holder.key", "--epsilon", "0.5", sql, "-o", "q.request"]);
    world.done(&["request", "--right", "use.right", "--key", "holder.key", "--epsilon", "0.5", sql, "-o", "other.request"]);
    world.done(&["answer", "space", "q.request", "--receipt", "q.receipt"]);
    let kinds = [
        ("use.right", "right"),
        ("q.request", "request"),
        ("q.receipt", "receipt with request and answer"),
        ("space/cards/people.dataset", "dataset card"),
    ];
    for (file, kind) in kinds {
        assert_eq!(world.json(&["verify", file, "--key", "owner.pub"])["kind"], kind);
        world.fails(1, &["does not verify"], &["verify", file, "--key", "holder.pub"]);
        assert_eq!(world.json(&["inspect", file])["kind"], kind);
        let bytes = fs::read(world.path(file)).unwrap();
        for at in (0..bytes.len()).step_by(29) {
            let mut wrong = bytes.clone();
            wrong[at] ^= 0x10;
            world.write("wrong", &wrong);
            let run = world.run(&["verify", "wrong", "--key", "owner.pub"]);
            assert!(matches!(run.code, 1 | 2) && run.out.is_empty(), "{file} byte {at}: {}", run.out);
            // Explained or refused, never a crash.
            assert!(matches!(world.run(&["inspect", "wrong"]).code, 0 | 2));
        }
        world.write("wrong", &bytes[..bytes.len() - 1]);
        world.fails(2, &["not an artefact of ours"], &["inspect", "wrong"]);
    }
    world.fails(1, &["another request"], &["verify", "q.receipt", "--key", "owner.pub", "--request", "other.request"]);
    world.fails(2, &["for receipts"], &["verify", "use.right", "--key", "owner.pub", "--request", "other.request"]);

    // A receipt alone is unbound; with request and answer it is not.
    let bundle = usufruct::receipt::Bundle::decode(&fs::read(world.path("q.receipt")).unwrap()).unwrap();
    world.write("lone.receipt", bundle.receipt.encode());
    world.write("answer", &bundle.answer);
    let lone = world.json(&["verify", "lone.receipt", "--key", "owner.pub"]);
    assert_eq!(lone["bound"], false);
    assert!(lone["not_proved"][0].as_str().unwrap().starts_with("unbound"));
    assert_eq!(
        world.json(&["verify", "lone.receipt", "--key", "owner.pub", "--request", "q.request", "--answer", "answer"])["bound"],
        true
    );
    assert_eq!(world.json(&["inspect", "answer"])["kind"], "answer");
    assert_eq!(world.json(&["inspect", "space/ledger/checkpoint"])["kind"], "checkpoint");

    // Of a private key, nothing but its id.
    let secret = fs::read_to_string(world.path("owner.key")).unwrap();
    let shown = world.done(&["inspect", "owner.key"]);
    assert!(shown.contains("private key") && !shown.contains(&secret.lines().nth(1).unwrap()[24..]));
}

#[test]
fn an_audit_sees_what_a_witness_remembers() {
    let world = World::with_people();
    let count = "SELECT COUNT(*) FROM people";
    let audit = ["audit", "space", "--key", "owner.pub"];
    let witnessed = [&audit[..], &["--checkpoint", "holder.key.seen"]].concat();
    world.done(&World::ask("0.1", count));
    let copy =
        |from: &str, to: &str| assert!(Command::new("cp").args(["-a", from, to]).current_dir(world.folder()).status().unwrap().success());
    copy("space", "earlier");
    world.done(&World::ask("0.1", count));
    assert_eq!(world.json(&audit)["rollback"], "unwitnessed");
    assert_eq!(world.json(&witnessed)["rollback"], "none");

    // The whole folder is rolled back: only who kept a later checkpoint can tell, and the gate is told by the holder.
    fs::rename(world.path("space"), world.path("later")).unwrap();
    fs::rename(world.path("earlier"), world.path("space")).unwrap();
    assert_eq!(world.json(&audit)["ok"], true);
    let run = world.run(&[&witnessed[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((run.code, &told["ok"], &told["rollback"]), (1, &false.into(), &"found".into()));
    world.fails(3, &["rolled back or forked", "the holder learns: in doubt"], &World::ask("0.1", count));

    // A damaged journal is doubt, not a crash.
    let segment = world.path("space/ledger/0000000000.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.iter().rposition(|byte| *byte != 0).unwrap() - 200;
    bytes[at] ^= 1;
    fs::write(&segment, bytes).unwrap();
    assert_eq!(world.run(&audit).code, 1);
    let run = world.run(&[&audit[..], &["--json"]].concat());
    assert_eq!((run.code, &serde_json::from_str::<Value>(&run.out).unwrap()["ok"]), (1, &false.into()));
    assert_eq!(world.run(&World::ask("0.1", count)).code, 1);
}

#[test]
fn keys_of_openssl_work() {
    let world = World::with_space();
    let made = Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out", "o.key"]).current_dir(world.folder()).output();
    if made.is_ok_and(|output| output.status.success()) {
        let public = Command::new("openssl").args(["pkey", "-in", "o.key", "-pubout"]).current_dir(world.folder()).output().unwrap();
        world.chmod("o.key", 0o600);
        assert_eq!(world.done(&["key", "public", "o.key"]).as_bytes(), public.stdout);
    } else {
        // RFC 8410 section 10.3, as OpenSSL writes it.
        let pem =
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        world.write("o.key", pem);
        world.chmod("o.key", 0o600);
        assert!(world.done(&["key", "public", "o.key"]).contains("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="));
    }
    world.done(&["space", "new", "another", "--key", "o.key"]);
    // A key of small order is no key.
    let weak = format!("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA{}=\n-----END PUBLIC KEY-----\n", "A".repeat(43));
    world.write("weak.pub", weak);
    world.fails(2, &["small order"], &["audit", "space", "--key", "weak.pub"]);
}

#[test]
fn one_process_at_a_time_and_targets_that_cannot_be_written() {
    let world = World::with_people();
    let count = "SELECT COUNT(*) FROM people";
    let space = usufruct::space::Space::open(world.path("space")).unwrap();
    world.fails(1, &["another process has this space open"], &World::ask("0.1", count));
    assert_eq!(world.spent(), "0");
    drop(space);

    // Nobody can make a file in /proc.
    let request = ["request", "--right", "use.right", "--key", "holder.key", "--epsilon", "0.1", count, "-o"];
    world.fails(1, &["cannot write \"/proc/q.request\""], &[&request[..], &["/proc/q.request"]].concat());
    world.fails(1, &["cannot write"], &[&World::ask("0.1", count)[..], &["--receipt", "/proc/q.receipt"]].concat());
    assert_eq!(world.spent(), "0");
    world.write("q.request", "mine");
    world.fails(2, &["exists", "--force"], &[&request[..], &["q.request"]].concat());
    assert_eq!(fs::read(world.path("q.request")).unwrap(), b"mine");
    world.done(&[&request[..], &["q.request", "--force"]].concat());
    world.done(&["answer", "space", "q.request"]);

    // A full disk behind stdout is told; a closed pipe ends quietly.
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = usufruct(world.folder()).args(["inspect", "use.right"]).stdout(full).output().unwrap();
    assert_eq!(run.status.code(), Some(1));
    for args in [&["inspect", "use.right"][..], &["--help"], &["audit", "space", "--key", "owner.pub"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = usufruct(world.folder()).args(args).stdout(writer).output().unwrap();
        assert_eq!((run.status.code(), run.stderr.as_slice()), (Some(0), &b""[..]), "{args:?}");
    }
}

#[test]
fn interrupted_publishing_leaves_nothing() {
    let world = World::with_space();
    world.write("people.toml", PEOPLE);
    let mut csv = BufWriter::new(fs::File::create(world.path("people.csv")).unwrap());
    csv.write_all(b"age,sex,city\n").unwrap();
    (0..6_000_000u32).for_each(|i| writeln!(csv, "{},{},town{}", i % 100, ["f", "m"][i as usize % 2], i % 1000).unwrap());
    csv.into_inner().unwrap();

    let args = ["publish", "space", "--describe", "people.toml", "--key", "owner.key"];
    let child = usufruct(world.folder()).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !world.parts().iter().any(|part| part.parent().is_some_and(|folder| folder.ends_with("snapshots"))) {
        assert!(Instant::now() < deadline, "no part of a snapshot appeared");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let run = child.wait_with_output().unwrap();
    assert_eq!(run.status.code(), Some(130), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!((run.stdout.as_slice(), world.parts().len()), (&b""[..], 0));
    assert_eq!(fs::read_dir(world.path("space/snapshots")).unwrap().count(), 0);
    assert_eq!(world.json(&["audit", "space", "--key", "owner.pub"])["datasets"], serde_json::json!([]));
}

#[test]
fn names_that_deceive_are_escaped_or_flagged() {
    let world = World::with_space();
    // The first letter is Cyrillic; the title turns the direction of text.
    let people = PEOPLE.replace("columns.age", "columns.\"\u{430}ge\"").replace("unit =", "title = \"plain \u{202e}nialp\"\nunit =");
    world.write("people.toml", people);
    world.write("people.csv", "\u{430}ge,sex,city\n1,f,x\n2,m,y\n");
    world.done(&["publish", "space", "--describe", "people.toml", "--key", "owner.key"]);
    for more in [&[][..], &["--json"]] {
        let shown = world.done(&[&["inspect", "space/cards/people.dataset"], more].concat());
        assert!(shown.contains("mixed scripts: Cyrillic, Latin") && !shown.contains('\u{202e}'), "{shown}");
        assert!(shown.contains("\\u{202e}") || shown.contains("\\u202e"));
    }
}

#[test]
fn every_verb_has_help_with_an_example() {
    let world = World::empty();
    assert!(world.done(&["--help"]).contains("Example"));
    for verb in [
        "publish",
        "grant",
        "request",
        "answer",
        "quote",
        "ask",
        "inspect",
        "audit",
        "verify",
        "refill",
        "key new",
        "key public",
        "space new",
        "space certify",
        "space quantum",
        "space clock",
        "apply",
        "status",
        "classify",
        "desensitise",
        "policy suggest",
        "policy check",
    ] {
        let args: Vec<&str> = verb.split(' ').chain(["--help"]).collect();
        let help = world.done(&args);
        assert!(help.contains(&format!("Example:\n  usufruct {verb} ")), "{verb}: {help}");
    }
    for verb in ["anonymise", "risk", "subgrant", "revoke"] {
        world.fails(2, &[&format!("`{verb}` is not in this version yet")], &[verb, "anything", "--at", "all"]);
    }
}
