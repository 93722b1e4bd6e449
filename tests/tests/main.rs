//! The stories: one file for one promise to a person, and [`tidy`] for the repository's own rules.

mod support;
mod tidy;
