//! The program: configuration, composition, REST, pages, telemetry, command line.
//! Read [`app`] first (what everything works with), then [`work`] (what engineers do), then the two doors
//! people use: [`cli`] and [`http`].
pub mod error;

mod access_list;
pub mod app;
mod backup;
mod break_glass;
pub mod mart_rows;
pub mod occupancy;
pub mod oidc;
pub mod openlineage;
pub mod work;

mod hooks;
pub mod intake;
mod jobs;
mod ledger_timer;
mod listen;
mod notices;
mod records;
mod tls;

pub mod demo;
mod detection;
pub mod telemetry;

pub mod cli;
pub mod http;
