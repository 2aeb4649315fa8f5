//! Descriptions as people write them: TOML.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{
    Bounds, Column, ColumnType, Contribution, Description, DescriptionError, Draft, GridStep, Schema, Unit, Use, Uses, Values, table_schema,
};
use crate::budget::{Delta, Epsilon, Loss, Rho};
use crate::grade::Grade;
use crate::id::{ColumnName, Decimal, Name};
use crate::table::{CsvOptions, Encoding, FileOptions, FileSource, Format, TableError};
use crate::{file, form};

/// A description that a person wrote, and where the data is.
#[derive(Clone, Debug)]
pub struct DescriptionFile {
    /// The description.
    pub description: Description,
    /// The data.
    pub data: DataFile,
}

/// Where the data of a dataset is and how it is written; not part of the description.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// The path; relative paths are relative to the description.
    pub path: PathBuf,
    /// The format, if it is not for the file itself to say.
    pub format: Option<Format>,
    /// The delimiter of a CSV file.
    pub delimiter: u8,
    /// The encoding of a CSV file.
    pub encoding: Encoding,
    /// Whether the first record of a CSV file names the columns; without it they are `c1`, `c2`, ...
    pub header: bool,
}

impl DataFile {
    /// How to open the data.
    #[must_use]
    pub fn options(&self) -> FileOptions {
        let Self { delimiter, encoding, header, .. } = *self;
        let csv = CsvOptions { delimiter, encoding, header, ..CsvOptions::default() };
        FileOptions { format: self.format, csv }
    }
}

/// No description is longer.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

impl DescriptionFile {
    /// Reads `D.toml`.
    ///
    /// # Errors
    /// The file cannot be read, is not of the shape, or describes nothing that can be published.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DescriptionError> {
        let path = path.as_ref();
        Self::parse(&file::read_text(path, FILE_BYTES_MAX)?, path.parent().unwrap_or(Path::new("")))
    }

    /// The data, opened with the columns of the description.
    ///
    /// # Errors
    /// There is no such file, or it has other columns.
    pub fn source(&self) -> Result<FileSource, TableError> {
        FileSource::open_as(&self.data.path, &self.data.options(), table_schema(self.description.schema()))
    }

    /// Reads the text of a `D.toml` whose relative paths start at `folder`.
    ///
    /// # Errors
    /// As [`DescriptionFile::read`].
    pub fn parse(text: &str, folder: &Path) -> Result<Self, DescriptionError> {
        let file: File = file::from_toml(text)?;
        file.check(folder)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    title: String,
    data: PathBuf,
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    delimiter: Option<String>,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    header: Option<bool>,
    unit: UnitText,
    #[serde(default)]
    rows_are_independent: bool,
    #[serde(default)]
    public_size: bool,
    #[serde(default)]
    public_source: Option<String>,
    /// Of earlier versions: refused with what took its place.
    #[serde(default)]
    quantum_ms: Option<toml::Value>,
    budget: BudgetText,
    #[serde(default)]
    contribution: Option<ContributionText>,
    #[serde(default)]
    reveal_least_units: Option<u32>,
    columns: toml::Table,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "unit is \"row\" or { column = \"NAME\" }")]
