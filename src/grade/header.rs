//! What the name of a column says: in Chinese, English and pinyin; of direct identifiers in other languages too.

mod words;

use self::words::{CYRILLIC_THINGS, HAN, HAN_QUALIFIERS, HAN_THINGS, LATIN, OF, PERSONS, QUALIFIERS, UNSURE};
use super::kind::{QUASI, SENSITIVE};
use super::{Grade, Kind, Named, Reason, Role};

/// What a column is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    ResidentId,
    /// Mobile or landline.
    Phone,
    Mobile,
    Landline,
    Email,
    BankCard,
    Uscc,
    Plate,
    Passport,
    Ip,
    Date,
    /// A date that many know of a person.
    Birth,
    Name,
    Address,
    /// A region, a postcode: shared by many.
    Region,
    Amount,
    Age,
    /// Sex, occupation, education, nationality, ...: what others know of a person.
    Trait,
    /// Health, belief, crime, ...: what must not be learnt.
    Sensitive,
    /// Passwords, codes of cards, biometrics.
    Secret,
    /// An account or a number that an office gave to one person or device.
    Account,
    /// Latitude, longitude, coordinates.
    Place,
    /// A number of a thing.
    Code,
    Category,
    Number,
    Text,
}

use Meaning as M;

/// What a header says; none when it says nothing that is known.
pub(super) fn meaning(header: &str) -> Option<Meaning> {
    let (outside, inside) = bare(header);
    let found = meaning_of(&outside);
    // `Column 3 (phone)`: brackets count when they name an identifier and nothing outside says what the column is.
    match found {
        None | Some(M::Code | M::Number | M::Text) => named(meaning_of(&inside)).or(found),
        found => found,
    }
}

/// The identifier or place that the name of a column claims, whatever its cells are.
pub(super) fn claim(header: &str) -> Option<Named> {
    let is_unsure = has(UNSURE, &words(&bare(header).0).concat());
    meaning(header).filter(|_| !is_unsure)?.named()
}

fn meaning_of(text: &str) -> Option<Meaning> {
    if !text.chars().any(is_han) {
        return words_meaning(&words(text));
    }
    let found = han(&text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>());
    if named(found).is_some() {
        return found;
    }
    // `姓名/name`, `客户phone`: each script alone, where one names an identifier.
    let of_letters = || words_meaning(&words(&text.replace(is_han, " ")));
    let of_han = || text.split(|c: char| !is_han(c)).filter(|part| !part.is_empty()).find_map(|part| named(han(part)));
    if text.chars().any(|c| c.is_ascii_alphabetic()) { of_han().or_else(|| named(of_letters())).or(found) } else { found }
}

/// A meaning that names an identifier, and no other.
fn named(meaning: Option<Meaning>) -> Option<Meaning> {
    meaning.filter(|meaning| meaning.named().is_some())
}

/// Han characters, kana and hangul, which are written without blanks between words.
fn is_han(c: char) -> bool {
    matches!(c, '\u{3005}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// What stands outside of brackets, without digits at the end, and what stands inside; full-width forms are made half-width.
fn bare(header: &str) -> (String, String) {
    let (mut out, mut inside) = (String::with_capacity(header.len()), String::new());
    let mut depth = 0_usize;
    for character in header.chars() {
        let character = match character {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
            other => other,
        };
        match character {
            '(' | '[' | '【' => depth += 1,
            ')' | ']' | '】' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(character),
            _ => inside.push(character),
        }
    }
    let end = out.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '_' | '-' | ' ' | '.' | '#' | '*'));
    // `ipv4`, `icd10`, `cvn2` keep their digits: they are words of the list.
    if known(&words(&out).concat()).is_none() {
        out.truncate(end.len());
    }
    (out, inside)
}

