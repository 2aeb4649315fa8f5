//! Work on the batches of a source in several threads, with the results in the order of the source.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use super::{RecordSource, Records, TableError};

/// Reads a source in one thread, works on its batches in `threads` others, and hands the results to `take` in the order
/// of the source. At most `2 * threads + 2` batches are under way at a time.
///
/// ```text
/// reader --batches--> work, work, ... --results--> take, in order
///    ^------------------- permits ------------------/
/// ```
///
/// # Errors
/// The first error of the source or of `take`; nothing is taken after it.
///
/// # Panics
/// When `work` does.
pub fn in_order<T, E>(
    source: &(dyn RecordSource + Sync),
    threads: usize,
    work: impl Fn(Records) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E>
where
    T: Send,
    E: From<TableError>,
{
    let threads = threads.max(1);
    let under_way = 2 * threads + 2;
    let (permit, permits) = mpsc::sync_channel::<()>(under_way);
    for _ in 0..under_way {
        // The channel has room for all of them.
        let _ = permit.try_send(());
    }
    let (to_work, batches) = mpsc::sync_channel(under_way);
    let (to_take, results) = mpsc::sync_channel(under_way);
    let batches = Mutex::new(batches);
    // Whoever finds its channel closed ends: when `take` fails, the receivers go, and with them reader and workers.
    thread::scope(|scope| {
        let to_take_errors = to_take.clone();
        scope.spawn(move || read(source, &permits, &to_work, &to_take_errors));
        for _ in 0..threads {
            let (to_take, batches, work) = (to_take.clone(), &batches, &work);
            scope.spawn(move || {
                while let Ok((number, records)) = next(batches) {
                    if to_take.send((number, Ok(work(records)))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(to_take);
        let outcome = put_in_order(&results, |result| {
            take(result?)?;
            let _ = permit.try_send(());
            Ok(())
        });
        drop((results, permit));
        // A worker may wait for a batch that the reader will not send any more.
        outcome
    })
}

/// A result and the number of its batch.
type Numbered<T> = (u64, Result<T, TableError>);

fn read<T>(
    source: &(dyn RecordSource + Sync),
    permits: &Receiver<()>,
    to_work: &SyncSender<(u64, Records)>,
    to_take: &SyncSender<Numbered<T>>,
) {
    let mut number = 0;
    let failed = |number, error| {
        let _ = to_take.send((number, Err(error)));
    };
    let batches = match source.read() {
        Ok(batches) => batches,
        Err(error) => return failed(number, error),
    };
    for records in batches {
        if permits.recv().is_err() {
            return;
        }
        match records {
            Ok(records) => {
                if to_work.send((number, records)).is_err() {
                    return;
                }
                number += 1;
            }
            Err(error) => return failed(number, error),
        }
    }
}

fn next(batches: &Mutex<Receiver<(u64, Records)>>) -> Result<(u64, Records), mpsc::RecvError> {
    // A worker that panicked held no lock while it worked.
    match batches.lock() {
        Ok(batches) => batches.recv(),
        Err(poisoned) => poisoned.into_inner().recv(),
    }
}

/// Hands results on by their numbers, counted from 0 without gaps.
fn put_in_order<T, E>(results: &Receiver<Numbered<T>>, mut take: impl FnMut(Result<T, TableError>) -> Result<(), E>) -> Result<(), E> {
    let mut early = BTreeMap::new();
    let mut wanted = 0;
    while let Ok((number, result)) = results.recv() {
        early.insert(number, result);
        while let Some(result) = early.remove(&wanted) {
            take(result)?;
            wanted += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use arrow_array::{Int64Array, RecordBatch};

    use super::*;
    use crate::id::ColumnName;
    use crate::table::{ColumnKind, RecordBatches, TableColumn, TableSchema};

    /// Batches of one row each, which is their number; an error in place of one of them, if told.
    struct Numbers {
        schema: TableSchema,
        count: i64,
        fails_at: Option<i64>,
        given: AtomicUsize,
    }

    impl Numbers {
        fn new(count: i64, fails_at: Option<i64>) -> Self {
            let column = TableColumn { name: ColumnName::new("n").unwrap(), kind: ColumnKind::Integer };
            Self { schema: TableSchema::new(vec![column]).unwrap(), count, fails_at, given: AtomicUsize::new(0) }
        }
    }

    impl RecordSource for Numbers {
        fn schema(&self) -> &TableSchema {
            &self.schema
        }

        fn version(&self) -> Result<String, TableError> {
            Ok(String::new())
        }

        fn read(&self) -> Result<RecordBatches<'_>, TableError> {
            Ok(Box::new((0..self.count).map(|n| {
                if self.fails_at == Some(n) {
                    return Err(TableError::Changed);
                }
                self.given.fetch_add(1, Ordering::SeqCst);
                let batch = RecordBatch::try_new(Records::arrow_schema(&self.schema), vec![Arc::new(Int64Array::from(vec![n]))]);
                Records::new(&self.schema, batch.unwrap(), u64::try_from(n).unwrap() + 1)
            })))
        }
    }

    fn number(records: &Records) -> i64 {
        records.batch().column(0).as_any().downcast_ref::<Int64Array>().unwrap().value(0)
    }

    #[test]
    fn results_come_in_the_order_of_the_source() {
        let source = Numbers::new(500, None);
        let mut taken = Vec::new();
        let slow_at_times = |records: Records| {
            let number = number(&records);
            if number % 7 == 0 {
                thread::sleep(Duration::from_micros(300));
            }
            number
        };
        in_order(&source, 3, slow_at_times, |n| {
            taken.push(n);
            Ok::<_, TableError>(())
        })
        .unwrap();
        assert_eq!(taken, (0..500).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_of_the_source_stands_behind_the_batches_before_it() {
        let mut taken = 0;
        let outcome = in_order(
            &Numbers::new(90, Some(40)),
            2,
            |records| number(&records),
            |_| {
                taken += 1;
                Ok(())
            },
        );
        assert_eq!((outcome, taken), (Err(TableError::Changed), 40));
    }

    #[test]
    fn an_error_of_the_taker_ends_the_reading_soon() {
        let source = Numbers::new(100_000, None);
        let outcome = in_order(&source, 2, |records| number(&records), |n| if n < 10 { Ok(()) } else { Err(TableError::Empty) });
        assert_eq!(outcome, Err(TableError::Empty));
        assert!(source.given.load(Ordering::SeqCst) <= 10 + 2 * 8, "{:?}", source.given);
    }
}
