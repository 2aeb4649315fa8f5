//! The check of resident numbers, the whole profiling pass over the generated register, and free text, each on one core.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use usufruct::grade::{Profiler, Recognisers, check, free_text};
use usufruct::id::ColumnName;
use usufruct::table::{ColumnKind, CsvOptions, CsvSource, RecordSource, Records, TableColumn, TableSchema};

#[path = "../../../examples/register/mod.rs"]
mod register;

const ROWS: u64 = 100_000;

fn batches() -> (TableSchema, Vec<Records>) {
    let column = |name| TableColumn { name: ColumnName::new(name).unwrap(), kind: ColumnKind::Text };
    let schema = TableSchema::new(register::HEADER.split(',').map(column).collect()).unwrap();
    let mut csv = Vec::new();
    register::Register::new(1, ROWS).write_csv(&mut csv).unwrap();
    let source = CsvSource::from_bytes(csv, CsvOptions::default(), schema.clone()).unwrap();
    let batches = source.read().unwrap().map(Result::unwrap).collect();
    (schema, batches)
}

fn checks(criterion: &mut Criterion) {
    let ids: Vec<[u8; 18]> = register::Register::new(2, 1024).map(|person| person.id).collect();
    let mut group = criterion.benchmark_group("grade.check");
    group.throughput(Throughput::Elements(ids.len() as u64));
    group.bench_function("resident_id", |bencher| bencher.iter(|| ids.iter().filter(|id| check::resident_id(black_box(id))).count()));
    group.finish();
}

fn profile(criterion: &mut Criterion) {
    let (schema, batches) = batches();
    let recognisers = Arc::new(Recognisers::builtin());
    let mut group = criterion.benchmark_group("grade.profile");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("register", |bencher| {
        bencher.iter(|| {
            let mut profiler = Profiler::new(&schema, &recognisers);
            batches.iter().for_each(|records| profiler.update(records));
            profiler.finish()
        });
    });
    group.finish();
}

fn texts(criterion: &mut Criterion) {
    let plain = "群众反映小区门口路灯损坏多日，夜间出行不便，希望有关部门尽快派人维修并回复处理结果。".repeat(40);
    let mixed = "来电人王小明（身份证11010519491231002X）称，其手机13812345678于2024-02-29收到a@b.com发来的邮件；卡号6222 0202 0011 2230。"
        .repeat(20);
    let english = "The resident called about the street light near the school, and asked for a reply by the end of the week. ".repeat(40);
    let mut group = criterion.benchmark_group("grade.free_text");
    for (name, text) in [("plain", &plain), ("mixed", &mixed), ("english", &english)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| free_text::find(black_box(text))));
    }
    group.finish();
}

criterion_group!(benches, checks, profile, texts);
criterion_main!(benches);
