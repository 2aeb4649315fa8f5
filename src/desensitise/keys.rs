//! Keys of desensitisation and the file they stand in.

use std::fmt;

use zeroize::Zeroizing;

use crate::class::Class;
use crate::id::Name;
use crate::random::Random;

/// The keyed function of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PrfAlgorithm {
    /// HMAC-SHA256 (RFC 2104).
    HmacSha256,
    /// AES-128-CMAC (RFC 4493): several times as fast.
    AesCmac,
}

impl PrfAlgorithm {
    /// Its name in a key file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::AesCmac => "aes-cmac",
        }
    }

    /// From its name in a key file.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::HmacSha256, Self::AesCmac].into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// A key of a key file. Not `Clone`, redacted in `Debug`, wiped when dropped.
///
/// ```compile_fail,E0277
/// fn copies<T: Clone>() {}
/// copies::<usufruct::desensitise::Key>();
/// ```
pub struct PrfKey {
    id: Name,
    version: u32,
    algorithm: PrfAlgorithm,
    purpose: Name,
    secret: Zeroizing<[u8; SECRET_BYTES]>,
}

const SECRET_BYTES: usize = 32;

impl PrfKey {
    /// Its name, which policies and manifests refer to.
    #[must_use]
    pub fn id(&self) -> &Name {
        &self.id
    }

    /// Its version, from 1.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Its keyed function.
    #[must_use]
    pub fn algorithm(&self) -> PrfAlgorithm {
        self.algorithm
    }

    /// What for, or for whom: part of what is hashed, so that no two purposes share a pseudonym.
    #[must_use]
    pub fn purpose(&self) -> &Name {
        &self.purpose
    }

    pub(super) fn secret(&self) -> &[u8; SECRET_BYTES] {
        &self.secret
    }
}

impl fmt::Debug for PrfKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrfKey({:?} version {}, secret)", self.id, self.version)
    }
}

/// The keys that a policy may use.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: Vec<PrfKey>,
}

/// The most keys of a ring: versions of a few dozen purposes.
pub const KEYS_MAX: usize = 256;

impl KeyRing {
    /// A ring with one new key, of version 1.
    #[must_use]
    pub fn generate(random: &mut dyn Random, id: Name, algorithm: PrfAlgorithm, purpose: Name) -> Self {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        random.fill(secret.as_mut_slice());
        Self { keys: vec![PrfKey { id, version: 1, algorithm, purpose, secret }] }
    }

    /// Its keys, as they stand in the file.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &PrfKey> {
        self.keys.iter()
    }

    /// The key of that name: the version asked for, else the highest.
    ///
    /// # Errors
    /// [`KeyFileError::Absent`].
    pub fn get(&self, id: &Name, version: Option<u32>) -> Result<&PrfKey, KeyFileError> {
        let wanted = |key: &&PrfKey| key.id == *id && version.is_none_or(|version| key.version == version);
        self.keys.iter().filter(wanted).max_by_key(|key| key.version).ok_or_else(|| KeyFileError::Absent { id: id.clone(), version })
    }

    #[cfg(feature = "embedded")]
    fn of(keys: Vec<PrfKey>) -> Result<Self, KeyFileError> {
        if keys.is_empty() || keys.len() > KEYS_MAX {
            return Err(KeyFileError::Count { found: keys.len(), most: KEYS_MAX });
        }
        for (at, key) in keys.iter().enumerate() {
            if key.version == 0 {
                return Err(KeyFileError::Version { id: key.id.clone() });
            }
            if keys[..at].iter().any(|other| other.id == key.id && other.version == key.version) {
                return Err(KeyFileError::Twice { id: key.id.clone(), version: key.version });
            }
        }
        Ok(Self { keys })
    }
}

/// Why there is no key. No variant holds what stood in a key file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read, or others may.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    File(#[from] crate::file::ReadError),
    /// The file cannot be written.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Output(crate::file::OutputError),
    /// A key file is never overwritten.
    #[error("the key file exists and is left as it is")]
    Exists,
    /// Too long.
    #[error("the key file is longer than {most} bytes")]
    Long {
        /// The most bytes.
        most: usize,
    },
    /// Not of the shape.
    #[cfg(feature = "embedded")]
    #[error("the key file: {0}")]
    Toml(#[from] crate::file::TomlError),
    /// Too few or too many keys.
    #[error("a key file has 1 to {most} keys, found {found}")]
    Count {
        /// How many there are.
        found: usize,
        /// The most.
        most: usize,
    },
    /// Versions count from 1.
    #[error("the versions of key {id} count from 1, found 0")]
    Version {
        /// The key.
        id: Name,
    },
    /// Two keys with one name.
    #[error("key {id} version {version} stands twice in the key file")]
    Twice {
        /// The key.
        id: Name,
        /// Its version.
        version: u32,
    },
    /// No such key.
    #[error("there is no key {id}{}", version.map_or(String::new(), |version| format!(" of version {version}")))]
    Absent {
        /// The key.
        id: Name,
        /// The version asked for.
        version: Option<u32>,
    },
}