fn han(header: &str) -> Option<Meaning> {
    if HAN_THINGS.split(' ').any(|thing| header.ends_with(thing)) {
        return None;
    }
    let length = |word: &str| match word.strip_prefix('=') {
        Some(whole) => (header == whole).then_some(whole.len()),
        None => header.ends_with(word).then_some(word.len()),
    };
    let longest = |words: &str| words.split(' ').filter_map(length).max();
    let found = HAN
        .iter()
        .filter_map(|(meaning, words)| Some((longest(words)?, *meaning)))
        .max_by_key(|(length, _)| *length)
        .map(|(_, meaning)| meaning);
    found.or_else(|| {
        // `电话一`, `姓名拼音`: which of several, or in which form.
        let shorter = HAN_QUALIFIERS.split(' ').find_map(|word| header.strip_suffix(word)).filter(|shorter| !shorter.is_empty())?;
        named(han(shorter.trim_end_matches(|c: char| c.is_ascii_digit())))
    })
}

/// What words say that are written with blanks between them, in lower case.
fn words_meaning(words: &[String]) -> Option<Meaning> {
    if words.iter().any(|word| has(CYRILLIC_THINGS, word)) {
        return None;
    }
    let of = words.iter().position(|word| has(OF, word)).filter(|at| *at > 0 && at + 1 < words.len());
    if let Some(decided) = of.and_then(|at| whose(words, at)) {
        return decided;
    }
    let found = ending(words);
    if named(found).is_some() {
        return found;
    }
    let numbered = || {
        let plain = words.iter().map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned());
        let plain: Vec<String> = plain.filter(|word| !word.is_empty()).collect();
        if plain == words { None } else { named(words_meaning(&plain)) }
    };
    behind(words).or_else(|| compound(words)).or_else(|| cyrillic(words)).or_else(numbered).or(found)
}

/// The longest end that is known, from the whole to the last word.
fn ending(words: &[String]) -> Option<Meaning> {
    let (skipped, meaning) = (0..words.len()).find_map(|skipped| {
        let end = words[skipped..].concat();
        // Two letters mean something only alone.
        let alone = end.len() > 2 || skipped == 0 || end == "ip" || end == "id";
        let found = known(&end).or_else(|| if skipped == 0 { known(&format!("={end}")) } else { None });
        found.filter(|_| alone).map(|meaning| (skipped, meaning))
    })?;
    let before = skipped.checked_sub(1).map(|before| words[before].as_str());
    let is_word_name = words.len() - skipped == 1 && matches!(words[skipped].as_str(), "name" | "names");
    match (meaning, before) {
        (M::Name, Some(before)) if is_word_name && !has(PERSONS, before) => None,
        _ => Some(meaning),
    }
}

/// `date_of_birth`, `name of customer`, `type of card`: what stands in front decides; of a name, whose it is too. None when
/// nothing is known of what stands there.
fn whose(words: &[String], at: usize) -> Option<Option<Meaning>> {
    if let Some(whole) = known(&words.concat()) {
        return Some(Some(whole));
    }
    match ending(&words[..at])? {
        M::Name if !words[at + 1..].iter().any(|word| has(PERSONS, word)) => Some(None),
        meaning => Some(Some(meaning)),
    }
}

/// `phone_home`, `name_customer`, `ssn_last`: an identifier, and behind it only which one, in which form, or whose.
fn behind(words: &[String]) -> Option<Meaning> {
    let trailing = |word: &&String| has(QUALIFIERS, word) || has(PERSONS, word);
    let kept = words.len() - words.iter().rev().take_while(trailing).count();
    (kept.max(1)..words.len()).find_map(|end| named(ending(&words[..end])))
}

/// `customerphone`, `homeaddress`: without anything between the words.
fn compound(words: &[String]) -> Option<Meaning> {
    let last = words.last()?;
    let all = LATIN.iter().filter(|(meaning, _)| meaning.named().is_some());
    let mut found = all.flat_map(|(meaning, list)| list.split(' ').map(|word| (*meaning, word)));
    found.find_map(|(meaning, word)| {
        let before = last.strip_suffix(word).filter(|before| word.len() > 2 && before.len() > 2)?;
        (has(PERSONS, before) || meaning != M::Name && has(QUALIFIERS, before)).then_some(meaning)
    })
}

/// In Russian what a column holds stands in front of whose it is, in any case of its word.
fn cyrillic(words: &[String]) -> Option<Meaning> {
    let is_cyrillic = |word: &String| word.chars().any(|c| matches!(c, '\u{400}'..='\u{4ff}'));
    words.iter().filter(|word| is_cyrillic(word)).find_map(|word| named(known(word)))
}

