//! The technique `mask`: characters of each value behind a sign.

use arrow_array::{Array, ArrayRef};
use unicode_segmentation::UnicodeSegmentation;

use super::cells::{Cell, Cells};
use super::characters::{Characters, is_bytes};
use super::emitted::Texts;
use super::given::CHARACTERS_MAX;
use super::{
    About, Emit, Emitted, Given, KEY_ID_DEFAULT, Kernel, Method, OffKind, OffReason, OutputType, Parameter, Rank, Setting, Shown,
    ShownCharacters, Suggestion, TechniqueError, Value, Work,
};
use crate::desensitise::Pseudonym;
use crate::desensitise::keys::KeyRing;
use crate::desensitise::residual::{self, Domain, Known, LOCAL_CHARACTER, NAME_CHARACTER, Nature, Residual};
use crate::desensitise::{Problem, ReleaseModel, canonical};
use crate::grade::{Finding, Kind};
use crate::id::Name;

const NAME: &str = "mask";

/// A part of each value behind mask characters (遮蔽), counted in what a reader sees as one character (grapheme clusters).
///
/// ```text
/// resident_id  ends(6, 4)                     110105********002*    the check digit is hidden unless it shall show
/// mobile       ends(3, 4)                     138****8000           in its canonical form: no blanks, no +86
/// name         ends(1, 0), width 2            王**                  without a width the number of characters shows
/// email        ends(1, 0), keep_domain        u***@example.com      ends count in front of the @
/// ```
/// A value of which nothing would be hidden is hidden whole. A value of a kind with a form of its own that has not that
/// form is off-kind: it may be anything, and its characters stand in other places.
///
/// # Source
/// UAX 29 (extended grapheme clusters); rules H2 and H7 of `docs/rules.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    shown: Stays,
    with: char,
    width: Option<u16>,
    show_check: bool,
    keep_domain: bool,
}

/// Which characters stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stays {
    Ends { first: u32, last: u32 },
    Outside { from: u32, to: u32 },
}

/// No masked part is wider.
const WIDTH_MAX: u16 = 64;
const WITH_DEFAULT: char = '*';

const PARAMETERS: &[Parameter] = &[
    Parameter { name: "keep_first", takes: "0 to 1,048,576", default: "`0`", doc: "characters that stay in front" },
    Parameter { name: "keep_last", takes: "0 to 1,048,576", default: "`0`", doc: "and at the end" },
    Parameter {
        name: "from",
        takes: "0 to 1,048,576",
        default: "required with `to`",
        doc: "the first character that is hidden, counted from 0",
    },
    Parameter { name: "to", takes: "0 to 1,048,576", default: "required with `from`", doc: "the first behind it that stays" },
    Parameter { name: "with", takes: "one printable character", default: "`\"*\"`", doc: "" },
    Parameter {
        name: "width",
        takes: "1 to 64",
        default: "none",
        doc: "so many of them, however much is hidden; without it the length shows",
    },
    Parameter {
        name: "show_check",
        takes: "boolean",
        default: "`false`",
        doc: "whether a check digit stays that would; it tells of what is hidden",
    },
    Parameter {
        name: "keep_domain",
        takes: "boolean",
        default: "`false`",
        doc: "whether an e-mail address keeps what stands from the @ on",
    },
];

impl Mask {
    /// Keeps the first and the last so many characters.
    #[must_use]
    pub const fn ends(keep_first: u32, keep_last: u32) -> Self {
        Self {
            shown: Stays::Ends { first: keep_first, last: keep_last },
            with: WITH_DEFAULT,
            width: None,
            show_check: false,
            keep_domain: false,
        }
    }

    /// Hides the characters from `from` on up to but not including `to`, counted from 0, and keeps the others.
    ///
    /// # Errors
    /// `from` is not below `to`.
    pub const fn range(from: u32, to: u32) -> Result<Self, TechniqueError> {
        if from >= to {
            return Err(TechniqueError::Parameter {
                technique: NAME,
                parameter: "range",
                expected: "[from, to], from below to, counted from 0",
            });
        }
        Ok(Self { shown: Stays::Outside { from, to }, ..Self::ends(0, 0) })
    }

    /// Another mask character than `*`.
    ///
    /// # Errors
    /// Not one printable character of its own.
    pub fn with(self, mask: char) -> Result<Self, TechniqueError> {
        let alone =
            !mask.is_control() && !mask.is_whitespace() && ['a', mask, mask, 'b'].iter().collect::<String>().graphemes(true).count() == 4;
        if alone { Ok(Self { with: mask, ..self }) } else { Err(wrong("with", "one printable character")) }
    }

