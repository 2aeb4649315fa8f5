//! Kinds of the user's, as TOML.

use std::path::Path;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use toml::Spanned;

use super::{Custom, Recognisers, bare};
use crate::class::Class;
use crate::file::{self, ReadError, TomlError};
use crate::grade::{Grade, Kind, check};
use crate::id::Name;

/// The most kinds that a user adds: each one looks at every cell.
pub const RECOGNISERS_MAX: usize = 64;

/// The most bytes of a pattern: any that a person wrote, with room.
pub const PATTERN_BYTES_MAX: usize = 4096;

/// The most header words of a recogniser.
pub const HEADERS_MAX: usize = 64;

/// The most bytes of the file: all recognisers at their limits.
const FILE_BYTES_MAX: usize = 1 << 20;

/// The most memory of a compiled pattern; `[0-9]{1000}{1000}` needs more.
const PROGRAM_BYTES_MAX: usize = 1 << 20;

/// Why recognisers of the user's cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecogniserError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] ReadError),
    /// The file is too long.
    #[error("the recognisers are longer than {most} bytes")]
    TooLong {
        /// The limit.
        most: usize,
    },
    /// Not TOML of the shape.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// Too many recognisers.
    #[error("at most {most} recognisers, found {found}")]
    Count {
        /// The limit.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// A name that cannot be one, is built in, or is there twice.
    #[error("line {line}: a name is 1 to 128 bytes of text, no built-in kind, and used once")]
    Name {
        /// The line, counted from 1.
        line: usize,
    },
    /// A pattern that is none, is too long, needs too much memory, or matches an empty cell.
    #[error(
        "line {line}: a pattern is a regular expression of at most {PATTERN_BYTES_MAX} bytes, without look-around and back references, \
         not too large when compiled, that does not match an empty cell"
    )]
    Pattern {
        /// The line, counted from 1.
        line: usize,
    },
    /// A check that does not exist.
    #[error(
        "line {line}: a check is one of resident_id, mobile, landline, email, bank_card, luhn, uscc, organisation_code, plate, passport, ip, \
         date, name, address"
    )]
    Check {
        /// The line, counted from 1.
        line: usize,
    },
    /// Too many or empty header words.
    #[error("line {line}: headers are at most {HEADERS_MAX} words with letters or digits")]
    Headers {
        /// The line, counted from 1.
        line: usize,
    },
    /// A grade that does not exist.
    #[error("line {line}: a grade is 1, 2, 3 or 4")]
    Grade {
        /// The line, counted from 1.
        line: usize,
    },
}

impl RecogniserError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::File(error) => error.class(),
            _ => Class::BadInput,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    recogniser: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    pattern: Spanned<String>,
    #[serde(default)]
    check: Option<Spanned<String>>,
    #[serde(default)]
    headers: Option<Spanned<Vec<String>>>,
    grade: Spanned<u64>,
    #[serde(default)]
    direct: bool,
}

impl Recognisers {
    /// The built-in kinds and those of a file.
    ///
    /// # Errors
    /// The file cannot be read, or as [`Recognisers::parse`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RecogniserError> {
        Self::parse(&file::read_text(path, FILE_BYTES_MAX)?)
    }

    /// The built-in kinds and those of a TOML text.
    ///
    /// ```
    /// use usufruct::grade::{Grade, Kind, Recognisers};
    ///
    /// let recognisers = Recognisers::parse(r#"
    /// [[recogniser]]
    /// name = "staff_no"
    /// pattern = "S[0-9]{6}"       # of the whole cell; also looked for inside texts
    /// headers = ["工号", "staff no"]
    /// grade = 3
    /// direct = true
    /// "#)?;
    /// assert_eq!(recognisers.grade(&recognisers.kind("staff_no").unwrap()), Grade::L3);
    /// # Ok::<(), usufruct::grade::RecogniserError>(())
    /// ```
    ///
    /// # Errors
    /// Not TOML of this shape, a limit, or a name, pattern, check, header or grade that cannot be one; with its line, and
    /// without the text that stands there.
    pub fn parse(text: &str) -> Result<Self, RecogniserError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(RecogniserError::TooLong { most: FILE_BYTES_MAX });
        }
        let line = |at: usize| file::line_and_column(text, at).0;
        let file: File = file::from_toml(text)?;
        let found = file.recogniser.len();
        if found > RECOGNISERS_MAX {
            return Err(RecogniserError::Count { most: RECOGNISERS_MAX, found });
        }
        let mut all = Self::builtin();
        for entry in file.recogniser {
            let custom = entry.check(line, &all.customs)?;
            all.customs.push(custom);
        }
        Ok(all)
    }
}

impl Entry {
    fn check(self, line: impl Fn(usize) -> usize, others: &[Custom]) -> Result<Custom, RecogniserError> {
        let at = |span: std::ops::Range<usize>| line(span.start);
        let name = Name::new(self.name.get_ref()).ok().filter(|name| Kind::parse(name.as_str()).is_none());
        let name = name.filter(|name| others.iter().all(|other| other.name != *name));
        let name = name.ok_or(RecogniserError::Name { line: at(self.name.span()) })?;
        let check = match &self.check {
            None => None,
            Some(word) => Some(check::by_name(word.get_ref()).ok_or(RecogniserError::Check { line: at(word.span()) })?),
        };
        let pattern = Pattern::new(self.pattern.get_ref(), check).ok_or(RecogniserError::Pattern { line: at(self.pattern.span()) })?;
        let headers: Vec<String> = self.headers.iter().flat_map(|headers| headers.get_ref()).map(|header| bare(header)).collect();
        if let Some(span) = self.headers.as_ref().map(Spanned::span)
            && (headers.len() > HEADERS_MAX || headers.iter().any(String::is_empty))
        {
            return Err(RecogniserError::Headers { line: at(span) });
        }
        let grade = Grade::from_number(*self.grade.get_ref()).ok_or(RecogniserError::Grade { line: at(self.grade.span()) })?;
        Ok(Custom { name, grade, direct: self.direct, headers, pattern })
    }
}

