//! Checkpoints: the gate's signature on the size and the root of the tree.
//!
//! Promises: what [`Checkpoint::sign`] writes is a C2SP checkpoint that other tools verify; what [`Checkpoint::verify`] accepts
//! is canonical (one text for one checkpoint) and signed by the key that was given. Lines of other keys, such as the
//! cosignatures of witnesses, are neither needed nor in the way.
//!
//! ```text
//! example.com/space                                  origin, also the name of the key
//! 2                                                  number of entries
//! T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=       root
//!
//! — example.com/space OxoQppaEbs3F6Q2sSh/9...        4 bytes of key id and the Ed25519 signature of the three lines
//! ```
//!
//! # Source
//! C2SP `signed-note` and `tlog-checkpoint`.
//!
//! # Not promised
//! That no other checkpoint was signed: a consistency proof between two shows one history, only a witness excludes a second.

use super::tree::EMPTY_ROOT;
use crate::class::Class;
use crate::key::{KeyError, PublicKey, Signer};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// A note is at most this long: 16 signatures of Ed25519 need 3 KiB, one post-quantum witness 5 KiB.
pub const NOTE_BYTES_MAX: usize = 16 << 10;
/// A note has at most this many signatures, the least that C2SP asks readers to accept.
pub const NOTE_SIGNATURES_MAX: usize = 16;
/// An origin is at most this long, as are other names.
pub const ORIGIN_BYTES_MAX: usize = 128;

/// The type byte of Ed25519 in the key ids of signed notes.
const ED25519: u8 = 1;

/// Why a checkpoint is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The origin cannot be the name of a key.
    #[error("expected an origin of 1 to {ORIGIN_BYTES_MAX} bytes without spaces, control characters and '+'")]
    Origin,
    /// The tree without entries has one root.
    #[error("a checkpoint of size 0 has the root of the empty tree")]
    EmptyRoot,
    /// Longer than any note.
    #[error("the note has {found} bytes, the limit is {limit}")]
    Length {
        /// [`NOTE_BYTES_MAX`].
        limit: usize,
        /// The length of the note.
        found: usize,
    },
    /// Not a checkpoint.
    #[error("line {line} of the note: expected {expected}")]
    Form {
        /// Counted from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// A checkpoint of another log.
    #[error("the checkpoint has another origin than {expected:?}")]
    OtherOrigin {
        /// The origin that was asked for.
        expected: String,
    },
    /// No signature of the key, or one that is wrong.
    #[error("the checkpoint is not signed by the expected key")]
    Signature,
    /// The key did not sign.
    #[error(transparent)]
    Signer(#[from] KeyError),
}

impl CheckpointError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Origin | Self::EmptyRoot | Self::Length { .. } | Self::Form { .. } => Class::BadInput,
            Self::OtherOrigin { .. } | Self::Signature => Class::Refused,
            Self::Signer(error) => error.class(),
        }
    }
}

/// The state of a log at a moment: who, how many entries, which root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// 1. A name of a signed note. 2. At most [`ORIGIN_BYTES_MAX`] bytes. Set by `new` alone, like the rest.
    origin: String,
    size: u64,
    /// [`EMPTY_ROOT`] if `size` is 0.
    root: [u8; 32],
}

