//! Files of records in and out, from the page cache, on one core.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write;
use std::path::Path;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use usufruct::arrow::arrow_array::RecordBatch;
use usufruct::file::OutputOptions;
use usufruct::table::{Encoding, FileOptions, FileSink, FileSource, Format, RawRows, RecordSource, SinkOptions};

const ROWS: usize = 200_000;

/// Nine columns as a register of residents has them, about 80 bytes a record.
fn register(quoted: bool) -> String {
    let mut text = "id,name,sex,birth,district,phone,income,married,note\n".to_owned();
    let quote = if quoted { "\"" } else { "" };
    for row in 0..ROWS {
        let mixed = row.wrapping_mul(2_654_435_761) % 1_000_003;
        let _ = writeln!(
            text,
            "{:012},{quote}王{:04}{quote},{},19{:02}-{:02}-{:02},{quote}district {:02}{quote},1380{:07},{}.{:02},{},{quote}{:x}{quote}",
            row,
            mixed % 10_000,
            ["M", "F"][mixed % 2],
            mixed % 100,
            1 + mixed % 12,
            1 + mixed % 28,
            mixed % 50,
            mixed * 7 % 10_000_000,
            mixed % 90_000,
            mixed % 100,
            ["true", "false", ""][mixed % 3],
            mixed * mixed,
        );
    }
    text
}

fn read(path: &Path, options: &FileOptions) -> Vec<RecordBatch> {
    let source = FileSource::open(path, options).unwrap();
    source.read().unwrap().map(|records| records.unwrap().batch().clone()).collect()
}

fn count(path: &Path, options: &FileOptions) -> usize {
    let source = FileSource::open(path, options).unwrap();
    source.read().unwrap().map(|records| records.unwrap().len()).sum()
}

fn write(target: &Path, format: Format, batches: &[RecordBatch]) -> u64 {
    let options = SinkOptions { output: OutputOptions { force: true, private: false }, unique: vec![0], ..SinkOptions::default() };
    let mut sink = FileSink::create(target, format, &batches[0].schema(), &options).unwrap();
    let preparer = sink.preparer();
    for batch in batches {
        sink.write(preparer.prepare(&RawRows(batch.clone())).unwrap()).unwrap();
    }
    sink.finish().unwrap().bytes
}

/// Time on the processor of this thread, in nanoseconds, as Linux counts it: other work on the machine does not matter.
struct OnCpu(WallTime);

impl OnCpu {
    fn now() -> f64 {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        told.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0.0)
    }
}

impl Measurement for OnCpu {
    type Intermediate = f64;
    type Value = f64;

    fn start(&self) -> f64 {
        Self::now()
    }

    fn end(&self, start: f64) -> f64 {
        // The clock of the kernel moves in ticks.
        (Self::now() - start).max(1.0)
    }

    fn add(&self, one: &f64, other: &f64) -> f64 {
        one + other
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        self.0.formatter()
    }
}

fn table(c: &mut Criterion<OnCpu>) {
    let folder = tempfile::tempdir().unwrap();
    let mut group = c.benchmark_group("table");
    group.sample_size(10).throughput(Throughput::Elements(ROWS as u64));
    let plain = FileOptions::default();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("plain.csv"), register(false)).unwrap();
    std::fs::write(path("quoted.csv"), register(true)).unwrap();
    std::fs::write(path("gb18030.csv"), encoding_rs::GB18030.encode(&register(false)).0).unwrap();
    println!("{} bytes a record", register(false).len() / ROWS);
    group.bench_function("csv_in", |b| b.iter(|| count(&path("plain.csv"), &plain)));
    group.bench_function("csv_in_quoted", |b| b.iter(|| count(&path("quoted.csv"), &plain)));
    let mut gb18030 = plain.clone();
    gb18030.csv.encoding = Encoding::Gb18030;
    group.bench_function("csv_in_gb18030", |b| b.iter(|| count(&path("gb18030.csv"), &gb18030)));
    let batches = read(&path("plain.csv"), &plain);
    for format in [Format::Csv, Format::Parquet, Format::Ipc] {
        let target = path(&format!("out.{}", format.as_str()));
        println!("{format}: {} bytes", write(&target, format, &batches));
        group.bench_function(format!("{}_out", format.as_str()), |b| b.iter(|| write(&target, format, &batches)));
    }
    for format in [Format::Parquet, Format::Ipc] {
        let target = path(&format!("in.{}", format.as_str()));
        let mut sink = FileSink::create(&target, format, &batches[0].schema(), &SinkOptions::default()).unwrap();
        let preparer = sink.preparer();
        for batch in &batches {
            sink.write(preparer.prepare(&RawRows(batch.clone())).unwrap()).unwrap();
        }
        sink.finish().unwrap().commit().unwrap();
        group.bench_function(format!("{}_in", format.as_str()), |b| b.iter(|| count(&target, &plain)));
    }
    group.finish();
}

criterion_group!(name = benches; config = Criterion::default().with_measurement(OnCpu(WallTime)); targets = table);
criterion_main!(benches);
