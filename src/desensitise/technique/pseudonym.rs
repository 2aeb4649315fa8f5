//! The technique `pseudonym`: a keyed token in place of each value.

use arrow_array::{Array, ArrayRef};

use super::cells::{Cell, Cells};
use super::emitted::Texts;
use super::{
    About, Emit, Emitted, Given, KEY_ID_DEFAULT, Kernel, KeyAsked, Method, OffKind, OutputType, Parameter, Rank, Setting, Suggestion,
    TechniqueError, Value, Work,
};
use crate::desensitise::keys::KeyRing;
use crate::desensitise::prf::{Batch, LANES, Prf};
use crate::desensitise::residual::{Domain, Known, Nature, Residual};
use crate::desensitise::{Problem, ReleaseModel, canonical};
use crate::grade::{Finding, Grade, Kind};
use crate::id::Name;
use crate::label::Label;

/// A keyed token in place of each value (假名化): 16 bytes of HMAC-SHA256 or AES-128-CMAC, in 32 hexadecimal digits (rule L7).
///
/// Equal values get equal tokens under one key, purpose and domain, whether they stand in a text or an integer column,
/// and whatever way a value of a kind with a form of its own is written (`x` or `X` at the end of a resident ID, 15 or 18
/// digits, blanks in a card number). The domain is the column's name; columns of several files whose tokens shall agree
/// name one domain. Values are not trimmed.
///
/// ```text
/// column key = HMAC-SHA256(secret, label || purpose || algorithm || domain), each behind its length in 8 bytes
/// token      = the first 16 bytes of HMAC-SHA256(column key, value), or
///              AES-128-CMAC(first 16 bytes of the column key, value)
/// ```
/// Two of n different values share a token with a chance below n^2 / 2^129.
///
/// # Not promised
/// Who has the key can try values. How often a token occurs tells how often its value does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pseudonym {
    /// The key.
    pub key: Name,
    /// Its version; the highest without.
    pub version: Option<u32>,
    /// Who shares the tokens; the column's name without.
    pub domain: Option<Name>,
}

impl Method for Pseudonym {
    fn about() -> About {
        About {
            name: "pseudonym",
            parameters: &[
                KeyAsked::ID,
                KeyAsked::VERSION,
                Parameter {
                    doc: "columns of one domain get the same pseudonyms for the same values; the column's own name unless told",
                    ..KeyAsked::DOMAIN
                },
            ],
            examples: &["key = \"k\"", "key = \"k\"\nkey_version = 1\ndomain = \"person\""],
        }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        Ok(Self { key: given.required("key", Given::name)?, version: given.count("key_version", u32::MAX)?, domain: given.name("domain")? })
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        self.asked().parameters()
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: true, reversible: false, linkable: true }
    }

    fn residual_given(&self, _: &Domain, _: &[Known]) -> Residual {
        Residual::Unbounded
    }

    fn leaks(&self) -> &'static [&'static str] {
        &["which rows have the same value, and how often", "values to whoever has the key and can guess them"]
    }

    fn output(&self, _: &Setting) -> OutputType {
        OutputType::Text
    }

    fn work(&self, setting: &Setting, keys: &KeyRing) -> Result<Work, TechniqueError> {
        let prf = Prf::of(&self.asked(), setting.column.as_str(), keys, Label::PSEUDONYM)?;
        Ok(Work::Cells(Kernel::new(Tokens { prf, kind: setting.domain.kind.clone() })))
    }

    fn key(&self) -> Option<KeyAsked<'_>> {
        Some(self.asked())
    }

    fn hardly_repeats(&self) -> bool {
        true
    }

    fn suggest(finding: &Finding, release: ReleaseModel) -> Option<Suggestion> {
        const LINKS: &str = "rows of one person stay linked, in all files made with the same key, and nobody without the key gets back";
        let is_closed = finding.grade >= Grade::L3 || release == ReleaseModel::Public && finding.grade == Grade::L2;
        let rank = match finding.kind {
            Kind::ResidentId | Kind::Passport | Kind::Uscc | Kind::Code | Kind::Email | Kind::Ip | Kind::Landline | Kind::Plate => {
                Rank::OfKind
            }
            // Of a sensitive measure a pseudonym leaves nothing that is of use.
            Kind::Number if finding.grade >= Grade::L3 => return None,
            Kind::Number | Kind::Category | Kind::Text | Kind::Custom(_) if is_closed => Rank::General,
            _ => return None,
        };
        Some(Suggestion::new(rank, Self { key: Name::new(KEY_ID_DEFAULT).ok()?, version: None, domain: None }, LINKS))
    }
}