/// A regular expression in linear time, and a check of what it matches.
#[derive(Clone)]
pub(super) struct Pattern {
    whole: Regex,
    inside: Regex,
    check: Option<fn(&str) -> bool>,
}

impl Pattern {
    fn new(pattern: &str, check: Option<fn(&str) -> bool>) -> Option<Self> {
        if pattern.is_empty() || pattern.len() > PATTERN_BYTES_MAX {
            return None;
        }
        let compiled = |pattern: &str| {
            RegexBuilder::new(pattern).size_limit(PROGRAM_BYTES_MAX).dfa_size_limit(PROGRAM_BYTES_MAX).nest_limit(50).build().ok()
        };
        // The pattern alone first: a lone bracket must not close the group around it.
        let inside = compiled(pattern)?;
        // A comment at the end of a verbose pattern would swallow the bracket, if no line ended it.
        let whole = compiled(&format!(r"\A(?:{pattern})\z")).or_else(|| compiled(&format!("\\A(?:{pattern}\n)\\z")))?;
        (!whole.is_match("")).then_some(Self { whole, inside, check })
    }

    /// Whether the whole cell is of the kind, or a part of it that is no part of a longer word; none when neither.
    pub(super) fn finds(&self, cell: &str) -> Option<bool> {
        let checked = |part: &str| !part.is_empty() && self.check.is_none_or(|check| check(part));
        if self.whole.is_match(cell) && checked(cell) {
            return Some(true);
        }
        let free = |before: Option<char>| !before.is_some_and(|character| character.is_ascii_alphanumeric());
        let is_part = |found: regex::Match<'_>| {
            free(cell[..found.start()].chars().next_back()) && free(cell[found.end()..].chars().next()) && checked(found.as_str())
        };
        self.inside.find_iter(cell).any(is_part).then_some(false)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entry(rest: &str) -> Result<Recognisers, RecogniserError> {
        Recognisers::parse(&format!("[[recogniser]]\n{rest}"))
    }

    #[test]
    fn whole_cells_and_parts() {
        let recognisers =
            entry("name = \"staff_no\"\npattern = \"S[0-9]{2,6}\"\nheaders = [\"Staff No.\"]\ngrade = 3\ndirect = true").unwrap();
        let custom = &recognisers.customs()[0];
        assert_eq!(custom.finds("S123456"), Some(true));
        assert_eq!(custom.finds("工号S123456的"), Some(false));
        assert_eq!(custom.finds("XS123456"), None);
        assert_eq!(custom.finds("S1234567"), None);
        assert!(custom.has_header("staff_no") && !custom.has_header("staff"));
        assert_eq!(recognisers.role(&custom.kind()), crate::grade::Role::Direct);
        let checked = entry("name = \"x\"\npattern = \"[0-9]{16}\"\ncheck = \"luhn\"\ngrade = 4").unwrap();
        assert_eq!(checked.customs()[0].finds("6222020200112230"), Some(true));
        assert_eq!(checked.customs()[0].finds("6222020200112231"), None);
        assert!(Recognisers::parse("").unwrap().customs().is_empty());
    }

    #[test]
    fn errors_name_the_line_and_no_text() {
        let canary = "canary7177";
        for (rest, line) in [
            (format!("name = \"mobile\"\npattern = \"{canary}\"\ngrade = 3"), 2),
            (format!("name = \"\"\npattern = \"{canary}\"\ngrade = 3"), 2),
            (format!("name = \"x\"\npattern = \"({canary}\"\ngrade = 3"), 3),
            (format!("name = \"x\"\npattern = \"{canary})(\"\ngrade = 3"), 3),
            (format!("name = \"x\"\npattern = '(?=x){canary}'\ngrade = 3"), 3),
            ("name = \"x\"\npattern = \"[0-9]{1000}{1000}\"\ngrade = 3".to_owned(), 3),
            ("name = \"x\"\npattern = \".*\"\ngrade = 3".to_owned(), 3),
            (format!("name = \"x\"\npattern = \"x\"\ncheck = \"{canary}\"\ngrade = 3"), 4),
            ("name = \"x\"\npattern = \"x\"\nheaders = [\"--\"]\ngrade = 3".to_owned(), 4),
            ("name = \"x\"\npattern = \"x\"\ngrade = 5".to_owned(), 4),
            (format!("name = \"x\"\npattern = \"x\"\ngrade = \"{canary}\""), 4),
            ("name = \"x\"\npattern = \"x\"".to_owned(), 1),
        ] {
            let error = entry(&rest).unwrap_err();
            for shown in [format!("{error}"), format!("{error:?}")] {
                assert!(!shown.contains(canary), "{shown}");
            }
            let place = [format!("line {line}: "), format!("line {line}, column ")];
            assert!(place.iter().any(|place| error.to_string().starts_with(place)), "{error}");
        }
        let many = "[[recogniser]]\nname = \"x\"\npattern = \"x\"\ngrade = 1\n".repeat(RECOGNISERS_MAX + 1);
        assert_eq!(Recognisers::parse(&many).unwrap_err(), RecogniserError::Count { most: RECOGNISERS_MAX, found: RECOGNISERS_MAX + 1 });
        assert!(matches!(Recognisers::parse(&" ".repeat(2 << 20)), Err(RecogniserError::TooLong { .. })));
    }
}
