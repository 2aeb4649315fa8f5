//! A file without a header: its first record names no column anywhere, and is read as data when it is said to be.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code, reason = "the other tests of the command line use the rest")]
#[path = "cli/world.rs"]
mod world;

use std::fs;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use usufruct::dataset::{
    Contribution, Description, DescriptionFile, Draft, PublishError, RowKey, Schema, Unit, table_schema, write_snapshot,
};
use usufruct::file::{Output, OutputOptions};
use usufruct::grade::{Recognisers, SurveyError, survey};
use usufruct::id::{ColumnName, Salt};
use usufruct::table::{CsvOptions, CsvSource, Encoding, FileOptions, FileSource, RecordSource as _, TableError};
use world::World;

/// First records of files without a header: the cell that must not be seen, the field it is in, its kind.
const FIRST: [(&str, &str, u32, &str); 12] = [
    ("P17,11010519491231002X,39", "11010519491231002X", 2, "resident_id"),
    ("P17,39,110105194912310021", "110105194912310021", 3, "resident_id"),
    ("13812345678,39,f", "13812345678", 1, "mobile"),
    ("f,39,\"tel: 13812345678, at night\"", "13812345678", 3, "mobile"),
    ("f,１３８１２３４５６７８,39", "１３８１２３４５６７８", 2, "mobile"),
    ("f,6222020200112230,x", "6222020200112230", 2, "bank_card"),
    ("f,x,jane.doe@example.com", "jane.doe@example.com", 3, "email"),
    ("010-62345678,a,b", "010-62345678", 1, "landline"),
    ("a,京A12345,b", "京A12345", 2, "plate"),
    ("a,91310115MA1K3BTP2B,b", "91310115MA1K3BTP2B", 2, "uscc"),
    ("a,GB82WEST12345698765432,b", "GB82WEST12345698765432", 2, "bank_card"),
    ("张伟,39,f", "张伟", 1, "name"),
];

/// A policy for three columns and for whatever they are called.
const POLICY: &str = "release = \"enclave\"\n[default]\ntechnique = \"suppress\"\n";

/// No file but those named holds the text.
fn holds_none(world: &World, but: &[&str], text: &str) {
    let mut folders = vec![world.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !but.contains(&path.file_name().unwrap().to_str().unwrap()) {
                let bytes = fs::read(&path).unwrap();
                assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{} holds {text}", path.display());
            }
        }
    }
}

/// The run ends with exit 2, says all of these, and shows the cell nowhere.
fn refused(world: &World, cell: &str, says: &[&str], args: &[&str]) {
    let run = world.run(args);
    assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}: {}", run.err);
    for word in says {
        assert!(run.err.contains(word), "{args:?}: {word} is not in: {}", run.err);
    }
    assert!(!run.err.contains(cell), "{args:?}: {}", run.err);
}

#[test]
fn a_first_record_of_cells_refuses_the_file_on_every_way() {
    let world = World::with_space();
    world.write("policy.toml", POLICY);
    for (first, cell, field, kind) in FIRST {
        world.write("raw.csv", format!("{first}\n1,2,3\n"));
        let says = [&format!("field {field} of the header"), kind, "--no-header"];
        for args in [
            &["classify", "raw.csv", "-o", "report.json"][..],
            &["policy", "suggest", "raw.csv", "-o", "suggested.toml"],
            &["policy", "check", "policy.toml", "raw.csv"],
            &["desensitise", "raw.csv", "--policy", "policy.toml", "-o", "out.csv", "--sign", "owner.key"],
            &["desensitise", "raw.csv", "--policy", "policy.toml", "-o", "out.parquet"],
        ] {
            refused(&world, cell, &says, args);
        }
        // Who writes such a name into a description or a policy does not see it again either.
        let description = format!(
            "name = \"raw\"\ndata = \"raw.csv\"\nunit = \"row\"\nrows_are_independent = true\nbudget = {{ model = \"approx\", epsilon = \"3\" }}\n\
             [columns.\"{cell}\"]\ntype = \"text\"\ngrade = 2\n"
        );
        world.write("raw.toml", description);
        world.write("named.toml", format!("{POLICY}[columns.\"{cell}\"]\ntechnique = \"keep\"\n"));
        refused(&world, cell, &["columns", kind], &["publish", "space", "--describe", "raw.toml", "--key", "owner.key"]);
        refused(&world, cell, &["column", kind], &["policy", "check", "named.toml"]);
        for name in ["report.json", "suggested.toml", "out.csv", "out.csv.manifest", "out.parquet"] {
            assert!(!world.path(name).exists(), "{name}");
        }
        holds_none(&world, &["raw.csv", "raw.toml", "named.toml"], cell);
        // The library too: by the error, its source and its `Debug`.
        let error = FileSource::open(world.path("raw.csv"), &FileOptions::default()).unwrap_err();
        assert_eq!(error, TableError::HeaderIsData { field, kind: kind.to_owned() });
        assert!(!format!("{error} {error:?} {error:#?}").contains(cell), "{error:?}");
    }
}