impl Checkpoint {
    /// A checkpoint of the log `origin`: by convention a URL without scheme.
    ///
    /// # Errors
    /// [`CheckpointError::Origin`], [`CheckpointError::EmptyRoot`].
    pub fn new(origin: &str, size: u64, root: [u8; 32]) -> Result<Self, CheckpointError> {
        if origin.len() > ORIGIN_BYTES_MAX || !is_key_name(origin) {
            return Err(CheckpointError::Origin);
        }
        if size == 0 && root != EMPTY_ROOT {
            return Err(CheckpointError::EmptyRoot);
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// The name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over these entries.
    #[must_use]
    pub fn root(&self) -> &[u8; 32] {
        &self.root
    }

    /// The signed note. What is signed is its text, the three lines with their newlines.
    ///
    /// # Errors
    /// [`CheckpointError::Signer`] if the key does not sign.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, CheckpointError> {
        let text = self.text();
        let mut line = note_key_id(&self.origin, signer.public()).to_vec();
        line.extend_from_slice(&signer.sign(text.as_bytes())?);
        Ok(format!("{text}\n\u{2014} {} {}\n", self.origin, STANDARD.encode(line)))
    }

    /// Reads a signed note of the log `origin`, signed by `key`. Signatures of other keys are ignored, but a line that claims to
    /// be of this key must be.
    ///
    /// # Errors
    /// All but [`CheckpointError::Signer`].
    pub fn verify(note: &str, origin: &str, key: &PublicKey) -> Result<Self, CheckpointError> {
        let Note { checkpoint, text, signatures } = Note::read(note)?;
        if checkpoint.origin != origin {
            return Err(CheckpointError::OtherOrigin { expected: origin.to_owned() });
        }
        let id = note_key_id(origin, key);
        let mut ours = signatures.iter().filter(|(name, signature)| *name == origin && signature.starts_with(&id)).peekable();
        let any = ours.peek().is_some();
        if any && ours.all(|(_, signature)| key.verifies(text.as_bytes(), &signature[id.len()..])) {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Signature)
        }
    }

    /// What a note claims, for showing it to a person and for those who kept it themselves.
    ///
    /// # Errors
    /// [`CheckpointError::Length`], [`CheckpointError::Form`], and those of [`Checkpoint::new`].
    pub fn claimed(note: &str) -> Result<Self, CheckpointError> {
        Note::read(note).map(|note| note.checkpoint)
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }
}

/// The text that other tools of signed notes take for this key: `name+id+base64(type, key)`.
///
/// # Errors
/// [`CheckpointError::Origin`] if no key can have this name.
pub fn verifier_key(origin: &str, key: &PublicKey) -> Result<String, CheckpointError> {
    if !is_key_name(origin) {
        return Err(CheckpointError::Origin);
    }
    let id = u32::from_be_bytes(note_key_id(origin, key));
    let mut typed = vec![ED25519];
    typed.extend_from_slice(key.as_bytes());
    Ok(format!("{origin}+{id:08x}+{}", STANDARD.encode(typed)))
}

/// The first 4 bytes of SHA-256(name, newline, type, key).
fn note_key_id(name: &str, key: &PublicKey) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(key.as_bytes()).finalize();
    std::array::from_fn(|i| hash[i])
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// A note whose signatures nobody has verified yet.
struct Note<'a> {
    checkpoint: Checkpoint,
    /// What is signed.
    text: &'a str,
    /// Each with the name of its key.
    signatures: Vec<(&'a str, Vec<u8>)>,
}

impl<'a> Note<'a> {
    fn read(note: &'a str) -> Result<Self, CheckpointError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(CheckpointError::Length { limit: NOTE_BYTES_MAX, found: note.len() });
        }
        let mut lines = Lines { rest: note, line: 0 };
        let origin = lines.next("an origin")?;
        let size = lines.next("a size")?;
        let root = lines.next("a root")?;
        let text = &note[..note.len() - lines.rest.len()];
        let size = decimal(size).ok_or(form(2, "a decimal number without leading zeros"))?;
        let root = base64_of::<32>(root).ok_or(form(3, "32 bytes in base64"))?;
        if !lines.next("an empty line")?.is_empty() {
            return Err(form(4, "an empty line"));
        }
        let checkpoint = Checkpoint::new(origin, size, root)?;
        let mut signatures = Vec::new();
        while !lines.rest.is_empty() {
            if signatures.len() == NOTE_SIGNATURES_MAX {
                return Err(form(lines.line + 1, "no more signatures"));
            }
            let line = lines.next("a signature")?;
            signatures.push(signature_line(line).ok_or(form(lines.line, "a signature"))?);
        }
        Ok(Self { checkpoint, text, signatures })
    }
}

/// Takes a note apart at its newlines.
struct Lines<'a> {
    rest: &'a str,
    /// How many were taken.
    line: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self, expected: &'static str) -> Result<&'a str, CheckpointError> {
        self.line += 1;
        let found = self.rest.split_once('\n').filter(|(line, _)| !line.contains(char::is_control));
        let (line, rest) = found.ok_or(form(self.line, expected))?;
        self.rest = rest;
        Ok(line)
    }
}

fn form(line: usize, expected: &'static str) -> CheckpointError {
    CheckpointError::Form { line, expected }
}

