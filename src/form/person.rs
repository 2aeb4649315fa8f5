//! Whether a text alone is the name of a person (姓名), by more than its form.

use super::given::{GIVENS, TELLINGS, surname_points};
use super::surname::{NameForm, Set, holds, is_surname, name_form};

/// Given names of one character that need no other sign.
const ALONE: &str = "伟芳娜敏静丽磊勇艳杰娟涛霞刚秀兰琳婷慧颖佳鑫鹏斌辉浩宇欣怡洁莹萍莉玲燕凤珍琴倩琪瑶轩涵睿俊豪军峰雯妍萱梓媛超强";

/// Given names of the countries that write them in Latin letters, without those that are words or places too.
const LATIN: &str = "\
aaron adam alessandro alexander alice amanda amy ana andrea andrew angela anna anne anthony antonio barbara benjamin brandon brenda \
brian carlos carol caroline catherine charles christian christine christopher claire cynthia daniel david deborah dennis diana donald \
donna dorothy edward elena elizabeth emily emma eric eva fernando francesco francois frank gary george giovanni giulia gregory hans \
heather heinz helen henry ingrid isabel ivan jacob james jane janet jason jean jeffrey jennifer jerry jessica joao john jonathan jorge \
jose joseph joshua juan julia julie jurgen karen katherine kathleen kenneth kevin klaus kyle larry laura linda lisa lucas luis maria \
marie mario mark martin mary matthew melissa michael michel michelle miguel mohammed monica nancy natalia nathan nicholas nicole olivia \
pamela patricia patrick paul paulo pedro peter philip pierre rachel rebecca richard robert ronald ruth ryan samantha samuel sandra sara \
sarah scott sharon sophie stefan stephanie stephen steven susan thomas timothy tyler ursula walter wei william wolfgang yuki";

/// How surely a text is the name of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    /// As many words could be.
    Form,
    /// Alone, wherever it stands.
    Alone,
}

/// Whether the text is the name of a person by more than its surname; none when it is not.
pub(super) fn person(text: &str) -> Option<Sure> {
    match name_form(text.as_bytes())? {
        NameForm::Surname => han(text),
        NameForm::Dotted => Some(Sure::Form),
        NameForm::Latin => is_latin(text).then_some(Sure::Form),
        NameForm::Han => None,
    }
}

fn han(text: &str) -> Option<Sure> {
    let surname = is_surname(text.as_bytes())?;
    let (family, given) = (text.chars().next()?, text.chars().skip(surname));
    let telling = surname == 2 || surname_points(family) == 2;
    let all = |list: &Set| given.clone().all(|character| holds(list, character));
    match given.clone().count() {
        1 if telling && surname == 1 && given.clone().all(|character| ALONE.contains(character)) => Some(Sure::Alone),
        2 if telling && all(&TELLINGS) => Some(Sure::Alone),
        1 => all(&TELLINGS).then_some(Sure::Form),
        _ => all(&GIVENS).then_some(Sure::Form),
    }
}

/// Two or three words, the first a given name.
fn is_latin(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let first = words[0].to_ascii_lowercase();
    (2..=3).contains(&words.len())
        && words.iter().all(|word| word.starts_with(char::is_uppercase))
        && LATIN.split(' ').any(|name| name == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons() {
        for text in ["张伟", "王芳", "李建国", "欧阳静怡", "刘子涵", "陈秀兰"] {
            assert_eq!(person(text), Some(Sure::Alone), "{text}");
        }
        for text in ["高明", "黄海", "John Smith", "Maria da Silva", "金华", "买买提·艾力"] {
            let expected = if text == "Maria da Silva" { None } else { Some(Sure::Form) };
            assert_eq!(person(text), expected, "{text}");
        }
        for text in ["姓名", "时间", "单价", "方法", "金额", "First Name", "高度", "北京", "毛重", "安全"] {
            assert_eq!(person(text), None, "{text}");
        }
    }
}