    /// So many mask characters for the hidden part, however long it is.
    ///
    /// # Errors
    /// Not 1 to 64.
    pub fn width(self, width: u16) -> Result<Self, TechniqueError> {
        let fits = (1..=WIDTH_MAX).contains(&width);
        if fits { Ok(Self { width: Some(width), ..self }) } else { Err(wrong("width", "1 to 64")) }
    }

    /// Whether a check digit stays when it is among the characters that stay. It tells a tenth or more of what is hidden.
    #[must_use]
    pub const fn show_check(self, show_check: bool) -> Self {
        Self { show_check, ..self }
    }

    /// Whether the part from the @ on stays of an e-mail address.
    #[must_use]
    pub const fn keep_domain(self, keep_domain: bool) -> Self {
        Self { keep_domain, ..self }
    }

    /// The part of `len` characters that shall be hidden, unless there is none.
    fn asked_for(&self, len: usize) -> Option<(usize, usize)> {
        let (from, to) = match self.shown {
            Stays::Ends { first, last } => (first as usize, len.saturating_sub(last as usize)),
            Stays::Outside { from, to } => (from as usize, len.min(to as usize)),
        };
        Some((from, to)).filter(|(from, to)| from < to)
    }

    /// What is hidden of `len` characters: a part, and whether the last character too.
    fn hidden(&self, kind: &Kind, len: usize) -> Hidden {
        let (from, to) = self.asked_for(len).unwrap_or((0, len));
        let check = to < len && !self.show_check && canonical::has_check_digit(kind);
        if check && to + 1 == len { Hidden { from, to: len, check: false } } else { Hidden { from, to, check } }
    }

    /// How many values look alike, at least.
    fn count(&self, kind: &Kind, known: &[Known]) -> Residual {
        let (sum, from) = match self.shown {
            Stays::Ends { first, last } => (u64::from(first) + u64::from(last), 0),
            Stays::Outside { from, .. } => (0, u64::from(from)),
        };
        let count = match kind {
            // One character is hidden, of the shortest values that are not hidden whole; with a width one or two.
            Kind::Name if sum <= NAME_LENGTH && from < NAME_LENGTH => NAME_CHARACTER + self.width.map_or(0, |_| NAME_CHARACTER.pow(2)),
            // One character is hidden; with a width one to four at least.
            Kind::Email if sum < LOCAL_LENGTH && from < LOCAL_LENGTH => {
                (1..=if self.width.is_some() { 4 } else { 1 }).map(|hidden| LOCAL_CHARACTER.pow(hidden)).sum()
            }
            // A mask that asks for nothing to be hidden is taken at its word, although every value is then hidden whole.
            _ => residual::of_form(kind, &|len, at| self.asked_for(len).is_none() || !self.hidden(kind, len).covers(len, at), known),
        };
        Residual::AtLeast(count)
    }
}

