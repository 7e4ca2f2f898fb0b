//! Progress bars: on standard error, on a terminal, and not for the quiet.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Out;

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
