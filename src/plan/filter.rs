//! WHERE with types bound: conditions in negation normal form.

use super::BindError;
use crate::dataset::{Column, ColumnType, GridStep};
use crate::id::{ColumnName, Decimal};
use crate::query::{Comparison, Literal, Predicate};

/// A condition bound to types, in negation normal form: whether it is true of a row, unknown being untrue.
///
/// NOT moves to the leaves, which De Morgan's laws allow in three-valued logic too; a negated leaf is, like the leaf,
/// not true of a null. So "true" of the whole follows from "true" of the leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// A number within (or without, `negated`) an inclusive range; never empty.
    Range { read: usize, low: i64, high: i64, negated: bool },
    /// A number among (not among) these, in order.
    Numbers { read: usize, values: Vec<i64>, negated: bool },
    /// A text that passes (fails) a test; `table` counts the tables of the whole filter.
    Text { read: usize, table: usize, test: TextTest, negated: bool },
    /// A null (a value).
    Null { read: usize, negated: bool },
    /// All of them.
    All(Vec<Filter>),
    /// Any of them.
    Any(Vec<Filter>),
}

/// A test of a text, byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TextTest {
    Compare(Comparison, String),
    /// In order of bytes.
    In(Vec<String>),
    Between(String, String),
    Prefix(String),
}

impl TextTest {
    pub(crate) fn passes(&self, text: &str) -> bool {
        match self {
            Self::Compare(comparison, value) => match comparison {
                Comparison::Equal => text == value,
                Comparison::NotEqual => text != value,
                Comparison::Less => text < value.as_str(),
                Comparison::LessOrEqual => text <= value.as_str(),
                Comparison::Greater => text > value.as_str(),
                Comparison::GreaterOrEqual => text >= value.as_str(),
            },
            Self::In(values) => values.binary_search_by(|value| value.as_str().cmp(text)).is_ok(),
            Self::Between(low, high) => (low.as_str()..=high.as_str()).contains(&text),
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
        }
    }
}

impl Filter {
    /// The text tests, by number of their table, with the column to read.
    pub(crate) fn text_tests<'a>(&'a self, out: &mut Vec<(usize, &'a TextTest)>) {
        match self {
            Self::Text { read, test, .. } => out.push((*read, test)),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.text_tests(out)),
            Self::Range { .. } | Self::Numbers { .. } | Self::Null { .. } => {}
        }
    }
}

/// Binds a condition; `find` checks that a column may be filtered by and gives it with the number of its reading.
pub(crate) struct Binder<F> {
    pub(crate) find: F,
    /// How many text tests there are so far.
    pub(crate) tables: usize,
}

impl<'a, F: FnMut(&ColumnName) -> Result<(usize, &'a Column), BindError>> Binder<F> {
    pub(crate) fn bind(&mut self, predicate: &Predicate, negate: bool) -> Result<Filter, BindError> {
        match predicate {
            Predicate::Compare { column, comparison, value } => {
                let (read, column) = (self.find)(column)?;
                let Some(step) = column.kind.step() else {
                    return Ok(self.text(read, TextTest::Compare(*comparison, text(column, value)?), negate));
                };
                let (low, high, outside) = comparison_range(*comparison, Point::of(number(column, value)?, step));
                Ok(range(read, low, high, negate != outside))
            }
            Predicate::In { column, negated, values } => {
                let (read, column) = (self.find)(column)?;
                let Some(step) = column.kind.step() else {
                    let mut values = values.iter().map(|value| text(column, value)).collect::<Result<Vec<_>, _>>()?;
                    values.sort_unstable();
                    return Ok(self.text(read, TextTest::In(values), negate != *negated));
                };
                let points = values.iter().map(|value| number(column, value).map(|number| Point::of(number, step)));
                let mut values = points.filter_map(|point| point.map(Point::on_grid).transpose()).collect::<Result<Vec<_>, _>>()?;
                values.sort_unstable();
                Ok(Filter::Numbers { read, values, negated: negate != *negated })
            }
            Predicate::Between { column, negated, low, high } => {
                let (read, column) = (self.find)(column)?;
                let Some(step) = column.kind.step() else {
                    let test = TextTest::Between(text(column, low)?, text(column, high)?);
                    return Ok(self.text(read, test, negate != *negated));
                };
                let (low, high) = (Point::of(number(column, low)?, step), Point::of(number(column, high)?, step));
                Ok(range(read, low.from(), high.below(), negate != *negated))
            }
            Predicate::Prefix { column, negated, prefix } => {
                let (read, column) = (self.find)(column)?;
                if column.kind != ColumnType::Text {
                    return Err(BindError::Constant { column: column.name.clone(), kind: column.kind.name(), expected: "a number" });
                }
                Ok(self.text(read, TextTest::Prefix(prefix.clone()), negate != *negated))
            }
            Predicate::IsNull { column, negated } => Ok(Filter::Null { read: (self.find)(column)?.0, negated: negate != *negated }),
            Predicate::And(parts) | Predicate::Or(parts) => {
                let all = matches!(predicate, Predicate::And(_)) != negate;
                let parts = parts.iter().map(|part| self.bind(part, negate)).collect::<Result<_, _>>()?;
                Ok(if all { Filter::All(parts) } else { Filter::Any(parts) })
            }
            Predicate::Not(part) => self.bind(part, !negate),
        }
    }