#[test]
fn what_else_is_wrong_with_a_header_is_told_without_it() {
    let world = World::empty();
    for (first, cell, says) in [
        ("13812345678,13812345678", "13812345678", "fields 1 and 2 of the header have the same name"),
        (&format!("a,13812345678{}", "x".repeat(200)), "13812345678", "--no-header"),
        ("13812345678;39;f", "13812345678", "--delimiter"),
        ("city;age;sex", "city;", "--delimiter"),
        ("city\tage\tsex", "city\t", "--delimiter"),
    ] {
        world.write("raw.csv", format!("{first}\n1,2\n"));
        refused(&world, cell, &[says], &["classify", "raw.csv"]);
    }
    world.write("gb.csv", b"\xd0\xd5\xc3\xfb,age\n\xcd\xf5\xce\xb0,39\n");
    refused(&world, "王伟", &["field 1", "--encoding"], &["classify", "gb.csv"]);
}

#[test]
fn numbers_and_dates_are_names_of_columns_and_a_reason_to_ask() {
    let world = World::empty();
    for (header, asked) in [("39,f,1984-05-06", true), ("2019,2020,2021", true), ("城市,2019,2020", false), ("f,m,x", false)] {
        world.write("raw.csv", format!("{header}\n1,2,3\n"));
        let run = world.run(&["classify", "raw.csv"]);
        assert_eq!((run.code, run.err.contains("reads like data") && run.err.contains("--no-header")), (0, asked), "{header}: {}", run.err);
    }
    world.write("raw.csv", "39,f,1984-05-06\n1,2,3\n");
    assert_eq!(world.run(&["classify", "raw.csv", "--no-header"]).err, "");
}

#[test]
fn recognisers_of_the_user_that_are_direct_look_at_headers_too() {
    let world = World::empty();
    let recogniser = "[[recogniser]]\nname = \"staff_no\"\npattern = \"S[0-9]{6}\"\ngrade = 3\nheaders = [\"S000000\"]\n";
    world.write("direct.toml", format!("{recogniser}direct = true\n"));
    world.write("other.toml", recogniser);
    world.write("policy.toml", POLICY);
    world.write("raw.csv", "dept,S123456\nA,S123457\n");
    for args in [
        &["classify", "raw.csv", "--recognisers", "direct.toml"][..],
        &["policy", "suggest", "raw.csv", "--recognisers", "direct.toml"],
        &["policy", "check", "policy.toml", "raw.csv", "--recognisers", "direct.toml"],
        &["desensitise", "raw.csv", "--recognisers", "direct.toml", "--policy", "policy.toml", "-o", "out.csv"],
    ] {
        refused(&world, "S123456", &["field 2", "staff_no", "--no-header"], args);
    }
    assert!(world.done(&["classify", "raw.csv", "--recognisers", "other.toml"]).contains("S123456"));
    world.write("raw.csv", "dept,S000000\nA,S123457\n");
    world.done(&["classify", "raw.csv", "--recognisers", "direct.toml"]);
}

