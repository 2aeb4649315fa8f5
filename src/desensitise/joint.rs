//! What the columns that leave show together of one value: no column leaves more open than all of them do (rule H2).
//!
//! Two columns carry the same value when their kind is one that names a person and has a form (two mobile numbers, two names), as one
//! may be the other in any record; and when the survey saw that one is the other, or a part of it, in at least half of
//! the records that it compared ([`Overlap`]). A mask of the first seven digits beside one of the last four shows all eleven.

use std::ops::Range;

use super::policy::{ColumnPolicy, Policy};
use super::residual;
use super::technique::{Shown, Technique};
use super::{Domain, Known, Residual};
use crate::generalise::DateLevel;
use crate::grade::{Distinct, Finding, Grade, Kind, Overlap, Role, ValueType};
use crate::id::{ColumnName, Decimal};

/// What a column leaves open, and the column beside which it does not leave more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) residual: Residual,
    pub(super) beside: Option<ColumnName>,
}

/// Another column that leaves, and what it shows.
struct Other<'a> {
    section: &'a ColumnPolicy,
    finding: &'a Finding,
}

/// How the value of another column and that of this one belong together.
enum Relation {
    /// They are one.
    Same,
    /// The other is this part of it.
    Part { from: usize, len: usize },
    /// It is this part of the other.
    Whole { from: usize },
    /// One is a part of the other, at no place that could be told.
    Anywhere,
}

impl Policy {
    /// The least that is left open of a column, under what the owner says that it is and under what was found, by its technique and by
    /// everything that leaves beside it.
    pub(super) fn left_open(&self, technique: &Technique, section: &ColumnPolicy, finding: &Finding, findings: &[Finding]) -> Left {
        let alone = self.residual(technique, section, finding, findings);
        let mut left = Left { residual: alone, beside: None };
        if alone == Residual::Unbounded || alone == Residual::CLEAR {
            return left;
        }
        let others = findings.iter().filter(|other| other.column != finding.column);
        let others = others.filter_map(|other| Some(Other { section: self.column(&other.column)?, finding: other }));
        let related: Vec<(Other<'_>, Relation)> = others
            .flat_map(|other| relations(section, finding, &other).into_iter().map(move |relation| (Other { ..other }, relation)))
            .collect();
        let known = self.known(finding, findings);
        if technique.keeps_gaps()
            && let Some(copy) = self.copy_of_a_moved_date(finding, findings)
        {
            return Left { residual: Residual::CLEAR, beside: Some(copy) };
        }
        // One after the other, so that it can be told beside which one little is left, and then all together.
        for count in (0..related.len()).map(|at| at..at + 1).chain(std::iter::once(0..related.len())) {
            let together = joint(technique, section, finding, &related[count.clone()], &known);
            if together < left.residual {
                left = Left { residual: together, beside: related.get(count.start).map(|(other, _)| other.finding.column.clone()) };
            }
        }
        left
    }

    /// A column that shows something of a date that moves beside this one, and so by how much both move.
    fn copy_of_a_moved_date(&self, finding: &Finding, findings: &[Finding]) -> Option<ColumnName> {
        let leaving = || findings.iter().filter_map(|finding| Some(Other { section: self.column(&finding.column)?, finding }));
        let mut moved = leaving().filter(|moved| moved.section.technique.keeps_gaps() && moved.finding.column != finding.column);
        let shows = |other: &Other<'_>| !matches!(other.section.technique.shows(&domain(other.section, other.finding)), Shown::Nothing);
        moved.find_map(|moved| {
            let is_copy = |other: &Other<'_>| {
                ![&finding.column, &moved.finding.column].contains(&&other.finding.column)
                    && !other.section.technique.keeps_gaps()
                    && shows(other)
                    && !relations(moved.section, moved.finding, other).is_empty()
            };
            leaving().find(is_copy).map(|copy| copy.finding.column.clone())
        })
    }

