//! Manifests, signed and not, and the openings of their sources: what is read is written back byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usufruct::desensitise::{Manifest, SourceOpening};
use usufruct::envelope::{Artefact, Untrusted};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::from_payload(bytes) {
        assert_eq!(manifest.to_payload(), bytes);
    }
    if let Ok(manifest) = Untrusted::<Manifest>::decode(bytes)
        && let Ok(manifest) = manifest.claimed()
    {
        assert_eq!(Manifest::from_payload(&manifest.to_payload()).as_ref(), Ok(&manifest));
    }
    if let Ok(opening) = SourceOpening::decode(bytes) {
        assert_eq!(opening.encode(), bytes);
    }
});
