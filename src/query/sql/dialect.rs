//! The dialect under which the parser reads the subset.

use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;

/// The smallest dialect that reads the subset and names what lies near it: only `"` quotes identifiers, a backslash
/// is a backslash, and of the extensions only those are on whose refusal deserves its own message.
#[derive(Debug)]
pub(super) struct Subset;

impl Dialect for Subset {
    fn is_identifier_start(&self, character: char) -> bool {
        character.is_alphabetic() || character == '_'
    }

    fn is_identifier_part(&self, character: char) -> bool {
        character.is_alphanumeric() || character == '_'
    }

    fn is_delimited_identifier_start(&self, character: char) -> bool {
        character == '"'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    /// The parser tries other keywords a second time, as identifiers; nested ones would then cost exponential time.
    fn is_reserved_for_identifier(&self, word: Keyword) -> bool {
        matches!(word, Keyword::NOT | Keyword::CASE | Keyword::EXISTS | Keyword::STRUCT | Keyword::TRIM)
    }
}
