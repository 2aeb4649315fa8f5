//! The technique `redact`: what is recognised in a text goes, all else stays.

use std::fmt::Write as _;

use arrow_array::{Array, ArrayRef};
use unicode_segmentation::UnicodeSegmentation;

use super::cells::{Cell, Cells};
use super::emitted::Texts;
use super::{
    About, Emit, Emitted, Given, Kernel, KeyAsked, Method, OffKind, OutputType, Parameter, Rank, Setting, Suggestion, TechniqueError,
    Value, Work,
};
use crate::desensitise::keys::KeyRing;
use crate::desensitise::prf::Prf;
use crate::desensitise::residual::{Domain, Known, Nature, Residual};
use crate::desensitise::{Problem, ReleaseModel, canonical};
use crate::grade::{Finding, Grade, Kind, free_text};
use crate::id::Name;
use crate::label::Label;

const NAME: &str = "redact";

/// What is recognised in free text goes, in its place (涂黑): ids, telephones, cards, mail, names, addresses and the other kinds of
/// [`free_text`]. All else stays as it is.
///
/// ```text
/// label      王小明电话13812345678          [name]电话[mobile]
/// mask       王小明电话13812345678          ***电话***********      the length shows
/// pseudonym  王小明电话13812345678          [name 5e88..]电话[mobile 0b1f..]    the tokens of `pseudonym` under the same key and domain
/// ```
/// Parts that overlap go as one, under the kind of the highest grade among them, so that nothing is left of any
/// ([`free_text::cover`]).
///
/// # Not promised
/// That everything is recognised: who reads the text may learn whom it is about from what is left. The residual is 1 whatever the text,
/// so that above grade 2 it is for an enclave alone (rule H2). Kinds of recognisers of the user's are not looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redact {
    parts: Parts,
}

/// What stands in place of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Parts {
    Label,
    Mask,
    Pseudonym(Key),
}

/// The key of its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    id: Name,
    version: Option<u32>,
    domain: Option<Name>,
}

const PARTS: &str = "parts";
const WORDS: [&str; 3] = ["label", "mask", "pseudonym"];

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: PARTS,
        takes: "`\"label\"`, `\"mask\"`, `\"pseudonym\"`",
        default: "`\"label\"`",
        doc: "what stands in place of what is recognised: its kind in brackets, a `*` for each character, or its kind and a keyed token",
    },
    Parameter { default: "required with pseudonyms", ..KeyAsked::ID },
    KeyAsked::VERSION,
    Parameter {
        doc: "parts of one domain get the same tokens, as columns with `pseudonym` do; the column's own name unless told",
        ..KeyAsked::DOMAIN
    },
];

impl Redact {
    /// The kind in brackets: `[mobile]`.
    #[must_use]
    pub const fn labels() -> Self {
        Self { parts: Parts::Label }
    }

    /// A `*` for each character.
    #[must_use]
    pub const fn masks() -> Self {
        Self { parts: Parts::Mask }
    }

    /// The kind and a keyed token in brackets, the same for equal values of one domain; the column's name without one.
    #[must_use]
    pub const fn pseudonyms(key: Name, version: Option<u32>, domain: Option<Name>) -> Self {
        Self { parts: Parts::Pseudonym(Key { id: key, version, domain }) }
    }
}

