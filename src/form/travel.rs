//! Whether a cell is a number plate, a passport or a travel permit.

/// First characters of number plates: provinces, embassies, consulates.
const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领";

/// Last characters of plates with a purpose.
const PURPOSES: &str = "挂学警港澳使领";

/// Letters of new-energy plates (GA 36-2018): D A B C E are electric, F G H J K others.
const NEW_ENERGY: &[u8] = b"DABCEFGHJK";

/// Whether the cell is a number plate, with a dot or blank behind the second character or not.
#[must_use]
pub fn plate(cell: &str) -> bool {
    let mut chars = cell.chars();
    let (Some(province), Some(city)) = (chars.next(), chars.next()) else { return false };
    if !PROVINCES.contains(province) || !u8::try_from(city).is_ok_and(is_letter) {
        return false;
    }
    let rest = chars.as_str();
    let rest = rest.strip_prefix(['·', '•', '.', ' ', '-']).unwrap_or(rest);
    match rest.as_bytes() {
        // Small cars, then large ones.
        [kind, second, digits @ ..] if digits.len() == 4 && NEW_ENERGY.contains(kind) && all_digits(digits) => is_serial(*second),
        [digits @ .., kind] if digits.len() == 5 && all_digits(digits) => NEW_ENERGY.contains(kind),
        serial if serial.len() == 5 => serial.iter().all(|&byte| is_serial(byte)),
        // Four characters and one of three bytes.
        serial if serial.len() == 7 => {
            serial[..4].iter().all(|&byte| is_serial(byte)) && rest.chars().nth(4).is_some_and(|last| PURPOSES.contains(last))
        }
        _ => false,
    }
}

/// Whether the cell is the number of a passport of the People's Republic (E, G, EA to EZ; D, S, P), or of a permit to travel
/// between the mainland, Hong Kong, Macao (H, M, C, W).
#[must_use]
pub fn passport(cell: impl AsRef<[u8]>) -> bool {
    match cell.as_ref() {
        [b'E' | b'G', digits @ ..] if digits.len() == 8 && all_digits(digits) => true,
        [b'E', letter, digits @ ..] if digits.len() == 7 => is_letter(*letter) && all_digits(digits),
        [b'D' | b'S' | b'P', digits @ ..] => (7..=8).contains(&digits.len()) && all_digits(digits),
        [b'H' | b'M', digits @ ..] => matches!(digits.len(), 8 | 10) && all_digits(digits),
        [b'C' | b'W', digits @ ..] => digits.len() == 8 && all_digits(digits),
        _ => false,
    }
}

fn all_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

/// A capital other than I and O.
const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_uppercase() && byte != b'I' && byte != b'O'
}

const fn is_serial(byte: u8) -> bool {
    byte.is_ascii_digit() || is_letter(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plates() {
        for valid in [
            "京A12345",
            "沪B·88X88",
            "粤BD12345",
            "粤BF12345",
            "粤BK12345",
            "粤BDA1234",
            "粤B12345D",
            "粤B12345K",
            "京A1234警",
            "粤Z1234港",
            "使A12345",
            "川A 12345",
        ] {
            assert!(plate(valid), "{valid}");
        }
        for invalid in
            ["京I12345", "京A1234", "京A123456", "美A12345", "京A1234I", "粤B12345L", "粤BL12345", "京A12挂34", "京", "", "京A1234员"]
        {
            assert!(!plate(invalid), "{invalid}");
        }
    }

    #[test]
    fn travel_documents() {
        for valid in ["E12345678", "G12345678", "EA1234567", "EZ1234567", "D1234567", "H12345678", "M1234567890", "C12345678", "W12345678"]
        {
            assert!(passport(valid), "{valid}");
        }
        for invalid in ["E1234567", "EI1234567", "E123456789", "A12345678", "H123456789", "e12345678", "E12345678 ", ""] {
            assert!(!passport(invalid), "{invalid}");
        }
    }
}
