//! What makes an input unfit for a formula. Nothing is repaired silently.

/// An input that a formula is not defined for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MeasureError {
    /// Two slices that describe the same groups differ in length.
    #[error("{numerators} numerators do not pair with {denominators} denominators")]
    Length {
        /// Length of the first slice.
        numerators: usize,
        /// Length of the second slice.
        denominators: usize,
    },
    /// There is nothing to compare.
    #[error("there is no group to score")]
    NoGroups,
    /// A numerator or a denominator is negative, infinite or not a number.
    #[error("the {which} of group {group} is {value}, which is not a count or an exposure")]
    NotACount {
        /// `numerator` or `denominator`.
        which: &'static str,
        /// Position of the group in the slices.
        group: usize,
        /// The value found.
        value: f64,
    },
    /// A group without exposure has no metric; the caller leaves such groups out.
    #[error("group {group} has a denominator of zero")]
    NoExposure {
        /// Position of the group in the slices.
        group: usize,
    },
    /// More events than chances, in a metric that is a proportion.
    #[error("group {group} has a numerator of {numerator}, more than its denominator of {denominator}")]
    MoreThanAll {
        /// Position of the group in the slices.
        group: usize,
        /// The numerator found.
        numerator: f64,
        /// The denominator found.
        denominator: f64,
    },
    /// An exact method counts; it does not know fractions of a count, and no more than 2^40 of anything.
    #[error("the {which} of group {group} is {value}, which is not a whole count of at most 2^40")]
    NotWhole {
        /// `numerator` or `denominator`.
        which: &'static str,
        /// Position of the group in the slices.
        group: usize,
        /// The value found.
        value: f64,
    },
    /// A rate to compare with that no group can have.
    #[error("the reference `{rate}` is not a rate; a share lies within 0 and 1")]
    Reference {
        /// The rate found.
        rate: f64,
    },
    /// A member of a group that is not among the groups.
    #[error("member {member} belongs to group {group} of {groups}, counted from 0")]
    NoSuchGroup {
        /// Position of the member in the slice.
        member: usize,
        /// The group that it names.
        group: usize,
        /// How many groups there are.
        groups: usize,
    },
    /// An exact law over more counts than can be summed in good time.
    #[error(
        "the law of group {group} spans {counts} counts and more, too many for an exact test; use an approximate one"
    )]
    TooWide {
        /// Position of the group.
        group: usize,
        /// How many counts the law had come to span.
        counts: u64,
    },
    /// A parameter of a method outside the values that it is defined for.
    #[error("the {name} is `{value}`; it has to be {range}")]
    Parameter {
        /// What the parameter is called.
        name: &'static str,
        /// The value found.
        value: f64,
        /// The values that it may have, in words.
        range: &'static str,
    },
    /// A method for shares, asked to judge a rate.
    #[error("the method is for shares; judge a rate by another one")]
    SharesOnly,
    /// A secondary limit behind the limit, or a limit that is no number.
    #[error("the secondary limit `{secondary}` has to be a number that is not above the limit `{limit}`")]
    Levels {
        /// The secondary limit.
        secondary: f64,
        /// The limit.
        limit: f64,
    },
    /// Counts that a snapshot cannot have, or that its method cannot judge.
    #[error("snapshot {snapshot} has {events} events in {units} units, which the method cannot judge")]
    Snapshot {
        /// Position of the snapshot in the history.
        snapshot: usize,
        /// Events up to it.
        events: f64,
        /// Units up to it.
        units: f64,
    },
    /// An act that the state of an alarm does not allow.
    #[error("an alarm that is {state} cannot be {act}")]
    Transition {
        /// The state, in words.
        state: &'static str,
        /// What was to be done, in words.
        act: &'static str,
    },
    /// Thresholds that do not cut the line into one interval per flag.
    #[error("the thresholds must be finite and increasing, with one flag more than thresholds")]
    Thresholds,
    /// A weight that is negative, not finite, or above the largest one it is compared with.
    #[error("the weight {weight} is not between 0 and a positive largest weight of {largest}")]
    Weight {
        /// The weight found.
        weight: f64,
        /// The largest weight it was compared with.
        largest: f64,
    },
    /// Counts that contradict each other.
    #[error("{observed} observed of {rows} rows of {expected} expected cannot be")]
    Counts {
        /// Cells with a value.
        observed: u64,
        /// Rows received.
        rows: u64,
        /// Rows expected.
        expected: u64,
    },
    /// Two slices that describe the same items differ in length.
    #[error("{length} {what} do not pair with {expected} items; give one for each")]
    Unpaired {
        /// What the slice holds.
        what: &'static str,
        /// Its length.
        length: usize,
        /// The length that the others have.
        expected: usize,
    },
    /// A value outside the range that a formula is defined on.
    #[error("the {what} at position {index} is {value}, which is out of range")]
    OutOfRange {
        /// What the value is.
        what: &'static str,
        /// Its position in the slice; zero for a value that stands alone.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// There is nothing to compute from.
    #[error("there are no {what}")]
    Nothing {
        /// What is lacking.
        what: &'static str,
    },
    /// An iteration that did not settle.
    #[error("the {what} did not converge in {iterations} iterations")]
    NotConverged {
        /// What was iterated.
        what: &'static str,
        /// How often.
        iterations: usize,
    },
    /// Columns whose covariance the rows leave open.
    #[error(
        "{columns} columns seem to determine each other, only because no more than {rows} different rows have all of them"
    )]
    Undetermined {
        /// Different rows that have all of these columns.
        rows: usize,
        /// The columns.
        columns: usize,
    },
    /// Gaps that hardly two rows share.
    #[error(
        "{patterns} patterns of gaps in {rows} rows: too few rows have the same gaps to tell the patterns' means apart"
    )]
    FewRowsPerPattern {
        /// Patterns.
        patterns: usize,
        /// Rows.
        rows: usize,
    },
    /// More than the method is made for.
    #[error("{found} {what} are more than the {limit} that this method takes")]
    TooMany {
        /// What is too many.
        what: &'static str,
        /// How many were given.
        found: usize,
        /// How many are taken.
        limit: usize,
    },
    /// Values that are all equal, or none at all, where a spread is needed.
    #[error("the {what} at position {index} has no spread; leave it out")]
    NoSpread {
        /// What it is.
        what: &'static str,
        /// Its position.
        index: usize,
    },
}