    /// The least residual under what the owner says the column is and under what was found, given what the other columns that leave say
    /// of an ID.
    fn residual(&self, technique: &Technique, section: &ColumnPolicy, finding: &Finding, findings: &[Finding]) -> Residual {
        let known = self.known(finding, findings);
        let found = Domain { kind: finding.kind.clone(), value_type: finding.value_type };
        let mut least = technique.residual_given(&domain(section, finding), &known).min(technique.residual_given(&found, &known));
        // A technique that takes days does not treat the months among them.
        if finding.has_months() && !technique.needs_day() {
            let months = Domain { kind: Kind::YearMonth, value_type: finding.value_type };
            least = least.min(technique.residual_given(&months, &known));
        }
        // Numbers of which many are dates or cards, where the others are what stands for none: of ten numbers in a row few are values.
        if finding.value_type != ValueType::Text && matches!(finding.kind, Kind::Number | Kind::Amount) {
            for (kind, _) in &finding.also {
                least = least.min(technique.residual_given(&Domain { kind: kind.clone(), value_type: finding.value_type }, &known));
            }
        }
        least
    }

    /// What the columns that leave beside it tell of the person of an ID.
    fn known(&self, finding: &Finding, findings: &[Finding]) -> Vec<Known> {
        let others = findings.iter().filter(|other| other.column != finding.column);
        others.filter_map(|other| Some(told(self.column(&other.column)?, other))).flatten().collect()
    }
}

/// How another column belongs to this one, if it does.
fn relations(section: &ColumnPolicy, finding: &Finding, other: &Other<'_>) -> Vec<Relation> {
    let mut relations = Vec::new();
    let is_personal = |section: &ColumnPolicy| section.not_personal.is_none();
    let kinds = |section: &ColumnPolicy, finding: &Finding| [Some(finding.kind.clone()), section.kind.clone()];
    let mine = kinds(section, finding);
    let same_kind = kinds(other.section, other.finding).into_iter().flatten().any(|kind| has_form(&kind) && mine.contains(&Some(kind)));
    if same_kind && is_personal(section) && is_personal(other.section) {
        relations.push(Relation::Same);
    }
    let of = |overlaps: &[Overlap], column: &ColumnName| -> Vec<Option<(usize, usize)>> {
        overlaps.iter().filter(|overlap| overlap.column == *column).map(|overlap| overlap.place).collect()
    };
    // What a date of birth tells of an ID is counted by the days that it leaves.
    let is_date = |finding: &Finding| matches!(finding.kind, Kind::Date | Kind::YearMonth);
    let is_id = |section: &ColumnPolicy, finding: &Finding| kinds(section, finding).contains(&Some(Kind::ResidentId));
    let parts = if is_id(section, finding) && is_date(other.finding) { Vec::new() } else { of(&other.finding.overlaps, &finding.column) };
    let wholes = of(&finding.overlaps, &other.finding.column);
    // Each is a part of the other: they are equal.
    if !parts.is_empty() && !wholes.is_empty() {
        relations.push(Relation::Same);
        return relations;
    }
    relations.extend(parts.into_iter().map(|place| place.map_or(Relation::Anywhere, |(from, len)| Relation::Part { from, len })));
    relations.extend(wholes.into_iter().map(|place| place.map_or(Relation::Anywhere, |(from, _)| Relation::Whole { from })));
    relations
}

/// Kinds that name a person, of which columns of two are taken for one: what is hidden of such values is counted by characters.
const fn has_form(kind: &Kind) -> bool {
    matches!(kind, Kind::ResidentId | Kind::Mobile | Kind::BankCard | Kind::Plate | Kind::Passport | Kind::Uscc | Kind::Name | Kind::Email)
}

/// The characters of canonical values; nothing of kinds whose values have no length of their own.
fn lengths(kind: &Kind) -> Range<usize> {
    match kind {
        Kind::ResidentId | Kind::Uscc => 18..19,
        Kind::Mobile => 11..12,
        Kind::BankCard => 16..20,
        Kind::Plate => 7..9,
        Kind::Passport => 8..12,
        Kind::Date => 8..9,
        Kind::YearMonth => 6..7,
        Kind::Name => 2..5,
        Kind::Email => 1..65,
        _ => 0..0,
    }
}

