//! Why values are missing, as far as the data can tell.
//! [`missing_patterns`](mod@missing_patterns) counts which values are missing together,
//! [`little_test`](mod@little_test) asks whether it happens completely at random, over the estimates of
//! [`normal_em`](mod@normal_em), and [`missing_association`](mod@missing_association) which observed values go with
//! it, and [`missing_by_group`](mod@missing_by_group) whether groups differ. None of them can see whether a value is missing because of what it would have been.
mod incomplete_table;
pub mod little_test;
pub mod missing_association;
pub mod missing_by_group;
pub mod missing_patterns;
pub mod normal_em;

pub use little_test::{LittleTest, little_test};
pub use missing_association::{
    Comparison, GapComparison, MissingAssociation, gap_comparison, missing_association,
};
pub use missing_by_group::{MissingByGroup, missing_by_group};
pub use missing_patterns::{Flux, MissingPattern, flux, missing_patterns};
pub use normal_em::{NormalEstimate, normal_em};
