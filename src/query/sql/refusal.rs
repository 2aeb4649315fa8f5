//! Refusals of a text, and what to ask instead.

use super::{Place, SqlError, brief};

pub(super) const AGGREGATES: &str =
    "the aggregates are COUNT, SUM, AVG, VAR_POP, STDDEV_POP, QUANTILE, HISTOGRAM, BOUNDS, CLAMPED and DROPPED";

/// The functions that the reader knows, for which the parser is let loose on a parenthesis.
pub(super) fn is_known(name: &str) -> bool {
    matches!(name, "COUNT" | "SUM" | "AVG" | "VAR_POP" | "VARIANCE" | "STDDEV_POP" | "STDDEV" | "QUANTILE" | "MEDIAN" | "PERCENTILE_CONT")
        || matches!(name, "PERCENTILE_DISC" | "HISTOGRAM" | "BOUNDS" | "CLAMPED" | "DROPPED" | "BUDGET")
}

pub(super) fn unsupported(place: Place, what: &str, hint: &'static str) -> SqlError {
    SqlError::Unsupported { place, what: what.to_owned(), hint }
}

/// Names what a function would have asked for.
pub(super) fn no_function(place: Place, name: &str) -> SqlError {
    let hint = match name {
        "MIN" | "MAX" => "an extreme is the value of one person; ask for QUANTILE(column, 0.01) or QUANTILE(column, 0.99)",
        "MEAN" => "write AVG",
        "VAR_SAMP" => "the number of rows is noisy too: write VAR_POP",
        "STDDEV_SAMP" => "the number of rows is noisy too: write STDDEV_POP",
        _ => AGGREGATES,
    };
    unsupported(place, &format!("the function {}", brief(name)), hint)
}