impl KeyFileError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            #[cfg(feature = "embedded")]
            Self::File(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Output(error) => error.class(),
            _ => Class::BadInput,
        }
    }
}

#[cfg(feature = "embedded")]
mod file {
    use std::path::Path;

    use serde::Deserialize;
    use serde::de::{Deserializer, Error, Visitor};
    use zeroize::Zeroizing;

    use super::{KeyFileError, KeyRing, PrfAlgorithm, PrfKey, SECRET_BYTES};
    use crate::file::{self, OutputError, OutputOptions, ReadError};
    use crate::id::Name;

    /// No key file is longer: [`KEYS_MAX`](super::KEYS_MAX) keys of the longest names fit.
    const FILE_BYTES_MAX: usize = 256 * 1024;

    impl KeyRing {
        /// Opens a key file, once: it must be a regular file that nobody else may read.
        ///
        /// # Errors
        /// The file cannot be read, is not private, or holds something else than keys.
        pub fn read(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
            let path = path.as_ref();
            let bytes = file::read_private(path, FILE_BYTES_MAX)?;
            let not_text = |error: std::str::Utf8Error| ReadError::NotUtf8 { path: path.to_owned(), byte: error.valid_up_to() };
            Self::parse(std::str::from_utf8(&bytes).map_err(not_text)?)
        }

        /// Reads the text of a key file.
        ///
        /// # Errors
        /// Too long, or not `[[key]]` tables with `id`, `version`, `algorithm`, `purpose`, `secret`, each once.
        pub fn parse(text: &str) -> Result<Self, KeyFileError> {
            if text.len() > FILE_BYTES_MAX {
                return Err(KeyFileError::Long { most: FILE_BYTES_MAX });
            }
            let file: FileText = crate::file::from_toml(text)?;
            Self::of(file.key.into_iter().map(KeyText::into_key).collect())
        }

        /// The text of a key file.
        #[must_use]
        pub fn to_toml(&self) -> Zeroizing<String> {
            let mut text = Zeroizing::new(String::with_capacity(512 * self.keys.len()));
            for (at, key) in self.keys.iter().enumerate() {
                let quoted = |name: &Name| toml::Value::String(name.as_str().to_owned()).to_string();
                text.push_str(if at == 0 { "[[key]]\n" } else { "\n[[key]]\n" });
                text.push_str(&format!("id = {}\nversion = {}\n", quoted(&key.id), key.version));
                text.push_str(&format!("algorithm = \"{}\"\npurpose = {}\n", key.algorithm.as_str(), quoted(&key.purpose)));
                text.push_str("secret = \"");
                for byte in key.secret.iter() {
                    for digit in [byte >> 4, byte & 15] {
                        text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
                    }
                }
                text.push_str("\"\n");
            }
            text
        }

        /// Writes a new key file of mode 0600 and makes it durable; never overwrites.
        ///
        /// # Errors
        /// The file exists or cannot be written.
        pub fn create(&self, path: impl AsRef<Path>) -> Result<(), KeyFileError> {
            let private = OutputOptions { force: false, private: true };
            file::write(path, self.to_toml().as_bytes(), private).map_err(|error| match error {
                OutputError::TargetExists { .. } => KeyFileError::Exists,
                error => KeyFileError::Output(error),
            })
        }
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct FileText {
        key: Vec<KeyText>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct KeyText {
        #[serde(deserialize_with = "name")]
        id: Name,
        version: u32,
        #[serde(deserialize_with = "algorithm")]
        algorithm: PrfAlgorithm,
        #[serde(deserialize_with = "name")]
        purpose: Name,
        #[serde(deserialize_with = "secret")]
        secret: Zeroizing<[u8; SECRET_BYTES]>,
    }

    impl KeyText {
        fn into_key(self) -> PrfKey {
            PrfKey { id: self.id, version: self.version, algorithm: self.algorithm, purpose: self.purpose, secret: self.secret }
        }
    }

    fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        Name::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }

    fn algorithm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PrfAlgorithm, D::Error> {
        let name = String::deserialize(deserializer)?;
        PrfAlgorithm::parse(&name).ok_or_else(|| D::Error::custom("algorithm is \"hmac-sha256\" or \"aes-cmac\""))
    }

