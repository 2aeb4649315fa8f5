//! Sentences written apart from the recognisers: names, addresses, telephones and ids of twelve countries, in Chinese and English,
//! among words, numbers and code that look like them. Lists and forms here are those of the countries, not of the crate.

use usufruct::grade::Kind;

use crate::cells::{self, Draws};

/// A sentence, and what is in it.
pub(crate) struct Sentence {
    pub(crate) text: String,
    pub(crate) parts: Vec<Part>,
}

/// A part: what it is called in the table, the kinds that are right for it, where it stands. No kind is right for ids that have
/// no recogniser.
pub(crate) struct Part {
    pub(crate) label: &'static str,
    pub(crate) kinds: &'static [Kind],
    pub(crate) start: usize,
    pub(crate) end: usize,
}

const SURNAMES: [&str; 60] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "高", "林", "罗", "郑", "梁",
    "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾", "肖", "田", "董", "袁", "潘", "于", "蒋", "蔡", "余", "杜", "叶", "程",
    "苏", "魏", "吕", "丁", "任", "沈", "姚", "卢", "姜", "崔", "钟", "谭", "陆", "汪", "范", "金",
];
const COMPOUND: [&str; 8] = ["欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "慕容", "令狐"];
const GIVEN_ONE: [&str; 40] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "霞", "平", "刚", "玲", "辉",
    "鹏", "华", "飞", "鑫", "波", "斌", "宇", "浩", "凯", "健", "俊", "帆", "雪", "慧", "颖", "倩", "萍", "红",
];
const GIVEN_TWO: [&str; 50] = [
    "秀英", "秀兰", "桂英", "志强", "建国", "建华", "小明", "小红", "晓东", "海燕", "春梅", "国庆", "文博", "子涵", "浩然", "雨桐", "梓轩",
    "思远", "欣怡", "佳琪", "俊杰", "嘉怡", "玉兰", "桂兰", "淑珍", "玉梅", "海涛", "志明", "伟强", "永强", "家豪", "天宇", "一诺", "若曦",
    "诗涵", "宇轩", "明辉", "建平", "丽华", "凤英", "德华", "学友", "富城", "宝强", "立群", "长江", "冰冰", "丽颖", "亚鹏", "世杰",
];
const FIRST_EN: [&str; 24] = [
    "James", "Mary", "Robert", "Linda", "Ahmed", "Fatima", "Lukas", "Sofia", "Pierre", "Amélie", "Giulia", "Marco", "Hiroshi", "Yuki",
    "Priya", "Rahul", "Carlos", "Lucía", "Olga", "Dmitri", "Emma", "Noah", "Chloe", "Ethan",
];
const LAST_EN: [&str; 24] = [
    "Smith",
    "Johnson",
    "O'Brien",
    "MacDonald",
    "Khan",
    "Hassan",
    "Müller",
    "Schmidt",
    "Dupont",
    "Lefèvre",
    "Rossi",
    "Bianchi",
    "Tanaka",
    "Suzuki",
    "Sharma",
    "Patel",
    "García",
    "Fernández",
    "Ivanova",
    "Petrov",
    "Brown",
    "Taylor",
    "Lee-Jones",
    "Walker",
];

