//! Techniques at work: on one batch after the other, or on a whole column.

use std::fmt;

use arrow_array::{Array, ArrayRef};

use super::{Emitted, OffKind, TechniqueError};

/// What carries a technique out on a column.
#[derive(Debug)]
pub enum Work {
    /// Cell by cell.
    Cells(Kernel),
    /// The whole column, before its first row can leave.
    Column(Whole),
}

/// A technique ready for a column. Treats one batch after the other, in any order, on any thread.
pub struct Kernel(Box<dyn Emit>);

impl Kernel {
    /// A kernel that works like this.
    #[must_use]
    pub fn new(emit: impl Emit + 'static) -> Self {
        Self(Box::new(emit))
    }

    /// Treats the cells of a batch, `Utf8` or `Int64`; nulls stay nulls. `subject` is the column that says whose each
    /// row is, of the same length, for techniques that ask for one. Rows that cannot be treated are added to `off`,
    /// counted from 0 in this batch, and are null in the output.
    #[must_use]
    pub fn emit(&self, cells: &ArrayRef, subject: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let emitted = self.0.emit(cells, subject, off);
        debug_assert_eq!(emitted.len(), cells.len());
        emitted
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kernel(..)")
    }
}

/// What is in a kernel.
pub trait Emit: Send + Sync {
    /// As [`Kernel::emit`].
    fn emit(&self, cells: &ArrayRef, subject: Option<&ArrayRef>, off: &mut OffKind) -> Emitted;
}

/// A technique ready to take a whole column.
pub struct Whole(Box<dyn Collect>);

impl Whole {
    /// A collection that works like this.
    #[must_use]
    pub fn new(collect: impl Collect + 'static) -> Self {
        Self(Box::new(collect))
    }

    /// Takes the next batch of the column, in order. Rows that cannot be treated are added to `off`, counted from 0 in
    /// this batch.
    ///
    /// # Errors
    /// [`TechniqueError::Memory`] when the column is too long to be held.
    pub fn collect(&mut self, cells: &ArrayRef, off: &mut OffKind) -> Result<(), TechniqueError> {
        self.0.collect(cells, off)
    }

    /// The cells of all rows.
    #[must_use]
    pub fn finish(self) -> Emitted {
        self.0.finish()
    }
}

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whole(..)")
    }
}

/// What is in a collection.
pub trait Collect: Send + Sync {
    /// As [`Whole::collect`].
    ///
    /// # Errors
    /// As of [`Whole::collect`].
    fn collect(&mut self, cells: &ArrayRef, off: &mut OffKind) -> Result<(), TechniqueError>;

    /// As [`Whole::finish`].
    fn finish(self: Box<Self>) -> Emitted;
}
