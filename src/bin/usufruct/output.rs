//! What is printed: results on stdout, everything else on stderr. A closed pipe ends quietly; control and bidi
//! characters are escaped wherever a text came from a file.

use std::fmt;
use std::io::{self, ErrorKind, Write};

use serde::Serialize;
use serde_json::value::RawValue;
use usufruct::budget::Loss;
use usufruct::dataset::Description;
use usufruct::id::Decimal;

use crate::failure::{Exit, Failure};
use crate::say::is_hidden;
pub(crate) use crate::say::{escaped, say};

/// Prints a result on stdout.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Environment, format_args!("stdout cannot be written: {}", error.kind())))
        }
        _ => Ok(()),
    }
}

/// Prints one JSON object on stdout.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(&json(value)?)
}

/// One JSON object and a line end.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value).map_err(|_| Failure::new(Exit::Environment, "the result cannot be written as JSON"))?;
    let mut out = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        // JSON escapes some control characters; those left stand inside strings.
        if is_hidden(c) { out.push_str(&format!("\\u{:04x}", u32::from(c))) } else { out.push(c) }
    }
    out.push('\n');
    Ok(out)
}

/// A decimal as a JSON number, digit by digit.
pub(crate) fn number(decimal: Decimal) -> Option<Box<RawValue>> {
    RawValue::from_string(decimal.to_string()).ok()
}

/// An amount of budget in JSON: decimal strings.
#[derive(Serialize)]
pub(crate) struct Amount {
    #[serde(skip_serializing_if = "Option::is_none")]
    epsilon: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rho: Option<String>,
    delta: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    report_delta: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epsilon_at_report_delta: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<u64>,
}

impl Amount {
    pub(crate) fn of(loss: Loss) -> Self {
        let (epsilon, rho, delta) = match loss {
            Loss::Approx { epsilon, delta } => (Some(epsilon.to_string()), None, delta),
            Loss::Zcdp { rho, delta } => (None, Some(rho.to_string()), delta),
        };
        Self { epsilon, rho, delta: delta.to_string(), report_delta: None, epsilon_at_report_delta: None, uses: None }
    }

    /// With what an amount of rho is worth as epsilon, as the description tells it (rule B8).
    pub(crate) fn told_by(loss: Loss, description: &Description) -> Self {
        let epsilon = description.epsilon_at_report_delta(&loss);
        Self {
            report_delta: description.report_delta().map(|delta| delta.to_string()),
            epsilon_at_report_delta: epsilon.map(|epsilon| epsilon.to_string()),
            ..Self::of(loss)
        }
    }

    pub(crate) const fn with_uses(mut self, uses: u64) -> Self {
        self.uses = Some(uses);
        self
    }
}

/// An amount for people: rho with what it is worth as epsilon.
pub(crate) fn told(loss: Loss, description: &Description) -> String {
    let worth = description.epsilon_at_report_delta(&loss).zip(description.report_delta());
    let Some(((epsilon, report_delta), Loss::Zcdp { delta, .. })) = worth.map(|worth| (worth, loss)) else { return loss.to_string() };
    match report_delta.checked_add(delta) {
        Some(delta) => format!("{loss} (worth epsilon {epsilon} at delta {delta})"),
        None => loss.to_string(),
    }
}

/// A table of text: the first `left` columns flush left, the others flush right.
pub(crate) struct Table {
    left: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(left: usize, header: Vec<String>) -> Self {
        Self { left, rows: vec![header] }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(|cell| escaped(cell)).collect()).collect();
        let widths: Vec<usize> =
            (0..columns).map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell)).max().unwrap_or(0)).collect();
        for row in &rows {
            let mut line = String::new();
            for (at, (cell, full)) in row.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(full - width(cell));
                let gap = if at == 0 { "" } else { "  " };
                line.push_str(gap);
                if at < self.left { line.extend([cell.as_str(), &pad]) } else { line.extend([&pad, cell.as_str()]) }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Columns on a terminal: two for the wide scripts of East Asia.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff01..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd);
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

/// Lines for stdout, each escaped.
pub(crate) fn lines(lines: &[&str]) -> String {
    lines.iter().map(|line| escaped(line) + "\n").collect()
}