enum UnitText {
    Word(String),
    Column(UnitColumn),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitColumn {
    column: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetText {
    model: String,
    epsilon: Option<String>,
    rho: Option<String>,
    delta: Option<String>,
    report_delta: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContributionText {
    groups_per_unit: u32,
    rows_per_group: u32,
    #[serde(default)]
    rows_per_unit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnText {
    r#type: String,
    #[serde(default)]
    step: Option<String>,
    #[serde(default)]
    bounds: Option<[NumberText; 2]>,
    #[serde(default)]
    values: Option<Vec<ValueText>>,
    #[serde(default)]
    other: Option<String>,
    #[serde(default)]
    nullable: bool,
    grade: u64,
    #[serde(default)]
    r#use: Option<Vec<String>>,
}

/// A bound: an integer or a decimal string, never a float.
#[derive(Deserialize)]
#[serde(untagged, expecting = "bounds are integers or decimal strings, never floats")]
enum NumberText {
    Integer(i64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "declared values are text or integers")]
enum ValueText {
    Integer(i64),
    Text(String),
}

impl File {
    fn check(self, folder: &Path) -> Result<DescriptionFile, DescriptionError> {
        if self.quantum_ms.is_some() {
            return Err(DescriptionError::Dataset(
                "quantum_ms: a space has one quantum for all its datasets; leave the line out and say `usufruct space new --quantum-ms N`, or later `usufruct space quantum`",
            ));
        }
        let delimiter = match self.delimiter.as_deref().map(str::as_bytes) {
            None => b',',
            Some([delimiter]) if delimiter.is_ascii() && !matches!(delimiter, b'"' | b'\r' | b'\n' | 0) => *delimiter,
            Some(_) => return Err(DescriptionError::Dataset("delimiter is one ASCII character other than a quote or a line end")),
        };
        let format = self.format.as_deref().map(Format::parse);
        let format =
            format.map(|format| format.ok_or(DescriptionError::Dataset("format is \"csv\", \"parquet\" or \"ipc\""))).transpose()?;
        let encoding = Encoding::parse(self.encoding.as_deref().unwrap_or("utf-8"));
        let encoding = encoding.ok_or(DescriptionError::Dataset("encoding is \"utf-8\" or \"gb18030\""))?;
        let unit = match self.unit {
            UnitText::Word(word) if word == "row" => Unit::Row,
            UnitText::Word(_) => return Err(DescriptionError::Dataset("unit is \"row\" or { column = \"NAME\" }")),
            UnitText::Column(UnitColumn { column }) => Unit::Column(value("unit", &column, ColumnName::new)?),
        };
        let contribution = match (&unit, self.contribution) {
            (Unit::Row, None) => Contribution::ROW,
            (Unit::Row, Some(_)) => {
                return Err(DescriptionError::Dataset("contribution is for units that are a column; a row contributes once"));
            }
            (Unit::Column(_), Some(ContributionText { groups_per_unit, rows_per_group, rows_per_unit })) => {
                Contribution { groups_per_unit, rows_per_group, rows_per_unit }
            }
            (Unit::Column(_), None) => {
                return Err(DescriptionError::Dataset(
                    "contribution = { groups_per_unit = .., rows_per_group = .. } is needed when the unit is a column",
                ));
            }
        };
        let unit_name = if let Unit::Column(column) = &unit { Some(column.as_str()) } else { None };
        let names: Vec<&str> = self.columns.keys().map(String::as_str).chain(unit_name).collect();
        if let Some((_, kind)) = form::first_identifier(&names) {
            let problem =
                format!("a column is called by what is a cell ({kind}); with header = false the columns of a file are c1, c2, ...");
            return Err(DescriptionError::Value { place: "columns".to_owned(), problem });
        }
        let unit_column = if let Unit::Column(column) = &unit { Some(column.clone()) } else { None };
        let columns = self.columns.into_iter().map(|(name, text)| column(&name, text, unit_column.as_ref())).collect::<Result<_, _>>()?;
        let (budget, report_delta) = self.budget.check()?;
        let draft = Draft {
            name: value("name", &self.name, Name::new)?,
            title: self.title,
            budget,
            report_delta,
            legacy_quantum_ms: None,
            rows_are_independent: self.rows_are_independent,
            public_size: self.public_size,
            public_source: self.public_source,
            schema: Schema::new(unit, contribution, columns)?.with_least_units(self.reveal_least_units.unwrap_or(1))?,
        };
        Ok(DescriptionFile {
            description: Description::new(draft)?,
            data: DataFile { path: folder.join(self.data), format, delimiter, encoding, header: self.header.unwrap_or(true) },
        })
    }
}

impl BudgetText {
    fn check(self) -> Result<(Loss, Option<Delta>), DescriptionError> {
        let delta = value("budget.delta", self.delta.as_deref().unwrap_or("0"), Delta::parse)?;
        let report_delta = self.report_delta.map(|delta| value("budget.report_delta", &delta, Delta::parse)).transpose()?;
        let loss = match (self.model.as_str(), self.epsilon, self.rho) {
            ("approx", Some(epsilon), None) => Loss::Approx { epsilon: value("budget.epsilon", &epsilon, Epsilon::parse)?, delta },
            ("zcdp", None, Some(rho)) => Loss::Zcdp { rho: value("budget.rho", &rho, Rho::parse)?, delta },
            _ => {
                return Err(DescriptionError::Dataset(
                    "budget is { model = \"approx\", epsilon = \"..\", delta = \"..\" } or { model = \"zcdp\", rho = \"..\", delta = \"..\", report_delta = \"..\" } with decimal strings",
                ));
            }
        };
        Ok((loss, report_delta))
    }
}

fn column(name: &str, text: toml::Value, unit: Option<&ColumnName>) -> Result<Column, DescriptionError> {
    let place = |problem: String| DescriptionError::Value { place: format!("columns.{}", name.escape_debug()), problem };
    let text: ColumnText = text.try_into().map_err(|error: toml::de::Error| place(file::toml_problem(&error)))?;
    let name = ColumnName::new(name).map_err(|error| place(error.to_string()))?;
    let problem = |problem| DescriptionError::Column { column: name.clone(), problem };

    let kind = match (text.r#type.as_str(), text.step) {
        ("text", None) => ColumnType::Text,
        ("integer", None) => ColumnType::Integer,
        ("real", Some(step)) => ColumnType::Real {
            step: GridStep::parse(&step).ok_or_else(|| {
                problem("step is a positive decimal such as \"0.01\" with at most 18 digits, or \"2^-k\" with k up to 18")
            })?,
        },
        ("real", None) => return Err(problem("a real column needs a step such as \"0.01\"")),
        ("text" | "integer", Some(_)) => return Err(problem("only real columns have a step")),
        _ => return Err(problem("type is \"text\", \"integer\" or \"real\"")),
    };
    let bounds = match text.bounds {
        Some([low, high]) => {
            let step = kind.step().ok_or_else(|| problem("text has no bounds"))?;
            let bound = |number: NumberText| {
                let number = match number {
                    NumberText::Integer(number) => Decimal::new(number.into(), 0),
                    NumberText::Text(text) => Decimal::parse(&text).ok(),
                };
                let number = number.ok_or_else(|| problem("a bound is an integer or a decimal string"))?;
                step.exactly(number).ok_or_else(|| problem("a bound is not a multiple of the step"))
            };
            Some(Bounds { low: bound(low)?, high: bound(high)? })
        }
        None => None,
    };
    let values =
        text.values.map(|values| values_of(values).ok_or_else(|| problem("declared values are all text or all integers"))).transpose()?;
    let grade = Grade::from_number(text.grade).ok_or_else(|| problem("grade is 1, 2, 3 or 4"))?;
    let uses = match text.r#use {
        Some(names) => {
            let of_name = |name: &String| Use::ALL.into_iter().find(|one| one.name() == name);
            let uses: Option<Uses> = names.iter().map(of_name).collect();
            uses.ok_or_else(|| problem("use is a list of \"aggregate\", \"filter\", \"group\", \"reveal\""))?
        }
        None if unit == Some(&name) => Uses::NONE,
        None => Uses::of_grade(grade, values.is_some()),
    };
    let other = text.other.map(|other| Name::new(&other).map_err(|_| problem("`other` is not a name"))).transpose()?;
    Ok(Column { kind, bounds, values, other, nullable: text.nullable, grade, uses, name })
}

fn values_of(values: Vec<ValueText>) -> Option<Values> {
    if matches!(values.first(), Some(ValueText::Integer(_))) {
        let integers = values.into_iter().map(|value| if let ValueText::Integer(value) = value { Some(value) } else { None });
        integers.collect::<Option<_>>().map(Values::Integer)
    } else {
        let texts = values.into_iter().map(|value| if let ValueText::Text(value) = value { Some(value) } else { None });
        texts.collect::<Option<_>>().map(Values::Text)
    }
}

fn value<T, E: std::fmt::Display>(place: &str, text: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, DescriptionError> {
    parse(text).map_err(|error| DescriptionError::Value { place: place.to_owned(), problem: error.to_string() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dataset::Publication;
    use crate::envelope::Artefact;
    use crate::id::LedgerId;
    use crate::ledger::Commitment;

    const ADULT: &str = r#"
name = "adult"
title = "Adult census"
data = "adult.csv"
delimiter = ";"
unit = "row"
rows_are_independent = true
budget = { model = "approx", epsilon = "3", delta = "0" }
[columns.age]
type = "integer"
bounds = [0, 120]
grade = 2
[columns.wage]
type = "real"
step = "0.01"
bounds = ["0", "99.50"]
nullable = true
grade = 3
[columns.sex]
type = "text"
values = ["Male", "Female"]
other = "Other"
grade = 1
"#;

    fn parse(text: &str) -> Result<DescriptionFile, DescriptionError> {
        DescriptionFile::parse(text, Path::new("/data"))
    }

    #[test]
    fn the_example_is_read() {
        let file = parse(ADULT).unwrap();
        assert_eq!(file.data.path, Path::new("/data/adult.csv"));
        assert_eq!(file.data.delimiter, b';');
        let schema = file.description.schema();
        assert_eq!(schema.columns().iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["age", "wage", "sex"]);
        assert_eq!(schema.columns()[1].bounds, Some(Bounds { low: 0, high: 9950 }));
        assert!(schema.columns()[0].uses.allow(Use::Aggregate) && !schema.columns()[0].uses.allow(Use::Group));
        assert!(!schema.columns()[1].uses.allow(Use::Group));
        assert!(schema.columns()[2].uses.allow(Use::Group) && !schema.columns()[2].uses.allow(Use::Reveal));
    }

    #[test]
    fn a_publication_goes_both_ways() {
        let publication = Publication {
            ledger: LedgerId::from_bytes([3; 32]),
            description: parse(ADULT).unwrap().description,
            snapshot: Commitment::from_bytes([4; 32]),
        };
        let payload = publication.to_payload();
        assert_eq!(Publication::from_payload(&payload).unwrap(), publication);
        assert_eq!(Publication::from_payload(&payload).unwrap().to_payload(), payload);
    }

    fn changed(from: &str, to: &str) -> Description {
        assert!(ADULT.contains(from), "{from}");
        parse(&ADULT.replacen(from, to, 1)).unwrap().description
    }

    #[test]
    fn a_budget_of_rho_has_a_delta_for_people() {
        use crate::dp::accountant::zcdp;
        let approx = "model = \"approx\", epsilon = \"3\", delta = \"0\"";
        let report = Delta::parse("0.000001").unwrap();
        for (delta, kind, sum) in [("0", "answers are rho-zCDP", "0.000001"), ("0.000002", "delta-approximate rho-zCDP", "0.000003")] {
            let text = format!("model = \"zcdp\", rho = \"0.5\", delta = \"{delta}\", report_delta = \"0.000001\"");
            let description = changed(approx, &text);
            let budget = Loss::zcdp("0.5", delta).unwrap();
            assert_eq!((description.budget(), description.report_delta()), (budget, Some(report)));
            let epsilon = zcdp::epsilon_of(Rho::parse("0.5").unwrap(), report).unwrap();
            assert_eq!(description.epsilon_at_report_delta(&budget), Some(epsilon));
            assert_eq!(description.epsilon_at_report_delta(&Loss::zcdp("0", delta).unwrap()), Some(Epsilon::ZERO));
            assert_eq!(description.epsilon_at_report_delta(&Loss::approx("1", "0").unwrap()), None);
            let promise = description.promise();
            for part in [kind, &format!("{budget}, under which"), &format!("e^{epsilon},"), &format!("at most {sum} beyond")] {
                assert!(promise.contains(part), "{part}: {promise}");
            }
            assert_eq!(read_back(&description), description);
        }
        // What nothing within the limits is worth is not told.
        let boundless = changed(approx, "model = \"zcdp\", rho = \"1000000\", report_delta = \"0.000001\"");
        assert_eq!(boundless.epsilon_at_report_delta(&boundless.budget()), None);
        assert!(boundless.promise().ends_with("the published budget is rho 1000000"));
    }

    #[test]
    fn a_delta_is_in_the_promise() {
        let pure = parse(ADULT).unwrap().description;
        assert!(pure.promise().ends_with("a factor of at most e^epsilon") && pure.report_delta().is_none());
        let approx = changed("delta = \"0\"", "delta = \"0.000001\"");
        assert!(approx.promise().ends_with("a factor of at most e^epsilon, and by at most delta beyond it"));
        assert_eq!(approx.budget(), Loss::approx("3", "0.000001").unwrap());
        assert_eq!(read_back(&approx), approx);
    }

    #[test]
    fn revealed_columns_and_their_bounds_are_read() {
        let text = ADULT
            .replace("unit = \"row\"\nrows_are_independent = true", "unit = { column = \"who\" }\nreveal_least_units = 10\ncontribution = { groups_per_unit = 3, rows_per_group = 2, rows_per_unit = 4 }")
            + "[columns.who]\ntype = \"text\"\ngrade = 4\n[columns.town]\ntype = \"text\"\ngrade = 3\nuse = [\"reveal\"]\n";
        let description = parse(&text).unwrap().description;
        let schema = description.schema();
        assert_eq!(schema.contribution(), Contribution { groups_per_unit: 3, rows_per_group: 2, rows_per_unit: Some(4) });
        assert_eq!((schema.contribution().rows(), schema.least_units()), (4, 10));
        let town = schema.column(&ColumnName::new("town").unwrap()).unwrap().1;
        assert_eq!(town.uses.iter().map(Use::name).collect::<Vec<_>>(), ["group", "reveal"]);
        assert_eq!(read_back(&description), description);
        let error = parse(&text.replace("rows_per_unit = 4", "rows_per_unit = 7")).map(drop).unwrap_err().to_string();
        assert!(error.contains("say nothing"), "{error}");
    }

    fn read_back(description: &Description) -> Description {
        let (ledger, snapshot) = (LedgerId::from_bytes([3; 32]), Commitment::from_bytes([4; 32]));
        let payload = Publication { ledger, description: description.clone(), snapshot }.to_payload();
        Publication::from_payload(&payload).unwrap().description
    }

    #[test]
    fn wrong_descriptions_are_refused_with_the_reason() {
        let swap = |from: &str, to: &str| {
            assert!(ADULT.contains(from), "{from}");
            parse(&ADULT.replacen(from, to, 1)).map(drop).unwrap_err().to_string()
        };
        for (from, to, reason) in [
            ("unit = \"row\"\n", "", "unit"),
            ("rows_are_independent = true", "", "rows_are_independent"),
            ("bounds = [0, 120]", "bounds = [120, 0]", "low below high"),
            ("bounds = [0, 120]", "bounds = [0, 0]", "low below high"),
            ("\"99.50\"", "\"99.505\"", "multiple of the step"),
            ("\"99.50\"", "99.5", "bounds"),
            ("step = \"0.01\"\n", "", "needs a step"),
            ("step = \"0.01\"", "step = \"0\"", "step"),
            ("epsilon = \"3\"", "epsilon = \"0\"", "budget"),
            ("epsilon = \"3\"", "epsilon = \"-1\"", "epsilon"),
            ("epsilon = \"3\"", "epsilon = \"NaN\"", "epsilon"),
            ("epsilon = \"3\"", "epsilon = 3", "line"),
            ("delta = \"0\"", "delta = \"1\"", "promises nothing"),
            ("delta = \"0\"", "delta = \"1e-6\"", "budget.delta: delta is a decimal"),
            ("delta = \"0\"", "delta = \"0\", report_delta = \"0.1\"", "for the model zcdp"),
            ("epsilon = \"3\"", "rho = \"3\"", "report_delta = \"..\" }"),
            ("model = \"approx\", epsilon = \"3\"", "model = \"zcdp\", epsilon = \"1\"", "rho = \"..\""),
            ("model = \"approx\", epsilon = \"3\"", "model = \"zcdp\", rho = \"1\"", "needs report_delta"),
            ("model = \"approx\", epsilon = \"3\"", "model = \"zcdp\", rho = \"0\", report_delta = \"0.1\"", "any epsilon or rho"),
            ("model = \"approx\", epsilon = \"3\"", "model = \"zcdp\", rho = \"1\", report_delta = \"0\"", "above 0 and below 1"),
            ("model = \"approx\", epsilon = \"3\"", "model = \"zcdp\", rho = \"1\", report_delta = \"1\"", "above 0 and below 1"),
            ("unit = \"row\"", "unit = \"row\"\nquantum_ms = 0", "`usufruct space new --quantum-ms N`"),
            ("unit = \"row\"", "unit = \"row\"\nquantum_ms = \"100\"", "a space has one quantum"),
            ("unit = \"row\"", "unit = \"row\"\nreveal_least_units = 2", "there is none"),
            ("unit = \"row\"", "unit = \"row\"\nreveal_least_units = 0", "from 1 to 1048576"),
            ("\"Male\", \"Female\"", "\"Male\", \"Male\"", "each different"),
            ("\"Male\", \"Female\"", "\"Male\", 1", "all text"),
            ("\"Male\", \"Female\"", "\"e\u{301}\"", "normalisation form C"),
            ("other = \"Other\"", "other = \"Male\"", "declared value"),
            ("grade = 1", "grade = 5", "grade is"),
            ("grade = 3", "grade = 3\nuse = [\"reveal\"]", "text and integers"),
            ("grade = 2", "grade = 2\nuse = [\"group\"]", "groups need declared values"),
            ("grade = 2", "grade = 4\nuse = [\"group\", \"reveal\"]", "grade 4"),
            ("grade = 1", "grade = 4\nuse = [\"filter\"]", "grade 4"),
            ("delimiter = \";\"", "delimiter = \";;\"", "one ASCII character"),
            ("title = ", "titel = ", "titel"),
            ("unit = \"row\"", "unit = { column = \"nobody\" }", "contribution"),
            ("unit = \"row\"", "unit = { column = \"nobody\", colour = 1 }", " or { column = "),
        ] {
            let error = swap(from, to);
            assert!(error.contains(reason), "{to}: {error}");
        }
    }
}
