//! The secret of a lineage under which units and rows have their ids and ranks.

use std::fmt;

use ring::hmac;
use zeroize::Zeroizing;

use crate::id::Salt;
use crate::label::Label;
use crate::random::Random;

/// The secret of a lineage under which units and rows have their ids and ranks (rule D2): drawn at the first publish,
/// never changed. Redacted in `Debug`, not `Clone`; what ring keeps of it inside is not wiped.
pub struct RowKey {
    bytes: Zeroizing<[u8; 32]>,
    mac: hmac::Key,
}

impl RowKey {
    /// A new key.
    #[must_use]
    pub fn generate(random: &mut dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut_slice());
        Self::of(bytes)
    }

    /// That of a lineage whose first snapshot has this salt: HMAC-SHA256(salt, label). So the commitment to that
    /// snapshot binds the key too, and it cannot be exchanged later.
    #[must_use]
    pub fn of_first_snapshot(salt: &Salt) -> Self {
        let salted = Self::from_bytes(salt.as_bytes());
        Self::of(Zeroizing::new(salted.prf(Label::ROW_KEY, &[])))
    }

    /// From its bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self::of(Zeroizing::new(*bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// HMAC-SHA256 of `label || 0 || parts`: a pseudorandom function for each label. The caller's parts must be
    /// told apart by their form.
    #[must_use]
    pub fn prf(&self, label: Label, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.mac);
        context.update(label.as_bytes());
        context.update(&[0]);
        parts.iter().for_each(|part| context.update(part));
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }

    /// The first 16 bytes of [`RowKey::prf`].
    pub(super) fn short(&self, label: Label, parts: &[&[u8]]) -> [u8; 16] {
        let mut out = [0; 16];
        out.copy_from_slice(&self.prf(label, parts)[..16]);
        out
    }

    fn of(bytes: Zeroizing<[u8; 32]>) -> Self {
        let mac = hmac::Key::new(hmac::HMAC_SHA256, bytes.as_slice());
        Self { bytes, mac }
    }
}

impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_separate_and_debug_is_redacted() {
        let key = RowKey::from_bytes(&[0x5a; 32]);
        assert_ne!(key.prf(Label::UNIT, &[b"a"]), key.prf(Label::ROW, &[b"a"]));
        assert_eq!(key.prf(Label::UNIT, &[b"a", b"b"]), key.prf(Label::UNIT, &[b"ab"]));
        assert_eq!(format!("{key:?}{key:#?}"), "RowKey(..)RowKey(..)");
    }
}