impl Method for Mask {
    fn about() -> About {
        About {
            name: NAME,
            parameters: PARAMETERS,
            examples: &[
                "",
                "keep_first = 3\nkeep_last = 4",
                "keep_first = 6\nkeep_last = 4\nshow_check = true",
                "keep_first = 1\nwidth = 2",
                "keep_first = 1\nkeep_domain = true",
                "from = 6\nto = 14\nwith = \"#\"",
                "keep_first = 99",
            ],
        }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        let (first, last) = (given.count("keep_first", CHARACTERS_MAX)?, given.count("keep_last", CHARACTERS_MAX)?);
        let range = (given.count("from", CHARACTERS_MAX)?, given.count("to", CHARACTERS_MAX)?);
        let mut mask = match (first, last, range) {
            (first, last, (None, None)) => Self::ends(first.unwrap_or(0), last.unwrap_or(0)),
            (None, None, (Some(from), Some(to))) => Self::range(from, to)?,
            _ => return Err(Problem::Together("mask takes either `keep_first` and `keep_last` or `from` and `to`")),
        };
        if let Some(with) = given.character("with")? {
            mask = mask.with(with)?;
        }
        if let Some(width) = given.count("width", u32::from(u16::MAX))? {
            mask = mask.width(u16::try_from(width).unwrap_or(u16::MAX))?;
        }
        let (show_check, keep_domain) = (given.flag("show_check")?.unwrap_or(false), given.flag("keep_domain")?.unwrap_or(false));
        Ok(mask.show_check(show_check).keep_domain(keep_domain))
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let mut parameters: Vec<(&str, Value)> = match self.shown {
            Stays::Ends { first, last } => [("keep_first", first), ("keep_last", last)]
                .into_iter()
                .filter(|(_, keep)| *keep > 0)
                .map(|(name, keep)| (name, keep.into()))
                .collect(),
            Stays::Outside { from, to } => vec![("from", from.into()), ("to", to.into())],
        };
        if self.with != WITH_DEFAULT {
            parameters.push(("with", self.with.into()));
        }
        parameters.extend(self.width.map(|width| ("width", u32::from(width).into())));
        let flags = [("show_check", self.show_check), ("keep_domain", self.keep_domain)];
        parameters.extend(flags.into_iter().filter(|(_, flag)| *flag).map(|(name, flag)| (name, flag.into())));
        parameters
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: true, reversible: false, linkable: false }
    }

    fn residual_given(&self, domain: &Domain, known: &[Known]) -> Residual {
        self.count(&domain.kind, known)
    }

    fn shows(&self, domain: &Domain) -> Shown {
        let (mask, kind) = (self.clone(), domain.kind.clone());
        match kind {
            // Their characters stand where they are written, not where those of a date with its year first do.
            Kind::Date | Kind::YearMonth => Shown::Everything,
            // A value of which nothing would be hidden is hidden whole.
            _ => {
                let shows_length = mask.width.is_none();
                let shows = move |len: usize, at| mask.asked_for(len).is_some() && !mask.hidden(&kind, len).covers(len, at);
                Shown::Characters(ShownCharacters::new(shows).with_length(shows_length))
            }
        }
    }

    fn leaks(&self) -> &'static [&'static str] {
        &["the characters that stay, the length unless a width is set, which rows had no value"]
    }

    fn output(&self, _: &Setting) -> OutputType {
        OutputType::Text
    }

    fn work(&self, setting: &Setting, _: &KeyRing) -> Result<Work, TechniqueError> {
        let kind = setting.domain.kind.clone();
        let in_place = self.with.is_ascii() && self.width.is_none() && kind != Kind::Email;
        Ok(Work::Cells(Kernel::new(Masker { mask: self.clone(), kind, in_place })))
    }

    fn coarser(&self, _: &Finding) -> Option<Suggestion> {
        let key = Name::new(KEY_ID_DEFAULT).ok()?;
        let why = "what a mask shows makes too many unique; a pseudonym keeps the rows of one person linked, and shows nothing";
        Some(Suggestion::new(Rank::OfKind, Pseudonym { key, version: None, domain: None }, why))
    }

    fn suggest(finding: &Finding, _: ReleaseModel) -> Option<Suggestion> {
        let (mask, why) = match finding.kind {
            Kind::Mobile => (Self::ends(3, 4), "prefix and last four digits stay, 10,000 numbers look alike"),
            Kind::BankCard => (Self::ends(0, 4), "the last digits stay, without the check digit"),
            Kind::Name => (Self::ends(1, 0).width(2).ok()?, "the first character stays; the fixed width hides the length"),
            _ => return None,
        };
        Some(Suggestion::new(Rank::OfKind, mask, why).by_form())
    }
}

/// A mask that keeps more characters of a name shows most names, or hides all of them whole.
const NAME_LENGTH: u64 = 3;
/// The longest local part (RFC 5321 section 4.5.3.1.1).
const LOCAL_LENGTH: u64 = 64;

fn wrong(parameter: &'static str, expected: &'static str) -> TechniqueError {
    TechniqueError::Parameter { technique: NAME, parameter, expected }
}

/// Which characters of a value are hidden: `from..to`, and the last one when it is a check digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hidden {
    from: usize,
    to: usize,
    check: bool,
}

impl Hidden {
    fn covers(self, len: usize, at: usize) -> bool {
        (self.from..self.to).contains(&at) || (self.check && at + 1 == len)
    }
}

struct Masker {
    mask: Mask,
    kind: Kind,
    /// Mask characters can stand in the very bytes that they hide, when these are ASCII too.
    in_place: bool,
}

impl Emit for Masker {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let read = Cells::of(cells);
        let mut texts = Texts::with_capacity(cells.len(), read.bytes());
        let mut scratch = String::new();
        // A form that is not in bytes (a plate) comes from a value that is not either.
        let in_place = self.in_place && read.all_text().is_none_or(is_bytes);
        read.each(|row, cell| match cell {
            Cell::Value(value) => match canonical::form(&self.kind, value, &mut scratch) {
                Some(value) => {
                    self.mask(value, in_place, &mut texts);
                    texts.end_or(row, off);
                }
                None => texts.off(row, OffReason::NotOfKind(self.kind.clone()), off),
            },
            Cell::Null => texts.null(),
            Cell::Other(reason) => texts.off(row, reason, off),
        });
        texts.finish()
    }
}

