//! CSV files through [`FileSource`].

use super::*;
