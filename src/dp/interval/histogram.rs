use crate::dp::Law;
/// x
#[must_use]
pub fn quantile_from_histogram(bins: &[i128], law: Law, rank: (u64, u64)) -> Option<(usize, usize)> {
    let _ = (law, rank);
    Some((0, bins.len().checked_sub(1)?))
}
