//! Cells of every kind, made up from a seed. Check digits are computed here and not by the crate.

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn of_list<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }

    /// A character of a text of words without blanks.
    fn character(&mut self, text: &str) -> char {
        let list: Vec<char> = text.chars().collect();
        self.of_list(&list)
    }

    pub(crate) fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + u8::try_from(self.below(10)).unwrap())).collect()
    }
}

const REGIONS: [&str; 20] = [
    "110101", "120103", "130102", "140105", "150102", "210102", "220103", "230103", "310115", "320104", "330106", "340104", "350203",
    "360426", "370202", "410105", "420106", "440103", "510107", "610113",
];

pub(crate) fn day(draws: &mut Draws, first_year: u64, years: u64) -> (u64, u64, u64) {
    (first_year + draws.below(years), 1 + draws.below(12), 1 + draws.below(28))
}

pub(crate) fn resident_id(draws: &mut Draws) -> String {
    let (year, month, day) = day(draws, 1935, 85);
    let body = format!("{}{year:04}{month:02}{day:02}{}", draws.of_list(&REGIONS), draws.digits(3));
    // ISO 7064, MOD 11-2, from its definition: (a + 12 * check ...) reduced step by step.
    let remainder = body.bytes().fold(0_u32, |sum, byte| (sum + u32::from(byte - b'0')) * 2 % 11);
    let check = (12 - remainder) % 11;
    format!("{body}{}", if check == 10 { "X".to_owned() } else { check.to_string() })
}

pub(crate) fn old_resident_id(draws: &mut Draws) -> String {
    let (year, month, day) = day(draws, 30, 60);
    format!("{}{year:02}{month:02}{day:02}{}", draws.of_list(&REGIONS), draws.digits(3))
}

fn luhn(mut body: String) -> String {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            if at % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    body.push_str(&((10 - sum % 10) % 10).to_string());
    body
}

pub(crate) fn bank_card(draws: &mut Draws) -> String {
    let (bin, length) = draws.of_list(&[
        ("622202", 19_usize),
        ("621700", 19),
        ("622848", 19),
        ("625955", 16),
        ("601382", 19),
        ("436742", 16),
        ("552599", 16),
        ("356833", 16),
        ("622588", 16),
        ("955880", 19),
        ("621226", 18),
        ("620058", 17),
    ]);
    let body = format!("{bin}{}", draws.digits(length - 1 - bin.len()));
    luhn(body)
}

