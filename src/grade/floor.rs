//! Floors: what the name of a column claims, whatever its cells look like.

use super::kind::{DIRECT, QUASI};
use super::{Finding, Grade, Kind, Reason, Role};

/// The floor of a column whose header names a direct identifier or a place: its grade is at least 3 (rule H2).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Floor {
    /// What the header names.
    pub named: Named,
    /// Whether there are cells and they do not look like it.
    pub disagrees: bool,
    /// What the cells say alone, as if the header named nothing.
    pub without: Box<Finding>,
}

/// What a header names, of all that leads to one person or one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Named {
    /// The number that a state has given to a person.
    ResidentId,
    /// A telephone or a fax.
    Phone,
    /// An e-mail address.
    Email,
    /// A payment card or a bank account.
    BankCard,
    /// A number plate.
    Plate,
    /// A passport or a travel permit.
    Passport,
    /// A network address.
    Ip,
    /// The name of a person.
    Name,
    /// An address.
    Address,
    /// An account, a licence, or what else was given to one person or device.
    Account,
    /// An exact place: latitude, longitude, coordinates.
    Place,
}

impl Named {
    /// The word of reports: `resident_id`, `phone`, `email`, `bank_card`, `plate`, `passport`, `ip`, `name`, `address`, `account`,
    /// `place`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ResidentId => "resident_id",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::BankCard => "bank_card",
            Self::Plate => "plate",
            Self::Passport => "passport",
            Self::Ip => "ip",
            Self::Name => "name",
            Self::Address => "address",
            Self::Account => "account",
            Self::Place => "place",
        }
    }

    /// In a sentence: `the number of a resident`.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::ResidentId => "the number of a resident",
            Self::Phone => "a telephone",
            Self::Email => "an e-mail address",
            Self::BankCard => "a card or a bank account",
            Self::Plate => "a number plate",
            Self::Passport => "a travel document",
            Self::Ip => "a network address",
            Self::Name => "the name of a person",
            Self::Address => "an address",
            Self::Account => "a number that belongs to one person or device",
            Self::Place => "an exact place",
        }
    }

    /// Whether cells of this kind are what is named. Accounts, licences and places have no form of their own.
    pub(super) const fn fits(self, kind: &Kind) -> bool {
        match self {
            Self::ResidentId => matches!(kind, Kind::ResidentId),
            Self::Phone => matches!(kind, Kind::Mobile | Kind::Landline),
            Self::Email => matches!(kind, Kind::Email),
            Self::BankCard => matches!(kind, Kind::BankCard),
            Self::Plate => matches!(kind, Kind::Plate),
            Self::Passport => matches!(kind, Kind::Passport),
            Self::Ip => matches!(kind, Kind::Ip),
            Self::Name => matches!(kind, Kind::Name),
            Self::Address => matches!(kind, Kind::Address),
            Self::Account | Self::Place => true,
        }
    }

    /// The role that the header gives. A place is that of a household and others; an address is one that can be cut to a
    /// region only while its cells are understood.
    pub(super) const fn role(self, disagrees: bool) -> Role {
        match self {
            Self::Place => Role::Quasi,
            Self::Address if !disagrees => Role::Quasi,
            _ => Role::Direct,
        }
    }

    /// Why the column is graded so.
    pub(super) fn reason(self, disagrees: bool) -> Reason {
        let clause = if self.role(disagrees) == Role::Direct { DIRECT } else { QUASI };
        let text = if disagrees {
            format!("its header names {}, which its cells do not look like", self.in_words()).into()
        } else {
            self.in_words().into()
        };
        Reason { text, clause: clause.into() }
    }

    /// The least grade of such a column.
    pub(super) const GRADE: Grade = Grade::L3;
}
