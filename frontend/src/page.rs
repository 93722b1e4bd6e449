//! Pages: pure functions from a view to a whole HTML document.
mod audit;
mod data;
mod error;
mod indicator;
mod login;
mod mart;
mod marts;
mod overview;
mod quality;
mod rbqm;
mod site_subjects;
mod studies;
mod subject_rows;

pub use audit::audit;
pub use data::data;
pub use error::error;
pub use indicator::indicator;
pub use login::login;
pub use mart::mart;
pub use marts::marts;
pub use overview::overview;
pub use quality::quality;
pub use rbqm::rbqm;
pub use site_subjects::site_subjects;
pub use studies::studies;
pub use subject_rows::subject_rows;
