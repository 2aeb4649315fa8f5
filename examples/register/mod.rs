//! A register of people who do not exist: the one generator of examples, tests and benches.
//!
//! Row `k` of a seed is always the same person. Resident ids are those of GB 11643 (real regions, valid dates and check
//! digits, an odd sequence number for men) and do not repeat in the first 10,939,050 rows; mobile numbers have assigned
//! prefixes; incomes have a long tail. Ages are those on 31 December 2025.

// Every includer uses another part. All casts are of numbers far below their bounds.
#![allow(dead_code, clippy::cast_possible_truncation)]

use std::io::{self, Write};

/// The header of the CSV file.
pub(crate) const HEADER: &str = "id,name,sex,birth,age,city,mobile,occupation,income";

/// What an owner would say of the register. It stands beside `register.csv`.
pub(crate) const DESCRIPTION: &str = r#"name = "register"
title = "Resident register (generated)"
data = "register.csv"
unit = "row"
rows_are_independent = true
budget = { model = "approx", epsilon = "3", delta = "0" }

[columns.id]
type = "text"
grade = 4

[columns.name]
type = "text"
grade = 4

[columns.sex]
type = "text"
values = ["男", "女"]
grade = 1

[columns.birth]
type = "text"
grade = 3

[columns.age]
type = "integer"
bounds = [0, 120]
grade = 2

[columns.city]
type = "text"
values = ["北京", "上海", "广州", "深圳", "成都", "杭州", "武汉", "西安", "南京", "重庆"]
grade = 1

[columns.mobile]
type = "text"
grade = 4

[columns.occupation]
type = "text"
values = ["10000", "20000", "30000", "40000", "50000", "60000", "70000", "80000"]
grade = 2

[columns.income]
type = "real"
step = "1"
bounds = [0, 50000]
grade = 3
"#;

/// The declared cities, with how many of 100 people live there.
pub(crate) const CITIES: [(&str, u64); 10] =
    [("北京", 15), ("上海", 17), ("广州", 12), ("深圳", 11), ("成都", 10), ("杭州", 8), ("武汉", 8), ("西安", 6), ("南京", 5), ("重庆", 8)];

/// The major groups of GB/T 6565, with how many of 100 adults belong to them.
pub(crate) const OCCUPATIONS: [(&str, u64); 8] =
    [("10000", 2), ("20000", 15), ("30000", 12), ("40000", 36), ("50000", 12), ("60000", 20), ("70000", 1), ("80000", 2)];

/// Where people were born: districts of the declared cities (GB/T 2260).
const REGIONS: [&str; 30] = [
    "110101", "110105", "110108", "310101", "310104", "310115", "440103", "440104", "440106", "440303", "440304", "440305", "510104",
    "510105", "510107", "330102", "330105", "330106", "420102", "420103", "420106", "610102", "610103", "610113", "320102", "320104",
    "320106", "500103", "500105", "500106",
];

/// How many of 1,000 people are in their first, second, ... tenth decade.
const DECADES: [(u64, u64); 10] = [(0, 111), (1, 112), (2, 118), (3, 158), (4, 147), (5, 158), (6, 105), (7, 60), (8, 26), (9, 5)];

const SURNAMES: [(&str, u64); 24] = [
    ("王", 140),
    ("李", 140),
    ("张", 130),
    ("刘", 100),
    ("陈", 90),
    ("杨", 60),
    ("黄", 45),
    ("赵", 45),
    ("吴", 40),
    ("周", 40),
    ("徐", 30),
    ("孙", 25),
    ("马", 20),
    ("朱", 20),
    ("胡", 20),
    ("郭", 15),
    ("何", 12),
    ("林", 10),
    ("高", 8),
    ("罗", 4),
    ("欧阳", 3),
    ("上官", 1),
    ("司马", 1),
    ("诸葛", 1),
];

