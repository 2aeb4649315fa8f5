//! Sentences with what is in them and where.

use usufruct::grade::Kind;

use crate::cells::{self, Draws};

/// A sentence and its parts: kind, first byte, byte behind.
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) parts: Vec<(Kind, usize, usize)>,
}

/// Sentences of pieces: `{...}` stands for a part of a kind or a look-alike.
const TEMPLATES: &[&str] = &[
    "来电人电话{mobile}，反映路灯损坏。",
    "请联系{mobile}或{landline}核实。",
    "身份证{id}已核验，手机{mobile}。",
    "当事人身份证号码为{id}，银行卡{card}，请退款。",
    "{id}和{id}为同一户籍",
    "退款至{card}开户行",
    "对公账户统一社会信用代码{uscc}，开票邮箱{email}。",
    "车辆{plate}于{date}违停，车主电话{mobile}",
    "姓名：{name}，护照号{passport}，{date}入境",
    "联系人{name}电话{mobile}",
    "住在{address}，邻居投诉噪音。",
    "地址：{address}；电话：{mobile}",
    "服务器{ip}拒绝{ip}的请求",
    "邮件发自{email}、抄送{email}。",
    "卡号１：{card}，卡号２：{card}",
    "Call me at {mobile} or mail {email}.",
    "Card {card} was charged twice, refund to {card} please.",
    "Host {ip} answered, {ip} did not.",
    "ID {id}, passport {passport}, seen on {date}.",
    "订单号{order}已发货，运单号{order}。",
    "追踪号 {guid} 没有结果，版本{version}，设备{mac}。",
    "时间戳{stamp}，金额{amount}元，共{count}件。",
    "order {order} trace {guid} at {stamp}",
    "批次{order}合格率{amount}%。",
    "昨天下午三点，小区停电两个小时，物业没有通知。",
    "The lift in building {count} has been out of order since 12:34:56, ratio 1:2:3.",
    "比例为{amount}:{count}，编号A{order}B。",
];

/// So many sentences.
pub(crate) fn all(count: u64) -> Vec<Text> {
    (0..count)
        .map(|number| {
            let mut draws = Draws::of(7_000_000 + number);
            let template = TEMPLATES[usize::try_from(number).unwrap() % TEMPLATES.len()];
            let mut text = Text { text: String::new(), parts: Vec::new() };
            let mut rest = template;
            while let Some((before, behind)) = rest.split_once('{') {
                let (word, behind) = behind.split_once('}').unwrap();
                text.text.push_str(before);
                let (kind, piece) = piece(&mut draws, word);
                let start = text.text.len();
                text.text.push_str(&piece);
                text.parts.extend(kind.map(|kind| (kind, start, start + piece.len())));
                rest = behind;
            }
            text.text.push_str(rest);
            text
        })
        .collect()
}

fn piece(draws: &mut Draws, word: &str) -> (Option<Kind>, String) {
    let style = draws.below(5);
    let (kind, piece) = match word {
        "id" => {
            let id = cells::resident_id(draws);
            (
                Kind::ResidentId,
                match style {
                    0 => cells::wide(&id),
                    1 => cells::grouped(&id, &[6, 8, 4], ' '),
                    2 => id.to_lowercase(),
                    _ => id,
                },
            )
        }
        "card" => {
            let card = cells::bank_card(draws);
            (
                Kind::BankCard,
                match style {
                    0 => cells::wide(&card),
                    1 => cells::grouped(&card, &[4, 4, 4, 4, 3], ' '),
                    2 => cells::grouped(&card, &[4, 4, 4, 4, 3], '-'),
                    _ => card,
                },
            )
        }
        "mobile" => {
            let mobile = cells::mobile(draws);
            (
                Kind::Mobile,
                match style {
                    0 => cells::wide(&mobile),
                    1 => cells::grouped(&mobile, &[3, 4, 4], ' '),
                    2 => cells::grouped(&mobile, &[3, 4, 4], '-'),
                    3 => format!("+86 {mobile}"),
                    _ => mobile,
                },
            )
        }
        "uscc" => (Kind::Uscc, cells::uscc(draws)),
        "landline" => (Kind::Landline, cells::landline(draws)),
        "email" => (Kind::Email, cells::email(draws)),
        "plate" => (Kind::Plate, cells::plate(draws)),
        "passport" => (Kind::Passport, cells::passport(draws)),
        "ip" => (Kind::Ip, cells::ip(draws)),
        "date" => (Kind::Date, cells::date(draws, style % 3)),
        "name" => (Kind::Name, cells::name(draws)),
        "address" => (Kind::Address, cells::address(draws)),
        // Look-alikes.
        "order" => {
            return (
                None,
                if style == 0 { format!("2024{}", draws.digits(12)) } else { draws.digits(10 + usize::try_from(style * 2).unwrap()) },
            );
        }
        "guid" => return (None, cells::guid(draws)),
        "version" => return (None, cells::version(draws)),
        "mac" => return (None, cells::mac(draws)),
        "stamp" => return (None, (1_700_000_000_000 + draws.below(100_000_000_000)).to_string()),
        "amount" => return (None, format!("{}.{}", draws.digits(1 + usize::try_from(style).unwrap() * 2), draws.digits(2))),
        "count" => return (None, draws.below(100_000).to_string()),
        _ => unreachable!("a word of a template"),
    };
    (Some(kind), piece)
}