pub(crate) fn uscc(draws: &mut Draws) -> String {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let value = |character: char| ALPHABET.find(character).unwrap() as u64;
    let department = draws.of_list(&["91", "92", "93", "52", "51", "12", "11", "13", "81", "A1", "N1", "Y1", "54", "35"]);
    let region = draws.of_list(&REGIONS);
    let body: String =
        if draws.once_in(2) { format!("MA{}", (0..6).map(|_| draws.character(ALPHABET)).collect::<String>()) } else { draws.digits(8) };
    let weights = [3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.chars().zip(weights).map(|(character, weight)| character.to_digit(36).unwrap() * weight).sum();
    let organisation = match 11 - sum % 11 {
        10 => "X".to_owned(),
        11 => "0".to_owned(),
        check => check.to_string(),
    };
    let first = format!("{department}{region}{body}{organisation}");
    let sum: u64 = first
        .chars()
        .scan(1, |weight, character| {
            let term = value(character) * *weight;
            *weight = *weight * 3 % 31;
            Some(term)
        })
        .sum();
    let check = usize::try_from((31 - sum % 31) % 31).unwrap();
    format!("{first}{}", &ALPHABET[check..=check])
}

pub(crate) fn mobile(draws: &mut Draws) -> String {
    let prefix = draws.of_list(&[
        "130", "131", "132", "133", "134", "135", "136", "137", "138", "139", "145", "147", "150", "151", "152", "157", "158", "159",
        "166", "170", "171", "173", "176", "177", "178", "180", "182", "185", "187", "188", "189", "191", "195", "198", "199",
    ]);
    format!("{prefix}{}", draws.digits(8))
}

pub(crate) fn landline(draws: &mut Draws) -> String {
    let (area, length) =
        draws.of_list(&[("010", 7), ("021", 7), ("0755", 7), ("0571", 7), ("028", 7), ("0931", 6), ("0871", 7), ("0311", 7)]);
    format!("{area}-{}{}", 2 + draws.below(7), draws.digits(length))
}

pub(crate) fn email(draws: &mut Draws) -> String {
    let user = draws.of_list(&["zhang.san", "li_si", "wangwu88", "john.smith", "mary+news", "info", "x-y.z", "a1"]);
    let domain = draws.of_list(&["example.com", "163.com", "mail.example.com.cn", "qq.com", "example.org", "xn--fiqs8s.cn", "gov.cn"]);
    format!("{user}{}@{domain}", draws.below(1000))
}

pub(crate) fn plate(draws: &mut Draws) -> String {
    const LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVWXYZ";
    let province = draws.character("京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼");
    let city = draws.character(LETTERS);
    match draws.below(4) {
        0 => format!("{province}{city}{}{}{}", draws.character("DABCEFGHJK"), draws.character(LETTERS), draws.digits(4)),
        1 => format!("{province}{city}{}{}", draws.digits(5), draws.character("DABCEFGHJK")),
        2 => format!("{province}{city}{}{}", draws.digits(4), draws.character("挂学警")),
        _ => format!("{province}{city}{}{}{}", draws.digits(2), draws.character(LETTERS), draws.digits(2)),
    }
}

pub(crate) fn passport(draws: &mut Draws) -> String {
    match draws.below(3) {
        0 => format!("E{}", draws.digits(8)),
        1 => format!("G{}", draws.digits(8)),
        _ => format!("E{}{}", draws.character("ABCDEFGHJKLMNPQRSTUVWXYZ"), draws.digits(7)),
    }
}

pub(crate) fn ip(draws: &mut Draws) -> String {
    match draws.below(4) {
        0 => format!("2001:db8::{:x}:{:x}", draws.below(65536), draws.below(65536)),
        1 => format!("fe80::{:x}", 1 + draws.below(65535)),
        _ => format!("{}.{}.{}.{}", 1 + draws.below(223), draws.below(256), draws.below(256), draws.below(256)),
    }
}

pub(crate) fn date(draws: &mut Draws, form: u64) -> String {
    let (year, month, day) = day(draws, 1950, 75);
    match form {
        0 => format!("{year}-{month:02}-{day:02}"),
        1 => format!("{year}/{month}/{day}"),
        2 => format!("{year}年{month}月{day}日"),
        3 => format!("{year}{month:02}{day:02}"),
        4 => format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02}", draws.below(24), draws.below(60), draws.below(60)),
        _ => format!("{day:02}/{month:02}/{year}"),
    }
}

const SURNAMES: &str = "王王王李李李张张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦\
付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤";

/// Surnames that are in no short list of ours on purpose, once in a hundred.
const RARE: [&str; 8] = ["欧阳", "上官", "司马", "诸葛", "夏侯", "尉迟", "仇", "隗"];

const GIVEN: &str =
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰文建国红梅子轩涵梓雨欣怡浩宇博思远晨曦佳琪若彤志鹏海燕春雷晓东小丹";

pub(crate) fn name(draws: &mut Draws) -> String {
    if draws.once_in(100) {
        return draws.of_list(&["买买提·艾力", "阿依古丽·吐尔逊", "迪丽热巴·迪力木拉提", "古丽娜尔·买买提"]).to_owned();
    }
    let surname = if draws.once_in(50) { draws.of_list(&RARE).to_owned() } else { draws.character(SURNAMES).to_string() };
    let given: String = (0..=draws.below(2)).map(|_| draws.character(GIVEN)).collect();
    surname + &given
}