const CHINESE: &[&str] = &[
    "{name}先生您好，您的快递已到驿站。",
    "昨天下午{name}女士来窗口办理了过户手续。",
    "{name}老师下周一不在学校。",
    "请转告{name}主任，会议改到三点。",
    "市民{name}反映楼道灯不亮。",
    "村民{name}说水压太低，做饭都成问题。",
    "{name}来电询问社保卡进度。",
    "接{name}投诉，夜间施工扰民。",
    "患者{name}，男，因胸痛三天入院。",
    "经查，{name}与{name}系夫妻关系。",
    "{name}、{name}、{name}三人均未到场。",
    "本案由{name}律师代理。",
    "快递员{name}把包裹放在门口。",
    "{name}（{mobile}）已缴费。",
    "收款人：{name}，卡号{card}。",
    "我和{name}约好周五见面。",
    "业主{name}家漏水，物业还没来。",
    "联系{name}，电话{mobile}。",
    "{name}认为赔偿金额不合理。",
    "感谢{name}医生和护士们的照顾。",
    "据{name}介绍，项目下月开工。",
    "{name}的身份证号是{id_CN}。",
    "嫌疑人{name}被当场抓获。",
    "学生{name}获得一等奖。",
    "把材料交给{name}就行。",
    "{name}今年六十五岁，独居。",
    "司机{name}驾驶{plate}行至路口。",
    "房东叫{name}，人很好。",
    "{name}同志工作认真负责。",
    "会上{name}局长作了发言。",
    "{name}在医院陪护母亲。",
    "经理{name}明天出差。",
    "记者采访了{name}。",
    "{name}表示，将尽快整改。",
    "寄件人{name}，{phone_CN}。",
    "被告{name}辩称不知情。",
    "其子{name}在外地打工。",
    "由{name}签收。",
    "住{address_CN}的{name}来访。",
    "户籍地址：{address_CN}",
    "家住{address_CN}，电话{mobile}",
    "身份证{id_CN}，银行卡{card}，邮箱{email}。",
    "服务器{ip}于{date}离线。",
    // Words that begin like names, numbers that look like others.
    "高速公路封闭，请从国道绕行。",
    "任何单位和个人不得擅自占用。",
    "时间紧任务重，务必按时完成。",
    "白云机场航班延误，马上恢复。",
    "黄金周期间景区限流。",
    "金额较大，请核对后付款。",
    "方案已报成都市政府，安全第一。",
    "许多居民关心温度和湿度。",
    "江苏、浙江、安徽、上海四地协同。",
    "周边道路施工，于是改走王府井。",
    "马路上的路灯坏了，何时能修？",
    "李子、杨梅、葡萄都涨价了。",
    "高兴的是，程序已经通过。",
    "张贴通知后，余款已付清。",
    "孙子和孙女在上学。",
    "徐州、郑州、苏州、温州均有分店。",
    "任务完成，成果显著，平台稳定。",
    "陆续有乘客表示不满。",
    "钱包丢失，请与前台联系。",
    "严重超载，罚款两百元。",
    "石油价格上涨，武汉加油站排队。",
    "订单号{order}已出库，运单{order}。",
    "流水号：{order}，金额{amount}元。",
    "包裹尺寸{count}*{count}，重{amount}公斤。",
    "设备编号{code}，固件{version}。",
    "批号{order}的商品全部召回。",
];

const ENGLISH: &[&str] = &[
    "Mr. {name_en} called about the invoice.",
    "Please ask Ms {name_en} to sign the form.",
    "Dr. {name_en} will see you at nine.",
    "My name is {name_en} and I would like a refund.",
    "Contact: {name_en}, {phone_US}.",
    "Call {phone_UK} or {phone_FR} after noon.",
    "The German office is at {phone_DE}, the Italian one at {phone_IT}.",
    "Tokyo answers on {phone_JP}, Seoul on {phone_KR}.",
    "Madrid: {phone_ES}; Delhi: {phone_IN}; Sao Paulo: {phone_BR}.",
    "Sydney office {phone_AU}, Hong Kong {phone_HK}.",
    "Mail {email} or {email} for details.",
    "Card {card} was declined twice.",
    "SSN {id_US}, NINO {id_UK}.",
    "Numéro de sécurité sociale {id_FR}, Steuer-ID {id_DE}.",
    "Codice fiscale {id_IT}, DNI {id_ES}, CPF {id_BR}.",
    "Aadhaar {id_IN}, RRN {id_KR}, My Number {id_JP}.",
    "TFN {id_AU}, HKID {id_HK}.",
    "The gateway {ip} dropped packets from {ip}.",
    // Look-alikes.
    "let addr = ::std::net::Ipv6Addr::LOCALHOST;",
    "use a::b::c; fe: face::Value, dead::beef()",
    "impl From<abc::Def> for cafe::Babe {{}}",
    "std::vector<int> v; a::b(c::d);",
    "Order {order} shipped with tracking {order}.",
    "Build {version} at 12:34:56, ratio 16:9, {count} items.",
    "GUID {guid} and MAC {mac}.",
    "Miss the deadline and the Dr. is out, Mr. no one knows.",
    "Invoice no {order} totals {amount} EUR.",
    "The March report mentions New York and Los Angeles.",
    "Section 4.1.2.3 explains version {version}.",
];