#[test]
fn a_file_without_a_header_goes_the_whole_way() {
    let world = World::with_space();
    world.done(&["key", "new", "--kind", "desensitise", "-o", "people.keys"]);
    let rows: String = (0..500)
        .map(|i| {
            format!(
                "1{}{}{:08},{},{}\n",
                [3, 5, 8][i % 3],
                [1, 2, 6, 7, 8, 9][i % 6],
                i * 7919,
                20 + i % 60,
                if i % 2 == 0 { "f" } else { "m" }
            )
        })
        .collect();
    world.write("raw.csv", format!("13812345678,39,f\n{rows}"));
    let found = world.json(&["classify", "raw.csv", "--no-header"]);
    let columns: Vec<_> =
        found["columns"].as_array().unwrap().iter().map(|column| (column["name"].clone(), column["sampled"].clone())).collect();
    assert_eq!(columns, ["c1", "c2", "c3"].map(|name| (name.into(), 501.into())));
    assert_eq!(found["columns"][0]["kind"], "mobile");
    world.done(&["policy", "suggest", "raw.csv", "--no-header", "-o", "policy.toml"]);
    world.done(&["policy", "check", "policy.toml", "raw.csv", "--no-header", "--keys", "people.keys"]);
    let desensitise = ["desensitise", "raw.csv", "--no-header", "--policy", "policy.toml", "--keys", "people.keys", "-o"];
    let told = world.json(&[&desensitise[..], &["out.csv", "--sign", "owner.key"]].concat());
    assert_eq!((told["rows_read"].as_u64(), told["rows_written"].as_u64()), (Some(501), Some(501)));
    let out = fs::read_to_string(world.path("out.csv")).unwrap();
    assert_eq!((out.lines().next(), out.lines().count()), (Some("c1,c2,c3"), 502));
    world.done(&[
        "verify",
        "out.csv.manifest",
        "--key",
        "owner.pub",
        "--file",
        "out.csv",
        "--source",
        "raw.csv",
        "--opening",
        "out.csv.opening",
    ]);
    world.done(&[&desensitise[..], &["out.parquet"]].concat());
    holds_none(&world, &["raw.csv"], "13812345678");

    let describe = |header: &str| {
        world.write(
            "raw.toml",
            format!(
                "name = \"raw\"\ndata = \"raw.csv\"\n{header}unit = \"row\"\nrows_are_independent = true\nbudget = {{ model = \"approx\", epsilon = \"3\" }}\n\
                 [columns.c3]\ntype = \"text\"\nvalues = [\"f\", \"m\"]\ngrade = 1\n[columns.c2]\ntype = \"integer\"\nbounds = [0, 120]\ngrade = 2\n"
            ),
        );
    };
    let publish = ["publish", "space", "--describe", "raw.toml", "--key", "owner.key"];
    describe("");
    refused(&world, "13812345678", &["column \"c3\" is not among the 3 fields"], &publish);
    assert_eq!(world.json(&[&publish[..], &["--no-header"]].concat())["rows"], 501);
    describe("header = false\n");
    assert_eq!(world.json(&publish)["rows"], 501);
    // Places count from the first record, which is data.
    world.write("raw.csv", "13812345678,x,f\n13912345678,1,m\n");
    refused(&world, "13812345678", &["record 1, field 2, which begins at byte 0"], &publish);
    world.write("raw.csv", "\u{feff}13812345678,7,f\r\n\r\n13912345678,x,m\n");
    refused(&world, "13812345678", &["record 2, field 2, which begins at byte 22"], &publish);
    world.write("raw.csv", "13812345678,7,f\n13912345678,1\n");
    refused(&world, "13812345678", &["record 2", "3 fields expected, 2 found"], &publish);
    world.write("raw.csv", "");
    refused(&world, "13812345678", &["empty"], &publish);
}

#[test]
fn one_record_and_other_encodings() {
    let world = World::empty();
    let cells = |name: &str, csv: CsvOptions| {
        let options = FileOptions { csv: CsvOptions { header: false, ..csv }, ..FileOptions::default() };
        let source = FileSource::open(world.path(name), &options).unwrap();
        let names: Vec<String> = source.schema().columns().iter().map(|column| column.name.to_string()).collect();
        let batches: Vec<_> = source.read().unwrap().map(Result::unwrap).collect();
        let rows: usize = batches.iter().map(usufruct::table::Records::len).sum();
        (names, rows, batches[0].position(0, Some(1)))
    };
    let names = || ["c1", "c2"].map(str::to_owned).to_vec();
    for text in ["13812345678,39", "13812345678,39\n", "\"13812345678\",\"3\n9\"\r\n"] {
        world.write("one.csv", text);
        let (columns, rows, place) = cells("one.csv", CsvOptions::default());
        assert_eq!((columns, rows, place.record, place.field, place.byte), (names(), 1, 1, Some(2), Some(0)), "{text:?}");
    }
    // 王伟;13812345678 in GB 18030, twice: equal records are two, not a header with its name twice.
    world.write("gb.csv", b"\xcd\xf5\xce\xb0;13812345678\n\xcd\xf5\xce\xb0;13812345678\n");
    let (columns, rows, place) = cells("gb.csv", CsvOptions { delimiter: b';', encoding: Encoding::Gb18030, ..CsvOptions::default() });
    assert_eq!((columns, rows, place.record, place.byte), (names(), 2, 1, None));
    let shown = world.json(&["classify", "gb.csv", "--encoding", "gb18030", "--delimiter", ";", "--no-header"]);
    assert_eq!((&shown["columns"][0]["sampled"], &shown["columns"][1]["kind"]), (&2.into(), &"mobile".into()));
    refused(
        &world,
        "13812345678",
        &["field 1", "name", "--no-header"],
        &["classify", "gb.csv", "--encoding", "gb18030", "--delimiter", ";"],
    );
}