const GIVEN: [&str; 32] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀", "霞", "平", "刚", "桂",
    "英", "华", "玉", "兰", "文", "建", "国", "红", "梅", "子",
];

const MOBILE_PREFIXES: [&str; 24] = [
    "130", "131", "132", "133", "134", "135", "136", "137", "138", "139", "150", "151", "152", "158", "159", "176", "177", "180", "182",
    "186", "187", "188", "189", "199",
];

const MONTH_DAYS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// The year on whose last day ages are counted.
const YEAR: u64 = 2025;

/// What tells two ids apart besides the year of birth: region, day and sequence number.
const PLACES: u64 = REGIONS.len() as u64 * 365 * 999;

/// Coprime to [`PLACES`]: stepping by it meets every place once.
const STRIDE: u64 = 7_368_787;

/// The people of a seed.
#[derive(Clone, Debug)]
pub(crate) struct Register {
    seed: u64,
    rows: u64,
    next: u64,
    null_per_mille: u64,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: [u8; 18],
    pub(crate) surname: &'static str,
    pub(crate) given: [&'static str; 2],
    pub(crate) sex: &'static str,
    /// `YYYY-MM-DD`.
    pub(crate) birth: [u8; 10],
    pub(crate) age: u8,
    pub(crate) city: &'static str,
    pub(crate) mobile: [u8; 11],
    pub(crate) occupation: &'static str,
    /// In yuan a month.
    pub(crate) income: Option<u32>,
}

impl Register {
    pub(crate) fn new(seed: u64, rows: u64) -> Self {
        Self { seed, rows, next: 0, null_per_mille: 0 }
    }

    /// Leaves the income of so many of 1,000 people empty; a description must then say `nullable = true`.
    pub(crate) fn with_null_incomes(mut self, per_mille: u64) -> Self {
        self.null_per_mille = per_mille;
        self
    }

    /// Writes the header and all people.
    pub(crate) fn write_csv(self, out: &mut impl Write) -> io::Result<()> {
        let mut text = Vec::with_capacity(1 << 16);
        writeln!(text, "{HEADER}")?;
        for person in self {
            person.write_csv(&mut text);
            if text.len() > (1 << 16) - 256 {
                out.write_all(&text)?;
                text.clear();
            }
        }
        out.write_all(&text)
    }

    fn person(&self, row: u64) -> Person {
        let mut draws = SplitMix::of(self.seed, row);
        let place = (row % PLACES * STRIDE + SplitMix::of(self.seed, u64::MAX).next() % PLACES) % PLACES;
        let (region, day, sequence) = (place % 30, place / 30 % 365, place / (30 * 365) + 1);
        let age = draws.weighted(&DECADES) * 10 + draws.below(10);
        let adult = age >= 16;

        let mut birth = *b"0000-00-00";
        let (month, day) = month_and_day(day);
        digits(&mut birth[0..4], YEAR - age);
        digits(&mut birth[5..7], month);
        digits(&mut birth[8..10], day);

        let mut id = [0; 18];
        id[0..6].copy_from_slice(REGIONS[region as usize].as_bytes());
        id[6..10].copy_from_slice(&birth[0..4]);
        id[10..12].copy_from_slice(&birth[5..7]);
        id[12..14].copy_from_slice(&birth[8..10]);
        digits(&mut id[14..17], sequence);
        id[17] = check_digit(&id);

        let mut mobile = [0; 11];
        mobile[0..3].copy_from_slice(MOBILE_PREFIXES[draws.below(24) as usize].as_bytes());
        digits(&mut mobile[3..11], draws.below(100_000_000));

        let second = if draws.below(4) > 0 { GIVEN[draws.below(32) as usize] } else { "" };
        Person {
            id,
            surname: draws.weighted(&SURNAMES),
            given: [GIVEN[draws.below(32) as usize], second],
            sex: if sequence % 2 == 1 { "男" } else { "女" },
            birth,
            age: age as u8,
            city: draws.weighted(&CITIES),
            mobile,
            occupation: if adult { draws.weighted(&OCCUPATIONS) } else { "80000" },
            income: (draws.below(1000) >= self.null_per_mille).then(|| if adult { draws.income() } else { 0 }),
        }
    }
}

impl Iterator for Register {
    type Item = Person;

