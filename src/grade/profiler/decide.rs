//! From counts to a finding.
//!
//! | kind | least share of cells | with a header that names it |
//! |---|---|---|
//! | resident_id, uscc, email, ip | 0.5 | 0.2 |
//! | bank_card | 0.5 | 0.3 |
//! | mobile, landline, plate, date, year_month | 0.8 | 0.5 |
//! | passport | 0.95 | 0.5 |
//! | address | 0.7 | 0.2 |
//! | amount with a currency | 0.5 | 0.5 |
//! | name | 0.85 known surnames | 0.5 of any form |
//!
//! What a header names is a floor below all of it: grade 3, and a direct identifier, whatever the kind.
//!
//! One number in ten passes the check of cards by chance; so a column of serial numbers never reaches their share. A header
//! of codes refuses the kinds that have no check digit, and so does a column of mobile numbers with one or two prefixes.

use super::super::header::Meaning;
use super::super::kind::{QUASI, STRICTER};
use super::super::recogniser::Recognisers;
use super::super::{Distinct, Finding, Floor, Grade, Kind, Named, Reason, Role, header};
use super::cell::Seen;
use super::column::Column;
use crate::id::ColumnName;

/// Kinds by the shares they need, in the order in which they are tried: without a header, with one, in hundredths.
const SHARES: [(Kind, u64, u64); 13] = [
    (Kind::ResidentId, 50, 20),
    (Kind::Uscc, 50, 20),
    (Kind::Email, 50, 20),
    (Kind::Ip, 50, 20),
    (Kind::BankCard, 50, 30),
    (Kind::Mobile, 80, 50),
    (Kind::Plate, 80, 50),
    (Kind::Passport, 95, 50),
    (Kind::Landline, 80, 50),
    (Kind::Date, 80, 50),
    (Kind::YearMonth, 80, 50),
    (Kind::Amount, 50, 50),
    (Kind::Address, 70, 20),
];

/// A column of the user's kind has at least this share of its cells, or the second with its header, in hundredths.
const CUSTOM_SHARES: (u64, u64) = (80, 50);

/// A category has at most so many values, each of them five times on average.
const CATEGORY_MAX: u64 = 200;

/// Longer values are texts.
const CATEGORY_BYTES_MAX: usize = 64;

/// A category in integers has at most so many values, each of them ten times on average.
const INTEGER_CATEGORY_MAX: u64 = 20;

/// Fewer cells than this do not show that all cells of a column differ.
const UNIQUE_MIN: u64 = 20;

pub(super) fn finding(column: &Column, name: &ColumnName, recognisers: &Recognisers) -> Finding {
    let evidence = Evidence { column, meaning: header::meaning(name.as_str()) };
    let found = evidence.finding(name, recognisers);
    match header::claim(name.as_str()) {
        None => found,
        Some(named) => {
            let without = Evidence { column, meaning: None }.finding(name, recognisers);
            raised(found, named, without)
        }
    }
}

/// A finding under the floor of its header.
fn raised(found: Finding, named: Named, without: Finding) -> Finding {
    let disagrees = found.sampled > 0 && !named.fits(&found.kind) && !matches!(found.kind, Kind::Custom(_));
    let header = named.role(disagrees);
    // Of two equal grades the header has the better reason where nothing is known of the cells, or something else.
    let is_better = found.grade < Named::GRADE || found.grade == Named::GRADE && (disagrees || found.role == Role::Other);
    let reason = if is_better { named.reason(disagrees) } else { found.reason };
    let role = if found.role == Role::Direct { Role::Direct } else { header };
    let floor = Some(Floor { named, disagrees, without: Box::new(without) });
    Finding { grade: found.grade.max(Named::GRADE), reason, role, floor, ..found }
}

struct Evidence<'a> {
    column: &'a Column,
    meaning: Option<Meaning>,
}

