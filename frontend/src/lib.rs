//! Pages, components and figures. Declares the views it needs; fetches nothing.
//! Read [`view`] first (what a page needs), then [`query`] (what an address says and [`link`] writes), then
//! [`page`] (a view becomes a document). [`site_call`], [`missing`] and [`row_order`] decide what a page
//! says; [`verdict`] and [`format`](mod@format) how it says it; [`figure`] draws it; [`asset`] is what a
//! browser loads beside it.
pub mod asset;
mod component;
pub mod figure;
pub mod format;
pub mod link;
pub mod missing;
pub mod page;
pub mod query;
pub mod row_order;
pub mod site_call;
pub mod verdict;
pub mod view;

pub use asset::{Asset, assets};
