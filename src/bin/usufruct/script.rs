//! Names that mix scripts whose letters look alike (rule L4; UTS 39, "highly restrictive").

/// The scripts whose letters are taken for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Cherokee,
}

impl Script {
    const fn name(self) -> &'static str {
        match self {
            Self::Latin => "Latin",
            Self::Greek => "Greek",
            Self::Cyrillic => "Cyrillic",
            Self::Armenian => "Armenian",
            Self::Cherokee => "Cherokee",
        }
    }

    fn of(c: char) -> Option<Self> {
        let code = u32::from(c);
        Some(match code {
            _ if !c.is_alphabetic() => return None,
            0x41..=0x24f | 0x1e00..=0x1eff | 0x2c60..=0x2c7f | 0xa720..=0xa7ff | 0xff21..=0xff5a => Self::Latin,
            0x370..=0x3ff | 0x1f00..=0x1fff => Self::Greek,
            0x400..=0x52f | 0x1c80..=0x1c8f | 0x2de0..=0x2dff | 0xa640..=0xa69f => Self::Cyrillic,
            0x530..=0x58f => Self::Armenian,
            0x13a0..=0x13ff | 0xab70..=0xabbf => Self::Cherokee,
            _ => return None,
        })
    }
}

/// The name, with a warning behind it when it mixes such scripts.
pub(crate) fn flagged(name: &str) -> String {
    let mut scripts: Vec<Script> = Vec::new();
    for script in name.chars().filter_map(Script::of) {
        if !scripts.contains(&script) {
            scripts.push(script);
        }
    }
    if scripts.len() < 2 {
        return name.to_owned();
    }
    let names: Vec<_> = scripts.into_iter().map(Script::name).collect();
    format!("{name} (mixed scripts: {}; letters may not be what they look like)", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::flagged;

    #[test]
    fn look_alikes_are_flagged_and_other_names_are_not() {
        for plain in ["age", "marital-status", "возраст", "年龄 age", "naïve", "ΑΒΓ", "1+1"] {
            assert_eq!(flagged(plain), plain);
        }
        for mixed in ["аge", "pοpulation", "сount"] {
            assert!(flagged(mixed).contains("mixed scripts"), "{mixed}");
        }
    }
}
