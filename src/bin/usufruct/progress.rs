//! A progress bar on a terminal; nothing in a pipe, and nothing for work that is done at once.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shorter work shows no bar.
const QUIET: Duration = Duration::from_millis(300);

pub(crate) struct Bar {
    bar: ProgressBar,
    begun: Instant,
}

impl Bar {
    /// `what` is being done; `unit` is what is counted.
    pub(crate) fn new(what: &'static str, bytes: bool) -> Self {
        // `stderr` draws on a terminal only.
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let template =
            if bytes { "{prefix} {bar:40} {bytes}/{total_bytes} {msg} {eta}" } else { "{prefix} {bar:40} {pos}/{len} {msg} {eta}" };
        // The template is ours; a wrong one would only look plain.
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: bar.with_style(style).with_prefix(what), begun: Instant::now() }
    }

    pub(crate) fn show(&self, done: u64, total: Option<u64>) {
        if self.begun.elapsed() >= QUIET {
            self.bar.set_length(total.unwrap_or(done).max(done));
            self.bar.set_position(done);
        }
    }

    /// As [`Bar::show`], with the rate of records.
    pub(crate) fn show_rate(&self, records: u64, done: u64, total: Option<u64>) {
        let elapsed = self.begun.elapsed();
        if elapsed >= QUIET {
            self.show(done, total);
            let rate = u128::from(records) * 1000 / elapsed.as_millis().max(1);
            self.message(format!("{records} records, {rate}/s,"));
        }
    }

    /// Takes the bar away; another stage begins.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    pub(crate) fn message(&self, text: String) {
        self.bar.set_message(text);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
