//! Kernels of desensitising techniques: values per second on one core.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};

fn kernels(_: &mut Criterion) {}

criterion_group!(benches, kernels);
criterion_main!(benches);
