//! A technique in one file: written outside of the crate, it is named in a policy, planned, graded and applied to a file, and keeps the
//! promises of all techniques. With a fault in it, the suite finds it.
#![cfg(all(feature = "embedded", feature = "hazmat"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::ops::ControlFlow;
use std::sync::Arc;

use usufruct::arrow::arrow_array::cast::AsArray;
use usufruct::arrow::arrow_array::{Array, ArrayRef, Int64Array, StringArray};
use usufruct::arrow::arrow_schema::DataType;
use usufruct::desensitise::{
    About, ColumnPolicy, DesensitiseReport, Domain, Emit, Emitted, Given, Kernel, KeyAsked, KeyRing, Known, Method, Nature, OffKind,
    OffReason, OutputType, Parameter, Policy, PrfAlgorithm, Problem, Rank, ReleaseModel, Residual, RowOrder, Run, Sealed, Setting,
    Suggestion, Target, Technique, TechniqueError, Techniques, Value, Work, conformance, suggest,
};
use usufruct::grade::{Finding, Kind, Recognisers, survey};
use usufruct::id::{ColumnName, Name, Time};
use usufruct::random::RecordedRandom;
use usufruct::table::{FileOptions, FileSource, Format};

/// The first character of each text in front of a mark: the toy. `FAULT` is what is wrong with it.
#[derive(Clone, Debug)]
struct Initial<const FAULT: u8> {
    mark: Option<char>,
    /// Key, version and domain of one that has them and does not use them.
    key: Option<(Name, Option<u32>, Option<Name>)>,
}

const NONE: u8 = 0;
/// More is said to be left open than is.
const RESIDUAL: u8 = 1;
/// The first row of a batch is told from the others.
const BATCHES: u8 = 2;
/// A cell of another type is shown.
const TYPES: u8 = 3;
/// An empty text stands in place of a null.
const NULLS: u8 = 4;
/// What cannot be treated is not listed.
const UNLISTED: u8 = 5;
/// Numbers come out where texts are declared.
const OUTPUT: u8 = 6;
/// Whose a row is shows, in what is said to depend on the value alone.
const DETERMINISTIC: u8 = 7;
/// A parameter is not written.
const PARAMETERS: u8 = 8;
/// A key is named and not used.
const KEY: u8 = 9;
/// A suggestion that no text of a policy can state.
const SUGGESTION: u8 = 10;

impl<const FAULT: u8> Initial<FAULT> {
    const PLAIN: Self = Self { mark: None, key: None };
}

impl<const FAULT: u8> Sealed for Initial<FAULT> {}

impl<const FAULT: u8> Method for Initial<FAULT> {
    fn about() -> About {
        const MARK: Parameter = Parameter { name: "mark", takes: "one character", default: "none", doc: "behind the first character" };
        match FAULT {
            KEY => About {
                name: "initial",
                parameters: &[KeyAsked::ID, KeyAsked::VERSION, KeyAsked::DOMAIN, MARK],
                examples: &["key = \"k\"\nkey_version = 1\ndomain = \"d\"\nmark = \"*\""],
            },
            _ => About { name: "initial", parameters: &[MARK], examples: &["", "mark = \"…\""] },
        }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        let mark = given.character("mark")?;
        let mut key = None;
        if FAULT == KEY {
            key = Some((given.required("key", Given::name)?, given.count("key_version", u32::MAX)?, given.name("domain")?));
        }
        Ok(Self { mark, key })
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let key = self.key().map_or_else(Vec::new, |key| key.parameters());
        key.into_iter().chain(self.mark.filter(|_| FAULT != PARAMETERS).map(|mark| ("mark", mark.into()))).collect()
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: true, reversible: false, linkable: false }
    }

    fn residual_given(&self, domain: &Domain, _: &[Known]) -> Residual {
        Residual::AtLeast(match domain.kind {
            Kind::Mobile => 100_000_000,
            // A hidden character of a name counts so many (rule H2).
            Kind::Name => 1_000,
            Kind::Number if FAULT == RESIDUAL => 10,
            _ => 1,
        })
    }

    fn leaks(&self) -> &'static [&'static str] {
        &["the first character, which rows had no value"]
    }

    fn output(&self, _: &Setting) -> OutputType {
        OutputType::Text
    }

    fn work(&self, _: &Setting, keys: &KeyRing) -> Result<Work, TechniqueError> {
        if let Some((id, version, _)) = &self.key {
            keys.get(id, *version)?;
        }
        Ok(Work::Cells(Kernel::new(self.clone())))
    }

    fn key(&self) -> Option<KeyAsked<'_>> {
        self.key.as_ref().map(|(id, version, domain)| KeyAsked { id, version: *version, domain: domain.as_ref() })
    }

    fn suggest(finding: &Finding, _: ReleaseModel) -> Option<Suggestion> {
        let mark = (FAULT == SUGGESTION).then_some('\n');
        (finding.kind == Kind::Name).then(|| Suggestion::new(Rank::OfKind, Self { mark, key: None }, "the first character stays"))
    }
}

