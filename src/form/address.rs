//! Whether a cell is an address: levels from large to small, or a number and a street.

use super::words::WordIndex;

/// Levels of Chinese addresses from the largest to the smallest, and the words that end them.
const LEVELS: [&[&str]; 6] = [
    &["省", "自治区", "特别行政区"],
    &["市", "自治州", "地区", "盟"],
    &["区", "县", "旗"],
    &["镇", "乡", "街道", "苏木"],
    &["路", "街", "道", "巷", "弄", "胡同", "村", "屯", "里", "苑", "园", "小区", "大厦", "广场", "花园", "公寓", "新村"],
    &["号", "栋", "幢", "座", "单元", "室", "楼", "层", "组", "户"],
];

/// The level of houses and rooms, which have numbers.
const HOUSES: usize = LEVELS.len() - 1;

static WORDS: WordIndex<41> = WordIndex::of(&LEVELS);

/// Words of streets and houses in English.
const STREETS: [&str; 34] = [
    "street",
    "st",
    "road",
    "rd",
    "avenue",
    "ave",
    "av",
    "lane",
    "ln",
    "drive",
    "dr",
    "boulevard",
    "blvd",
    "court",
    "ct",
    "way",
    "place",
    "pl",
    "square",
    "sq",
    "terrace",
    "crescent",
    "close",
    "parkway",
    "pkwy",
    "highway",
    "hwy",
    "route",
    "trail",
    "circle",
    "apt",
    "suite",
    "box",
    "unit",
];

/// Whether the cell is an address: Han text in which at least two levels (省, 市, 区县, 乡镇街道, 路巷村小区, 号栋室) follow each
/// other from large to small, each with a name or a number before it; or a number and a street word in English. At most
/// 400 bytes.
#[must_use]
pub fn address(cell: &str) -> bool {
    if cell.len() < 6 || cell.len() > 400 {
        return false;
    }
    if cell.is_ascii() { is_english(cell.as_bytes()) } else { han_levels(cell).0 >= 2 && !has_sentence(cell) }
}

/// How many levels follow each other from large to small, and where the last one ends.
pub(crate) fn han_levels(cell: &str) -> (usize, usize) {
    let bytes = cell.as_bytes();
    let (mut levels, mut lowest, mut named, mut end) = (0, 0, 0, 0);
    let mut before = 0;
    let mut at = 0;
    while at < bytes.len() {
        let step = match bytes[at] {
            0x00..=0x7f => 1,
            0x80..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        // A word right behind another (`里小区`) belongs to it.
        let follows = levels > 0 && at == end;
        if step == 3 && (named > 0 || follows) {
            let may_be = |level: usize| level >= lowest && (level < HOUSES || is_numeral(&bytes[before..at]));
            if let Some((level, word)) = WORDS.at(&bytes[at..]).find(|(level, _)| may_be(*level)) {
                levels += usize::from(named > 0);
                // Streets lie in streets, and rooms in houses; larger levels come once.
                lowest = if level >= 4 { level } else { level + 1 };
                named = 0;
                at += word.len();
                end = at;
                continue;
            }
        }
        named += usize::from(bytes[at] >= 0xe0 || bytes[at].is_ascii_alphanumeric());
        before = at;
        at += step;
    }
    (levels, end)
}

/// Houses and rooms have numbers: a digit, a letter, a Chinese numeral.
fn is_numeral(character: &[u8]) -> bool {
    match character {
        [byte] => byte.is_ascii_alphanumeric(),
        _ => str::from_utf8(character).is_ok_and(|character| "一二三四五六七八九十甲乙丙丁东西南北".contains(character)),
    }
}

/// Full stops and the like are in sentences, not in addresses.
fn has_sentence(cell: &str) -> bool {
    // The first bytes of these, which hardly any address has.
    let may = |byte: u8| matches!(byte, b'!' | b'?' | 0xe3 | 0xef);
    cell.bytes().fold(false, |any, byte| any | may(byte)) && cell.contains(['。', '!', '?', '；', '！', '？'])
}

/// A number that stands alone or at the start of a word, and a street word.
fn is_english(cell: &[u8]) -> bool {
    let words = || cell.split(|byte| matches!(byte, b' ' | b',' | b'.' | b'#' | b'\n')).filter(|word| !word.is_empty());
    let street = |word: &[u8]| STREETS.iter().any(|street| street.as_bytes().eq_ignore_ascii_case(word));
    (3..=16).contains(&words().count()) && words().any(|word| word[0].is_ascii_digit()) && words().any(street) && words().all(is_plain)
}

/// Letters, digits, and what stands in names of streets.
fn is_plain(word: &[u8]) -> bool {
    word.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'\'' | b'-' | b'/' | b'&'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The index gives what a look at every word of every level gives, each in its turn.
        #[test]
        fn words_are_found_as_by_a_look_at_all(
            text in "[省自治区特别行政市州地盟县旗镇乡街道苏木路巷弄胡同村屯里苑园小大厦广场花公寓新号栋幢座单元室楼层组户中a]{0,5}",
            lowest in 0..LEVELS.len(),
            numbered: bool,
        ) {
            let levels = lowest..if numbered { LEVELS.len() } else { HOUSES };
            let longest = |level: usize| LEVELS[level].iter().filter(|word| text.starts_with(**word)).map(|word| word.len()).max();
            let expected = levels.into_iter().find_map(|level| Some((level, longest(level)?)));
            let may_be = |level: usize| level >= lowest && (level < HOUSES || numbered);
            let found = WORDS.at(text.as_bytes()).find(|(level, _)| may_be(*level)).map(|(level, word)| (level, word.len()));
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn addresses() {
        for valid in [
            "北京市朝阳区建国路88号",
            "广东省深圳市南山区科技园南路15号3栋502室",
            "浙江省杭州市西湖区",
            "上海浦东新区世纪大道100号",
            "内蒙古自治区锡林郭勒盟东乌珠穆沁旗",
            "四川省凉山彝族自治州西昌市长安东路3组",
            "幸福里小区3栋2单元501室",
            "221B Baker Street, London",
            "1600 Pennsylvania Ave NW, Washington, DC 20500",
            "Apt 5, 12 Elm Road",
        ] {
            assert!(address(valid), "{valid}");
        }
        for invalid in
            ["北京", "深圳市", "今天天气很好。我们去市区的路上", "Street", "the 3 musketeers", "王小明", "", "2024年2月29日", "市区"]
        {
            assert!(!address(invalid), "{invalid}");
        }
    }
}
