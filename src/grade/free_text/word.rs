//! Names, addresses, plates and travel documents inside texts, by the words that announce them.

use super::super::{Kind, check};
use super::name;
use crate::form::WordIndex;

/// Words that announce the name of a person.
const NAME_WORDS: [&str; 24] = [
    "姓名",
    "联系人",
    "收件人",
    "收货人",
    "寄件人",
    "患者",
    "户主",
    "法定代表人",
    "法人",
    "经办人",
    "负责人",
    "申请人",
    "投诉人",
    "举报人",
    "当事人",
    "被告人",
    "原告",
    "业主",
    "车主",
    "借款人",
    "持卡人",
    "监护人",
    "我叫",
    "名叫",
];

/// Words that announce an address.
const ADDRESS_WORDS: [&str; 12] =
    ["地址", "住址", "住在", "家住", "现住", "居住于", "户籍地", "户籍所在地", "寄往", "寄到", "送到", "位于"];

/// Provinces and municipalities, with which addresses begin.
const REGIONS: [&str; 38] = [
    "北京市",
    "上海市",
    "天津市",
    "重庆市",
    "河北省",
    "山西省",
    "辽宁省",
    "吉林省",
    "黑龙江省",
    "江苏省",
    "浙江省",
    "安徽省",
    "福建省",
    "江西省",
    "山东省",
    "河南省",
    "湖北省",
    "湖南省",
    "广东省",
    "海南省",
    "四川省",
    "贵州省",
    "云南省",
    "陕西省",
    "甘肃省",
    "青海省",
    "台湾省",
    "内蒙古",
    "广西壮族",
    "西藏自治",
    "宁夏回族",
    "新疆维吾尔",
    "香港特别",
    "澳门特别",
    "广州市",
    "深圳市",
    "杭州市",
    "成都市",
];

/// Words behind a name that are no part of it.
const BEHIND_NAMES: [&str; 38] = [
    "电话", "手机", "联系", "身份", "证件", "住址", "住在", "家住", "地址", "邮箱", "性别", "男", "女", "先生", "小姐", "同志", "今年",
    "出生", "生于", "于", "在", "的", "与", "和", "是", "已", "因", "说", "称", "卡号", "银行", "账号", "微信", "户籍", "年龄", "订单",
    "本人", "来电",
];

/// Characters with which plates begin.
const PLATES: [&str; 33] = [
    "京", "津", "沪", "渝", "冀", "豫", "云", "辽", "黑", "湘", "皖", "鲁", "新", "苏", "浙", "赣", "鄂", "桂", "甘", "晋", "蒙", "陕",
    "吉", "闽", "贵", "粤", "青", "藏", "川", "宁", "琼", "使", "领",
];

/// All at which anything can begin.
static WORDS: WordIndex<107> = WordIndex::of(&[&PLATES, &REGIONS, &ADDRESS_WORDS, &NAME_WORDS]);

/// What a Han character here begins or announces: the kind, where it begins, where it ends.
pub(super) fn at(text: &str, at: usize) -> Option<(Kind, usize, usize)> {
    let bytes = &text.as_bytes()[at..];
    if !WORDS.has_first(bytes) {
        return None;
    }
    let rest = &text[at..];
    if let Some(end) = plate_end(rest) {
        return Some((Kind::Plate, at, at + end));
    }
    let (list, word) = WORDS.at(bytes).find(|(list, _)| *list > 0)?;
    if list == 1 {
        return address_end(rest, 3).map(|end| (Kind::Address, at, at + end));
    }
    let from = at + word.len() + announcing(&rest[word.len()..]);
    if list == 2 {
        return address_end(&text[from..], 2).map(|end| (Kind::Address, from, from + end));
    }
    name_end(&text[from..]).map(|end| (Kind::Name, from, from + end))
}

/// Bytes of punctuation and filling words behind a word that announces.
fn announcing(rest: &str) -> usize {
    rest.len() - rest.trim_start_matches([' ', ':', '：', '为', '是', '"', '“', '(', '（', '\t']).len()
}

fn plate_end(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    if !bytes.get(3).is_some_and(u8::is_ascii_uppercase) {
        return None;
    }
    let ends = rest.char_indices().skip(7).take(3).map(|(at, _)| at);
    let ends = ends.chain((rest.chars().take(10).count() <= 9).then_some(rest.len()));
    let free = |end: usize| !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    ends.filter(|&end| free(end) && check::plate(&rest[..end])).last()
}

/// An address of at least so many levels, up to the last of them.
fn address_end(rest: &str, levels_min: usize) -> Option<usize> {
    let (levels, end) = check::han_levels(unbroken(rest));
    // Behind `3单元` the number of the room may stand alone.
    let room = rest[end..].bytes().take_while(u8::is_ascii_digit).count();
    (levels >= levels_min).then_some(if room <= 5 { end + room } else { end })
}

/// What stands before a break; no address has more characters, and what stands behind does not count.
fn unbroken(rest: &str) -> &str {
    let mut end = 0;
    for _ in 0..60 {
        end += match rest.as_bytes().get(end) {
            None => break,
            // Han, which most are: no character from U+4000 to U+9FFF breaks.
            Some(0xe4..=0xe9) => 3,
            Some(_) => match rest[end..].chars().next() {
                Some(character) if !is_break(character) => character.len_utf8(),
                _ => break,
            },
        };
    }
    &rest[..end]
}

fn is_break(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, ',' | '，' | '。' | ';' | '；' | '、' | ':' | '：' | '!' | '！' | '?' | '？' | '"' | '“' | '”')
}

/// A surname and one or two characters, or characters with a middle dot.
fn name_end(rest: &str) -> Option<usize> {
    dotted_name_end(rest).or_else(|| name::announced_end(rest))
}

/// Up to 20 characters with a middle dot among them.
fn dotted_name_end(rest: &str) -> Option<usize> {
    let is_part = |character: char| character == '·' || is_han(character);
    let ends = |at: usize| BEHIND_NAMES.iter().any(|word| rest[at..].starts_with(word));
    let characters = rest.char_indices().take(20).take_while(|&(at, character)| is_part(character) && !ends(at));
    let end = characters.map(|(at, character)| at + character.len_utf8()).last()?;
    (rest[..end].contains('·') && check::name(&rest[..end])).then_some(end)
}

fn is_han(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}