fn known(word: &str) -> Option<Meaning> {
    LATIN.iter().find(|(_, words)| has(words, word)).map(|(meaning, _)| *meaning)
}

/// Whether a list of words has this one.
fn has(words: &str, word: &str) -> bool {
    words.split(' ').any(|other| other == word)
}

/// Words in lower case and without accents: cut where case and punctuation change.
fn words(header: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    let mut left = header.chars().peekable();
    while let Some(character) = left.next() {
        // `idCard` and `SSNLast` are two words each.
        let is_last_of_capitals = last.is_uppercase() && left.peek().is_some_and(|next| next.is_lowercase());
        let begins = last.is_lowercase() || last.is_ascii_digit() || is_last_of_capitals;
        let starts = !last.is_alphanumeric() || character.is_uppercase() && begins;
        if character.is_alphanumeric() {
            if starts || words.is_empty() {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                character.to_lowercase().for_each(|lower| fold(lower, word));
            }
        }
        last = character;
    }
    words
}

/// Adds a letter without its accent.
fn fold(letter: char, out: &mut String) {
    out.push(match letter {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ё' => 'е',
        'ß' => return out.push_str("ss"),
        other => other,
    });
}

impl Meaning {
    /// Whether the header names the kind.
    pub(super) fn names(self, kind: &Kind) -> bool {
        match self {
            M::ResidentId => *kind == Kind::ResidentId,
            M::Phone => matches!(kind, Kind::Mobile | Kind::Landline),
            M::Mobile => *kind == Kind::Mobile,
            M::Landline => *kind == Kind::Landline,
            M::Email => *kind == Kind::Email,
            M::BankCard => *kind == Kind::BankCard,
            M::Uscc => *kind == Kind::Uscc,
            M::Plate => *kind == Kind::Plate,
            M::Passport => *kind == Kind::Passport,
            M::Ip => *kind == Kind::Ip,
            M::Date | M::Birth => matches!(kind, Kind::Date | Kind::YearMonth),
            M::Name => *kind == Kind::Name,
            M::Address => *kind == Kind::Address,
            M::Region => matches!(kind, Kind::Category | Kind::Address),
            M::Amount => *kind == Kind::Amount,
            M::Age | M::Number | M::Place => *kind == Kind::Number,
            M::Trait | M::Category => *kind == Kind::Category,
            M::Account | M::Code => *kind == Kind::Code,
            M::Text => *kind == Kind::Text,
            M::Sensitive | M::Secret => false,
        }
    }

    /// The kind of a column in which there is no cell.
    pub(super) fn kind(self) -> Kind {
        match self {
            M::Phone => Kind::Mobile,
            M::Sensitive | M::Secret => Kind::Text,
            M::Region => Kind::Category,
            _ => Kind::BUILTIN.into_iter().find(|kind| self.names(kind)).unwrap_or(Kind::Text),
        }
    }

    /// The identifier or place that it names, which makes the header a floor.
    pub(super) const fn named(self) -> Option<Named> {
        Some(match self {
            M::ResidentId => Named::ResidentId,
            M::Phone | M::Mobile | M::Landline => Named::Phone,
            M::Email => Named::Email,
            M::BankCard => Named::BankCard,
            M::Plate => Named::Plate,
            M::Passport => Named::Passport,
            M::Ip => Named::Ip,
            M::Name => Named::Name,
            M::Address => Named::Address,
            M::Account => Named::Account,
            M::Place => Named::Place,
            _ => return None,
        })
    }