/// So many sentences, of each language as many.
pub(crate) fn all(count: u64) -> Vec<Sentence> {
    (0..count)
        .map(|number| {
            let mut draws = Draws::of(9_100_000 + number);
            let list = if number % 2 == 0 { CHINESE } else { ENGLISH };
            let template = list[usize::try_from(number / 2).unwrap() % list.len()];
            sentence(&mut draws, template)
        })
        .collect()
}

fn sentence(draws: &mut Draws, template: &str) -> Sentence {
    let mut made = Sentence { text: String::new(), parts: Vec::new() };
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        made.text.push_str(&rest[..at]);
        if rest[at..].starts_with("{{}}") {
            made.text.push_str("{}");
            rest = &rest[at + 4..];
            continue;
        }
        let (word, behind) = rest[at + 1..].split_once('}').unwrap();
        let (part, piece) = piece(draws, word);
        let start = made.text.len();
        made.text.push_str(&piece);
        made.parts.extend(part.map(|(label, kinds)| Part { label, kinds, start, end: start + piece.len() }));
        rest = behind;
    }
    made.text.push_str(rest);
    made
}

type Labelled = Option<(&'static str, &'static [Kind])>;

const PHONE: &[Kind] = &[Kind::Mobile, Kind::Landline];

fn piece(draws: &mut Draws, word: &str) -> (Labelled, String) {
    let (label, kinds, text): (&'static str, &'static [Kind], String) = match word {
        "name" => ("name CN", &[Kind::Name], chinese_name(draws)),
        "name_en" => ("name EN", &[Kind::Name], format!("{} {}", draws.of_list(&FIRST_EN), draws.of_list(&LAST_EN))),
        "mobile" => ("phone CN", PHONE, cells::mobile(draws)),
        "card" => ("bank_card", &[Kind::BankCard], cells::bank_card(draws)),
        "email" => ("email", &[Kind::Email], cells::email(draws)),
        "plate" => ("plate", &[Kind::Plate], cells::plate(draws)),
        "ip" => ("ip", &[Kind::Ip], cells::ip(draws)),
        "date" => ("date", &[Kind::Date], cells::date(draws, 0)),
        "address_CN" => ("address CN", &[Kind::Address], chinese_address(draws)),
        "id_CN" => ("id CN", &[Kind::ResidentId], cells::resident_id(draws)),
        "order" => return (None, format!("{}{}", 2 + draws.below(7), draws.digits(11))),
        "amount" => return (None, format!("{}.{}", 1 + draws.below(9_999), draws.digits(2))),
        "count" => return (None, (1 + draws.below(900)).to_string()),
        "code" => return (None, format!("X{}-{}", draws.digits(3), draws.digits(6))),
        "version" => return (None, cells::version(draws)),
        "guid" => return (None, cells::guid(draws)),
        "mac" => return (None, cells::mac(draws)),
        _ => match word.split_once('_') {
            Some(("phone", country)) => return phone(draws, country),
            Some(("id", country)) => return id(draws, country),
            _ => unreachable!("a word of a template"),
        },
    };
    (Some((label, kinds)), text)
}

fn chinese_name(draws: &mut Draws) -> String {
    let surname = if draws.once_in(12) { draws.of_list(&COMPOUND) } else { draws.of_list(&SURNAMES) };
    let given = if draws.once_in(3) { draws.of_list(&GIVEN_ONE) } else { draws.of_list(&GIVEN_TWO) };
    format!("{surname}{given}")
}