/// A `u64` in the one way that C2SP writes it.
fn decimal(text: &str) -> Option<u64> {
    let number = text.parse::<u64>().ok()?;
    (number.to_string() == text).then_some(number)
}

fn base64_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// Name, and key id with signature.
fn signature_line(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, base64) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let signature = STANDARD.decode(base64).ok()?;
    (is_key_name(name) && signature.len() > 4).then_some((name, signature))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, missing_docs)]
mod tests {
    use super::super::tree::tests::hex;
    use super::*;
    use crate::key::SigningKey;
    use crate::ledger::leaf_hash;
    use crate::random::RecordedRandom;
    use proptest::prelude::*;
    use signed_note::{Note, Signature, Signer as _, StandardSigner, StandardVerifier, VerifierList};

    const TESSERA: &str = "example.com/log/testdata\n1\n0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=\n\n\
        — example.com/log/testdata M9e0lhr9kuLxGdAtaUrhm84TQffVsLdcy808sN0a3WyniNlfcr9+bywoiIke1YYciCNjJGkCgIlQ8b16jhsmg/SChAM=\n";
    const TESSERA_KEY: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
    const ORIGIN: &str = "example.com/space";

    /// Origin and key of a verifier key.
    fn public(vkey: &str) -> (&str, PublicKey) {
        let mut parts = vkey.splitn(3, '+');
        let (origin, _, key) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let key: [u8; 33] = base64_of(key).unwrap();
        (origin, PublicKey::from_bytes(std::array::from_fn(|i| key[i + 1])).unwrap())
    }

    fn key(seed: &str) -> SigningKey {
        SigningKey::generate(&mut RecordedRandom::from_seed(seed))
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint::new(ORIGIN, 20_852_163, [0x5a; 32]).unwrap()
    }

    #[test]
    fn the_public_checkpoint() {
        let (origin, key) = public(TESSERA_KEY);
        let checkpoint = Checkpoint::verify(TESSERA, origin, &key).unwrap();
        assert_eq!((checkpoint.origin(), checkpoint.size()), ("example.com/log/testdata", 1));
        assert_eq!(*checkpoint.root(), leaf_hash(b"one"));
        assert!(TESSERA.starts_with(&checkpoint.text()));
        assert_eq!(verifier_key(origin, &key).unwrap(), TESSERA_KEY);
    }

    #[test]
    fn the_public_note() {
        let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        let (name, key) = public(vkey);
        assert_eq!(verifier_key(name, &key).unwrap(), vkey);
        let line = "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
        let (found, signature) = signature_line(line).unwrap();
        assert_eq!((found, &signature[..4]), (name, &note_key_id(name, &key)[..]));
        assert!(key.verifies(b"This is an example message.\n", &signature[4..]));
    }

    #[test]
    fn signed_note_verifies_ours_and_we_verify_theirs() {
        let ours = key("ours");
        let note = checkpoint().sign(&ours).unwrap();
        let vkey = verifier_key(ORIGIN, ours.public()).unwrap();
        let theirs = Note::from_bytes(note.as_bytes()).unwrap();
        let known = VerifierList::new(vec![Box::new(StandardVerifier::new(&vkey).unwrap())]);
        let (verified, rest) = theirs.verify(&known).unwrap();
        assert_eq!((verified.len(), rest.len(), theirs.text()), (1, 0, checkpoint().text().as_bytes()));
        assert_eq!(Checkpoint::verify(&note, ORIGIN, ours.public()).unwrap(), checkpoint());

        // Key 1 of RFC 8032 section 7.1.
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, //
            0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        let public = PublicKey::from_bytes([
            0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, //
            0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
        ])
        .unwrap();
        let id = u32::from_be_bytes(note_key_id(ORIGIN, &public));
        let skey = format!("PRIVATE+KEY+{ORIGIN}+{id:08x}+{}", STANDARD.encode([&[ED25519], &seed[..]].concat()));
        let signer = StandardSigner::new(&skey).unwrap();
        assert_eq!(signer.key_id(), id);
        let mut theirs = Note::new(checkpoint().text().as_bytes(), &[]).unwrap();
        theirs.add_sigs(&[&signer]).unwrap();
        let note = String::from_utf8(theirs.to_bytes()).unwrap();
        assert_eq!(Checkpoint::verify(&note, ORIGIN, &public).unwrap(), checkpoint());
        assert!(matches!(Checkpoint::verify(&note, ORIGIN, ours.public()), Err(CheckpointError::Signature)));
    }