    fn next(&mut self) -> Option<Person> {
        if self.next == self.rows {
            return None;
        }
        self.next += 1;
        Some(self.person(self.next - 1))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.rows - self.next) as usize;
        (left, Some(left))
    }
}

impl Person {
    pub(crate) fn id(&self) -> &str {
        std::str::from_utf8(&self.id).expect("digits")
    }

    pub(crate) fn birth(&self) -> &str {
        std::str::from_utf8(&self.birth).expect("digits")
    }

    pub(crate) fn mobile(&self) -> &str {
        std::str::from_utf8(&self.mobile).expect("digits")
    }

    pub(crate) fn name(&self) -> String {
        [self.surname, self.given[0], self.given[1]].concat()
    }

    /// Appends a line of CSV. No cell needs quotes.
    pub(crate) fn write_csv(&self, out: &mut Vec<u8>) {
        let name = [self.surname.as_bytes(), self.given[0].as_bytes(), self.given[1].as_bytes()];
        out.extend_from_slice(&self.id);
        out.push(b',');
        for part in name {
            out.extend_from_slice(part);
        }
        for cell in [self.sex.as_bytes(), &self.birth] {
            out.push(b',');
            out.extend_from_slice(cell);
        }
        out.push(b',');
        decimal(out, u64::from(self.age));
        for cell in [self.city.as_bytes(), &self.mobile, self.occupation.as_bytes()] {
            out.push(b',');
            out.extend_from_slice(cell);
        }
        out.push(b',');
        if let Some(income) = self.income {
            decimal(out, u64::from(income));
        }
        out.push(b'\n');
    }
}

/// The last character of a resident id, from its first 17 digits (GB 11643; ISO 7064, MOD 11-2).
pub(crate) fn check_digit(id: &[u8; 18]) -> u8 {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = WEIGHTS.iter().zip(id).map(|(weight, digit)| weight * u32::from(digit - b'0')).sum();
    b"10X98765432"[sum as usize % 11]
}

/// Month and day of a day of the year, counted from 0, in a year without 29 February.
fn month_and_day(mut day: u64) -> (u64, u64) {
    for (month, days) in (1..).zip(MONTH_DAYS) {
        if day < days {
            return (month, day + 1);
        }
        day -= days;
    }
    unreachable!("a year has 365 days")
}

/// Fills a field with the digits of a number, zeros first.
fn digits(field: &mut [u8], mut number: u64) {
    for byte in field.iter_mut().rev() {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn decimal(out: &mut Vec<u8>, number: u64) {
    let mut field = [0; 10];
    digits(&mut field, number);
    let start = field.iter().position(|&byte| byte != b'0').unwrap_or(9);
    out.extend_from_slice(&field[start..]);
}

/// SplitMix64 (Steele, Lea, Flood 2014): for test data, never for noise.
struct SplitMix(u64);

impl SplitMix {
    fn of(seed: u64, row: u64) -> Self {
        let mut mixed = Self(seed);
        Self(mixed.next() ^ row.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn weighted<T: Copy>(&mut self, choices: &[(T, u64)]) -> T {
        let mut left = self.below(choices.iter().map(|(_, weight)| weight).sum());
        for &(choice, weight) in choices {
            if left < weight {
                return choice;
            }
            left -= weight;
        }
        unreachable!("the draw is below the sum of the weights")
    }

    /// Half earn 2,000 to 4,000, a quarter up to 8,000, an eighth up to 16,000, ... up to 256,000.
    fn income(&mut self) -> u32 {
        let doublings = self.next().trailing_zeros().min(6);
        ((2000 << doublings) * (1024 + self.below(1024)) / 1024) as u32
    }
}
