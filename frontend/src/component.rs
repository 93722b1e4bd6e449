//! Parts that pages share. Each is a function of plain data; none reacts, none holds state.
pub(crate) mod breadcrumb;
pub(crate) mod calls;
pub(crate) mod chart;
pub(crate) mod checks;
pub(crate) mod counts;
pub(crate) mod definition;
pub(crate) mod document;
pub(crate) mod empty;
pub(crate) mod filter;
pub(crate) mod flag;
pub(crate) mod frame;
pub(crate) mod limits;
pub(crate) mod loads;
pub(crate) mod mart_graph;
pub(crate) mod table;
