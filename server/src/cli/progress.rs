//! How far a piece of work is, for the person who waits.

use indicatif::{ProgressBar, ProgressStyle};
use warehouse::ingest::Progress;

use crate::work::Teller;

/// One bar for one piece of work. Without a terminal it draws nothing.
#[derive(Debug, Clone)]
pub(crate) struct Bars {
    bar: ProgressBar,
}

impl Bars {
    pub(crate) fn new(work: &str) -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{prefix:<24} {bar:30} {percent:>3} % {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(work.to_owned());
        Self { bar }
    }

    pub(crate) fn teller(&self) -> Teller {
        let bar = self.bar.clone();
        Teller::new(move |progress: Progress| {
            bar.set_length(progress.total.max(progress.done));
            bar.set_position(progress.done);
            bar.set_message(progress.step);
        })
    }

    pub(crate) fn set(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
