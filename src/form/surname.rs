//! Whether a cell can be the name of a person: a known surname and what may follow it.

/// Common surnames of one character: the old list of a hundred families and the frequent ones of today.
const SINGLE: &str = "\
王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦\
付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关\
兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项\
连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆\
乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈\
晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植\
衡富尧闭由益贡滑宓步耶岚桓郏璩仰邴松井巴弓牧隗山谷车侯羿储靳汲糜松巨庾暨能苍双劳逄姬扶堵阎郇郦璞濮蓟宰璩郗浑晏充慕茹习艾鱼向古慎戈廖庾终\
居步耿满弘匡寇广禄阙殴殳沃利蔚越夔隆巩厍聂晁敖融訾辛阚那简饶空曾沙乜养鞠须丰关蒯查后红游竺逯盖益仉督佴岳帅缑亢况有琴撒肇刑佀付代候笪肖\
";

/// Surnames of two characters.
const DOUBLE: &str = "\
欧阳司马上官诸葛夏侯东方皇甫尉迟公孙慕容令狐长孙宇文司徒司空端木轩辕百里呼延东郭南宫西门独孤南门淳于单于太叔申屠钟离闾丘濮阳公冶宗政\
拓跋赫连澹台公羊鲜于万俟闻人仲孙乐正漆雕壤驷公良夹谷巫马公西颛孙子车第五左丘东门梁丘羊舌微生呼衍纳兰叶赫那拉完颜哥舒仆固";

const FIRST: u32 = 0x4e00;
const LAST: u32 = 0x9fff;

/// One bit for each character of the block of Han characters.
pub(super) type Set = [u64; ((LAST - FIRST) as usize + 64) / 64];

static SINGLES: Set = set(SINGLE, 3);

/// First characters of surnames of two.
static DOUBLES: Set = set(DOUBLE, 6);

/// The characters that begin each so many bytes.
pub(super) const fn set(text: &str, step: usize) -> Set {
    let mut bits = [0; ((LAST - FIRST) as usize + 64) / 64];
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + 2 < bytes.len() {
        let index = code(bytes, at) - FIRST;
        bits[(index / 64) as usize] |= 1 << (index % 64);
        at += step;
    }
    bits
}

/// What a short text can be as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameForm {
    /// Two to four Han characters that begin with a known surname.
    Surname,
    /// Han characters with a middle dot, as names of minorities and of foreigners are written.
    Dotted,
    /// One to four Han characters without a known surname.
    Han,
    /// One to five words of Latin letters, the first with a capital.
    Latin,
}

/// Whether the cell can be the name of a person: a known surname and one or two given characters, Han characters with a
/// middle dot, or one to five words of Latin letters. A word can look like a name: a column is one by its header, or by
/// the share of surnames in it.
#[must_use]
pub fn name(cell: &str) -> bool {
    matches!(name_form(cell.as_bytes()), Some(NameForm::Surname | NameForm::Dotted | NameForm::Latin))
}

/// The form of a text of at most 64 bytes; none for others.
pub(crate) fn name_form(cell: &[u8]) -> Option<NameForm> {
    match cell {
        [0xe4..=0xe9, ..] => han_form(cell),
        [byte, ..] if byte.is_ascii_alphabetic() || *byte == 0xc3 => is_latin_name(cell).then_some(NameForm::Latin),
        _ => None,
    }
}

/// Whether a name may begin so: how many characters the surname has.
pub(crate) fn is_surname(han: &[u8]) -> Option<usize> {
    if han.len() >= 6 && is_in(&DOUBLES, code(han, 0)) && DOUBLE.as_bytes().chunks_exact(6).any(|double| double == &han[..6]) {
        return Some(2);
    }
    (han.len() >= 3 && is_han(han, 0) && is_in(&SINGLES, code(han, 0))).then_some(1)
}

fn han_form(cell: &[u8]) -> Option<NameForm> {
    let mut dots = 0;
    let mut at = 0;
    let mut after_dot = true;
    while at < cell.len() {
        match &cell[at..] {
            // The middle dot and its look-alikes.
            [0xc2, 0xb7, ..] if !after_dot => (at, after_dot, dots) = (at + 2, true, dots + 1),
            [0xe2, 0x80, 0xa2 | 0xa7, ..] | [0xe3, 0x83, 0xbb, ..] if !after_dot => (at, after_dot, dots) = (at + 3, true, dots + 1),
            [0xe4..=0xe9, _, _, ..] if is_han(cell, at) => (at, after_dot) = (at + 3, false),
            _ => return None,
        }
    }
    if dots > 0 {
        return (!after_dot && cell.len() <= 64).then_some(NameForm::Dotted);
    }
    match (cell.len() / 3, is_surname(cell)) {
        (2..=3, Some(1)) | (3..=4, Some(2)) => Some(NameForm::Surname),
        // Two surnames, that of the husband first.
        (4, Some(1)) if is_in(&SINGLES, code(cell, 3)) => Some(NameForm::Surname),
        (1..=4, _) => Some(NameForm::Han),
        _ => None,
    }
}

fn is_latin_name(cell: &[u8]) -> bool {
    let mut words = 0;
    for word in cell.split(|&byte| byte == b' ') {
        let letter = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'-' | b'.' | b',' | 0x80..=0xbf | 0xc3..=0xc5);
        if word.is_empty() || !word.iter().all(letter) {
            return false;
        }
        words += 1;
    }
    words <= 5 && cell.len() <= 64 && (cell[0].is_ascii_uppercase() || cell[0] == 0xc3)
}

/// Whether the set has the character.
pub(super) fn holds(set: &Set, character: char) -> bool {
    is_in(set, u32::from(character))
}

fn is_in(set: &Set, code: u32) -> bool {
    (FIRST..=LAST).contains(&code) && set[((code - FIRST) / 64) as usize] >> ((code - FIRST) % 64) & 1 == 1
}

/// Whether three bytes from here are a character of the block of Han characters.
fn is_han(bytes: &[u8], at: usize) -> bool {
    bytes.len() >= at + 3 && (FIRST..=LAST).contains(&code(bytes, at))
}

/// The character of three bytes of UTF-8.
const fn code(bytes: &[u8], at: usize) -> u32 {
    (bytes[at] as u32 & 0x0f) << 12 | (bytes[at + 1] as u32 & 0x3f) << 6 | bytes[at + 2] as u32 & 0x3f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for valid in [
            "王伟",
            "李小明",
            "欧阳锋",
            "上官婉儿",
            "司马相如",
            "买买提·艾力",
            "范徐丽泰",
            "John Smith",
            "O'Brien",
            "José García",
            "曾荫权",
            "单雄信",
        ] {
            assert!(name(valid), "{valid}");
        }
        for invalid in ["北京", "不详", "王", "王某某某某", "的人", "·王", "王·", "abc", "John2", "王1", "", "  "] {
            assert!(!name(invalid), "{invalid}");
        }
        assert_eq!(name_form("北京".as_bytes()), Some(NameForm::Han));
        assert_eq!(is_surname("欧阳".as_bytes()), Some(2));
        assert_eq!(is_surname("欧文".as_bytes()), Some(1));
    }

    #[test]
    fn the_lists_are_han_characters() {
        assert!(SINGLE.chars().all(|c| (FIRST..=LAST).contains(&u32::from(c))));
        assert_eq!(DOUBLE.chars().count() % 2, 0);
        let known: u32 = SINGLES.iter().map(|word| word.count_ones()).sum();
        assert!((400..800).contains(&known), "{known}");
    }
}
