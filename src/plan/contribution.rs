//! Which rows of a unit are kept (rule D2).

use super::BoundQuery;
use super::bound::Choice;
use super::rank::Ranks;
use crate::dataset::RowKey;

/// Bounds what one unit has in an answer: so many groups, so many rows of each, so many rows in all, chosen by keyed ranks.
///
/// What is kept of a unit is a function of its own rows and of K: no other unit, no place in the data and no order of rows enters.
/// So whoever has all rows of a unit can choose them, wherever the others are.
pub struct ContributionBound {
    ranks: Ranks,
    choice: Choice,
}

/// A row of one unit of which WHERE is true.
#[derive(Clone, Copy)]
pub struct UnitRow<G> {
    /// Its group. Should two groups have equal ranks, their order decides; it is that of the description.
    pub group: G,
    /// Its tag: equal exactly for rows of one unit with equal cells.
    pub tag: [u8; 16],
    /// Whatever its owner finds the row by.
    pub place: usize,
}

impl ContributionBound {
    /// That of a question, by the K of the lineage; nothing where the unit is a row, as then every row is kept.
    #[must_use]
    pub fn new(bound: &BoundQuery, key: &RowKey) -> Option<Self> {
        Some(Self { choice: bound.0.choice?, ranks: Ranks::new(key) })
    }

    /// Leaves of all rows of `unit` those that are kept, in any order. `group_hash` is [`group_hash`](super::group_hash) of the key of
    /// a group.
    pub fn keep<G: Copy + Ord>(&self, unit: &[u8; 16], rows: &mut Vec<UnitRow<G>>, group_hash: impl Fn(G) -> [u8; 16]) {
        self.thin(unit, rows, &group_hash);
        self.cut(unit, rows, &group_hash);
    }

    /// Leaves of some rows of `unit` those that may be kept, whatever its others are: of the groups with the least ranks the rows with
    /// the least ranks. Rows of equal rank have equal cells, so that it does not matter which of them stay.
    ///
    /// A group that is not among the best of those seen will not be among the best of all, nor a row. The bound on all rows of a unit
    /// is left to the end: which groups share it is not known before.
    pub(crate) fn thin<G: Copy + Ord>(&self, unit: &[u8; 16], rows: &mut Vec<UnitRow<G>>, group_hash: &impl Fn(G) -> [u8; 16]) {
        let Choice { groups: groups_max, rows: rows_max, .. } = self.choice;
        if rows.len() <= groups_max.min(rows_max) {
            return;
        }
        rows.sort_unstable_by_key(|row| row.group);
        let rank = |group: G| self.ranks.group(unit, &group_hash(group));
        let mut groups: Vec<&mut [UnitRow<G>]> = rows.chunk_by_mut(|a, b| a.group == b.group).collect();
        if groups.len() > groups_max {
            groups.sort_by_cached_key(|rows| (rank(rows[0].group), rows[0].group));
            groups.truncate(groups_max);
        }
        let mut kept = Vec::new();
        for rows in groups {
            if rows.len() > rows_max {
                let group_rank = rank(rows[0].group);
                let mut ranked: Vec<_> = rows.iter().map(|row| (self.ranks.row(group_rank, &row.tag), *row)).collect();
                ranked.select_nth_unstable_by_key(rows_max, |(rank, _)| *rank);
                kept.extend(ranked[..rows_max].iter().map(|(_, row)| *row));
            } else {
                kept.extend_from_slice(rows);
            }
        }
        *rows = kept;
    }

    /// Leaves as many rows as a unit may have in all: those with the least ranks.
    fn cut<G: Copy + Ord>(&self, unit: &[u8; 16], rows: &mut Vec<UnitRow<G>>, group_hash: &impl Fn(G) -> [u8; 16]) {
        let total = self.choice.total;
        if rows.len() <= total {
            return;
        }
        rows.sort_unstable_by_key(|row| row.group);
        let groups = rows.chunk_by(|a, b| a.group == b.group);
        let ranks = groups.flat_map(|group| {
            let group_rank = self.ranks.group(unit, &group_hash(group[0].group));
            group.iter().map(move |row| (self.ranks.row(group_rank, &row.tag), *row))
        });
        let mut ranked: Vec<_> = ranks.collect();
        ranked.select_nth_unstable_by_key(total, |(rank, row)| (*rank, row.group));
        *rows = ranked[..total].iter().map(|(_, row)| *row).collect();
    }
}

/// Says the bounds; K made the ranks.
impl std::fmt::Debug for ContributionBound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContributionBound").field("choice", &self.choice).finish_non_exhaustive()
    }
}
