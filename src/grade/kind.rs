//! Kinds of cells, the grade of each, and why.

use std::borrow::Cow;
use std::fmt;

use super::Grade;
use crate::id::Name;

/// What the cells of a column are (数据类别).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Number of a resident (公民身份号码), GB 11643; the 15 digits of before 1999 too.
    ResidentId,
    /// Mobile number (手机号).
    Mobile,
    /// Landline number (固定电话).
    Landline,
    /// E-mail address.
    Email,
    /// Number of a payment card (银行卡号), ISO/IEC 7812.
    BankCard,
    /// Unified social credit code (统一社会信用代码), GB 32100.
    Uscc,
    /// Number plate (车牌号).
    Plate,
    /// Passport or travel permit (护照, 通行证).
    Passport,
    /// IP address, version 4 or 6.
    Ip,
    /// Civil date, with or without a time.
    Date,
    /// Month of a year (年月), without a day.
    YearMonth,
    /// Name of a person (姓名).
    Name,
    /// Address (地址).
    Address,
    /// Amount of money (金额).
    Amount,
    /// One of few values.
    Category,
    /// A number that is none of the others.
    Number,
    /// An identifier of a thing: an order, an event, a device.
    Code,
    /// Free text.
    Text,
    /// A kind that a recogniser of the user's found.
    Custom(Name),
}

/// Why a column has its grade.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// In words.
    pub text: Cow<'static, str>,
    /// The standard and its clause.
    pub clause: Cow<'static, str>,
}

/// What a column does to the privacy of the people in it (GB/T 37964-2019, terms).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Direct identifier (直接标识符): singles out a person alone.
    Direct,
    /// Quasi-identifier (准标识符): singles out a person together with others.
    Quasi,
    /// Sensitive attribute (敏感属性): what must not be learnt about a person.
    Sensitive,
    /// None of these.
    Other,
}

impl Kind {
    /// The built-in kinds, in order.
    pub const BUILTIN: [Self; 18] = [
        Self::ResidentId,
        Self::Mobile,
        Self::Landline,
        Self::Email,
        Self::BankCard,
        Self::Uscc,
        Self::Plate,
        Self::Passport,
        Self::Ip,
        Self::Date,
        Self::YearMonth,
        Self::Name,
        Self::Address,
        Self::Amount,
        Self::Category,
        Self::Number,
        Self::Code,
        Self::Text,
    ];