/// What is left open of the value by the column and the others together.
fn joint(technique: &Technique, section: &ColumnPolicy, finding: &Finding, others: &[(Other<'_>, Relation)], known: &[Known]) -> Residual {
    let mine = domain(section, finding);
    let shown = technique.shows(&mine);
    let mut characters: Vec<Box<dyn Fn(usize, usize) -> bool>> = Vec::new();
    let mut least = Residual::Unbounded;
    let mut is_length_shown = false;
    let mut finest = if let Shown::Steps { width, origin } = shown { Some((width, origin)) } else { None };
    for (other, relation) in others {
        let theirs = domain(other.section, other.finding);
        let beside = other.section.technique.shows(&theirs);
        let is_alike = other.section.technique == *technique && theirs == mine && finding.date_order == other.finding.date_order;
        let is_same = matches!(relation, Relation::Same);
        // Of a part whose place is not known any character may show.
        if matches!(relation, Relation::Anywhere) {
            match beside {
                Shown::Nothing => continue,
                _ if matches!(shown, Shown::Nothing) => continue,
                _ => return Residual::CLEAR,
            }
        }
        match (&shown, beside) {
            (_, Shown::Nothing) | (Shown::Nothing, _) => {}
            // The same output twice, but for keys: those name their column.
            _ if is_same && is_alike && technique.key().is_none() => {}
            (Shown::Characters(_), Shown::Characters(beside)) => {
                let (kind, lens) = (theirs.kind.clone(), lengths(&theirs.kind));
                is_length_shown |= beside.shows_length();
                let longest = lens.end.saturating_sub(1);
                match *relation {
                    Relation::Same if kind == mine.kind => characters.push(Box::new(move |len, at| beside.shows(len, at))),
                    // A part may have any length that its kind has; without one all of it counts as shown.
                    Relation::Part { from, len } if lens.contains(&len) => {
                        characters.push(Box::new(move |_, at| (from..from + len).contains(&at) && beside.shows(len, at - from)));
                    }
                    Relation::Part { from, len } => characters.push(Box::new(move |_, at| (from..from + len).contains(&at))),
                    Relation::Whole { from } if lens.len() == 1 => {
                        characters.push(Box::new(move |_, at| from + at < longest && beside.shows(longest, from + at)));
                    }
                    Relation::Same | Relation::Whole { .. } | Relation::Anywhere => characters.push(Box::new(|_, _| true)),
                }
            }
            (Shown::Characters(_), Shown::Everything | Shown::Steps { .. }) => match *relation {
                Relation::Part { from, len } => characters.push(Box::new(move |_, at| (from..from + len).contains(&at))),
                Relation::Same | Relation::Whole { .. } | Relation::Anywhere => characters.push(Box::new(|_, _| true)),
            },
            (Shown::Steps { .. }, Shown::Steps { width, origin }) if is_same => {
                let Some((narrow, start)) = finest else { return Residual::CLEAR };
                if origin != start || !(is_multiple(width, narrow) || is_multiple(narrow, width)) {
                    return Residual::CLEAR;
                }
                if width < narrow {
                    finest = Some((width, origin));
                    least = least.min(other.section.technique.residual_given(&mine, known));
                }
            }
            // A part of a number or a text may be all that is not known of it.
            _ => return Residual::CLEAR,
        }
    }
    let Shown::Characters(own) = shown else { return least };
    if characters.is_empty() {
        return least;
    }
    let together = |len: usize, at: usize| own.shows(len, at) || characters.iter().any(|shows| shows(len, at));
    // Nothing but what it shows itself: what a technique says of itself may be more than characters tell.
    let is_no_more = |len: usize| (0..len).all(|at| together(len, at) == own.shows(len, at));
    if (own.shows_length() || !is_length_shown) && !lengths(&mine.kind).is_empty() && lengths(&mine.kind).all(is_no_more) {
        return least;
    }
    let found = if finding.kind == mine.kind { None } else { Some(of_characters(&finding.kind, &together, known)) };
    found.into_iter().chain([of_characters(&mine.kind, &together, known)]).min().map_or(least, |count| least.min(Residual::AtLeast(count)))
}

/// How many values agree with what shows of their characters, at least.
fn of_characters(kind: &Kind, shows: &dyn Fn(usize, usize) -> bool, known: &[Known]) -> u128 {
    match kind {
        Kind::Date => residual::dates(&|at| shows(8, at)),
        Kind::YearMonth => residual::months(&|at| shows(6, at)),
        Kind::Name | Kind::Email => {
            let hidden = |len: usize| (0..len).filter(|at| !shows(len, *at)).count();
            let fewest = lengths(kind).map(hidden).min().unwrap_or(0);
            let each: u128 = if *kind == Kind::Name { residual::NAME_CHARACTER } else { residual::LOCAL_CHARACTER };
            each.saturating_pow(u32::try_from(fewest).unwrap_or(u32::MAX))
        }
        _ => residual::of_form(kind, shows, known),
    }
}

fn is_multiple(large: Decimal, small: Decimal) -> bool {
    let scale = large.scale().max(small.scale());
    match (large.units(scale), small.units(scale)) {
        (Some(large), Some(small)) if small != 0 => large % small == 0,
        _ => false,
    }
}

/// What the owner says a column is, else what was found.
pub(super) fn domain(section: &ColumnPolicy, finding: &Finding) -> Domain {
    Domain { kind: section.kind.clone().unwrap_or_else(|| finding.kind.clone()), value_type: finding.value_type }
}

/// The higher grade of what the owner says and what was found, and whether the column names a person directly by either.
pub(super) fn graded(section: &ColumnPolicy, finding: &Finding) -> (Grade, bool) {
    let by_kind = section.kind.as_ref().map_or(Grade::L1, Kind::grade);
    let grade = finding.grade.max(section.grade.unwrap_or(Grade::L1)).max(by_kind);
    let is_direct = finding.role == Role::Direct || section.kind.as_ref().is_some_and(Kind::is_direct_identifier);
    (grade, is_direct)
}

/// What another column of the output tells of the person of a resident ID (rule H2).
fn told(section: &ColumnPolicy, finding: &Finding) -> Vec<Known> {
    let found = Domain { kind: finding.kind.clone(), value_type: finding.value_type };
    let residual = match section.technique.residual(&domain(section, finding)).min(section.technique.residual(&found)) {
        Residual::Unbounded => return Vec::new(),
        Residual::AtLeast(residual) => residual,
    };
    let mut told = Vec::new();
    match finding.kind {
        Kind::Date => told.push(Known::BirthDate(residual)),
        // Of months as they are, no month has fewer days.
        Kind::YearMonth => told.push(Known::BirthDate(residual.saturating_mul(DateLevel::Month.days().into()))),
        Kind::Address => told.push(Known::Region),
        // An age leaves the days of so many years; a latitude is none.
        Kind::Number if finding.role == Role::Quasi && finding.floor.is_none() => told.push(Known::BirthDate(residual.saturating_mul(365))),
        _ => {}
    }
    if matches!(finding.distinct, Distinct::Exactly(2..=4)) && residual == 1 {
        told.push(Known::Sex);
    }
    told
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use super::*;
    use crate::desensitise::{Bin, DateCut, Keep, Mask, ReleaseModel, RowOrder, Suppress};
    use crate::generalise::Bins;
    use crate::grade::{Profiler, Recognisers};
    use crate::table::{ColumnKind, CsvOptions, CsvSource, RecordSource as _, TableColumn, TableSchema};

    fn survey(csv: &str) -> Vec<Finding> {
        let column = |name: &str| TableColumn { name: ColumnName::new(name).unwrap(), kind: ColumnKind::Text };
        let schema = TableSchema::new(csv.lines().next().unwrap().split(',').map(column).collect()).unwrap();
        let source = CsvSource::from_bytes(csv.as_bytes(), CsvOptions::default(), schema).unwrap();
        let mut profiler = Profiler::new(source.schema(), &Arc::new(Recognisers::builtin()));
        source.read().unwrap().for_each(|records| profiler.update(&records.unwrap()));
        profiler.finish()
    }

    /// What is left open of the first column by these techniques.
    fn left(findings: &[Finding], techniques: &[Technique]) -> Left {
        let mut policy = Policy::new(ReleaseModel::Controlled, RowOrder::Shuffled);
        for (finding, technique) in findings.iter().zip(techniques) {
            policy = policy.with_column(finding.column.clone(), ColumnPolicy::new(technique.clone())).unwrap();
        }
        policy.left_open(&techniques[0], policy.column(&findings[0].column).unwrap(), &findings[0], findings)
    }

    fn least(residual: u128) -> Residual {
        Residual::AtLeast(residual)
    }

    #[test]
    fn joint_residuals_are_those_of_writing_all_numbers_out() {
        let prefixes = [138, 139, 150, 186];
        let number = |row: usize| format!("{}{:08}", prefixes[row % 4], row * 7_654_321 % 100_000_000);
        let rows: String = (0..100).map(|row| format!("{0},{0}\n", number(row))).collect();
        let findings = survey(&format!("mobile,contact\n{rows}"));
        let ranges: Vec<(u32, u32)> = (7..11).flat_map(|from| (from + 1..=11).map(move |to| (from, to))).collect();
        for one in &ranges {
            for other in &ranges {
                // All numbers that differ in the last four digits only, by what both masks show.
                let mut alike: HashMap<String, u128> = HashMap::new();
                for number in 0..10_000 {
                    let digits = format!("1380013{number:04}");
                    let shown = |range: &(u32, u32)| {
                        digits
                            .char_indices()
                            .filter(|(at, _)| !(range.0 as usize..range.1 as usize).contains(at))
                            .map(|(_, digit)| digit)
                            .collect::<String>()
                    };
                    *alike.entry(shown(one) + "|" + &shown(other)).or_default() += 1;
                }
                let mask = |range: &(u32, u32)| Technique::new(Mask::range(range.0, range.1).unwrap());
                let found = left(&findings, &[mask(one), mask(other)]);
                assert_eq!(found.residual, least(*alike.values().min().unwrap()), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn dates_bins_and_what_nobody_can_put_together() {
        let rows: String =
            (0..200).map(|row| format!("{}-{:02}-{:02},{}\n", 1950 + row % 60, 1 + row % 12, 1 + row % 28, 1950 + row % 60)).collect();
        let findings = survey(&format!("born,year\n{rows}"));
        let (level, keep) = (|level| Technique::new(DateCut(level)), || Technique::new(Keep));
        // The year stands in every level.
        assert_eq!(left(&findings, &[level(DateLevel::Month), keep()]), Left { residual: least(28), beside: None });
        let rows: String =
            (0..200).map(|row| format!("{0}-{1:02}-{2:02},{1:02}{2:02}\n", 1950 + row % 60, 1 + row % 12, 1 + row % 28)).collect();
        let findings = survey(&format!("born,code\n{rows}"));
        let found = left(&findings, &[level(DateLevel::Year), keep()]);
        assert_eq!((found.residual, found.beside.unwrap().as_str()), (Residual::CLEAR, "code"));
        assert_eq!(left(&findings, &[level(DateLevel::Year), Technique::new(Suppress::DROP)]).residual, least(365));

        let rows: String = (0..200).map(|row| format!("{0},{0}\n", 1_000 + row * 7_919 % 90_000)).collect();
        let findings = survey(&format!("steps,again\n{rows}"));
        let bin = |width, origin| {
            let decimal = |number| Decimal::new(number, 0).unwrap();
            Technique::new(Bin { bins: Bins::of_width(decimal(width), decimal(origin)).unwrap(), step: None })
        };
        for (one, other, expected) in [
            (bin(10, 0), bin(10, 0), least(10)),
            (bin(10, 0), bin(20, 0), least(10)),
            (bin(20, 0), bin(10, 0), least(10)),
            (bin(10, 0), bin(10, 5), Residual::CLEAR),
            (bin(10, 0), bin(15, 0), Residual::CLEAR),
            (bin(10, 0), keep(), Residual::CLEAR),
        ] {
            assert_eq!(left(&findings, &[one.clone(), other.clone()]).residual, expected, "{one:?} {other:?}");
        }
    }

    #[test]
    fn names_and_addresses_of_mail_by_their_characters() {
        let names = ["王小明", "李静", "欧阳娜娜", "张伟"];
        let rows: String =
            (0..100).map(|row| format!("{},{},u{row}@example.com,u{row}@example.com\n", names[row % 4], names[row % 4])).collect();
        let findings = survey(&format!("name,contact_name,mail,other_mail\n{rows}"));
        let mask = |first, last| Technique::new(Mask::ends(first, last));
        let drop = || Technique::new(Suppress::DROP);
        assert_eq!(left(&findings, &[mask(1, 0), mask(1, 0), drop(), drop()]), Left { residual: least(1_000), beside: None });
        assert_eq!(left(&findings, &[mask(1, 0), mask(0, 1), drop(), drop()]).residual, Residual::CLEAR);
        assert_eq!(left(&findings[2..], &[mask(1, 0), mask(0, 1)]).residual, Residual::CLEAR);
    }
}
