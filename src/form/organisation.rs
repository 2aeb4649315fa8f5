//! Whether a cell is the code of an organisation (统一社会信用代码, 组织机构代码), by its check characters.

use super::digit;

/// Not of the alphabet.
const NONE: u8 = 255;

/// Values of the alphabet of GB 32100: digits and capitals without I, O, S, V, Z.
const USCC: [u8; 256] = values(b"0123456789ABCDEFGHJKLMNPQRTUWXY");

/// Values of GB 11714: digits and all capitals.
const ORGANISATION: [u8; 256] = values(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

/// Registering departments, digits and letters.
const DEPARTMENTS: &[u8] = b"123456789ANY";

/// Whether the cell is a unified social credit code: department, region in digits, and both check characters, that of
/// the organisation code in it and its own.
#[must_use]
pub fn uscc(cell: impl AsRef<[u8]>) -> bool {
    const WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    let Ok(cell) = <&[u8; 18]>::try_from(cell.as_ref()) else { return false };
    if !DEPARTMENTS.contains(&cell[0]) || !cell[2..8].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let mut sum = 0;
    for (&byte, weight) in cell.iter().zip(WEIGHTS) {
        let value = USCC[byte as usize];
        if value == NONE {
            return false;
        }
        sum += weight * u32::from(value);
    }
    u32::from(USCC[cell[17] as usize]) == (31 - sum % 31) % 31 && organisation_body(&cell[8..16]) == Some(cell[16])
}

/// Whether the cell is an organisation code (组织机构代码): 8 characters, a dash or none, the check character.
#[must_use]
pub fn organisation_code(cell: impl AsRef<[u8]>) -> bool {
    match cell.as_ref() {
        [body @ .., b'-', check] | [body @ .., check] if body.len() == 8 => organisation_body(body) == Some(*check),
        _ => false,
    }
}

/// The check character of the 8 characters before it.
fn organisation_body(body: &[u8]) -> Option<u8> {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let mut sum = 0;
    for (&byte, weight) in body.iter().zip(WEIGHTS) {
        let value = ORGANISATION[byte as usize];
        if value == NONE {
            return None;
        }
        sum += weight * u32::from(value);
    }
    // 11 - sum mod 11, where ten is X and eleven is 0.
    Some(b"0X987654321"[(sum % 11) as usize])
}

const fn values(alphabet: &[u8]) -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut at = 0_u8;
    while (at as usize) < alphabet.len() {
        values[alphabet[at as usize] as usize] = at;
        at += 1;
    }
    // Digits are their own values; said once, for the reader.
    assert!(values[b'9' as usize] == digit(b'9'));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_codes() {
        for valid in ["91110000600037341L", "121200004013590816", "91310115MA1K3BTP2B", "91340600MA2PBM9HXD"] {
            assert!(uscc(valid), "{valid}");
            assert!(organisation_code(&valid[8..17]), "{valid}");
            assert!(organisation_code(format!("{}-{}", &valid[8..16], &valid[16..17])), "{valid}");
        }
        for (invalid, why) in [
            ("91110000600037341N", "check"),
            ("9111000060003IOZSV", "alphabet"),
            ("91110000600037351L", "organisation code"),
            ("B1110000600037341L", "department"),
            ("91110000600037341", "17 characters"),
            ("91A10000600037341L", "region"),
            ("", "nothing"),
        ] {
            assert!(!uscc(invalid), "{why}");
        }
    }

    #[test]
    fn departments_may_be_letters() {
        // The same organisation code under every department, with the check character computed by search.
        for department in ["A1", "N1", "Y1", "81"] {
            let body = format!("{department}110000600037341");
            assert_eq!("0123456789ABCDEFGHJKLMNPQRTUWXY".chars().filter(|check| uscc(format!("{body}{check}"))).count(), 1);
        }
    }
}
