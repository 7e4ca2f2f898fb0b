//! Progress bars: on standard error, on a terminal, and not for the quiet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Out;
use super::show::grouped;
use crate::engine::{self, SoFar};

/// A bar of so many steps; an invisible one where nobody looks.
pub fn bar(out: &Out, steps: u64, text: &str) -> ProgressBar {
    if !out.progress() {
        return ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr_with_hz(8));
    if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:24}} {text}")) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}

/// A stage of which nobody knows how long it takes.
pub fn stage(out: &Out, name: &'static str) -> ProgressBar {
    let bar = bar(out, 0, "");
    if out.progress() {
        words(&bar, "{spinner} {msg}");
        bar.set_message(name);
        bar.enable_steady_tick(Duration::from_millis(125));
    }
    bar
}

fn words(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸ "));
    }
}

/// The progress of a run, if anybody looks: opening files, reading, evaluating.
pub fn of_run(out: &Out) -> Option<Arc<dyn engine::Progress>> {
    out.progress().then(|| {
        let bar = stage(out, "opening files");
        Arc::new(Run { bar, rows: AtomicU64::new(0), files: AtomicU64::new(0), over: AtomicBool::new(true) })
            as Arc<dyn engine::Progress>
    })
}

struct Run {
    bar: ProgressBar,
    rows: AtomicU64,
    files: AtomicU64,
    /// Nothing is read yet, or no more.
    over: AtomicBool,
}

impl engine::Progress for Run {
    fn start(&self, rows: u64, _bytes: u64, files: usize) {
        // A run that was refused memory starts again.
        self.over.store(false, Ordering::Relaxed);
        self.rows.store(rows, Ordering::Relaxed);
        self.files.store(files as u64, Ordering::Relaxed);
        self.bar.disable_steady_tick();
        words(&self.bar, "{bar:24} {msg}, {eta} left");
        self.bar.set_length(rows);
        self.bar.reset_eta();
    }

    fn at(&self, so_far: &SoFar) {
        if self.over.load(Ordering::Relaxed) {
            return;
        }
        let (rows, files) = (self.rows.load(Ordering::Relaxed), self.files.load(Ordering::Relaxed));
        self.bar.set_message(told(so_far, rows, files));
        self.bar.set_position(so_far.rows.min(rows));
    }

    fn finish(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.bar.finish_and_clear();
    }
}

impl Drop for Run {
    /// An interrupted run leaves no bar behind.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// `reading: 12 of 400 files, 3.1 MiB, 1,000 of 2,000 rows`
fn told(so_far: &SoFar, rows: u64, files: u64) -> String {
    let number = |n: u64| grouped(usize::try_from(n).unwrap_or(usize::MAX));
    let stage = if so_far.rows < rows { "reading" } else { "evaluating" };
    let mut text = format!(
        "{stage}: {} of {} files, {}, {} of {} rows",
        number(so_far.files.min(files)),
        number(files),
        HumanBytes(so_far.bytes),
        number(so_far.rows.min(rows)),
        number(rows),
    );
    if so_far.customers > 0 {
        text.push_str(&format!(", {} customers", number(so_far.customers)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_on_the_way() {
        let so_far = SoFar { rows: 1_000, bytes: 2_048, files: 1, customers: 0 };
        assert_eq!(told(&so_far, 2_000, 2), "reading: 1 of 2 files, 2.00 KiB, 1,000 of 2,000 rows");
        let done = SoFar { rows: 2_000, bytes: 4_096, files: 2, customers: 50 };
        assert_eq!(told(&done, 2_000, 2), "evaluating: 2 of 2 files, 4.00 KiB, 2,000 of 2,000 rows, 50 customers");
    }
}
