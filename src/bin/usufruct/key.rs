//! The verbs `key new` and `key public`: keys to sign and keys to desensitise with.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use usufruct::desensitise::{KEY_ID_DEFAULT, KeyRing, PrfAlgorithm};
use usufruct::file::{Output, OutputOptions};
use usufruct::id::Name;
use usufruct::key::{PublicKey, Signer as _, SigningKey};
use usufruct::random::SystemRandom;

use crate::failure::{Failure, OrFail};
use crate::{file, output};

/// A PEM file of a key is much shorter.
const PEM_BYTES_MAX: usize = 4096;

/// Make keys and show their public halves
#[derive(Subcommand)]
pub(crate) enum Key {
    New(New),
    Public(Public),
}

/// Make a new key (mode 0600): Ed25519 to sign (PKCS#8 PEM), or one to desensitise with (TOML); a file that exists is never replaced
#[derive(Args)]
#[command(after_help = "Example:\n  usufruct key new -o owner.key\n\nKeys of `openssl genpkey -algorithm ed25519` work as well.")]
pub(crate) struct New {
    /// What the key is for: sign (Ed25519), or desensitise (pseudonyms, date shifts, permutations)
    #[arg(long, default_value = "sign", value_name = "KIND")]
    kind: String,
    /// Of a key for desensitisation: the name that policies give it
    #[arg(long, default_value = KEY_ID_DEFAULT, value_name = "NAME")]
    id: String,
    /// Of a key for desensitisation: what for or for whom; other purposes give other pseudonyms
    #[arg(long, default_value = "general", value_name = "TEXT")]
    purpose: String,
    /// Of a key for desensitisation: hmac-sha256, or aes-cmac, which is several times as fast
    #[arg(long, default_value = "hmac-sha256", value_name = "NAME")]
    algorithm: String,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// Print the public half of a key, which may be given to anyone
#[derive(Args)]
#[command(after_help = "Example:\n  usufruct key public owner.key -o owner.pub")]
pub(crate) struct Public {
    /// Private key
    file: PathBuf,
    /// File to write instead of stdout
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    id: String,
    key: Option<&'a Path>,
    public: String,
}

impl Key {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        match self {
            Self::New(verb) => verb.run(json),
            Self::Public(verb) => verb.run(json),
        }
    }
}

impl New {
    fn run(self, json: bool) -> Result<(), Failure> {
        match self.kind.as_str() {
            "sign" => {}
            "desensitise" => return self.desensitise(json),
            _ => return Err(Failure::input("--kind: expected sign or desensitise")),
        }
        let key = SigningKey::generate(&mut SystemRandom::new().or_fail()?);
        key.create(&self.out).about(&self.out)?;
        let told = Told { id: key.public().id().to_string(), key: Some(&self.out), public: key.public().to_pem() };
        if json {
            return output::print_json(&told);
        }
        output::print(&format!("key {} written to {}\n", told.id, output::escaped(&self.out.display().to_string())))
    }
}

impl New {
    /// A key ring of one key, in TOML, so that keys can be put into one file by hand.
    fn desensitise(&self, json: bool) -> Result<(), Failure> {
        let name = |flag: &str, text: &str| Name::new(text).map_err(|error| Failure::input(format_args!("--{flag}: {error}")));
        let (id, purpose) = (name("id", &self.id)?, name("purpose", &self.purpose)?);
        let algorithm = PrfAlgorithm::parse(&self.algorithm).ok_or_else(|| {
            Failure::input(format_args!("--algorithm: `{}` is not known, expected hmac-sha256 or aes-cmac", self.algorithm))
        })?;
        let ring = KeyRing::generate(&mut SystemRandom::new().or_fail()?, id, algorithm, purpose);
        ring.create(&self.out).about(&self.out)?;
        if json {
            #[derive(Serialize)]
            struct Told<'a> {
                id: &'a str,
                key: &'a Path,
                algorithm: &'a str,
                purpose: &'a str,
            }
            return output::print_json(&Told { id: &self.id, key: &self.out, algorithm: algorithm.as_str(), purpose: &self.purpose });
        }
        output::print(&output::lines(&[&format!("key {} written to {}", self.id, self.out.display())]))
    }
}

impl Public {
    fn run(self, json: bool) -> Result<(), Failure> {
        let key = SigningKey::open(&self.file).about(&self.file)?;
        let public = key.public().to_pem();
        if let Some(path) = &self.out {
            let output = Output::create(path, OutputOptions { force: self.force, private: false }).or_fail()?;
            file::finish(output, public.as_bytes())?;
        }
        if json {
            return output::print_json(&Told { id: key.public().id().to_string(), key: self.out.as_deref(), public });
        }
        if let Some(path) = &self.out {
            return output::print(&format!(
                "public key {} written to {}\n",
                key.public().id(),
                output::escaped(&path.display().to_string())
            ));
        }
        output::print(&public)
    }
}

/// Reads a public key that the user names.
pub(crate) fn public(path: &Path) -> Result<PublicKey, Failure> {
    PublicKey::from_pem(&file::read(path, PEM_BYTES_MAX)?)
        .about(path)
        .map_err(|failure| failure.hint("`usufruct key public FILE` prints the public half of a private key"))
}
