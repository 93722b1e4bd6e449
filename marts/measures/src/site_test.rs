//! Central statistical monitoring: is one group of subjects, a site say, like the rest?
//!
//! Every test compares each group with all the others and answers with a p-value, an effect and the sizes, or with the
//! reason why it does not apply. The subject is the unit throughout: what is measured repeatedly on one
//! subject is reduced to one score first, so that correlated visits do not pass for independent evidence.
//! Wherever a score per subject can be had, its null distribution is that of handing the groups' names out anew among
//! subjects ([`permutation`], without simulation), which needs no assumption about the values; other tests say theirs.
//!
//! Read [`cohort`] first (who is in which group, what a test answers), then any test:
//! level and shape of one value per subject: [`mean`](mod@mean), [`variance`](mod@variance),
//! [`distribution`](mod@distribution), [`pair_correlation`](mod@pair_correlation), [`mahalanobis`],
//! [`trend`](mod@trend), [`step`](mod@step);
//! repeated values: [`within_subject`], [`lag_correlation`](mod@lag_correlation), [`visit_gap`](mod@visit_gap);
//! shares of records: [`heaping`](mod@heaping), [`duplicates`], [`copied_subjects`], [`missing_share`](mod@missing_share),
//! [`weekday`](mod@weekday);
//! kinds of records: [`last_digit`](mod@last_digit), [`category_mix`](mod@category_mix).
//!
//! Sites of a real study differ a little even when all is well, and a large one shows it: [`beside_others`] widens the
//! p-values of a test by what the other sites differ among themselves. Read them together (their false discovery rate,
//! [`crate::cauchy_combination()`]) and beside the effect. An average of the smallest log p-values is not offered.
pub mod between_sites;
pub mod category_mix;
pub mod cohort;
pub mod copied_subjects;
pub mod distribution;
pub mod duplicates;
mod far_scores;
pub mod heaping;
pub mod lag_correlation;
pub mod last_digit;
pub mod mahalanobis;
pub mod mean;
pub mod missing_share;
pub mod pair_correlation;
pub mod permutation;
mod permutation_chi_square;
mod permutation_tail;
mod ranks;
mod share;
pub mod step;
pub mod trend;
pub mod variance;
pub mod visit_gap;
pub mod weekday;
pub mod within_subject;

pub use between_sites::{Beside, Seen, beside_others};
pub use category_mix::category_mix;
pub use cohort::{Cohort, NotApplicable, Outcome, Part, SiteTest};
pub use copied_subjects::duplicated_subjects;
pub use distribution::distribution;
pub use duplicates::{duplicated_records, repeated_values};
pub use heaping::heaping;
pub use lag_correlation::lag_correlation;
pub use last_digit::last_digit;
pub use mahalanobis::{mahalanobis_inliers, mahalanobis_outliers};
pub use mean::mean;
pub use missing_share::missing_share;
pub use pair_correlation::pair_correlation;
pub use permutation::{Alternative, permutation_test};
pub use step::step;
pub use trend::trend;
pub use variance::variance;
pub use visit_gap::visit_gap;
pub use weekday::{day_of_week, off_days, weekday};
pub use within_subject::within_subject_deviation;