pub(crate) fn english_name(draws: &mut Draws) -> String {
    let first =
        draws.of_list(&["John", "Mary", "James", "Anna-Lena", "Wei", "Olivia", "José", "Siobhán", "Ahmed", "Lucía", "Peter", "Grace"]);
    let last = draws.of_list(&["Smith", "O'Brien", "Zhang", "García", "Müller", "de Vries", "Johnson", "Li", "Okafor", "McDonald"]);
    match draws.below(4) {
        0 => format!("{last}, {first}"),
        1 => format!("{first} {}. {last}", draws.character("ABCDEFGHJKLMNPRSTW")),
        _ => format!("{first} {last}"),
    }
}

pub(crate) fn address(draws: &mut Draws) -> String {
    let region = draws.of_list(&[
        "北京市朝阳区",
        "上海市浦东新区",
        "广东省深圳市南山区",
        "浙江省杭州市西湖区",
        "四川省成都市武侯区",
        "湖北省武汉市洪山区",
        "江苏省南京市鼓楼区",
        "山东省青岛市市南区",
        "陕西省西安市雁塔区",
        "内蒙古自治区呼和浩特市新城区",
        "河南省郑州市金水区",
        "云南省大理白族自治州大理市",
        "福建省厦门市思明区",
        "黑龙江省哈尔滨市道里区",
    ]);
    let road = draws.of_list(&[
        "建国路",
        "人民东路",
        "科技园南路",
        "中山大道",
        "解放街",
        "长安街",
        "文化巷",
        "幸福里小区",
        "世纪大道",
        "和平村",
        "滨河路",
    ]);
    let house = 1 + draws.below(300);
    match draws.below(5) {
        0 => format!("{region}{road}{house}号"),
        1 => format!("{region}{road}{house}号{}栋{}室", 1 + draws.below(20), 101 + draws.below(2000)),
        2 => format!("{region}{road}{house}号{}单元{}", 1 + draws.below(5), 101 + draws.below(900)),
        3 => format!("{region}{road}"),
        _ => format!("{road}{house}号{}座{}室", draws.character("ABCD"), 101 + draws.below(2000)),
    }
}

pub(crate) fn english_address(draws: &mut Draws) -> String {
    let street = draws.of_list(&[
        "Baker Street",
        "Elm Road",
        "5th Avenue",
        "Ocean Drive",
        "Park Lane",
        "King's Court",
        "Sunset Blvd",
        "Main St",
        "Mill Way",
    ]);
    let city = draws.of_list(&["London", "Springfield, IL 62701", "New York", "Dublin 4", "San Francisco, CA 94110", "Leeds"]);
    match draws.below(3) {
        0 => format!("{} {street}, {city}", 1 + draws.below(3000)),
        1 => format!("Apt {}, {} {street}, {city}", 1 + draws.below(90), 1 + draws.below(300)),
        _ => format!("{} {street}", 1 + draws.below(3000)),
    }
}

/// Things that only look like the kinds.
pub(crate) fn guid(draws: &mut Draws) -> String {
    let mut hex =
        |count: usize| (0..count).map(|_| char::from_digit(u32::try_from(draws.below(16)).unwrap(), 16).unwrap()).collect::<String>();
    format!("{}-{}-4{}-a{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
}

pub(crate) fn version(draws: &mut Draws) -> String {
    format!("{}.{}.{}", draws.below(20), draws.below(30), draws.below(100))
}

pub(crate) fn mac(draws: &mut Draws) -> String {
    let bytes: Vec<String> = (0..6).map(|_| format!("{:02x}", draws.below(256))).collect();
    bytes.join(":")
}

/// Digits of full width.
pub(crate) fn wide(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { char::from_u32(u32::from(c) + 0xfee0).unwrap() } else { c }).collect()
}

/// Groups of digits with a separator between them.
pub(crate) fn grouped(text: &str, sizes: &[usize], separator: char) -> String {
    let mut out = String::new();
    let mut rest = text;
    for &size in sizes {
        let (group, left) = rest.split_at(size.min(rest.len()));
        if !out.is_empty() && !group.is_empty() {
            out.push(separator);
        }
        out.push_str(group);
        rest = left;
    }
    out + rest
}