impl Method for Redact {
    fn about() -> About {
        About {
            name: NAME,
            parameters: PARAMETERS,
            examples: &["", "parts = \"mask\"", "parts = \"pseudonym\"\nkey = \"k\"\nkey_version = 1\ndomain = \"person\""],
        }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        let word = given.one_of(PARTS, |word| WORDS.into_iter().find(|known| *known == word), &WORDS)?;
        let (id, version, domain) = (given.name("key")?, given.count("key_version", u32::MAX)?, given.name("domain")?);
        match (word.unwrap_or("label"), id) {
            ("pseudonym", Some(key)) => Ok(Self::pseudonyms(key, version, domain)),
            ("pseudonym", None) => Err(Problem::MissingParameter { name: "key" }),
            (_, Some(_)) => Err(Problem::Together(KEY_ALONE)),
            _ if version.is_some() || domain.is_some() => Err(Problem::Together(KEY_ALONE)),
            ("mask", None) => Ok(Self::masks()),
            _ => Ok(Self::labels()),
        }
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let word = match self.parts {
            Parts::Label => return Vec::new(),
            Parts::Mask => "mask",
            Parts::Pseudonym(_) => "pseudonym",
        };
        let key = self.key().map_or_else(Vec::new, |key| key.parameters());
        std::iter::once((PARTS, word.into())).chain(key).collect()
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: true, reversible: false, linkable: true }
    }

    fn residual_given(&self, _: &Domain, _: &[Known]) -> Residual {
        Residual::CLEAR
    }

    fn leaks(&self) -> &'static [&'static str] {
        match self.parts {
            Parts::Label => &["every word that is not recognised, kinds of the user's among them, and of which kind the others are"],
            Parts::Mask => &["every word that is not recognised, kinds of the user's among them, and how long the others are"],
            Parts::Pseudonym(_) => &[
                "every word that is not recognised, kinds of the user's among them, and of which kind the others are",
                "which parts have the same value, and how often",
                "values to whoever has the key and can guess them",
            ],
        }
    }

    fn output(&self, _: &Setting) -> OutputType {
        OutputType::Text
    }

    fn work(&self, setting: &Setting, keys: &KeyRing) -> Result<Work, TechniqueError> {
        let with = match (&self.parts, self.key()) {
            (Parts::Mask, _) => With::Mask,
            (_, Some(asked)) => With::Tokens(Prf::of(&asked, setting.column.as_str(), keys, Label::PSEUDONYM)?),
            _ => With::Label,
        };
        Ok(Work::Cells(Kernel::new(Redactor { with })))
    }

    fn key(&self) -> Option<KeyAsked<'_>> {
        let Parts::Pseudonym(Key { id, version, domain }) = &self.parts else { return None };
        Some(KeyAsked { id, version: *version, domain: domain.as_ref() })
    }

    /// All that is not recognised is in clear.
    fn is_hidden_by_key(&self) -> bool {
        false
    }

    fn hardly_repeats(&self) -> bool {
        true
    }

    fn suggest(finding: &Finding, release: ReleaseModel) -> Option<Suggestion> {
        const WHY: &str =
            "what is recognised in the text goes, all else stays: read some of it, for what was found is not all that is in it";
        // What a recogniser of the user's finds would stay, and a header that names an identifier asks for more.
        let unseen = finding.also.iter().any(|(kind, _)| matches!(kind, Kind::Custom(_)));
        // Nor are dates that some read one way and some the other a text.
        let is_text = finding.kind == Kind::Text && finding.grade < Grade::L4 && finding.floor.is_none() && finding.date_order.is_some();
        let leaves = release == ReleaseModel::Enclave && (finding.grade > Grade::L1 || !finding.also.is_empty());
        (is_text && leaves && !unseen).then(|| Suggestion::new(Rank::OfKind, Self::labels(), WHY))
    }
}

const KEY_ALONE: &str = "key, key_version and domain are for parts = \"pseudonym\"";

/// What is written in place of a part.
enum With {
    Label,
    Mask,
    Tokens(Prf),
}

struct Redactor {
    with: With,
}

impl Emit for Redactor {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let read = Cells::of(cells);
        let mut texts = Texts::with_capacity(cells.len(), read.bytes());
        let mut scratch = String::new();
        read.each(|row, cell| match cell {
            Cell::Value(value) => {
                self.redact(value, &mut texts, &mut scratch);
                texts.end_or(row, off);
            }
            Cell::Null => texts.null(),
            Cell::Other(reason) => texts.off(row, reason, off),
        });
        texts.finish()
    }
}

impl Redactor {
    fn redact(&self, value: &str, texts: &mut Texts, scratch: &mut String) {
        let mut at = 0;
        for part in free_text::cover(value) {
            texts.piece(&value[at..part.start]);
            self.part(&part.kind, &value[part.start..part.end], texts, scratch);
            at = part.end;
        }
        texts.piece(&value[at..]);
    }