impl<const FAULT: u8> Emit for Initial<FAULT> {
    fn emit(&self, cells: &ArrayRef, subject: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        if FAULT == OUTPUT && *cells.data_type() == DataType::Int64 {
            return Emitted::foreign(Arc::new(Int64Array::new_null(cells.len())));
        }
        let initial = |row: usize| {
            let text = match cells.data_type() {
                _ if cells.is_null(row) => return (FAULT == NULLS).then(String::new),
                DataType::Utf8 => cells.as_string::<i32>().value(row).to_owned(),
                DataType::Int64 => cells.as_primitive::<usufruct::arrow::arrow_array::types::Int64Type>().value(row).to_string(),
                _ if FAULT == TYPES => format!("{cells:?}"),
                _ => {
                    if FAULT != UNLISTED {
                        off.push(row, OffReason::Type);
                    }
                    return None;
                }
            };
            let shown = if FAULT == RESIDUAL { text.len() } else { text.chars().next().map_or(0, char::len_utf8) };
            let odd = match FAULT {
                BATCHES if row == 0 => "!",
                DETERMINISTIC if subject.is_some_and(|subject| subject.is_null(row)) => "!",
                _ => "",
            };
            Some(text[..shown].chars().chain(self.mark).chain(odd.chars()).collect())
        };
        let texts: StringArray = (0..cells.len()).map(initial).collect();
        Emitted::foreign(Arc::new(texts))
    }
}

#[test]
fn the_toy_keeps_the_promises() {
    conformance::check::<Initial<NONE>>();
}

#[test]
fn a_toy_with_a_fault_is_found() {
    fn found<const FAULT: u8>(says: &str) {
        let panic = std::panic::catch_unwind(conformance::check::<Initial<FAULT>>).expect_err(says);
        let said = panic.downcast_ref::<String>().map_or_else(|| *panic.downcast_ref::<&str>().unwrap(), String::as_str);
        assert!(said.contains(says), "fault {FAULT}: {said}");
    }
    found::<RESIDUAL>("an output of fewer values than the 10 that it is said to leave open");
    found::<BATCHES>("in pieces");
    found::<TYPES>("of cells of the type Binary");
    found::<NULLS>("nulls, and rows that were not treated");
    found::<UNLISTED>("of cells of the type Binary");
    found::<OUTPUT>("the type of cells");
    found::<DETERMINISTIC>("the technique calls itself deterministic");
    found::<PARAMETERS>("written and read again");
    found::<KEY>("does the same by every key");
    found::<SUGGESTION>("column column");
}

const CSV: &str = "name,mobile,town\n王小明,13800138000,A\n欧阳娜娜,13912345678,B\n李四,13800000001,A\n王五,13700000001,B\n";

/// The toy on names and mobile numbers, in code.
fn policy() -> Policy {
    let column = |name: &str| ColumnName::new(name).unwrap();
    let initial = |mark| ColumnPolicy::new(Technique::new(Initial::<NONE> { mark, key: None }));
    let name = ColumnPolicy { kind: Some(Kind::Name), ..initial(Some('…')) };
    Policy::new(ReleaseModel::Enclave, RowOrder::Kept)
        .with_column(column("name"), name)
        .and_then(|policy| policy.with_column(column("mobile"), initial(None)))
        .and_then(|policy| policy.with_column(column("town"), ColumnPolicy::new(Technique::new(usufruct::desensitise::Keep))))
        .unwrap()
}

/// The same as people write it.
const POLICY: &str = "release = \"enclave\"\n[columns.name]\ntechnique = \"initial\"\nkind = \"name\"\nmark = \"…\"\n[columns.mobile]\ntechnique = \"initial\"\n[columns.town]\ntechnique = \"keep\"\n";

fn with_the_toy() -> Techniques {
    Techniques::builtin().with::<Initial<NONE>>()
}

#[test]
fn a_policy_names_it_where_it_is_known() {
    assert_eq!(Policy::parse_with(POLICY, &with_the_toy()).unwrap(), policy());
    let unknown = Policy::parse(POLICY).unwrap_err().to_string();
    assert!(unknown.contains("technique: `initial` is not known here; known are keep, suppress, mask, "), "{unknown}");
    let width = POLICY.replace("mark = \"…\"", "width = 3");
    let told = Policy::parse_with(&width, &with_the_toy()).unwrap_err().to_string();
    assert!(
        told.contains(
            "initial has no parameter `width`; known are date_order, grade, kind, mark, not_known, not_personal, off_kind, technique"
        ),
        "{told}"
    );
}

