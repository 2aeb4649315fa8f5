//! Spaces that earlier versions made, as `tests/artefacts` keeps them: each test gets a copy of its own.

// Every includer uses another part.
#![allow(dead_code)]

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use usufruct::key::SigningKey;

/// Whole, a journal segment has this many bytes; kept are those before its last zeros.
const SEGMENT_BYTES: u64 = 16 << 20;
/// The folders of a space: git keeps no empty ones.
const FOLDERS: [&str; 6] = ["ledger", "snapshots", "openings", "requests", "answers", "cards"];

/// A copy of `tests/artefacts/space-0.1`, whose README says what is in it.
pub(crate) struct Kept {
    folder: tempfile::TempDir,
}

impl Kept {
    /// Copies everything, private files 0600 and folders 0700, and pads what was cut.
    pub(crate) fn rebuild() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/artefacts/space-0.1");
        copy(&kept, &folder.path().join("kept"));
        let kept = Self { folder };
        for space in [kept.space(), kept.test_space()] {
            FOLDERS.iter().map(|name| space.join(name)).filter(|path| !path.exists()).for_each(|path| make(&path));
        }
        kept
    }

    /// The space of a real gate.
    pub(crate) fn space(&self) -> PathBuf {
        self.path("space")
    }

    /// The space of a test gate.
    pub(crate) fn test_space(&self) -> PathBuf {
        self.path("test-space")
    }

    /// A file that was not in the spaces: a key, a request, a receipt.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.path("outside").join(name)
    }

    /// Its bytes.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.outside(name)).unwrap()
    }

    /// A private key: of the owner, the holder or the other holder.
    pub(crate) fn key(&self, name: &str) -> SigningKey {
        SigningKey::open(self.outside(&format!("{name}.key"))).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("kept").join(name)
    }
}

fn make(folder: &Path) {
    fs::DirBuilder::new().mode(0o700).create(folder).unwrap();
}

fn copy(from: &Path, to: &Path) {
    make(to);
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
            continue;
        }
        let is_cut = path.extension().is_some_and(|extension| extension == "cut");
        let target = if is_cut { target.with_extension("") } else { target };
        let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(&target).unwrap();
        std::io::Write::write_all(&mut file, &fs::read(&path).unwrap()).unwrap();
        if is_cut {
            file.set_len(SEGMENT_BYTES).unwrap();
        }
    }
}