    /// Reads digits where they stand, without a copy of the text.
    fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<[u8; SECRET_BYTES]>, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Zeroizing<[u8; SECRET_BYTES]>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("64 hexadecimal digits")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                // Not `invalid_value`: that error would hold the secret.
                let wrong = || E::custom("a secret is 64 hexadecimal digits");
                if text.len() != 2 * SECRET_BYTES {
                    return Err(wrong());
                }
                let mut secret = Zeroizing::new([0; SECRET_BYTES]);
                let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or_else(wrong);
                for (byte, [high, low]) in secret.iter_mut().zip(text.as_bytes().as_chunks().0) {
                    *byte = digit(*high)? << 4 | digit(*low)?;
                }
                Ok(secret)
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::RecordedRandom;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn ring() -> KeyRing {
        KeyRing::generate(&mut RecordedRandom::from_seed("ring"), name("门户"), PrfAlgorithm::HmacSha256, name("release: \"2024\""))
    }

    #[test]
    fn no_debug_shows_the_secret_and_an_absent_key_is_named() {
        let ring = ring();
        assert_eq!(format!("{ring:?}"), "KeyRing { keys: [PrfKey(\"门户\" version 1, secret)] }");
        assert_eq!(ring.get(&name("门户"), None).unwrap().version(), 1);
        assert_eq!(ring.get(&name("门户"), Some(2)).unwrap_err().to_string(), "there is no key 门户 of version 2");
        assert_eq!(ring.get(&name("other"), None).unwrap_err().to_string(), "there is no key other");
    }

    #[cfg(feature = "embedded")]
    mod file {
        use std::os::unix::fs::PermissionsExt;

        use super::*;
        use crate::file::ReadError;

        const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

        fn table(id: &str, version: u32) -> String {
            format!("[[key]]\nid = \"{id}\"\nversion = {version}\nalgorithm = \"aes-cmac\"\npurpose = \"p\"\nsecret = \"{SECRET}\"\n")
        }

        #[test]
        fn the_text_goes_both_ways() {
            let ring = ring();
            let again = KeyRing::parse(&ring.to_toml()).unwrap();
            assert_eq!(again.to_toml(), ring.to_toml());
            let key = again.get(&name("门户"), None).unwrap();
            assert_eq!((key.purpose().as_str(), key.algorithm()), ("release: \"2024\"", PrfAlgorithm::HmacSha256));
        }

        #[test]
        fn the_highest_version_is_used_unless_another_is_asked_for() {
            let ring = KeyRing::parse(&[table("a", 2), table("a", 10), table("a", 9), table("b", 11)].concat()).unwrap();
            assert_eq!(ring.get(&name("a"), None).unwrap().version(), 10);
            assert_eq!(ring.get(&name("a"), Some(9)).unwrap().version(), 9);
            assert_eq!(ring.get(&name("a"), None).unwrap().secret()[..3], [0, 0x11, 0x22]);
        }

        #[test]
        fn wrong_files_are_refused_without_a_word_of_them() {
            let good = table("a", 1);
            let swap = |from: &str, to: &str| {
                assert!(good.contains(from));
                good.replacen(from, to, 1)
            };
            for (text, reason) in [
                (String::new(), "key"),
                ("key = []".to_owned(), "1 to 256 keys, found 0"),
                (good.repeat(2), "stands twice"),
                ((1..=257).map(|version| table("a", version)).collect(), "found 257"),
                (" ".repeat(300_000), "longer than"),
                (swap("version = 1", "version = 0"), "count from 1"),
                (swap("version = 1", "version = -1"), "invalid value"),
                (swap("aes-cmac", "rc4"), "algorithm is"),
                (swap("00112233", "0011223"), "64 hexadecimal"),
                (swap("00112233", "0011223g"), "64 hexadecimal"),
                (swap("00112233", "0011223é"), "64 hexadecimal"),
                (swap("secret = ", "secret = 5 #"), "invalid type: integer"),
                (swap("secret = \"", "secret = "), "line 6"),
                (swap("purpose = \"p\"", "purpose = \"\""), "a name has"),
                (swap("purpose", "porpoise"), "porpoise"),
            ] {
                let error = KeyRing::parse(&text).unwrap_err();
                assert!(error.to_string().contains(reason), "{error}");
                assert!(!format!("{error} {error:?}").contains("44556677"), "{error}");
            }
        }

        #[test]
        fn a_file_is_new_private_and_regular() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("keys.toml");
            ring().create(&path).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(ring().create(&path), Err(KeyFileError::Exists));
            assert_eq!(KeyRing::read(&path).unwrap().to_toml(), ring().to_toml());
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
            assert_eq!(KeyRing::read(&path).unwrap_err(), KeyFileError::File(ReadError::Mode { path: path.clone(), mode: 0o640 }));
            assert!(matches!(KeyRing::read(folder.path()), Err(KeyFileError::File(ReadError::NotAFile { .. }))));
            assert!(matches!(KeyRing::read(folder.path().join("none")), Err(KeyFileError::File(ReadError::Open { .. }))));
        }
    }
}
