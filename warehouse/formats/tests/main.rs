//! Files of every format, read and written.

mod arrow_files;
mod attack;
mod bad_files;
mod corpus;
mod dataset_json;
mod delimited;
mod golden;
mod oracle;
mod round_trip;
mod table;
