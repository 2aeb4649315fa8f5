//! Pages in `docs/` beside the records that they list.
#![allow(clippy::unwrap_used)]

use super::Row;

/// That the first table behind `heading` in the page lists exactly these fields: key, name, and the shape among the words of its
/// type. Words behind the name are for people, and so is a row whose key is `-`. A field may be absent if some cell says
/// `absent` or `optional`; where a column is about absence, if its cell is not `required`, and only then.
pub(crate) fn assert_documented(page: &str, heading: &str, table: &[Row]) {
    let (_, section) = page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("the page lacks {heading:?}"));
    let lines = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let mut listed: Vec<_> = lines.map(cells).collect();
    let absence = listed[0].iter().position(|cell| cell.starts_with("absent"));
    listed.drain(..2);
    listed.retain(|cells| cells[0] != "-");
    for row in table {
        let key = row.key.to_string();
        let line = listed.iter().find(|cells| cells[0] == key).unwrap_or_else(|| panic!("{heading}: key {key} is not listed"));
        assert_eq!(line[1].split([' ', ',']).next().unwrap(), row.name, "{heading}: key {key}");
        assert!(line[2].contains(row.shape), "{heading}: key {key} is {:?}, not {:?}", row.shape, line[2]);
        match absence {
            Some(column) => assert_eq!(line[column] != "required", row.optional, "{heading}: key {key} may be absent"),
            None => {
                let optional = line[2..].iter().any(|cell| cell.contains("absent") || cell.contains("optional"));
                assert!(optional || !row.optional, "{heading}: key {key} may be absent");
            }
        }
    }
    assert_eq!(listed.len(), table.len(), "{heading} lists other keys");
}
