//! Arrow Flight over the published tables of one scope.
//! Read [`published`] first (which tables a caller can see), then [`service`] (the commands), [`pull`] (a table
//! on its way out, and the two ledger events that enclose it) and [`put`] (a dataset on its way in).
mod connection;
pub mod guard;
pub mod published;
pub mod pull;
pub mod put;
pub mod query;
pub mod service;
pub mod status;
pub mod ticket;

pub use connection::Connection;
pub use guard::COMMANDS;
pub use published::Published;
pub use put::{Intake, NotTaken, Put};
pub use query::{Bounds, QueryError, QuerySession};
pub use service::{Flight, serve};
pub use tonic::transport::Error as TransportError;