fn chinese_address(draws: &mut Draws) -> String {
    let town =
        draws.of_list(&["浙江省杭州市西湖区", "江苏省南京市鼓楼区", "四川省成都市武侯区", "湖北省武汉市洪山区", "广东省佛山市顺德区"]);
    let street = draws.of_list(&["文三路", "中山北路", "人民南路", "珞喻路", "容桂大道"]);
    format!("{town}{street}{}号{}室", 1 + draws.below(300), 101 + draws.below(1500))
}

/// Telephones as they are written abroad, in the international form.
fn phone(draws: &mut Draws, country: &str) -> (Labelled, String) {
    let (label, text) = match country {
        "FR" => ("phone FR", format!("+33 {} {}", 1, pairs(draws, 4))),
        "CN" => ("phone CN", format!("+86 10 6{}", draws.digits(7))),
        "US" => ("phone US", format!("+1 (415) 555-{}", draws.digits(4))),
        "UK" => ("phone UK", format!("+44 (0)20 7946 0{}", draws.digits(3))),
        "DE" => ("phone DE", format!("+49 30 2{}", draws.digits(7))),
        "IT" => ("phone IT", format!("+39 06 698 {}", draws.digits(5))),
        "JP" => ("phone JP", format!("+81 3-5{}-{}", draws.digits(3), draws.digits(4))),
        "KR" => ("phone KR", format!("+82 2-3{}-{}", draws.digits(3), draws.digits(4))),
        "ES" => ("phone ES", format!("+34 91{} {}", draws.digits(1), pairs(draws, 3))),
        "IN" => ("phone IN", format!("+91 98{} {}", draws.digits(3), draws.digits(5))),
        "BR" => ("phone BR", format!("+55 11 9{}-{}", draws.digits(4), draws.digits(4))),
        "AU" => ("phone AU", format!("+61 2 9{} {}", draws.digits(3), draws.digits(4))),
        "HK" => ("phone HK", format!("+852 2{} {}", draws.digits(3), draws.digits(4))),
        _ => unreachable!("a country of a template"),
    };
    (Some((label, PHONE)), text)
}

/// Digits in pairs.
fn pairs(draws: &mut Draws, count: usize) -> String {
    (0..count).map(|_| draws.digits(2)).collect::<Vec<_>>().join(" ")
}

/// Ids by their form; check digits are drawn, since no recogniser is asked for them.
fn id(draws: &mut Draws, country: &str) -> (Labelled, String) {
    let (label, text) = match country {
        "US" => ("id US", format!("{}-{}-{}", draws.digits(3), draws.digits(2), draws.digits(4))),
        "UK" => ("id UK", format!("QQ{}C", draws.digits(6))),
        "FR" => ("id FR", format!("1 84 12 76 {} {} {}", draws.digits(3), draws.digits(3), draws.digits(2))),
        "DE" => ("id DE", format!("{} {} {} {}", draws.digits(2), draws.digits(3), draws.digits(3), draws.digits(3))),
        "IT" => ("id IT", format!("RSSMRA{}A01H{}U", draws.digits(2), draws.digits(3))),
        "ES" => ("id ES", format!("{}Z", draws.digits(8))),
        "BR" => ("id BR", format!("{}.{}.{}-{}", draws.digits(3), draws.digits(3), draws.digits(3), draws.digits(2))),
        "IN" => ("id IN", format!("{}{} {} {}", 2 + draws.below(8), draws.digits(3), draws.digits(4), draws.digits(4))),
        "KR" => ("id KR", format!("{}-{}", draws.digits(6), draws.digits(7))),
        "JP" => ("id JP", format!("{} {} {}", draws.digits(4), draws.digits(4), draws.digits(4))),
        "AU" => ("id AU", format!("{} {} {}", draws.digits(3), draws.digits(3), draws.digits(3))),
        "HK" => ("id HK", format!("A{}({})", draws.digits(6), draws.digits(1))),
        _ => unreachable!("a country of a template"),
    };
    (Some((label, &[])), text)
}
