//! The tests in words: what stands in headings, definitions and documents.

use measures::site_test::Alternative;

/// One test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// `C1` to `C14`.
    pub id: &'static str,
    /// Its name in the mart; several tests may share an id.
    pub method: &'static str,
    /// As it stands in a heading.
    pub title: &'static str,
    /// What the effect counts.
    pub effect: &'static str,
    /// How the probability is made.
    pub how: &'static str,
    /// Which differences count.
    pub alternative: Alternative,
}

const fn test(
    (id, method): (&'static str, &'static str),
    title: &'static str,
    effect: &'static str,
    how: &'static str,
) -> Facts {
    Facts { id, method, title, effect, how, alternative: Alternative::TwoSided }
}

/// A test of one side: what lies on the other is no cause for a question.
const fn one_sided(facts: Facts) -> Facts {
    Facts { alternative: Alternative::Greater, ..facts }
}

const SD: &str = "difference of the means, in standard deviations of all subjects";
const SHARES: &str = "difference of the shares, site less rest";
const W: &str = "Cohen's w of the shares";

/// Every test, in the order of the catalogue.
pub const TESTS: &[Facts] = &[
    test(("C1", "mean"), "Mean", SD, "permutation of subjects, their means as values"),
    test(
        ("C2", "variance"),
        "Variance between subjects",
        "ratio of the mean absolute deviations",
        "Brown and Forsythe, by permutation",
    ),
    test(("C3", "last_digit"), "Last digit", W, "quadratic form of the digits' shares, by permutation"),
    test(("C4", "heaping"), "Values ending in 0 or 5", SHARES, "permutation of subjects"),
    test(
        ("C5", "within_subject"),
        "Spread within a subject",
        "ratio of the standard deviations",
        "permutation of subjects",
    ),
    test(
        ("C6", "lag_correlation"),
        "Correlation with the visit before",
        "difference of the lag-1 correlations",
        "permutation of subjects",
    ),
    test(
        ("C6", "pair_correlation"),
        "Correlation of two variables",
        "difference of Spearman's correlations",
        "Fisher's transformation",
    ),
    one_sided(test(
        ("C7", "outliers"),
        "Subjects far from the centre",
        "ratio of the mean squared Mahalanobis distances",
        "permutation of subjects, one-sided",
    )),
    one_sided(test(
        ("C7", "inliers"),
        "Subjects too near the centre",
        "ratio of the mean squared Mahalanobis distances",
        "permutation of subjects, one-sided",
    )),
    one_sided(test(
        ("C8", "repeated_values"),
        "Values carried forward",
        SHARES,
        "permutation of subjects, one-sided",
    )),
    one_sided(test(
        ("C8", "duplicated_records"),
        "Records that occur twice",
        SHARES,
        "permutation of subjects, one-sided",
    )),
    one_sided(test(
        ("C8", "duplicated_subjects"),
        "Subjects that occur twice",
        "largest share of a subject's records that one other subject has",
        "chance agreement of the records of two subjects elsewhere, for all pairs",
    )),
    test(
        ("C9", "weekday"),
        "Days of the week of visits and samples",
        W,
        "quadratic form of the days' shares, by permutation within the country",
    ),
    one_sided(test(
        ("C9", "off_days"),
        "Visits and samples on weekends",
        SHARES,
        "permutation of subjects within the country, one-sided",
    )),
    test(
        ("C10", "visit_gap"),
        "Regularity of visits",
        "difference of the mean distances in days",
        "permutation of subjects",
    ),
    test(("C11", "missing_share"), "Missing values", SHARES, "permutation of subjects"),
    test(
        ("C12", "category_mix"),
        "Kinds of records",
        W,
        "quadratic form of the kinds' shares, by permutation",
    ),
    test(
        ("C13", "distribution"),
        "Distribution",
        "largest distance of the distribution functions",
        "Kolmogorov and Smirnov, exact with ties",
    ),
    test(
        ("C14", "trend"),
        "Trend over time of entry",
        "difference of the slopes, in standard deviations",
        "Student's test of normal scores",
    ),
    test(
        ("C14", "step"),
        "Jump at some moment",
        "level after less level before, in standard deviations",
        "cumulated ranks, Brownian bridge",
    ),
];

/// The facts of a method.
#[must_use]
pub fn facts(method: &str) -> Option<&'static Facts> {
    TESTS.iter().find(|test| test.method == method)
}

/// The place of an id in the catalogue; what stands for all is last.
pub(super) fn place(id: &str) -> usize {
    TESTS.iter().position(|test| test.id == id).unwrap_or(TESTS.len())
}
