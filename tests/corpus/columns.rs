//! Columns with their true kind: as they are in files, and such that only look like them.

use usufruct::grade::Kind;

use crate::cells::{self, Draws};

/// A column of cells.
pub(crate) struct Column {
    pub(crate) header: &'static str,
    pub(crate) kind: Kind,
    pub(crate) cells: Vec<String>,
}

/// Rows of a column.
const ROWS: u64 = 150;

/// A kind, the headers it may stand under (some say nothing), and a cell of it by row and style of the column.
type Recipe = (Kind, &'static [&'static str], fn(&mut Draws, u64) -> String);

const RECIPES: &[Recipe] = &[
    (Kind::ResidentId, &["身份证号", "id_card_no", "sfzh", "列1", "value"], |draws, style| {
        let id = cells::resident_id(draws);
        match style {
            0 if draws.once_in(10) => id.to_lowercase(),
            1 if draws.once_in(5) => cells::old_resident_id(draws),
            2 => cells::wide(&id),
            3 => format!(" {id}"),
            _ => id,
        }
    }),
    (Kind::BankCard, &["银行卡号", "card_no", "yhkh", "列1", "value"], |draws, style| {
        let card = cells::bank_card(draws);
        match style {
            0 => cells::grouped(&card, &[4, 4, 4, 4, 3], ' '),
            1 => cells::grouped(&card, &[4, 4, 4, 4, 3], '-'),
            2 => cells::wide(&card),
            _ => card,
        }
    }),
    (Kind::Uscc, &["统一社会信用代码", "uscc", "tyshxydm", "列1", "value"], |draws, style| {
        let code = cells::uscc(draws);
        if style == 2 { cells::wide(&code) } else { code }
    }),
    (Kind::Mobile, &["手机号", "mobile", "shouji", "联系电话", "列1", "value"], |draws, style| {
        let mobile = cells::mobile(draws);
        match style {
            0 => format!("+86 {mobile}"),
            1 => cells::grouped(&mobile, &[3, 4, 4], '-'),
            2 => cells::wide(&mobile),
            _ => mobile,
        }
    }),
    (Kind::Landline, &["固定电话", "fax", "办公电话", "列1"], |draws, style| {
        let phone = cells::landline(draws);
        if style == 1 { phone.replacen('-', "", 1) } else { phone }
    }),
    (Kind::Email, &["邮箱", "email", "youxiang", "列1", "value"], |draws, _| cells::email(draws)),
    (Kind::Plate, &["车牌号", "plate_no", "cph", "列1"], |draws, style| {
        let plate = cells::plate(draws);
        if style == 1 {
            plate.replacen(|c: char| c.is_ascii_uppercase(), &format!("{}·", plate.chars().nth(1).unwrap()), 1)
        } else {
            plate
        }
    }),
    (Kind::Passport, &["护照号码", "passport_no", "huzhao", "列1"], |draws, _| cells::passport(draws)),
    (Kind::Ip, &["ip", "client_ip", "IP地址", "列1"], |draws, _| cells::ip(draws)),
    (Kind::Date, &["出生日期", "date_of_birth", "csrq", "办理日期", "列1", "value"], |draws, style| cells::date(draws, style)),
    (Kind::Name, &["姓名", "name", "xingming", "联系人", "列1", "value"], |draws, _| cells::name(draws)),
    (Kind::Name, &["customer_name", "full name", "Contact Name"], |draws, _| cells::english_name(draws)),
    (Kind::Address, &["家庭住址", "address", "dizhi", "列1", "value"], |draws, _| cells::address(draws)),
    (Kind::Address, &["street_address", "home address", "列1"], |draws, _| cells::english_address(draws)),
    (Kind::Amount, &["金额", "salary", "shouru", "月收入（元）"], |draws, style| match style {
        0 => format!("¥{}.{:02}", draws.below(100_000), draws.below(100)),
        1 => format!("{},{}.00", 1 + draws.below(99), draws.digits(3)),
        _ => format!("{}.{:02}", draws.below(100_000), draws.below(100)),
    }),
    (Kind::Category, &["性别", "sex", "列1"], |draws, style| {
        draws.of_list(if style % 2 == 0 { &["男", "女"] } else { &["male", "female"] }).to_owned()
    }),
    (Kind::Category, &["城市", "city", "列1", "dept"], |draws, _| {
        draws.of_list(&["北京", "上海", "广州", "武汉", "成都", "金华", "马鞍山", "江门", "石家庄", "郑州"]).to_owned()
    }),
    (Kind::Category, &["status", "状态", "x"], |draws, _| draws.below(5).to_string()),
    (Kind::Number, &["年龄", "score", "数量", "身高"], |draws, style| {
        if style == 0 { format!("{}.{}", draws.below(200), draws.below(10)) } else { draws.below(120).to_string() }
    }),
    (Kind::Code, &["订单号", "order_no", "列1", "ref"], |draws, style| match style {
        0 => format!("2024{:02}{:02}{}", 1 + draws.below(12), 1 + draws.below(28), draws.digits(8)),
        1 => format!("6228{}", draws.digits(12)),
        2 => draws.digits(19),
        3 => format!("1{}", draws.digits(17)),
        4 => format!("SO-{}", draws.digits(11)),
        _ => format!("E{}Q", draws.digits(8)),
    }),
    (Kind::Code, &["uuid", "trace_id", "列1"], |draws, _| cells::guid(draws)),
    (Kind::Code, &["timestamp", "ts", "列1"], |draws, style| match style % 2 {
        0 => (1_700_000_000_000 + draws.below(100_000_000_000)).to_string(),
        _ => (1_700_000_000_000_000 + draws.below(100_000_000_000_000)).to_string(),
    }),
    (Kind::Code, &["版本", "version"], |draws, _| cells::version(draws)),
    (Kind::Code, &["mac", "device"], |draws, _| cells::mac(draws)),
    (Kind::Text, &["备注", "remark", "列1", "内容"], |draws, style| {
        let (places, things) = (["小区门口", "学校附近", "地铁站旁", "公园里"], ["路灯", "井盖", "护栏", "绿化"]);
        match style % 2 {
            0 => format!(
                "群众反映{}的{}损坏，第{}次来电，希望尽快处理。",
                draws.of_list(&places),
                draws.of_list(&things),
                1 + draws.below(900)
            ),
            _ => format!(
                "The {} near building {} is broken again, please reply.",
                draws.of_list(&["light", "gate", "lift"]),
                1 + draws.below(900)
            ),
        }
    }),
    // Words that begin as surnames do, and are none.
    (Kind::Text, &["产品名称", "product_name", "公司名称"], |draws, _| {
        let (maker, thing) = (["康师傅", "王老吉", "白象", "马应龙", "方太", "金龙鱼"], ["方便面", "凉茶", "调和油", "痔疮膏", "抽油烟机"]);
        format!("{}{}{}型", draws.of_list(&maker), draws.of_list(&thing), draws.below(1000))
    }),
];

/// So many columns of each recipe; every header and style in turn, some cells empty, a few wrong.
pub(crate) fn all(each: u64) -> Vec<Column> {
    let mut columns = Vec::new();
    for (number, (kind, headers, cell)) in RECIPES.iter().enumerate() {
        for turn in 0..each {
            let mut draws = Draws::of(1 + number as u64 * 100_003 + turn);
            let header = headers[usize::try_from(turn).unwrap() % headers.len()];
            let style = turn / headers.len() as u64 % 6;
            let cells = (0..ROWS)
                .map(|_| match draws.below(100) {
                    0..=1 => String::new(),
                    2 if *kind != Kind::Category => "不详".to_owned(),
                    _ => cell(&mut draws, style),
                })
                .collect();
            columns.push(Column { header, kind: kind.clone(), cells });
        }
    }
    columns
}