impl Pseudonym {
    fn asked(&self) -> KeyAsked<'_> {
        KeyAsked { id: &self.key, version: self.version, domain: self.domain.as_ref() }
    }
}

struct Tokens {
    prf: Prf,
    kind: Kind,
}

const TOKEN_DIGITS: usize = 32;

impl Emit for Tokens {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let mut tokens = Waiting {
            prf: &self.prf,
            batch: Batch::default(),
            nulls: Vec::with_capacity(LANES),
            nulls_behind: 0,
            texts: Texts::with_capacity(cells.len(), TOKEN_DIGITS * (cells.len() - cells.null_count())),
        };
        let mut scratch = String::new();
        Cells::of(cells).each(|row, cell| match cell {
            // A value that is not of its kind is hidden as well, so it is hashed as it stands.
            Cell::Value(value) => tokens.value(canonical::form(&self.kind, value, &mut scratch).unwrap_or(value), off),
            Cell::Null => tokens.nulls_behind += 1,
            Cell::Other(reason) => {
                tokens.nulls_behind += 1;
                off.push(row, reason);
            }
        });
        tokens.finish(off)
    }
}

/// Values that wait until there are enough for all lanes.
struct Waiting<'a> {
    prf: &'a Prf,
    batch: Batch,
    /// How many nulls stand right before each value.
    nulls: Vec<usize>,
    /// And how many behind the last.
    nulls_behind: usize,
    texts: Texts,
}

impl Waiting<'_> {
    #[inline]
    fn value(&mut self, value: &str, off: &mut OffKind) {
        self.batch.push(|bytes| bytes.extend_from_slice(value.as_bytes()));
        self.nulls.push(std::mem::take(&mut self.nulls_behind));
        if self.batch.is_full() {
            self.write(off);
        }
    }

    fn write(&mut self, off: &mut OffKind) {
        let mut tags = [[0; 16]; LANES];
        for (tag, nulls) in self.prf.tags(&mut self.batch, &mut tags).iter().zip(self.nulls.drain(..)) {
            (0..nulls).for_each(|_| self.texts.null());
            self.texts.ascii(&hex(tag));
            self.texts.end_or(self.texts.rows(), off);
        }
        self.batch.clear();
    }

    fn finish(mut self, off: &mut OffKind) -> Emitted {
        self.write(off);
        (0..self.nulls_behind).for_each(|_| self.texts.null());
        self.texts.finish()
    }
}

