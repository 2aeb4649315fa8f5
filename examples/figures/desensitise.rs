//! Desensitising an eight-column register: in memory, and from file to file with survey, digests and manifest.

use std::fs::{self, File};
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use usufruct::anonymity::{UniquenessAsked, UniquenessMeter};
use usufruct::desensitise::{DesensitisePlan, KeyRing, Manifest, Policy, PrfAlgorithm, Run, Target};
use usufruct::grade::{Recognisers, survey};
use usufruct::id::{Name, Time};
use usufruct::random::SystemRandom;
use usufruct::table::{
    ColumnKind, FileOptions, FileSink, FileSource, Format, RawRows, RecordSource as _, Records, SinkOptions, TableColumn, TableSchema,
};

use crate::measure::{Work, median, peak_bytes, print, process_cpu_s, rates, seconds};
use crate::{Outcome, register};

/// Eight columns, as a portal would treat them; format-preserving encryption of the id comes later.
const POLICY: &str = r#"
release = "enclave"
[columns.id]
technique = "pseudonym"
key = "k"
[columns.name]
technique = "mask"
keep_first = 1
width = 2
[columns.sex]
technique = "keep"
[columns.birth]
technique = "date_shift"
key = "k"
subject = "id"
days = 365
[columns.age]
technique = "top_bottom"
top = 90
[columns.city]
technique = "keep"
[columns.mobile]
technique = "mask"
keep_first = 3
keep_last = 4
[columns.income]
technique = "round"
to = 100
step = 1
"#;
const IN_MEMORY: u64 = 400_000;
const IN_FILES: u64 = 2_000_000;
const ROUNDS: usize = 5;

/// The columns of the policy; the register's others are not read.
fn schema() -> Result<TableSchema, Box<dyn std::error::Error>> {
    let columns = ["id", "name", "sex", "birth", "age", "city", "mobile", "income"];
    let column = |name: &&str| Ok(TableColumn { name: usufruct::id::ColumnName::new(name)?, kind: ColumnKind::Text });
    Ok(TableSchema::new(columns.iter().map(column).collect::<Result<_, usufruct::id::IdError>>()?)?)
}

fn keys(algorithm: PrfAlgorithm) -> Result<KeyRing, Box<dyn std::error::Error>> {
    Ok(KeyRing::generate(&mut SystemRandom::new()?, Name::new("k")?, algorithm, Name::new("figures")?))
}

fn write_register(path: &Path, rows: u64) -> Outcome {
    Ok(register::Register::new(5, rows).write_csv(&mut BufWriter::new(File::create(path)?))?)
}

/// Records in memory, one thread, off-kind checks on; by the thread's CPU time, times two cores.
pub(crate) fn in_memory() -> Outcome {
    let folder = tempfile::tempdir()?;
    let csv = folder.path().join("register.csv");
    write_register(&csv, IN_MEMORY)?;
    let source = FileSource::open_as(&csv, &FileOptions::default(), schema()?)?;
    let findings = survey(&source, &Arc::new(Recognisers::builtin()), 2, &mut |_| ControlFlow::Continue(()))?;
    let batches: Vec<Records> = source.read()?.collect::<Result<_, _>>()?;
    let bytes: usize = batches.iter().map(|records| records.batch().get_array_memory_size()).sum();
    let policy = Policy::parse(POLICY)?;
    let plan = |algorithm| -> Result<DesensitisePlan, Box<dyn std::error::Error>> {
        policy.plan(&findings, source.schema(), &keys(algorithm)?, Format::Csv).map_err(|objections| format!("{objections:?}").into())
    };
    let mut failed = false;
    for (name, plan) in [("desensitise.arrow", plan(PrfAlgorithm::AesCmac)?), ("desensitise.arrow.hmac", plan(PrfAlgorithm::HmacSha256)?)] {
        let mut run = || {
            failed |= thread::scope(|scope| {
                let halves = batches.chunks(batches.len().div_ceil(2));
                let threads: Vec<_> = halves.map(|half| scope.spawn(|| half.iter().any(|records| plan.emit(records).is_err()))).collect();
                threads.into_iter().any(|thread| thread.join().unwrap_or(true))
            });
        };
        run();
        let (mut cpu, mut clock) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = process_cpu_s();
            clock.push(seconds(&mut run));
            cpu.push(process_cpu_s() - start);
        }
        print(&format!("{name}.records_per_s"), 2.0 * IN_MEMORY as f64 / median(cpu), "records/s of two cores' CPU time");
        print(&format!("{name}.clock.records_per_s"), IN_MEMORY as f64 / median(clock), "records/s by the clock");
    }
    let copies: Vec<f64> = (0..ROUNDS).map(|_| seconds(|| drop(std::hint::black_box(copied(&batches))))).collect();
    primitives();
    print("limit.memcpy.records_per_s", IN_MEMORY as f64 / median(copies), "records/s copied by one thread");
    print("desensitise.arrow.bytes_per_record", bytes as f64 / IN_MEMORY as f64, "bytes");
    if failed { Err("a batch failed".into()) } else { Ok(()) }
}

/// Every buffer of the batches once.
fn copied(batches: &[Records]) -> Vec<Vec<u8>> {
    use usufruct::arrow::arrow_array::Array as _;
    let columns = batches.iter().flat_map(|records| records.batch().columns());
    columns.flat_map(|column| column.to_data().buffers().iter().map(|buffer| buffer.as_slice().to_vec()).collect::<Vec<_>>()).collect()
}