    /// The word of policies and reports: `resident_id`, `mobile`, ...; the name of a custom kind.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::ResidentId => "resident_id",
            Self::Mobile => "mobile",
            Self::Landline => "landline",
            Self::Email => "email",
            Self::BankCard => "bank_card",
            Self::Uscc => "uscc",
            Self::Plate => "plate",
            Self::Passport => "passport",
            Self::Ip => "ip",
            Self::Date => "date",
            Self::YearMonth => "year_month",
            Self::Name => "name",
            Self::Address => "address",
            Self::Amount => "amount",
            Self::Category => "category",
            Self::Number => "number",
            Self::Code => "code",
            Self::Text => "text",
            Self::Custom(name) => name.as_str(),
        }
    }

    /// Where a built-in kind stands in [`Kind::BUILTIN`].
    #[cfg(feature = "records")]
    pub(super) const fn slot(&self) -> Option<usize> {
        Some(match self {
            Self::ResidentId => 0,
            Self::Mobile => 1,
            Self::Landline => 2,
            Self::Email => 3,
            Self::BankCard => 4,
            Self::Uscc => 5,
            Self::Plate => 6,
            Self::Passport => 7,
            Self::Ip => 8,
            Self::Date => 9,
            Self::YearMonth => 10,
            Self::Name => 11,
            Self::Address => 12,
            Self::Amount => 13,
            Self::Category => 14,
            Self::Number => 15,
            Self::Code => 16,
            Self::Text => 17,
            Self::Custom(_) => return None,
        })
    }

    /// A built-in kind from its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::BUILTIN.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether a cell of this kind singles out a person alone: ids, phones, cards, mail, names, plates, network addresses.
    #[must_use]
    pub fn is_direct_identifier(&self) -> bool {
        self.role() == Role::Direct
    }

    /// What the kind alone says of the role of a column; its header may say more ([`super::Finding::role`]).
    #[must_use]
    pub fn role(&self) -> Role {
        match self {
            Self::ResidentId
            | Self::Mobile
            | Self::Landline
            | Self::Email
            | Self::BankCard
            | Self::Plate
            | Self::Passport
            | Self::Ip
            | Self::Name => Role::Direct,
            Self::Address => Role::Quasi,
            Self::Amount => Role::Sensitive,
            _ => Role::Other,
        }
    }

    /// The grade of a column of this kind of which nothing else is known; of a custom kind the stricter guess,
    /// as only its recogniser knows better.
    #[must_use]
    pub fn grade(&self) -> Grade {
        match self {
            Self::ResidentId
            | Self::Mobile
            | Self::Landline
            | Self::Email
            | Self::BankCard
            | Self::Plate
            | Self::Passport
            | Self::Ip
            | Self::Name
            | Self::Address
            | Self::Amount
            | Self::Custom(_) => Grade::L3,
            Self::Uscc | Self::Date | Self::YearMonth | Self::Number | Self::Code | Self::Text => Grade::L2,
            Self::Category => Grade::L1,
        }
    }

    /// Why a column of this kind has that grade.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::ResidentId => Reason::of("the number of a resident singles out one person", DIRECT),
            Self::Mobile | Self::Landline => Reason::of("a telephone number leads to one person or household", DIRECT),
            Self::Email => Reason::of("an e-mail address leads to one person", DIRECT),
            Self::BankCard => Reason::of("a card number leads to one person's account", "GB/T 42460-2023 Annex A; JR/T 0197-2020 level 3"),
            Self::Plate => Reason::of("a number plate leads to the keeper of the vehicle", DIRECT),
            Self::Passport => Reason::of("the number of a travel document singles out one person", DIRECT),
            Self::Ip => Reason::of("a network address leads to one connection", DIRECT),
            Self::Name => Reason::of("the name of a person", DIRECT),
            Self::Address => Reason::of("an address leads to one household; cut to a region it leads to many", QUASI),
            Self::Amount => Reason::of("what a person earns, owns or owes", SENSITIVE),
            Self::Uscc => Reason::of("the code of an organisation is public; that of a sole trader leads to a person", INTERNAL),
            Self::Date | Self::YearMonth => Reason::of("a date joins rows to events known elsewhere", QUASI),
            Self::Number => Reason::of("a number whose meaning is not known", INTERNAL),
            Self::Code => Reason::of("an identifier joins rows to other files", QUASI),
            Self::Text => Reason::of("free text can hold anything", INTERNAL),
            Self::Category => Reason::of("each value is shared by many rows", OPEN),
            Self::Custom(_) => Reason::of("declared by a recogniser of the user", STRICTER),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Direct identifiers.
pub(super) const DIRECT: &str = "GB/T 42460-2023 Annex A";
/// Quasi-identifiers.
pub(super) const QUASI: &str = "GB/T 42460-2023 Annex B";
/// Personal sensitive information.
pub(super) const SENSITIVE: &str = "GB/T 35273-2020 Annex B";
/// For internal use.
pub(super) const INTERNAL: &str = "JR/T 0197-2020 level 2";
/// May be open.
pub(super) const OPEN: &str = "JR/T 0197-2020 level 1";
/// The stricter grade wins.
pub(super) const STRICTER: &str = "GB/T 43697-2024 就高从严";

impl Reason {
    pub(super) const fn of(text: &'static str, clause: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), clause: Cow::Borrowed(clause) }
    }
}

impl Role {
    /// The word of reports: `direct`, `quasi`, `sensitive`, `other`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Quasi => "quasi",
            Self::Sensitive => "sensitive",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back_to_their_kinds() {
        for kind in Kind::BUILTIN {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        #[cfg(feature = "records")]
        assert!(Kind::BUILTIN.iter().enumerate().all(|(at, kind)| kind.slot() == Some(at)));
        assert_eq!(Kind::parse("person"), None);
        assert_eq!(Kind::Custom(Name::new("staff_no").unwrap()).as_str(), "staff_no");
    }

    #[test]
    fn direct_identifiers_are_never_graded_below_three() {
        for kind in Kind::BUILTIN {
            assert!(!kind.is_direct_identifier() || kind.grade() >= Grade::L3, "{kind}");
            assert!(!kind.reason().clause.is_empty());
        }
    }
}
