//! Lines for the person at the command line. A reader that goes away (`cairn marts list | head`) ends the
//! program quietly.

use std::fmt::Arguments;
use std::io::Write;

/// Prints one line to standard output.
pub(crate) fn line(text: Arguments<'_>) {
    if writeln!(std::io::stdout().lock(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// As `println!`, but without a panic when nobody reads.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::say::line(format_args!($($text)*))
    };
}
pub(crate) use say;