#[test]
fn what_no_text_can_state_is_no_policy() {
    let mark = ColumnPolicy::new(Technique::new(Initial::<NONE> { mark: Some('\n'), key: None }));
    let column = ColumnName::new("name").unwrap();
    let refused = Policy::new(ReleaseModel::Enclave, RowOrder::Kept).with_column(column.clone(), mark).unwrap_err();
    assert!(refused.to_string().contains("column name: `mark`: expected a text"), "{refused}");
    let forgets = ColumnPolicy::new(Technique::new(Initial::<PARAMETERS> { mark: Some('*'), key: None }));
    // Two techniques are one when a policy says the same of both, so this one is the one without a mark.
    assert_eq!(forgets.technique, Technique::new(Initial::<PARAMETERS>::PLAIN));
    Policy::new(ReleaseModel::Enclave, RowOrder::Kept).with_column(column, forgets).unwrap();
}

fn applied(policy: Policy, folder: &std::path::Path, name: &str) -> (DesensitiseReport, String) {
    fs::write(folder.join("in.csv"), CSV).unwrap();
    let source = FileSource::open(folder.join("in.csv"), &FileOptions::default()).unwrap();
    let keys = KeyRing::generate(
        &mut RecordedRandom::from_seed("toy"),
        Name::new("k").unwrap(),
        PrfAlgorithm::AesCmac,
        Name::new("tests").unwrap(),
    );
    let mut run = Run {
        threads: 2,
        recognisers: Arc::new(Recognisers::builtin()),
        signer: None,
        now: Time::from_unix_s(1_700_000_000),
        progress: &mut |_| ControlFlow::Continue(()),
    };
    let report = policy.bind(&keys).apply(&source, &Target::new(folder.join(name), Format::Csv), &mut run).unwrap();
    let out = fs::read_to_string(folder.join(name)).unwrap();
    (report, out)
}

#[test]
fn it_is_planned_graded_and_applied() {
    let folder = tempfile::tempdir().unwrap();
    let (report, out) = applied(policy(), folder.path(), "out.csv");
    assert_eq!(out, "name,mobile,town\n王…,1,A\n欧…,1,B\n李…,1,A\n王…,1,B\n");
    let [name, mobile, _] = &report.manifest.columns[..] else { panic!("three columns") };
    assert_eq!((name.technique.as_str(), &name.parameters[..]), ("initial", &[(Name::new("mark").unwrap(), "…".to_owned())][..]));
    assert_eq!((name.residual, mobile.residual), (Residual::AtLeast(1_000), Residual::AtLeast(100_000_000)));
    assert!(name.leaks == ["the first character, which rows had no value"] && name.key.is_none() && name.leaves);
    // Nobody is counted in an enclave, so no grade falls by what a column leaves open.
    assert_eq!([name, mobile].map(|column| (column.grade_before.number(), column.grade_after.number())), [(3, 3), (3, 3)]);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["rows_written"], &json["findings"][1]["kind"]), (&4.into(), &"mobile".into()));
    assert_eq!((&json["internal"], &json["findings"][0]["internal"]), (&true.into(), &true.into()));
    assert!(json.get("manifest").is_none() && !json.to_string().contains('王'), "{json}");
    let (again, same) = applied(Policy::parse_with(POLICY, &with_the_toy()).unwrap(), folder.path(), "again.csv");
    assert_eq!((same, again.manifest.policy()), (out, report.manifest.policy()));
}

#[test]
fn it_is_suggested_where_it_is_known() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.csv"), CSV).unwrap();
    let source = FileSource::open(folder.path().join("in.csv"), &FileOptions::default()).unwrap();
    let findings = survey(&source, &Arc::new(Recognisers::builtin()), 1, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(findings[0].kind, Kind::Name);
    let suggested = |techniques: &Techniques| {
        let suggestions = techniques.suggest(&findings[0], ReleaseModel::Enclave);
        suggestions.into_iter().map(|suggestion| suggestion.technique.name()).collect::<Vec<_>>()
    };
    assert_eq!(suggested(&Techniques::builtin()), ["mask", "suppress"]);
    assert_eq!(suggested(&with_the_toy()), ["mask", "initial", "suppress"]);
    assert!(!suggest(&findings, ReleaseModel::Enclave).contains("initial"));
}