    #[test]
    fn unknown_signatures_are_ignored_and_a_known_one_must_verify() {
        let (ours, other) = (key("ours"), key("other"));
        let note = checkpoint().sign(&ours).unwrap();
        let line = |name: &str, id: [u8; 4], signature: &[u8]| {
            let signature = Signature::new(name.to_owned(), u32::from_be_bytes(id), signature.to_vec()).unwrap();
            String::from_utf8(signature.to_bytes()).unwrap()
        };
        let verify = |note: &str| Checkpoint::verify(note, ORIGIN, ours.public());
        let id = note_key_id(ORIGIN, ours.public());
        let text = checkpoint().text();
        let unknown = line("witness.example", [1, 2, 3, 4], &[9; 72]);
        let same_name = line(ORIGIN, [1, 2, 3, 4], &[9; 64]);
        let same_id = line("witness.example", id, &[9; 64]);
        let wrong = line(ORIGIN, id, &[9; 64]);
        assert_eq!(verify(&format!("{note}{unknown}{same_name}{same_id}")).unwrap(), checkpoint());
        assert_eq!(verify(&format!("{text}\n{unknown}{}", &note[text.len() + 1..])).unwrap(), checkpoint());
        for (what, note) in [
            ("a known key with a wrong signature after the right one", format!("{note}{wrong}")),
            ("the same before it", format!("{text}\n{wrong}{}", &note[text.len() + 1..])),
            ("a known key with a short signature", format!("{note}{}", line(ORIGIN, id, &[9; 63]))),
            ("unknown keys only", format!("{text}\n{unknown}")),
            ("no signature", format!("{text}\n")),
            ("another key", checkpoint().sign(&other).unwrap()),
            ("a signature of another text", note.replacen("20852163", "20852164", 1)),
        ] {
            assert!(matches!(verify(&note), Err(CheckpointError::Signature)), "{what}");
        }
        assert!(verify(&format!("{note}{}", unknown.repeat(NOTE_SIGNATURES_MAX - 1))).is_ok());
        let message = verify(&format!("{note}{}", unknown.repeat(NOTE_SIGNATURES_MAX))).unwrap_err().to_string();
        assert_eq!(message, "line 21 of the note: expected no more signatures");
    }

    #[test]
    fn what_is_not_canonical_is_refused_although_it_is_signed() {
        let ours = key("ours");
        let root = STANDARD.encode([0x5a; 32]);
        let sign = |text: &str| {
            let line = [&note_key_id(ORIGIN, ours.public())[..], &Signer::sign(&ours, text.as_bytes()).unwrap()].concat();
            format!("{text}\n— {ORIGIN} {}\n", STANDARD.encode(line))
        };
        let verify = |note: &str| Checkpoint::verify(note, ORIGIN, ours.public()).map_err(|error| error.to_string());
        assert!(verify(&sign(&format!("{ORIGIN}\n7\n{root}\n"))).is_ok());
        let size = "line 2 of the note: expected a decimal number without leading zeros";
        let hash = "line 3 of the note: expected 32 bytes in base64";
        for (text, expected) in [
            (format!("{ORIGIN}\n07\n{root}\n"), size),
            (format!("{ORIGIN}\n+7\n{root}\n"), size),
            (format!("{ORIGIN}\n-7\n{root}\n"), size),
            (format!("{ORIGIN}\n7 \n{root}\n"), size),
            (format!("{ORIGIN}\n\n{root}\n"), size),
            (format!("{ORIGIN}\n18446744073709551616\n{root}\n"), size),
            (format!("{ORIGIN}\n7\n{}\n", &root[..43]), hash),
            (format!("{ORIGIN}\n7\n{}\n", root.replace("Wlo=", "Wlp=")), hash),
            (format!("{ORIGIN}\n7\n{}\n", STANDARD.encode([0x5a; 31])), hash),
            (format!("{ORIGIN}\n7\n{}\n", root.replace('W', "_")), hash),
            (format!("{ORIGIN}\n7\n{root}\nextension\n"), "line 4 of the note: expected an empty line"),
            (format!("{ORIGIN}\n7\r\n{root}\n"), "line 2 of the note: expected a size"),
            (format!("{ORIGIN}\n7\n{root}\t\n"), "line 3 of the note: expected a root"),
            (format!("{ORIGIN}\n0\n{root}\n"), "a checkpoint of size 0 has the root of the empty tree"),
            (format!("other.example\n7\n{root}\n"), "the checkpoint has another origin than \"example.com/space\""),
        ] {
            assert_eq!(verify(&sign(&text)).unwrap_err(), expected, "{text:?}");
        }
        let note = sign(&format!("{ORIGIN}\n7\n{root}\n"));
        for (note, expected) in [
            (note.trim_end().to_owned(), "line 5 of the note: expected a signature"),
            (format!("{note}\n"), "line 6 of the note: expected a signature"),
            (note.replace('—', "-"), "line 5 of the note: expected a signature"),
            (note.replacen("space ", "space  ", 1), "line 5 of the note: expected a signature"),
            (format!("{note}— x AAAAAA==\n"), "line 6 of the note: expected a signature"),
            (format!("{note}— x+y AAAAAAAA\n"), "line 6 of the note: expected a signature"),
            (String::new(), "line 1 of the note: expected an origin"),
            ("x".repeat(NOTE_BYTES_MAX + 1), "the note has 16385 bytes, the limit is 16384"),
        ] {
            assert_eq!(verify(&note).unwrap_err(), expected, "{note:?}");
        }
    }