#[cfg(feature = "hazmat")]
#[test]
fn columns_of_other_formats_are_looked_at_too() {
    use usufruct::table::{FileSink, Format, RawRows, SinkOptions};
    let world = World::empty();
    world.write("raw.csv", "x\n1\n");
    let source = FileSource::open(world.path("raw.csv"), &FileOptions::default()).unwrap();
    let batch = source.read().unwrap().next().unwrap().unwrap().batch().clone();
    let field = usufruct::arrow::arrow_schema::Field::new("13812345678", batch.schema().field(0).data_type().clone(), true);
    let schema = std::sync::Arc::new(usufruct::arrow::arrow_schema::Schema::new(vec![field]));
    let batch = usufruct::arrow::arrow_array::RecordBatch::try_new(schema, batch.columns().to_vec()).unwrap();
    for format in [Format::Parquet, Format::Ipc] {
        let mut sink = FileSink::create(&world.path(format.as_str()), format, &batch.schema(), &SinkOptions::default()).unwrap();
        sink.write(sink.preparer().prepare(&RawRows(batch.clone())).unwrap()).unwrap();
        sink.finish().unwrap().commit().unwrap();
        refused(&world, "13812345678", &["field 1", "mobile", "rename"], &["classify", format.as_str()]);
    }
}

/// Sources and descriptions that a program makes itself have names that no file was asked for.
#[test]
fn a_program_cannot_survey_or_publish_such_a_name_either() {
    let folder = tempfile::tempdir().unwrap();
    let described = DescriptionFile::parse(world::PEOPLE, Path::new("")).unwrap().description;
    let mut columns = described.schema().columns().to_vec();
    columns[1].name = ColumnName::new("13812345678").unwrap();
    let draft = Draft {
        name: described.name().clone(),
        title: String::new(),
        budget: described.budget(),
        report_delta: None,
        legacy_quantum_ms: None,
        rows_are_independent: true,
        public_size: false,
        public_source: None,
        schema: Schema::new(Unit::Row, Contribution::ROW, columns).unwrap(),
    };
    let description = Description::new(draft).unwrap();
    let csv = "age,13812345678,city\n7,f,town\n";
    let source = CsvSource::from_bytes(csv.as_bytes(), CsvOptions::default(), table_schema(description.schema())).unwrap();
    let error = survey(&source, &Arc::new(Recognisers::builtin()), 1, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error, SurveyError::Table(TableError::HeaderIsData { field: 2, kind: "mobile".to_owned() }));

    let path = folder.path().join("out.snapshot");
    let output = Output::create(&path, OutputOptions { force: false, private: true }).unwrap();
    let key = RowKey::of_first_snapshot(&Salt::from_bytes([7; 32]));
    let error = write_snapshot(&source, &description, &key, output, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error, PublishError::NameIsData { column: 2, kind: "mobile" });
    assert!(!path.exists() && !format!("{error} {error:?}").contains("13812345678"));
}

/// A name that could be a word, beside a cell that comes again.
#[test]
fn a_header_that_stands_among_its_cells_is_a_record() {
    let world = World::empty();
    let rows = "王小明,男,北京\n李娜,女,上海\n赵云,男,广州\n";
    world.write("in.csv", rows);
    world.write("p.toml", "release = \"enclave\"\n[default]\ntechnique = \"suppress\"\nreplace = \"-\"\n");
    let desensitise = ["desensitise", "in.csv", "--policy", "p.toml", "-o", "out.csv"];
    for args in [&["classify", "in.csv"][..], &["policy", "suggest", "in.csv"], &["policy", "check", "p.toml", "in.csv"], &desensitise] {
        refused(&world, "王小明", &["field 1 of the header is a cell by its form (name)", "--no-header"], args);
    }
    assert!(!world.path("out.csv").exists());
    world.done(&[&desensitise[..], &["--no-header"]].concat());
    // A header that stands in the file once more is no name of a person.
    world.write("in.csv", "姓名,性别\n王小明,男\n姓名,性别\n李娜,女\n");
    world.done(&["classify", "in.csv"]);
}