    fn text(&mut self, read: usize, test: TextTest, negated: bool) -> Filter {
        let table = self.tables;
        self.tables += 1;
        Filter::Text { read, table, test, negated }
    }
}

fn text(column: &Column, value: &Literal) -> Result<String, BindError> {
    match value {
        Literal::Text(text) => Ok(text.clone()),
        Literal::Number(_) => Err(BindError::Constant { column: column.name.clone(), kind: column.kind.name(), expected: "text" }),
    }
}

fn number(column: &Column, value: &Literal) -> Result<Decimal, BindError> {
    match value {
        Literal::Number(number) => Ok(*number),
        Literal::Text(_) => {
            debug_assert!(column.kind != ColumnType::Text);
            Err(BindError::Constant { column: column.name.clone(), kind: column.kind.name(), expected: "a number" })
        }
    }
}

/// `low..=high`, an empty range as the outside of the full one.
fn range(read: usize, low: i128, high: i128, negated: bool) -> Filter {
    let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
    match (i64::try_from(low.max(least)), i64::try_from(high.min(most))) {
        (Ok(low), Ok(high)) if low <= high => Filter::Range { read, low, high, negated },
        _ => Filter::Range { read, low: i64::MIN, high: i64::MAX, negated: !negated },
    }
}

/// The numbers v (in steps) for which `v comparison point` holds, as an inclusive range or its outside.
fn comparison_range(comparison: Comparison, point: Point) -> (i128, i128, bool) {
    let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
    match comparison {
        Comparison::Equal => (point.from(), point.below(), false),
        Comparison::NotEqual => (point.from(), point.below(), true),
        Comparison::Less => (least, point.from() - 1, false),
        Comparison::LessOrEqual => (least, point.below(), false),
        Comparison::Greater => (point.below() + 1, most, false),
        Comparison::GreaterOrEqual => (point.from(), most, false),
    }
}

/// Where a constant lies on a grid: at the grid point `floor`, or between it and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// Held within a little more than `i64`.
    floor: i128,
    exact: bool,
}

impl Point {
    pub(crate) fn of(number: Decimal, step: GridStep) -> Self {
        /// Beyond every `i64`.
        const FAR: i128 = 1 << 64;
        let step = step.decimal();
        let scale = number.scale().max(step.scale());
        match (number.units(scale), step.units(scale)) {
            (Some(number), Some(step)) => {
                let floor = number.div_euclid(step);
                if floor.abs() < FAR {
                    Self { floor, exact: number.rem_euclid(step) == 0 }
                } else {
                    Self { floor: floor.signum() * FAR, exact: false }
                }
            }
            // The number is above 10^38 units of the scale, the step below 10^18 of them.
            (None, _) => Self { floor: number.mantissa().signum() * FAR, exact: false },
            // The step has no room at the scale of the number, so it is the greater of the two.
            (Some(number), None) => Self { floor: if number < 0 { -1 } else { 0 }, exact: number == 0 },
        }
    }