/// Lower-case hexadecimal digits, without a table so that all of them are made at once.
#[inline]
fn hex(tag: &[u8; 16]) -> [u8; TOKEN_DIGITS] {
    let mut digits = [0; TOKEN_DIGITS];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(tag) {
        *pair = [byte >> 4, byte & 15].map(|digit| digit + b'0' + if digit > 9 { b'a' - b'9' - 1 } else { 0 });
    }
    digits
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::{Int64Array, StringArray};
    use proptest::prelude::*;

    use super::*;
    use crate::desensitise::{Domain, Kernel, KeyFileError, PrfAlgorithm, Technique};
    use crate::grade::ValueType;
    use crate::id::ColumnName;
    use crate::random::RecordedRandom;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn kernel(algorithm: PrfAlgorithm, kind: Kind, column: &str, domain: Option<&str>) -> Kernel {
        let keys = KeyRing::generate(&mut RecordedRandom::from_seed("pseudonym"), name("k"), algorithm, name("p"));
        let domain_of_column = Domain { kind, value_type: ValueType::Text };
        let setting = Setting {
            column: ColumnName::new(column).unwrap(),
            domain: domain_of_column,
            date_order: None,
            has_months: false,
            decimals: None,
        };
        Technique::new(Pseudonym { key: name("k"), version: None, domain: domain.map(name) }).kernel(&setting, &keys).unwrap()
    }

    fn tokens(kernel: &Kernel, cells: impl Array + 'static) -> Vec<Option<String>> {
        let mut off = OffKind::default();
        let out = kernel.emit(&(Arc::new(cells) as ArrayRef), None, &mut off);
        assert!(off.is_empty());
        out.array().as_string::<i32>().iter().map(|token| token.map(str::to_owned)).collect()
    }

    #[test]
    fn a_token_is_the_documented_function() {
        let mut secret = [0; 32];
        crate::random::Random::fill(&mut RecordedRandom::from_seed("pseudonym"), &mut secret);
        let hmac = |key: &[u8], message: &[u8]| ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key), message);
        let mut message = Vec::new();
        for part in ["usufruct/v1/pseudonym", "p", "hmac-sha256", "column"] {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        let token = hmac(hmac(&secret, &message).as_ref(), b"value");
        let expected: String = token.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let kernel = kernel(PrfAlgorithm::HmacSha256, Kind::Text, "column", None);
        assert_eq!(tokens(&kernel, StringArray::from(vec!["value"])), [Some(expected)]);
    }

    #[test]
    fn equal_values_have_equal_tokens_however_they_are_written() {
        for algorithm in [PrfAlgorithm::HmacSha256, PrfAlgorithm::AesCmac] {
            let ids = tokens(
                &kernel(algorithm, Kind::ResidentId, "c", None),
                StringArray::from(vec![
                    "11010519491231002X",
                    "11010519491231002x",
                    "１1010519491231002X",
                    "110105491231002",
                    "11010519491231002X ",
                ]),
            );
            assert!(ids[..4].iter().all(|token| *token == ids[0]) && ids[4] != ids[0]);
            let plain = kernel(algorithm, Kind::Code, "c", None);
            let texts = tokens(&plain, StringArray::from(vec![Some("-7"), None, Some("0"), Some("7"), Some("07"), Some("")]));
            let integers = tokens(&plain, Int64Array::from(vec![Some(-7), None, Some(0), Some(7)]));
            assert_eq!(texts[..4], integers);
            assert!(texts[1].is_none() && texts[4] != texts[3] && texts[5].is_some());
            let other_column = tokens(&kernel(algorithm, Kind::Code, "d", None), Int64Array::from(vec![7]));
            assert_ne!(other_column[0], texts[3]);
            let joined = tokens(&kernel(algorithm, Kind::Code, "d", Some("c")), Int64Array::from(vec![7]));
            assert_eq!(joined[0], texts[3]);
        }
    }

    #[test]
    fn the_two_algorithms_and_an_absent_key() {
        let cells = || StringArray::from(vec!["a"]);
        let [hmac, cmac] =
            [PrfAlgorithm::HmacSha256, PrfAlgorithm::AesCmac].map(|algorithm| tokens(&kernel(algorithm, Kind::Text, "c", None), cells()));
        assert_ne!(hmac, cmac);
        let domain = Domain { kind: Kind::Text, value_type: ValueType::Text };
        let setting = Setting { column: ColumnName::new("c").unwrap(), domain, date_order: None, has_months: false, decimals: None };
        let pseudonym = Pseudonym { key: name("k"), version: Some(3), domain: None };
        let absent = Technique::new(pseudonym).kernel(&setting, &KeyRing::default()).unwrap_err();
        assert_eq!(absent, TechniqueError::Key(KeyFileError::Absent { id: name("k"), version: Some(3) }));
    }

    proptest! {
        #[test]
        fn tokens_do_not_depend_on_batches(values in proptest::collection::vec(proptest::option::of(".{0,40}"), 0..300), cut in 0usize..300) {
            for algorithm in [PrfAlgorithm::HmacSha256, PrfAlgorithm::AesCmac] {
                let kernel = kernel(algorithm, Kind::Text, "c", None);
                let (front, back) = values.split_at(cut.min(values.len()));
                let whole = tokens(&kernel, StringArray::from(values.clone()));
                let parts = [tokens(&kernel, StringArray::from(front.to_vec())), tokens(&kernel, StringArray::from(back.to_vec()))].concat();
                prop_assert_eq!(&whole, &parts);
                for (value, token) in values.iter().zip(whole) {
                    prop_assert_eq!(value.is_some(), token.as_ref().is_some_and(|token| token.len() == 32));
                }
            }
        }
    }
}
