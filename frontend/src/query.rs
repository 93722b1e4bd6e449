//! What a page was asked for, read from the address and written back to it. Reading never fails: what
//! is not understood is as if it were absent, and writing leaves out what is at its default.
pub mod address;
pub mod audit;
pub mod indicator;
pub mod jobs;
pub mod quality;
pub mod rbqm;
pub mod site_test;
pub mod subjects;

pub use address::{encode_pairs, encode_segment};
pub use audit::AuditQuery;
pub use indicator::{IndicatorBars, IndicatorQuery, IndicatorSort};
pub use jobs::JobsQuery;
pub use quality::{Basis, QualityQuery, QualitySort, RowsBy};
pub use rbqm::{FlagFilter, Level, RbqmQuery, RbqmSort};
pub use site_test::SiteTestQuery;
pub use subjects::{RowsQuery, SubjectsQuery, SubjectsSort};
