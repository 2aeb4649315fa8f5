//! Ctrl-C: at once while nothing is under way, else through a flag, so that parts of files are removed.

use std::sync::atomic::{AtomicBool, Ordering};

/// 128 + SIGINT, as shells report it.
pub(crate) const EXIT_CODE: u8 = 130;

static CANCELLED: AtomicBool = AtomicBool::new(false);
static WORKING: AtomicBool = AtomicBool::new(false);

/// While it lives, Ctrl-C only sets the flag; a second one ends the process all the same.
pub(crate) struct Work(());

pub(crate) fn install() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        if CANCELLED.swap(true, Ordering::SeqCst) || !WORKING.load(Ordering::SeqCst) {
            std::process::exit(i32::from(EXIT_CODE));
        }
    })
}

pub(crate) fn work() -> Work {
    WORKING.store(true, Ordering::SeqCst);
    Work(())
}

pub(crate) fn is_cancelled() -> bool {
    CANCELLED.load(Ordering::SeqCst)
}

impl Drop for Work {
    fn drop(&mut self) {
        WORKING.store(false, Ordering::SeqCst);
    }
}
