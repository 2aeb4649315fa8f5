//! Signing keys, and the trait by which an HSM or a KMS signs in their place.

use std::fmt;

use ring::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use super::{KeyError, PublicKey, pem};
use crate::random::Random;

/// Something that signs: a key in memory, an HSM, a KMS.
pub trait Signer: Send + Sync {
    /// The public key that verifies what it signs.
    fn public(&self) -> &PublicKey;

    /// Signs `message` (the whole message, not a digest).
    ///
    /// # Errors
    /// `Signer` when the device refuses or fails.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError>;
}

/// An Ed25519 key in memory. Not `Clone`, not serialisable, redacted in `Debug`.
///
/// ```compile_fail,E0277
/// fn copies<T: Clone>() {}
/// copies::<usufruct::key::SigningKey>();
/// ```
pub struct SigningKey {
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// PKCS#8 version 1 of RFC 8410 up to the 32 bytes of the seed: what OpenSSL writes.
const V1_PREFIX: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// Where the seed stands in PKCS#8 version 2 (RFC 5958), whose lengths differ by the public key at the end.
const SEED_AT: std::ops::Range<usize> = 16..48;
const PEM_KIND: &str = "PRIVATE KEY";

impl SigningKey {
    /// A new key.
    ///
    /// # Panics
    /// Never: every 32 bytes are a seed.
    #[must_use]
    pub fn generate(random: &mut dyn Random) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(seed.as_mut_slice());
        Self::from_seed(seed)
    }

    /// Reads a `PRIVATE KEY` PEM text: PKCS#8 version 1 or 2.
    ///
    /// # Errors
    /// Not such a text, another algorithm, or a public part that does not belong to the private one.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        const WRONG: KeyError = KeyError::Structure { expected: "PKCS#8 version 1 or 2, RFC 8410" };
        let der = pem::decode(text, PEM_KIND)?;
        let seed = match der.strip_prefix(&V1_PREFIX) {
            Some(seed) => seed,
            // ring checks the structure of version 2 and that the two halves belong together.
            None => Ed25519KeyPair::from_pkcs8(&der).ok().and(der.get(SEED_AT)).ok_or(WRONG)?,
        };
        let mut owned = Zeroizing::new([0; 32]);
        if seed.len() != owned.len() {
            return Err(WRONG);
        }
        owned.copy_from_slice(seed);
        Ok(Self::from_seed(owned))
    }

    /// The PEM text of PKCS#8 version 1.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let der = Zeroizing::new([&V1_PREFIX[..], self.seed.as_slice()].concat());
        pem::encode(PEM_KIND, &der)
    }

    fn from_seed(seed: Zeroizing<[u8; 32]>) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).expect("32 bytes are a seed");
        let mut bytes = [0; 32];
        bytes.copy_from_slice(pair.public_key().as_ref());
        Self { seed, pair, public: PublicKey::trusted(bytes) }
    }
}

impl Signer for SigningKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        self.pair.sign(message).as_ref().try_into().map_err(|_| KeyError::Signer)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, secret)", self.public.id())
    }
}

#[cfg(feature = "embedded")]
mod file {
    use std::path::Path;

    use super::super::pem::PEM_BYTES_MAX;
    use super::{KeyError, SigningKey};
    use crate::file::{self, OutputError, OutputOptions};

    impl SigningKey {
        /// Opens a key file, once: it must be a regular file that nobody else may read.
        ///
        /// # Errors
        /// The file cannot be read, is not private, or is no key.
        pub fn open(path: impl AsRef<Path>) -> Result<Self, KeyError> {
            Self::from_pem(&file::read_private(path, PEM_BYTES_MAX)?)
        }

        /// Writes a new key file of mode 0600 and makes it durable; never overwrites.
        ///
        /// # Errors
        /// The file exists or cannot be written.
        pub fn create(&self, path: impl AsRef<Path>) -> Result<(), KeyError> {
            let private = OutputOptions { force: false, private: true };
            file::write(path, self.to_pem().as_bytes(), private).map_err(|error| match error {
                OutputError::TargetExists { .. } => KeyError::Exists,
                error => KeyError::Output(error),
            })
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::RecordedRandom;

    /// RFC 8032 section 7.1, TEST 2, as `openssl` would write the key.
    const RFC_8032_SEED: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";

    #[test]
    fn signs_as_rfc_8032_says() {
        let seed = *RFC_8032_SEED.parse::<crate::id::Digest>().unwrap().as_bytes();
        let key = SigningKey::from_seed(Zeroizing::new(seed));
        assert_eq!(key.public().as_bytes()[..4], [0x3d, 0x40, 0x17, 0xc3]);
        let signature = key.sign(&[0x72]).unwrap();
        assert_eq!(signature[..4], [0x92, 0xa0, 0x09, 0xa9]);
        assert!(key.public().verifies(&[0x72], &signature));
        assert!(!key.public().verifies(&[0x73], &signature));
        assert!(!key.public().verifies(&[0x72], &signature[..63]));
    }

    #[test]
    fn pem_goes_both_ways_and_version_two_is_read() {
        let key = SigningKey::generate(&mut RecordedRandom::from_seed("pem"));
        let again = SigningKey::from_pem(key.to_pem().as_bytes()).unwrap();
        assert_eq!(again.public(), key.public());
        let public = PublicKey::from_pem(key.public().to_pem().as_bytes()).unwrap();
        assert_eq!(&public, key.public());

        let version_two = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
        let text = pem::encode(PEM_KIND, version_two.as_ref());
        assert!(SigningKey::from_pem(text.as_bytes()).is_ok());
        let mut wrong_half = version_two.as_ref().to_vec();
        *wrong_half.last_mut().unwrap() ^= 1;
        assert!(SigningKey::from_pem(pem::encode(PEM_KIND, &wrong_half).as_bytes()).is_err());
    }

    #[test]
    fn other_texts_are_refused_and_nothing_shows_the_secret() {
        let key = SigningKey::generate(&mut RecordedRandom::from_seed("debug"));
        let pem = key.to_pem();
        assert!(!format!("{key:?}").contains(&pem[30..60]));
        for wrong in
            ["", "-----BEGIN PRIVATE KEY-----", &pem[1..], &pem.replace("PRIVATE", "PUBLIC"), &pem.replace('\n', "\n!"), &"x".repeat(5000)]
        {
            assert!(SigningKey::from_pem(wrong.as_bytes()).is_err());
        }
    }
}
