//! The plain form of a cell, which all readers of values see.

/// A cell without blanks at its ends and with the full-width forms of ASCII characters (U+FF01 to U+FF5E, the ideographic
/// blank) as those: what all readers and recognisers of values read. `scratch` holds it where it is not a part of the cell.
#[inline]
pub(crate) fn plain<'a>(cell: &'a str, scratch: &'a mut String) -> &'a str {
    let is_wide = |&byte: &u8| matches!(byte, 0xef | 0xe3);
    if !cell.bytes().any(|byte| is_wide(&byte)) {
        return cell.trim();
    }
    scratch.clear();
    scratch.extend(cell.trim().chars().map(|character| match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        '\u{3000}' => ' ',
        other => other,
    }));
    scratch
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn blanks_at_the_ends_and_full_width_forms_go() {
        for (cell, expected) in [
            ("", ""),
            ("12", "12"),
            (" 12\t", "12"),
            ("　１２．５　", "12.5"),
            ("２０２４年３月　５日", "2024年3月 5日"),
            ("二〇二四年", "二〇二四年"),
            ("王 五", "王 五"),
            ("\u{a0}7\u{a0}", "7"),
        ] {
            assert_eq!(plain(cell, &mut String::from("before")), expected);
        }
    }
}
