//! Levels of Chinese addresses, and where each ends in a text.

/// How much stays of a Chinese address (地址): all parts down to this level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AddressLevel {
    /// 省, 自治区, 直辖市, 特别行政区.
    Province,
    /// 市, 自治州, 地区, 盟.
    City,
    /// 区, 县, 旗, 县级市.
    District,
    /// 街道, 镇, 乡, 苏木.
    Street,
}

/// Cities that are provinces.
const MUNICIPALITIES: [&str; 4] = ["北京市", "上海市", "天津市", "重庆市"];
/// What follows an end that is part of a longer name: 城市花园, 县府路, 市场街.
const GOES_ON: [&str; 8] = ["街", "路", "大街", "大道", "场", "花园", "府", "民"];
/// The longest name of a part: 双江拉祜族佤族布朗族傣族自治县 has 15 characters.
const NAME_MAX: usize = 16;

impl AddressLevel {
    /// All levels, the coarsest first.
    pub const ALL: [Self; 4] = [Self::Province, Self::City, Self::District, Self::Street];

    /// The word of policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::City => "city",
            Self::District => "district",
            Self::Street => "street",
        }
    }

    /// From the word of policies.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// The parts of an address down to this level; nothing when it does not begin with a part that is known by its end.
    ///
    /// A part is a name of Han characters with its end (朝阳区). What follows the last such part is cut, so an address
    /// without a district, cut to districts, ends with its city.
    #[must_use]
    pub fn cut(self, address: &str) -> Option<&str> {
        let mut kept = 0;
        let mut above = None;
        while let Some((len, level)) = part(&address[kept..], above) {
            if level > self {
                break;
            }
            kept += len;
            above = Some(level);
        }
        (kept > 0).then(|| &address[..kept])
    }
}

/// The part that an address begins with: how many bytes, and its level, which is below `above`.
fn part(address: &str, above: Option<AddressLevel>) -> Option<(usize, AddressLevel)> {
    let chars = address.char_indices().take(NAME_MAX);
    for (at, char) in chars {
        if !is_han(char) {
            return None;
        }
        let end = at + char.len_utf8();
        let name = &address[..end];
        let (ends, smaller) = ends(char);
        let Some((ending, level)) = ends.iter().find(|(ending, _)| name.ends_with(ending)) else { continue };
        // A name has at least one character before its end.
        let rest = &address[end..];
        let goes_on = GOES_ON.iter().any(|next| rest.starts_with(next)) || *ending == "旗" && rest.starts_with(['镇', '乡']);
        if name.len() == ending.len() || smaller.iter().any(|smaller| name.ends_with(smaller)) || goes_on {
            continue;
        }
        let level = match (*level, above) {
            (AddressLevel::City, None) if MUNICIPALITIES.contains(&name) => AddressLevel::Province,
            // A city in a city is one of the level of districts (昆山市).
            (AddressLevel::City, Some(AddressLevel::City)) => AddressLevel::District,
            (level, _) => level,
        };
        return (above.is_none_or(|above| level > above)).then_some((end, level));
    }
    None
}

/// What parts of an address end with whose last character is this, the longest first; and the ends of what is smaller than a
/// district although it ends like one.
const fn ends(last: char) -> (&'static [(&'static str, AddressLevel)], &'static [&'static str]) {
    use AddressLevel::{City, District, Province, Street};
    match last {
        '区' => (
            &[("特别行政区", Province), ("自治区", Province), ("地区", City), ("区", District)],
            &["小区", "社区", "园区", "校区", "厂区", "景区", "库区", "宿舍区", "生活区", "家属区", "住宅区"],
        ),
        '市' => (&[("市", City)], &["超市"]),
        '省' => (&[("省", Province)], &[]),
        '州' => (&[("自治州", City)], &[]),
        '盟' => (&[("盟", City)], &[]),
        '县' => (&[("自治县", District), ("县", District)], &[]),
        '旗' => (&[("自治旗", District), ("旗", District)], &[]),
        '道' => (&[("街道", Street)], &[]),
        '木' => (&[("苏木", Street)], &[]),
        '镇' => (&[("镇", Street)], &[]),
        '乡' => (&[("乡", Street)], &[]),
        _ => (&[], &[]),
    }
}

fn is_han(char: char) -> bool {
    matches!(char, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(address: &str) -> [Option<&str>; 4] {
        AddressLevel::ALL.map(|level| level.cut(address))
    }

    #[test]
    fn addresses_are_cut_at_their_levels() {
        for (address, parts) in [
            ("广东省深圳市南山区粤海街道科技路1号", &["广东省", "深圳市", "南山区", "粤海街道"][..]),
            ("江苏省苏州市昆山市玉山镇前进路2号", &["江苏省", "苏州市", "昆山市", "玉山镇"]),
            ("内蒙古自治区阿拉善盟额济纳旗", &["内蒙古自治区", "阿拉善盟", "额济纳旗"]),
            ("贵州省黔东南苗族侗族自治州凯里市", &["贵州省", "黔东南苗族侗族自治州", "凯里市"]),
            ("云南省临沧市双江拉祜族佤族布朗族傣族自治县勐勐镇", &["云南省", "临沧市", "双江拉祜族佤族布朗族傣族自治县", "勐勐镇"]),
            ("江苏省镇江市京口区", &["江苏省", "镇江市", "京口区"]),
            ("山东省济南市市中区大观园", &["山东省", "济南市", "市中区"]),
            ("黑龙江省大兴安岭地区呼玛县", &["黑龙江省", "大兴安岭地区", "呼玛县"]),
            ("吉林省长春市南关区红旗街道1号", &["吉林省", "长春市", "南关区", "红旗街道"]),
        ] {
            let mut expected = String::new();
            for (part, cut) in parts.iter().zip(cuts(address)) {
                expected.push_str(part);
                assert_eq!(cut, Some(expected.as_str()), "{address}");
            }
        }
        assert_eq!(cuts("北京市东城区景山前街4号"), [Some("北京市"), Some("北京市"), Some("北京市东城区"), Some("北京市东城区")]);
        assert_eq!(cuts("朝阳区建国路88号阳光小区"), [None, None, Some("朝阳区"), Some("朝阳区")]);
    }

    #[test]
    fn ends_stand_with_their_last_character_the_longest_first() {
        let all = ('\u{4e00}'..='\u{9fff}').map(|last| (last, ends(last)));
        let mut count = 0;
        for (last, (ends, smaller)) in all {
            count += ends.len() + smaller.len();
            assert!(ends.iter().map(|(end, _)| *end).chain(smaller.iter().copied()).all(|end| end.ends_with(last)));
            assert!(ends.is_sorted_by_key(|(end, _)| std::cmp::Reverse(end.len())));
        }
        assert_eq!(count, 16 + 12);
    }

    #[test]
    fn what_is_finer_never_stays() {
        for address in
            ["", "建国路88号阳光小区3栋201室", "12 Main Street, Springfield", "省", "阳光社区", "红旗大街5号", "城市花园3栋", "沃尔玛超市"]
        {
            assert_eq!(cuts(address), [None; 4], "{address}");
        }
        for address in ["上海市建国路88号阳光小区", "上海市88号浦东新区", "上海市红旗路一号"] {
            assert_eq!(cuts(address), [Some("上海市"); 4], "{address}");
        }
    }
}
