//! RFC 7468 text around DER, as OpenSSL writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::KeyError;

/// A PEM file of a key is 119 or 113 bytes; more than this is something else.
pub(super) const PEM_BYTES_MAX: usize = 4096;

pub(super) fn encode(kind: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(format!("-----BEGIN {kind}-----\n"));
    for at in (0..body.len()).step_by(64) {
        text.push_str(&body[at..body.len().min(at + 64)]);
        text.push('\n');
    }
    text.push_str(&format!("-----END {kind}-----\n"));
    text
}

/// The DER inside the only block, which must be of the kind `expected`.
pub(super) fn decode(text: &[u8], expected: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let wrong = || KeyError::Pem { expected };
    if text.len() > PEM_BYTES_MAX {
        return Err(wrong());
    }
    let text = std::str::from_utf8(text).map_err(|_| wrong())?;
    let body =
        text.trim().strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_prefix(expected)).and_then(|rest| rest.strip_prefix("-----"));
    let body = body
        .and_then(|rest| rest.strip_suffix("-----"))
        .and_then(|rest| rest.strip_suffix(expected))
        .and_then(|rest| rest.strip_suffix("-----END "));
    let body: Zeroizing<String> = Zeroizing::new(body.ok_or_else(wrong)?.chars().filter(|c| !matches!(c, '\r' | '\n')).collect());
    STANDARD.decode(body.as_bytes()).map(Zeroizing::new).map_err(|_| wrong())
}