impl Masker {
    #[inline]
    fn mask(&self, value: &str, in_place: bool, texts: &mut Texts) {
        if in_place {
            let hidden = self.mask.hidden(&self.kind, value.len());
            texts.piece(value);
            texts.cover(value.len(), hidden.from, hidden.to, self.mask.with);
            if hidden.check {
                texts.cover(1, 0, 1, self.mask.with);
            }
            return;
        }
        let at = if self.kind == Kind::Email { value.rfind('@') } else { None };
        let (value, domain) = value.split_at(at.unwrap_or(value.len()));
        let characters = Characters::of(value);
        let len = characters.count();
        let hidden = self.mask.hidden(&self.kind, len);
        let width = self.mask.width.map_or(hidden.to - hidden.from, usize::from);

        texts.piece(&value[..characters.start(hidden.from)]);
        texts.repeat(self.mask.with, width);
        if hidden.to < len {
            let end = if hidden.check { characters.start_of_last(1) } else { value.len() };
            texts.piece(&value[characters.start_of_last(len - hidden.to)..end]);
            texts.repeat(self.mask.with, usize::from(hidden.check));
        }
        if self.mask.keep_domain {
            texts.piece(domain);
        } else if self.mask.width.is_none() {
            texts.repeat(self.mask.with, Characters::of(domain).count());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::{Int64Array, StringArray};
    use proptest::prelude::*;

    use super::super::characters::PIECES;
    use super::*;
    use crate::desensitise::{Domain, KeyRing, Technique};
    use crate::grade::ValueType;
    use crate::id::ColumnName;

    fn emit(mask: Mask, kind: &Kind, cells: impl Array + 'static) -> (Vec<Option<String>>, Vec<OffReason>) {
        let domain = Domain { kind: kind.clone(), value_type: ValueType::Text };
        let setting = Setting { column: ColumnName::new("c").unwrap(), domain, date_order: None, has_months: false, decimals: None };
        let mut off = OffKind::default();
        let out = Technique::new(mask).kernel(&setting, &KeyRing::default()).unwrap().emit(&(Arc::new(cells) as ArrayRef), None, &mut off);
        let texts = out.array().as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect();
        (texts, off.rows().iter().map(|row| row.reason.clone()).collect())
    }

    fn one(mask: &Mask, kind: &Kind, text: &str) -> Option<String> {
        emit(mask.clone(), kind, StringArray::from(vec![text])).0.remove(0)
    }

    #[test]
    fn the_usual_masks() {
        let name = Mask::ends(1, 0).width(2).unwrap();
        for (mask, kind, text, masked) in [
            (Mask::ends(3, 4), Kind::Mobile, "13800138000", "138****8000"),
            (Mask::ends(3, 4), Kind::Mobile, "+86 138-0013-8000", "138****8000"),
            (Mask::ends(6, 4), Kind::ResidentId, "11010519491231002x", "110105********002*"),
            (Mask::ends(6, 4).show_check(true), Kind::ResidentId, "11010519491231002x", "110105********002X"),
            (Mask::ends(6, 4), Kind::ResidentId, "110105491231002", "110105********002*"),
            (Mask::ends(1, 1), Kind::ResidentId, "11010519491231002X", "1*****************"),
            (Mask::ends(0, 4), Kind::BankCard, "6222 0202 0011 2230", "************223*"),
            (Mask::ends(0, 4).show_check(true), Kind::BankCard, "6222 0202 0011 2230", "************2230"),
            (Mask::ends(1, 0).keep_domain(true), Kind::Email, "user@example.com", "u***@example.com"),
            (Mask::ends(1, 0), Kind::Email, "user@example.com", "u***************"),
            (Mask::ends(1, 1).keep_domain(true).width(3).unwrap(), Kind::Email, "user.name@example.com", "u***e@example.com"),
            (Mask::ends(1, 0).width(3).unwrap(), Kind::Email, "user@example.com", "u***"),
            (Mask::ends(5, 0).keep_domain(true), Kind::Email, "user@example.com", "****@example.com"),
            (name.clone(), Kind::Name, "王小明", "王**"),
            (name.clone(), Kind::Name, "王明", "王**"),
            (name.clone(), Kind::Name, "王", "**"),
            (name.clone(), Kind::Name, "", "**"),
            (Mask::ends(1, 0), Kind::Name, "买买提·艾山", "买*****"),
            (Mask::ends(1, 1), Kind::Name, "欧阳", "**"),
            (Mask::ends(0, 1).with('●').unwrap(), Kind::Name, "王小明", "●●明"),
            (Mask::range(0, 4).unwrap(), Kind::Date, "2024-08-15", "****-08-15"),
            (Mask::range(2, 9).unwrap(), Kind::Code, "abcd", "ab**"),
            (Mask::range(4, 9).unwrap(), Kind::Code, "abcd", "****"),
            (Mask::ends(99, 0), Kind::Text, "abcd", "****"),
            (Mask::ends(1, 1), Kind::Text, "👩‍👩‍👧e\u{301}🇨🇳", "👩‍👩‍👧*🇨🇳"),
            (Mask::ends(1, 1), Kind::Text, "a\r\nb", "a*b"),
            (Mask::ends(1, 0), Kind::Text, "שלום", "ש***"),
        ] {
            assert_eq!(one(&mask, &kind, text).as_deref(), Some(masked), "{mask:?}");
        }
    }

    #[test]
    fn other_values_nulls_and_integers() {
        let cells = StringArray::from(vec![Some("13800138000"), None, Some("13800138o00"), Some("")]);
        let (texts, off) = emit(Mask::ends(3, 4), &Kind::Mobile, cells);
        assert_eq!(texts, [Some("138****8000".to_owned()), None, None, None]);
        assert_eq!(off, [OffReason::NotOfKind(Kind::Mobile), OffReason::NotOfKind(Kind::Mobile)]);
        let (texts, off) = emit(Mask::ends(3, 4), &Kind::Mobile, Int64Array::from(vec![Some(13_800_138_000), None, Some(1)]));
        assert_eq!((texts, off.len()), (vec![Some("138****8000".to_owned()), None, None], 1));
        let (texts, off) = emit(Mask::ends(1, 0), &Kind::Text, arrow_array::BooleanArray::from(vec![true]));
        assert_eq!((texts, off), (vec![None], vec![OffReason::Type]));
    }

    #[test]
    fn parameters_without_meaning_are_refused() {
        for mask in ['\n', ' ', '\u{301}', '\u{200d}', '\u{1f1e8}'] {
            assert!(Mask::ends(1, 1).with(mask).is_err(), "{mask:?}");
        }
        assert!(Mask::ends(1, 1).width(0).is_err() && Mask::ends(1, 1).width(65).is_err());
        assert!(Mask::range(3, 3).is_err());
    }

    proptest! {
        #[test]
        fn only_what_is_kept_shows(pieces in proptest::collection::vec(0..PIECES.len(), 0..12), first in 0u32..6, last in 0u32..6) {
            let text: String = pieces.iter().map(|&at| PIECES[at]).collect();
            let clusters: Vec<&str> = text.graphemes(true).collect();
            let (first, last) = (first as usize, last as usize);
            let expected: Vec<&str> = (0..clusters.len())
                .map(|at| if first + last < clusters.len() && (at < first || at >= clusters.len() - last) { clusters[at] } else { "*" })
                .collect();
            let mask = Mask::ends(u32::try_from(first).unwrap(), u32::try_from(last).unwrap());
            prop_assert_eq!(one(&mask, &Kind::Text, &text).unwrap(), expected.concat());
        }
    }

    fn residual(mask: &Mask, kind: &Kind) -> u128 {
        let Residual::AtLeast(count) = mask.count(kind, &[]) else { panic!() };
        count
    }

    #[test]
    fn residuals_are_those_of_the_rule() {
        assert_eq!(residual(&Mask::ends(3, 4), &Kind::Mobile), 10_000);
        assert_eq!(residual(&Mask::ends(6, 4).show_check(true), &Kind::BankCard), 100_000);
        assert_eq!(residual(&Mask::ends(6, 4), &Kind::BankCard), 1_000_000);
        assert_eq!(residual(&Mask::ends(6, 4), &Kind::ResidentId), 36_525);
        let with_check = residual(&Mask::ends(6, 4).show_check(true), &Kind::ResidentId);
        assert!((3_300..3_321).contains(&with_check), "{with_check}");
        assert_eq!(residual(&Mask::ends(1, 0), &Kind::Name), 1_000);
        assert_eq!(residual(&Mask::ends(1, 0).width(2).unwrap(), &Kind::Name), 1_001_000);
        for kind in Kind::BUILTIN {
            for mask in [Mask::ends(99, 0), Mask::ends(0, 99), Mask::range(99, 100).unwrap()] {
                assert_eq!((residual(&mask, &kind), &kind), (1, &kind));
            }
        }
        assert_eq!(residual(&Mask::ends(0, 0), &Kind::Text), 1);
    }
}