    /// What another header adds to what the cells say: role, grade and reason.
    pub(super) fn adds(self) -> Option<(Role, Grade, Reason)> {
        Some(match self {
            M::Secret => (
                Role::Sensitive,
                Grade::L4,
                Reason::of("it authenticates a person, or is a feature of the body", "JR/T 0197-2020 level 4; GB/T 35273-2020 Annex B"),
            ),
            M::Sensitive => (Role::Sensitive, Grade::L3, Reason::of("what must not be learnt about a person", SENSITIVE)),
            M::Birth => (Role::Quasi, Grade::L3, Reason::of("a date that others know of a person", QUASI)),
            M::Region | M::Trait | M::Age => (Role::Quasi, Grade::L2, Reason::of("with others of its kind it singles out people", QUASI)),
            _ => return None,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        for (header, expected) in [
            ("身份证号码", Some(M::ResidentId)),
            ("申请人身份证", Some(M::ResidentId)),
            ("shenfenzheng", Some(M::ResidentId)),
            ("SFZH", Some(M::ResidentId)),
            ("id_card_no", Some(M::ResidentId)),
            ("idCardNumber", Some(M::ResidentId)),
            ("手机号(必填)", Some(M::Mobile)),
            ("shouji", Some(M::Mobile)),
            ("Phone Number", Some(M::Phone)),
            ("phone1", Some(M::Phone)),
            ("联系人电话", Some(M::Phone)),
            ("e-mail", Some(M::Email)),
            ("email_address", Some(M::Email)),
            ("ip_address", Some(M::Ip)),
            ("client_ip", Some(M::Ip)),
            ("mac_address", Some(M::Account)),
            ("home address", Some(M::Address)),
            ("身份证地址", Some(M::Address)),
            ("手机号归属地", Some(M::Region)),
            ("姓名", Some(M::Name)),
            ("name", Some(M::Name)),
            ("customer_name", Some(M::Name)),
            ("product_name", None),
            ("file name", None),
            ("公司名称", None),
            ("xingming", Some(M::Name)),
            ("xm", Some(M::Name)),
            ("birth", Some(M::Birth)),
            ("出生日期", Some(M::Birth)),
            ("办理日期", Some(M::Date)),
            ("date_of_birth", Some(M::Birth)),
            ("月收入（元）", Some(M::Amount)),
            ("sex", Some(M::Trait)),
            ("city", Some(M::Region)),
            ("age", Some(M::Age)),
            ("password", Some(M::Secret)),
            ("cvn2", Some(M::Secret)),
            ("登录密码", Some(M::Secret)),
            ("订单号", Some(M::Code)),
            ("order_no", Some(M::Code)),
            ("统一社会信用代码", Some(M::Uscc)),
            ("ipv4", Some(M::Ip)),
            ("id", Some(M::Code)),
            ("row_id", Some(M::Code)),
            ("x", None),
            ("", None),
            ("（）", None),
            ("手机品牌", None),
        ] {
            assert_eq!(meaning(header), expected, "{header}");
        }
    }

    /// What is claimed, in all scripts and spellings; `-` for nothing.
    const CLAIMS: &[(&str, &str)] = &[
        (
            "resident_id",
            "ssn|SSN|SSNLast4|[SSN]|编号（身份证）|ssn_last4|SSN_Hash|ssn-number|socialSecurityNumber|national_id|NationalIDNumber|证件号|证件号码|证_件_号|证件号1",
        ),
        (
            "resident_id",
            "申请人证件号码|證件號碼|身份證號碼|身分證字號|ｉｄ＿ｃａｒｄ＿ｎｏ|customerSsn|hkid|NRIC_no|マイナンバー|주민등록번호|СНИЛС|ИНН",
        ),
        ("resident_id", "Personalausweis-Nr|Personalausweisnummer|carte_d'identité|numéro_de_sécurité_sociale|DNI|cédula"),
        (
            "phone",
            "phone|phone1Home|phone_2_work|Phone|PHONE_NO|phoneNumber|phone-number|phone_home|phone2|home_phone|customerphone|phones|ｐｈｏｎｅ|電話番号|携帯番号",
        ),
        ("phone", "联系电话一|手机号(备用)|手 机 号|电话/phone|客户phone|传真|휴대폰번호|телефон|Номер_телефона|телефон_клиента|Мобильный"),
        ("phone", "Telefonnummer|Handynummer|téléphone|teléfono_móvil|numéro_de_téléphone|tel|fax_no|列3（手机号）"),
        (
            "email",
            "email|e-mail|E_Mail_Address|email_address|customerEmail|电子邮箱|メールアドレス|이메일|courriel|correo_electrónico|эл.почта",
        ),
        (
            "bank_card",
            "iban|IBAN|iban_number|bank_account|card|card_no|cardNumber|credit_card|银行卡|银行卡号|卡号|口座番号|계좌번호|Kontonummer|tarjeta",
        ),
        (
            "plate",
            "plate|license_plate|LicensePlate|licence-plate-number|车牌|车牌号|車牌號碼|ナンバープレート|차량번호|Kennzeichen|госномер",
        ),
        ("passport", "passport|Passport_No|passport_number|护照号码|護照號碼|旅券番号|여권번호|паспорт|Reisepass|passeport|pasaporte"),
        ("ip", "ip|ip_address|client_ip|IP地址"),
        (
            "name",
            "name|name_de|Name|NAME|names|full_name|firstName|last_name|name_first|name_kana|customer_name|CustomerName|name_of_customer|name of the customer",
        ),
        (
            "name",
            "姓名|姓 名|姓|名|姓　名|姓名拼音|姓名/Name|患者姓名|氏名|名前|フリガナ|이름|성명|ФИО|имя|Фамилия|Vorname|Nachname|prénom|nom|nom_du_client",
        ),
        (
            "address",
            "address|Address|home_address|address_line_1|addressLine2|addr|адрес|Адрес_проживания|Адрес доставки|住址|住所|주소|Anschrift",
        ),
        ("address", "Straße|adresse|dirección|company_address|家庭住址|地址2"),
        (
            "account",
            "license|licence_no|driver_license|drivers-license-number|驾驶证|驾驶证号|会员卡号|user_name|QQ号|運転免許証番号|vin|MAC地址",
        ),
        ("place", "latitude|Latitude|lat|lng|lon|long|longitude|gps_lat|经度|纬度|坐标|GPS坐标|経度|위도|geohash|coordinates|широта"),
        (
            "-",
            "company_name|companyname|product_name|filename|file_name|name_of_product|host_name|公司名称|产品名称|商品名|会社名|price|card_type",
        ),
        (
            "-",
            "type_of_card|phone_model|phone_type|phone_brand|手机品牌|手机号类型|证件类型|passport_country|number_of_cards|address_id|plate_type",
        ),
        (
            "-",
            "id|金额（银行卡）|phone_verified|account_value|CName|order_id|date|time|status|amount|city|城市|имя_файла|name_id|sj|kh|zz|链接地址|日期|金额（元）|score|备注|x|Тип_карты|платёж",
        ),
    ];

    #[test]
    fn headers_claim_what_they_name() {
        let all = CLAIMS.iter().flat_map(|(expected, headers)| headers.split('|').map(move |header| (header, *expected)));
        let claims = |header| claim(header).map_or("-", Named::as_str);
        let wrong: Vec<_> =
            all.filter(|(header, expected)| claims(header) != *expected).map(|(header, _)| (header, claims(header))).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    /// Headers are looked at like cells; beside a number, where more names of persons count, no word of a header is one.
    #[test]
    fn no_word_of_a_header_is_taken_for_a_cell() {
        let claimed = CLAIMS.iter().flat_map(|(_, headers)| headers.split('|'));
        let words = HAN.iter().chain(LATIN).flat_map(|(_, words)| words.split(' ')).map(|word| word.trim_start_matches('='));
        let is_cell = |word: &&str| crate::form::first_identifier(&[word, "39"]).is_some();
        let (known, wrong): (Vec<&str>, Vec<&str>) =
            (claimed.clone().chain(words.clone()).collect(), claimed.chain(words).filter(is_cell).collect());
        assert!(known.len() > 1000 && wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn no_word_stands_under_two_meanings() {
        for list in [HAN, LATIN] {
            let mut words: Vec<&str> = list.iter().flat_map(|(_, words)| words.split(' ')).filter(|word| word.len() > 2).collect();
            words.sort_unstable();
            assert_eq!(words.windows(2).find(|pair| pair[0] == pair[1]), None);
        }
    }

    /// The dictionary of column names of another project, in English: facts to compare with, if they are there.
    #[test]
    fn most_of_a_foreign_dictionary_is_known() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/dictionary/identifier.csv");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: no ../shared");
            return;
        };
        let names = || text.lines().filter_map(|line| line.strip_prefix("en_US\t")?.split('\t').next());
        let unknown: Vec<&str> = names().filter(|name| meaning(name).is_none()).collect();
        println!("{} of {} unknown: {unknown:?}", unknown.len(), names().count());
        assert!(unknown.len() * 4 < names().count(), "{unknown:?}");
    }
}