/// File to file: survey, check, work, digests, manifest; from a warm cache.
pub(crate) fn files() -> Outcome {
    let folder = tempfile::tempdir()?;
    let csv = folder.path().join("register.csv");
    write_register(&csv, IN_FILES)?;
    let parquet = folder.path().join("register.parquet");
    to_parquet(&csv, &parquet)?;
    let keys = keys(PrfAlgorithm::AesCmac)?;
    for (name, path, format) in [("desensitise.csv", &csv, Format::Csv), ("desensitise.parquet", &parquet, Format::Parquet)] {
        let source = FileSource::open_as(path, &FileOptions::default(), schema()?)?;
        let (mut clock, mut cpu, mut out) = (Vec::new(), Vec::new(), 0);
        for round in 0..3 {
            let target = Target::new(folder.path().join(format!("{name}.{round}")), format);
            let mut run = Run {
                threads: 2,
                recognisers: Arc::new(Recognisers::builtin()),
                signer: None,
                now: Time::from_unix_s(0),
                progress: &mut |_| ControlFlow::Continue(()),
            };
            let bound = Policy::parse(POLICY)?.bind(&keys);
            let mut outcome = None;
            let start = process_cpu_s();
            clock.push(seconds(|| outcome = Some(bound.apply(&source, &target, &mut run))));
            cpu.push(process_cpu_s() - start);
            let report = outcome.ok_or("no outcome")??;
            if report.rows_written != IN_FILES {
                return Err("rows are missing".into());
            }
            out = fs::metadata(&target.path)?.len();
            if format == Format::Csv && round == 0 {
                unique(&target.path, &report.manifest)?;
            }
            fs::remove_file(&target.path)?;
        }
        print(&format!("{name}.records_per_s"), IN_FILES as f64 / median(clock), "records/s by the clock");
        print(&format!("{name}.cpu.records_per_s"), 2.0 * IN_FILES as f64 / median(cpu), "records/s of two cores' CPU time");
        print(&format!("{name}.bytes_in_per_record"), fs::metadata(path)?.len() as f64 / IN_FILES as f64, "bytes");
        print(&format!("{name}.bytes_out_per_record"), out as f64 / IN_FILES as f64, "bytes");
    }
    if let Some(peak) = peak_bytes() {
        print("desensitise.peak_bytes", peak, "bytes, of the whole process so far");
    }
    Ok(())
}

/// Who is unique in what left, on every column without a key, each and each pair of them: what a file that leaves its enclave takes more.
fn unique(path: &Path, manifest: &Manifest) -> Outcome {
    let options = FileOptions { format: Some(Format::Csv), ..FileOptions::default() };
    let source = FileSource::open(path, &options)?;
    let batches: Vec<Records> = source.read()?.collect::<Result<_, _>>()?;
    let columns: Vec<_> =
        manifest.columns.iter().filter(|column| column.leaves && column.key.is_none()).map(|column| column.name.clone()).collect();
    let names: Vec<&str> = source.schema().columns().iter().map(|column| column.name.as_str()).collect();
    let (sets, asked) = (1 + columns.len() * (columns.len() + 1) / 2, UniquenessAsked { columns, ..UniquenessAsked::default() });
    let start = process_cpu_s();
    let mut meter = UniquenessMeter::new(asked, &names, Path::new("."))?;
    let hasher = meter.hasher();
    for records in &batches {
        meter.take(hasher.hash(records.batch())?)?;
    }
    let hashed = process_cpu_s() - start;
    let counted = meter.finish(2, &mut |_, _| ControlFlow::Continue(()))?;
    print("desensitise.unique.cpu.s", process_cpu_s() - start, &format!("CPU s for {IN_FILES} records on {sets} sets of columns"));
    print("desensitise.unique.hash.cpu.s", hashed, "of them to hash and number the cells");
    print("desensitise.unique.share", counted.all.millionths() as f64 / 1e6, "of the records are unique on all columns without a key");
    // The physical limit: as many hashes sorted once.
    let mut words: Vec<u64> = (0..IN_FILES).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let start = process_cpu_s();
    words.sort_unstable();
    print("limit.sort.cpu.s", process_cpu_s() - start, &format!("CPU s to sort {IN_FILES} words once"));
    Ok(())
}

/// The register as it is, for something to read.
fn to_parquet(csv: &Path, parquet: &Path) -> Outcome {
    let source = FileSource::open_as(csv, &FileOptions::default(), schema()?)?;
    let mut sink = FileSink::create(parquet, Format::Parquet, &Records::arrow_schema(source.schema()), &SinkOptions::default())?;
    let preparer = sink.preparer();
    for records in source.read()? {
        sink.write(preparer.prepare(&RawRows(records?.batch().clone()))?)?;
    }
    Ok(sink.finish()?.commit()?)
}

/// Blocks of AES-128 and HMAC-SHA256 of a resident id, on one core: what keyed pseudonyms are made of.
fn primitives() {
    use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
    let cipher = aes::Aes128::new(&[7; 16].into());
    let mut blocks = vec![aes::Block::default(); 1024];
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[7; 32]);
    let [aes, hmac] = rates([
        Work::new(1024, || cipher.encrypt_blocks(std::hint::black_box(&mut blocks))),
        Work::new(64, || {
            for _ in 0..64 {
                std::hint::black_box(ring::hmac::sign(&key, b"11010519491231002X"));
            }
        }),
    ]);
    print("limit.aes_block.per_s", aes, "blocks/s, one core");
    print("limit.hmac.per_s", hmac, "HMAC-SHA256 of 18 bytes a second, one core");
}
