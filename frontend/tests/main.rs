//! The crate's contract: every page renders, says what it must, and stays within the content security
//! policy; every address reads back to the query that wrote it.
mod example;
mod pages;
mod policy;
mod query_round_trip;