    /// The least grid point at or above.
    pub(crate) fn from(self) -> i128 {
        if self.exact { self.floor } else { self.floor + 1 }
    }

    /// The greatest grid point at or below.
    pub(crate) fn below(self) -> i128 {
        self.floor
    }

    /// The constant as a grid point, if it is one that a cell can have.
    fn on_grid(self) -> Option<i64> {
        if self.exact { i64::try_from(self.floor).ok() } else { None }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ALL: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];

    fn holds(comparison: Comparison, order: std::cmp::Ordering) -> bool {
        match comparison {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }

    fn in_range(filter: &Filter, value: i64) -> bool {
        let Filter::Range { low, high, negated, .. } = filter else { unreachable!() };
        assert!(low <= high);
        (*low..=*high).contains(&value) != *negated
    }

    /// Every comparison of every grid value with every constant near it, on four grids, equals that of the decimals.
    #[test]
    fn thresholds_agree_with_exact_decimals() {
        for step in ["1", "0.25", "0.3", "7"] {
            let step = GridStep::parse(step).unwrap();
            let unit = step.decimal();
            for constant in -220..=220 {
                let constant = Decimal::new(constant, 1).unwrap();
                for value in -9..=9_i64 {
                    let cell = Decimal::new(unit.mantissa() * i128::from(value), unit.scale()).unwrap();
                    for comparison in ALL {
                        let (low, high, outside) = comparison_range(comparison, Point::of(constant, step));
                        for negated in [false, true] {
                            let filter = range(0, low, high, outside != negated);
                            assert_eq!(
                                in_range(&filter, value),
                                holds(comparison, cell.cmp(&constant)) != negated,
                                "{cell} {comparison:?} {constant}"
                            );
                        }
                    }
                    assert_eq!(Point::of(constant, step).on_grid() == Some(value), cell == constant);
                }
            }
        }
    }

    #[test]
    fn constants_beyond_every_cell_are_exact_too() {
        let extremes = [i64::MIN, -1, 0, 1, i64::MAX];
        let constants = [
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "-9223372036854775809",
            "-9223372036854775808.5",
            "9223372036854775806.5",
            "99999999999999999999999999999999999999",
            "-99999999999999999999999999999999999999",
            "0.00000000000000000000000000000000000001",
            "-0.00000000000000000000000000000000000001",
            "0",
        ];
        for step in ["1", "0.000000000000000001", "999999999999999999"] {
            let step = GridStep::parse(step).unwrap();
            for constant in constants.map(|constant| Decimal::parse(constant).unwrap()) {
                for value in extremes {
                    let cell = Decimal::new(step.decimal().mantissa() * i128::from(value), step.decimal().scale()).unwrap();
                    for comparison in ALL {
                        let (low, high, outside) = comparison_range(comparison, Point::of(constant, step));
                        let filter = range(0, low, high, outside);
                        assert_eq!(in_range(&filter, value), holds(comparison, cell.cmp(&constant)), "{cell} {comparison:?} {constant}");
                    }
                }
            }
        }
    }

    #[test]
    fn texts_compare_by_bytes() {
        let test = |comparison| TextTest::Compare(comparison, "b".into());
        for (text, order) in [("a", -1), ("B", -1), ("", -1), ("b", 0), ("ba", 1), ("é", 1)] {
            let order: std::cmp::Ordering = i32::cmp(&order, &0);
            for comparison in ALL {
                assert_eq!(test(comparison).passes(text), holds(comparison, order), "{text} {comparison:?}");
            }
        }
        let test = TextTest::In(vec!["a".into(), "c".into()]);
        assert!(test.passes("a") && test.passes("c") && !test.passes("b"));
        assert!(!TextTest::Between("b".into(), "a".into()).passes("a"));
    }
}
