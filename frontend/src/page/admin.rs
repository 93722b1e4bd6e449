//! Pages below `/admin`, for who administers a tenant.
mod access_review;
mod account;
mod accounts;
mod lines;
mod tenant;

pub use access_review::access_review;
pub use account::admin_account;
pub use accounts::accounts;
pub use tenant::admin;