    fn part(&self, kind: &Kind, part: &str, texts: &mut Texts, scratch: &mut String) {
        match &self.with {
            With::Mask => texts.repeat('*', part.graphemes(true).count()),
            With::Label => {
                texts.piece("[");
                texts.piece(kind.as_str());
                texts.piece("]");
            }
            With::Tokens(prf) => {
                let tag = prf.tag(canonical::form(kind, part, scratch).unwrap_or(part).as_bytes());
                let mut token = format!("[{kind} ");
                // Writing to a text does not fail.
                tag.iter().for_each(|byte| {
                    let _ = write!(token, "{byte:02x}");
                });
                texts.piece(&token);
                texts.piece("]");
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::StringArray;
    use arrow_array::cast::AsArray;
    use proptest::prelude::*;

    use super::*;
    use crate::desensitise::{PrfAlgorithm, Pseudonym, Technique};
    use crate::grade::ValueType;
    use crate::id::ColumnName;
    use crate::random::RecordedRandom;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn emit(technique: &Technique, kind: Kind, text: &str) -> String {
        let keys = KeyRing::generate(&mut RecordedRandom::from_seed("redact"), name("k"), PrfAlgorithm::HmacSha256, name("p"));
        let domain = Domain { kind, value_type: ValueType::Text };
        let setting = Setting { column: ColumnName::new("c").unwrap(), domain, date_order: None, has_months: false, decimals: None };
        let mut off = OffKind::default();
        let out = technique.kernel(&setting, &keys).unwrap().emit(&(Arc::new(StringArray::from(vec![text])) as ArrayRef), None, &mut off);
        assert!(off.is_empty());
        out.array().as_string::<i32>().value(0).to_owned()
    }

    fn redacted(redact: Redact, text: &str) -> String {
        emit(&Technique::new(redact), Kind::Text, text)
    }

    #[test]
    fn what_is_recognised_goes_and_all_else_stays() {
        for (text, label, mask) in [
            ("无", "无", "无"),
            ("", "", ""),
            ("请联系13812345678。", "请联系[mobile]。", "请联系***********。"),
            ("市民王小明反映路灯不亮", "市民[name]反映路灯不亮", "市民***反映路灯不亮"),
            ("身份证：１１０１０５１９４９１２３１００２Ｘ。", "身份证：[resident_id]。", "身份证：******************。"),
            ("call +33 1 42 68 53 00 now", "call [mobile] now", "call ***************** now"),
            ("a@b.com,卡6222 0202 0011 2230", "[email],卡[bank_card]", "*******,卡*******************"),
            ("住在北京市朝阳区建国路88号院", "住在[address]院", "住在************院"),
            ("订单号13812345678", "订单号13812345678", "订单号13812345678"),
            ("e\u{301}👍🏽 13812345678", "e\u{301}👍🏽 [mobile]", "e\u{301}👍🏽 ***********"),
        ] {
            assert_eq!(redacted(Redact::labels(), text), label);
            assert_eq!(redacted(Redact::masks(), text), mask);
        }
    }

    #[test]
    fn tokens_are_those_of_the_technique_pseudonym() {
        let parts = Redact::pseudonyms(name("k"), None, Some(name("person")));
        let column = Technique::new(Pseudonym { key: name("k"), version: None, domain: Some(name("person")) });
        let token = emit(&column, Kind::Mobile, "13812345678");
        for text in ["13812345678", "138 1234 5678", "+86 138-1234-5678"] {
            assert_eq!(redacted(parts.clone(), &format!("电话{text}。")), format!("电话[mobile {token}]。"), "{text}");
        }
        let elsewhere = Redact::pseudonyms(name("k"), None, None);
        assert!(!redacted(elsewhere, "13812345678").contains(&token));
    }

    /// Digits and words that touch and overlap: of what is found anywhere, no character is left.
    #[test]
    fn no_part_of_what_is_found_is_left() {
        let pieces = [
            "13812345678",
            "6222020200112230",
            "6222 0202 0011 2230",
            "11010519491231002X",
            "zhang@example.com",
            "192.168.0.1",
            "2024-02-29",
            "王小明",
            "先生",
            "姓名",
            "住在北京市朝阳区建国路88号",
            "010-62345678",
            "+33 1 42 68 53 00",
            " ",
            "-",
            "，",
            "、",
            ".",
            "@",
            "(",
            "６",
            "号",
            "1",
        ];
        let mut state = 7_u64;
        for _ in 0..8_000 {
            let mut text = String::new();
            for _ in 0..6 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let covered = free_text::cover(&text);
            assert!(covered.windows(2).all(|pair| pair[0].end <= pair[1].start), "{text}");
            for span in free_text::find(&text) {
                assert!(covered.iter().any(|cover| cover.start <= span.start && span.end <= cover.end), "{text}: {span:?} of {covered:?}");
            }
            // Whoever looks again finds nothing but between the brackets.
            let out = redacted(Redact::labels(), &text);
            let mut left = out.clone();
            Kind::BUILTIN.iter().for_each(|kind| left = left.replace(&format!("[{kind}]"), "□"));
            assert_eq!(free_text::find(&left), [], "{text} became {out}");
        }
    }

    #[test]
    fn parameters_go_together_or_are_refused() {
        for (text, problem) in [
            ("parts = \"pseudonym\"", "`key` is missing"),
            ("key = \"k\"", KEY_ALONE),
            ("parts = \"mask\"\ndomain = \"d\"", KEY_ALONE),
            ("parts = \"blur\"", "label"),
        ] {
            let table: toml::Table = toml::from_str(text).unwrap();
            let mut given = Given::new(table.into_iter().map(|(name, value)| (name, value.into())));
            let found = Redact::parse(&mut given).unwrap_err().to_string();
            assert!(found.contains(problem), "{text}: {found}");
        }
    }

    proptest! {
        #[test]
        fn what_is_not_recognised_is_copied(text in "[a-z ，。的了在]{0,60}") {
            if free_text::cover(&text).is_empty() {
                prop_assert_eq!(redacted(Redact::labels(), &text), text);
            }
        }
    }
}