    #[test]
    fn origins_are_names_of_keys() {
        for wrong in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{7f}", "\u{2028}", &"x".repeat(ORIGIN_BYTES_MAX + 1)] {
            assert!(matches!(Checkpoint::new(wrong, 1, [0; 32]), Err(CheckpointError::Origin)), "{wrong:?}");
        }
        assert!(Checkpoint::new(&"x".repeat(ORIGIN_BYTES_MAX), 1, [0; 32]).is_ok());
        assert!(matches!(verifier_key("a+b", key("ours").public()), Err(CheckpointError::Origin)));
        assert!(matches!(Checkpoint::new(ORIGIN, 0, [0; 32]), Err(CheckpointError::EmptyRoot)));
        let empty = Checkpoint::new(ORIGIN, 0, EMPTY_ROOT).unwrap();
        assert_eq!(empty.text(), "example.com/space\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
    }

    /// The example of docs/ledger.md: the entries of its journal, signed by key 1 of RFC 8032.
    #[test]
    fn the_example_in_the_docs() {
        let pem =
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
        let signer = SigningKey::from_pem(pem.as_bytes()).unwrap();
        let mut tree = crate::ledger::Tree::new();
        tree.push(leaf_hash(b"one"));
        tree.push(leaf_hash(b"two"));
        let note = Checkpoint::new(ORIGIN, tree.size(), tree.root()).unwrap().sign(&signer).unwrap();
        let page = include_str!("../../docs/ledger.md");
        assert!(page.contains(&note), "docs/ledger.md lacks:\n{note}");
        assert!(page.contains(&verifier_key(ORIGIN, signer.public()).unwrap()));
        for hash in [leaf_hash(b"one"), leaf_hash(b"two"), tree.root()] {
            assert!(page.contains(&hex(&hash)));
        }
    }

    proptest! {
        #[test]
        fn any_change_of_a_note_is_refused(at in any::<prop::sample::Index>(), to in any::<char>(), size: u64) {
            let ours = key("ours");
            let signed = Checkpoint::new(ORIGIN, size | 1, [1; 32]).unwrap().sign(&ours).unwrap();
            let mut chars: Vec<char> = signed.chars().collect();
            let at = at.index(chars.len());
            chars[at] = to;
            let changed: String = chars.into_iter().collect();
            prop_assert_eq!(Checkpoint::verify(&changed, ORIGIN, ours.public()).is_ok(), changed == signed);
        }

        #[test]
        fn any_text_is_refused(text in "(?s)(example.com/space\n)?(12\n)?.{0,200}") {
            prop_assert!(Checkpoint::verify(&text, ORIGIN, key("ours").public()).is_err());
        }
    }
}
