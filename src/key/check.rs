//! The check of an Ed25519 public key before it is trusted with anything.

use curve25519_dalek::Scalar;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};

/// Whether an Ed25519 public key is canonical, of large order and torsion-free.
///
/// `ring` verifies with such keys too, but a small-order key verifies one signature for many messages, which
/// would let a holder deny a request.
pub(super) fn is_sound(bytes: &[u8; 32]) -> bool {
    let point = CompressedEdwardsY(*bytes).decompress().filter(|_| is_canonical(bytes));
    point.is_some_and(|point| !point.is_small_order() && is_torsion_free(&point))
}

/// Whether y < p = 2^255 - 19. The other encodings that are not canonical, of x = 0 with its sign set, are of small order.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    bytes[0] < 0xed || bytes[31] & 0x7f < 0x7f || bytes[1..31].iter().any(|byte| *byte < 0xff)
}

/// Whether l P = 0 for the order l of the base point, as (l - 1) P = -P: every right brings a key to check, a public key
/// needs no constant time, and in variable time it takes two thirds.
fn is_torsion_free(point: &EdwardsPoint) -> bool {
    EdwardsPoint::vartime_double_scalar_mul_basepoint(&-Scalar::ONE, point, &Scalar::ZERO) == -point
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{KeyError, PublicKey};

    fn hex(text: &str) -> [u8; 32] {
        text.parse::<crate::id::Digest>().unwrap().as_bytes().to_owned()
    }

    /// The public keys of ed25519-speccheck cases 0 to 5, and non-canonical encodings of good or trivial points.
    #[test]
    fn keys_of_speccheck_and_non_canonical_keys_are_refused() {
        for (name, text) in [
            ("cases 0 and 1: small order", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
            ("case 2: mixed order", "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"),
            ("cases 3 to 5: mixed order", "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"),
            ("identity", "0100000000000000000000000000000000000000000000000000000000000000"),
            ("identity with the sign bit", "0100000000000000000000000000000000000000000000000000000000000080"),
            ("y = p, that is 0", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            ("y = p + 1, that is 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            ("not on the curve", "0200000000000000000000000000000000000000000000000000000000000000"),
            ("all ones", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
        ] {
            assert!(matches!(PublicKey::from_bytes(hex(text)), Err(KeyError::Weak)), "{name}");
        }
    }

    /// RFC 8032 section 7.1.
    #[test]
    fn keys_of_rfc_8032_are_accepted() {
        for text in [
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        ] {
            assert!(PublicKey::from_bytes(hex(text)).is_ok(), "{text}");
        }
    }
}
