//! Promises to people, end to end; the tenancy wall; the repository's own rules.
//! Everything is in one test binary: `tests/main.rs` lists the stories.