impl Evidence<'_> {
    fn finding(&self, name: &ColumnName, recognisers: &Recognisers) -> Finding {
        let column = self.column;
        let custom = self.custom(name, recognisers);
        let (kind, matched) = custom.map(|(at, matched)| (recognisers.customs()[at].kind(), matched)).unwrap_or_else(|| self.kind());
        let also = self.also(&kind, recognisers);
        let header_hint = match custom {
            Some((at, _)) => recognisers.customs()[at].has_header(name.as_str()),
            None => self.meaning.is_some_and(|meaning| meaning.names(&kind)),
        };
        let (role, grade, reason) = self.grade(&kind, &also, recognisers);
        Finding {
            column: name.clone(),
            grade,
            reason,
            role,
            confidence: confidence(matched, column.cells, header_hint),
            matched,
            sampled: column.cells,
            nulls: column.nulls,
            value_type: column.value_type(matches!(kind, Kind::Number | Kind::Amount)),
            date_order: column.date_order(),
            distinct: column.distinct.count(),
            also,
            header_hint,
            floor: None,
            overlaps: Vec::new(),
            kind,
        }
    }

    fn seen(&self, seen: Seen) -> u64 {
        self.column.seen(seen)
    }

    fn share(&self, count: u64, hundredths: u64) -> bool {
        count > 0 && u128::from(count) * 100 >= u128::from(self.column.cells) * u128::from(hundredths)
    }

    fn is_named(&self, kind: &Kind) -> bool {
        self.meaning.is_some_and(|meaning| meaning.names(kind))
    }

    /// The first of the user's kinds that has its share.
    fn custom(&self, name: &ColumnName, recognisers: &Recognisers) -> Option<(usize, u64)> {
        let counts = self.column.custom.iter().zip(recognisers.customs()).enumerate();
        counts.into_iter().find_map(|(at, (&[whole, _], custom))| {
            let least = if custom.has_header(name.as_str()) { CUSTOM_SHARES.1 } else { CUSTOM_SHARES.0 };
            self.share(whole, least).then_some((at, whole))
        })
    }

    /// Whole cells of a kind.
    fn whole(&self, kind: &Kind) -> u64 {
        match kind {
            // The old form has no check digit: it counts beside the new one, by its header, or when there is nothing else.
            Kind::ResidentId => {
                let (new, old) = (self.seen(Seen::ResidentId), self.seen(Seen::ResidentIdOld));
                if new > 0 || self.is_named(kind) || self.share(old, 80) { new + old } else { new }
            }
            Kind::Uscc => self.seen(Seen::Uscc),
            Kind::Email => self.seen(Seen::Email),
            Kind::Ip => self.seen(Seen::Ip),
            Kind::BankCard => self.seen(Seen::BankCard),
            Kind::Mobile => self.seen(Seen::Mobile),
            Kind::Plate => self.seen(Seen::Plate),
            Kind::Passport => self.seen(Seen::Passport),
            Kind::Landline => {
                // Of all digits that begin with 0 about half have this form by chance.
                let plain = self.seen(Seen::LandlinePlain);
                let is_one = self.is_named(kind) || self.seen(Seen::Landline) > 0 || self.share(plain, 95);
                self.seen(Seen::Landline) + if is_one { plain } else { 0 }
            }
            // Months among dates are read as well, so that they count with them.
            Kind::Date if self.days() > 0 => self.days() + self.seen(Seen::YearMonth),
            Kind::YearMonth if self.days() == 0 => self.seen(Seen::YearMonth),
            Kind::Amount => self.seen(Seen::Money),
            Kind::Address => self.seen(Seen::Address),
            _ => 0,
        }
    }

    /// Whether something speaks against a kind that has no check digit.
    fn is_refused(&self, kind: &Kind) -> bool {
        let code = self.meaning == Some(Meaning::Code);
        match kind {
            Kind::Mobile => {
                let narrow = self.seen(Seen::Mobile) >= 50 && (1..=2).contains(&self.column.mobile_prefixes());
                !self.is_named(kind) && (narrow || code && !self.share(self.seen(Seen::Mobile), 98))
            }
            Kind::Landline | Kind::Passport | Kind::Ip => code,
            Kind::Amount => matches!(self.meaning, Some(Meaning::Number | Meaning::Place)),
            Kind::Date => self.column.mixes_orders(),
            _ => false,
        }
    }

    fn kind(&self) -> (Kind, u64) {
        if self.column.cells == 0 {
            return (self.meaning.map_or(Kind::Text, Meaning::kind), 0);
        }
        for (kind, without, with) in SHARES {
            let matched = self.whole(&kind);
            let least = if self.is_named(&kind) { with } else { without };
            if self.share(matched, least) && !self.is_refused(&kind) {
                return (kind, matched);
            }
        }
        if self.is_of_unread_dates() {
            return (Kind::Text, self.column.cells);
        }
        // Telephones of both sorts in one column: the more frequent names it.
        let (mobile, landline) = (self.whole(&Kind::Mobile), self.whole(&Kind::Landline));
        if self.share(mobile + landline, if self.is_named(&Kind::Mobile) { 50 } else { 80 }) && !self.is_refused(&Kind::Mobile) {
            return if mobile >= landline { (Kind::Mobile, mobile) } else { (Kind::Landline, landline) };
        }
        self.name().or_else(|| self.number()).or_else(|| self.category()).unwrap_or_else(|| self.code_or_text())
    }

    fn name(&self) -> Option<(Kind, u64)> {
        let surnames = self.seen(Seen::Name);
        if self.meaning == Some(Meaning::Name) {
            let any = surnames + self.seen(Seen::Han) + self.seen(Seen::Latin) + self.seen(Seen::Word);
            return self.share(any, 50).then_some((Kind::Name, any));
        }
        let open = matches!(self.meaning, None | Some(Meaning::Text | Meaning::Account | Meaning::Phone));
        // Words of a category may begin as surnames do; names are many.
        let distinct = self.column.distinct.count().at_least();
        (open && self.share(surnames, 85) && (distinct > 50 || distinct * 2 > self.column.cells)).then_some((Kind::Name, surnames))
    }

    fn number(&self) -> Option<(Kind, u64)> {
        if !self.is_numeric() {
            return None;
        }
        let is_integer = self.column.has_integers_only();
        let numbers = self.column.numbers(self.expects_numbers());
        let kind = match self.meaning {
            Some(Meaning::Amount) => Kind::Amount,
            Some(Meaning::Age | Meaning::Number | Meaning::Place) => Kind::Number,
            Some(Meaning::Code | Meaning::Account) if is_integer => Kind::Code,
            Some(Meaning::Region | Meaning::Trait | Meaning::Category) if is_integer => Kind::Category,
            _ if is_integer && self.is_category(INTEGER_CATEGORY_MAX, 10) => Kind::Category,
            _ if is_integer && self.is_serial() => Kind::Code,
            _ => Kind::Number,
        };
        Some((kind, numbers))
    }

    fn category(&self) -> Option<(Kind, u64)> {
        let named = matches!(self.meaning, Some(Meaning::Region | Meaning::Trait | Meaning::Category | Meaning::Sensitive));
        if self.meaning == Some(Meaning::Text) || self.column.longest > CATEGORY_BYTES_MAX {
            return None;
        }
        let few = if named { self.is_category(1000, 1) } else { self.is_category(CATEGORY_MAX, 5) };
        few.then_some((Kind::Category, self.column.cells))
    }

    fn code_or_text(&self) -> (Kind, u64) {
        let codes = [
            Seen::Code,
            Seen::LongCode,
            Seen::CardLike,
            Seen::BankCard,
            Seen::MobileLike,
            Seen::Number,
            Seen::LandlinePlain,
            Seen::Passport,
            Seen::ResidentIdOld,
            Seen::DatePlain,
        ];
        let codes = codes.into_iter().map(|seen| self.seen(seen)).sum::<u64>()
            + [Kind::Mobile, Kind::Ip, Kind::Landline]
                .iter()
                .filter(|kind| self.is_refused(kind))
                .map(|kind| self.whole(kind))
                .sum::<u64>();
        let named = matches!(self.meaning, Some(Meaning::Code | Meaning::Account));
        let words = if named { self.seen(Seen::Word) + self.seen(Seen::Latin) } else { 0 };
        if self.share(codes + words, if named { 50 } else { 80 }) { (Kind::Code, codes + words) } else { (Kind::Text, self.column.cells) }
    }

    fn is_category(&self, most: u64, each: u64) -> bool {
        matches!(self.column.distinct.count(), Distinct::Exactly(distinct) if distinct <= most && self.column.cells >= distinct * each)
    }

    /// Serial numbers have one length, and no two are alike or they are longer than quantities.
    fn is_serial(&self) -> bool {
        let (shortest, longest) = self.column.number_lengths;
        shortest == longest && (longest >= 14 || longest >= 6 && self.is_unique())
    }

    /// Files have words among their numbers; one cell in five may be none.
    fn is_numeric(&self) -> bool {
        self.share(self.column.numbers(self.expects_numbers()), 80)
    }

    /// Whether the header speaks of numbers, so that needless zeros in front do not make codes of them.
    const fn expects_numbers(&self) -> bool {
        matches!(self.meaning, Some(Meaning::Amount | Meaning::Age | Meaning::Number | Meaning::Place))
    }

    /// Cells that name a day.
    fn days(&self) -> u64 {
        self.seen(Seen::Date) + self.seen(Seen::DatePlain)
    }

    /// A column of dates of both orders: whatever order is taken, some of them are none. It is graded as one of dates.
    fn is_of_unread_dates(&self) -> bool {
        self.column.mixes_orders() && self.share(self.whole(&Kind::Date), if self.is_named(&Kind::Date) { 50 } else { 80 })
    }

    /// Whether (nearly) no two cells are alike, as far as they are counted.
    fn is_unique(&self) -> bool {
        self.column.cells >= UNIQUE_MIN
            && match self.column.distinct.count() {
                Distinct::Exactly(distinct) => distinct * 100 >= self.column.cells * 98,
                Distinct::AtLeast(_) => true,
            }
    }

    /// Kinds met beside the kind of the column, above what chance gives.
    fn also(&self, kind: &Kind, recognisers: &Recognisers) -> Vec<(Kind, u64)> {
        let mut also: Vec<(Kind, u64)> = Kind::BUILTIN
            .into_iter()
            .filter(|other| other != kind && !self.is_refused(other))
            .map(|other| {
                let count = self.whole_above_chance(&other) + self.column.inside(&other);
                (other, count)
            })
            .collect();
        let customs = self.column.custom.iter().zip(recognisers.customs());
        also.extend(customs.map(|(counts, custom)| (custom.kind(), counts.iter().sum())).filter(|(other, _)| other != kind));
        // They count as dates, and leave less open than dates do.
        also.extend((*kind == Kind::Date).then(|| (Kind::YearMonth, self.seen(Seen::YearMonth))));
        also.retain(|&(_, count)| count > 0);
        also.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        also
    }

    /// Whole cells of a kind, none if as many would be there by chance.
    fn whole_above_chance(&self, kind: &Kind) -> u64 {
        let count = self.whole(kind);
        let is_above = match kind {
            // One in ten of all numbers that begin like cards; six standard deviations above: once in 10^9 columns.
            Kind::BankCard => above(count, self.seen(Seen::CardLike), 0.1),
            // Province and day in one of 2,000, then the check character.
            Kind::ResidentId => {
                self.seen(Seen::ResidentId) > 0
                    && above(self.seen(Seen::ResidentId), self.seen(Seen::LongCode) + self.seen(Seen::CardLike), 1e-3)
            }
            Kind::Uscc => above(count, self.seen(Seen::LongCode) + self.seen(Seen::CardLike), 1e-2),
            // Of all numbers of eleven digits that begin with 1, two in three have a prefix. Among other numbers few have eleven.
            Kind::Mobile => above(count, self.seen(Seen::MobileLike), 0.64) && (!self.is_numeric() || self.share(count, 5)),
            Kind::Passport | Kind::Address => self.share(count, 5),
            Kind::Email | Kind::Ip | Kind::Plate | Kind::Landline => true,
            // One in a thousand numbers of eight digits is a day: the others are what stands where there is none.
            Kind::Date => self.is_numeric() && self.share(count, 20),
            _ => false,
        };
        if is_above { count } else { 0 }
    }

    fn grade(&self, kind: &Kind, also: &[(Kind, u64)], recognisers: &Recognisers) -> (Role, Grade, Reason) {
        let (mut role, mut grade) = (recognisers.role(kind), recognisers.grade(kind));
        let mut reason = if *kind == Kind::Text && self.is_of_unread_dates() {
            Reason::of("dates of which some have the day first and some the month, so that no order reads all of them", QUASI)
        } else {
            kind.reason()
        };
        if let Some((header_role, header_grade, header_reason)) = self.meaning.and_then(Meaning::adds) {
            // Of two equal grades the header has the better reason, but for direct identifiers.
            if header_grade > grade || header_grade == grade && role != Role::Direct {
                (grade, reason) = (header_grade, header_reason);
            }
            if role != Role::Direct {
                role = header_role;
            }
        } else if role == Role::Other && *kind == Kind::Code && self.is_unique() {
            role = Role::Quasi;
        }
        if let Some(highest) = also.iter().map(|(kind, _)| recognisers.grade(kind)).max().filter(|highest| *highest > grade) {
            grade = highest;
            reason = Reason::of("other kinds were met in its cells; the highest grade wins", STRICTER);
        }
        (role, grade, reason)
    }
}

/// Whether so many that pass a check are more than chance gives among all that have its form.
#[expect(clippy::cast_precision_loss, reason = "a threshold")]
fn above(passed: u64, failed: u64, chance: f64) -> bool {
    let all = passed as f64 + failed as f64;
    passed > 0 && (failed == 0 || passed as f64 > all * chance + 6.0 * (all * chance * (1.0 - chance)).sqrt())
}

/// The lower end of the 95 % Wilson interval; a header that names the kind halves the doubt.
#[expect(clippy::cast_precision_loss, reason = "a share")]
fn confidence(matched: u64, cells: u64, named: bool) -> f64 {
    if cells == 0 {
        return 0.0;
    }
    let (n, p, z) = (cells as f64, matched as f64 / cells as f64, 1.96_f64);
    let middle = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let low = ((middle - half) / (1.0 + z * z / n)).clamp(0.0, 1.0);
    if named { 1.0 - (1.0 - low) / 2.0 } else { low }
}
