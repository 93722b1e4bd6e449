//! The check of a rule: a tree of `all`, `any` and `not` over conditions.

use regex::Regex;

#[derive(Debug, Clone)]
pub(crate) enum Check {
    All(Vec<Check>),
    Any(Vec<Check>),
    Not(Box<Check>),
    Leaf(Box<Leaf>),
}

impl Check {
    /// The conditions, in the order in which they are written.
    pub(crate) fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::All(checks) | Self::Any(checks) => checks.iter().flat_map(Self::leaves).collect(),
            Self::Not(check) => check.leaves(),
            Self::Leaf(leaf) => vec![leaf],
        }
    }
}

/// One condition on one column.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// The column, `--` standing for the domain.
    pub(crate) target: String,
    pub(crate) test: Test,
    /// Whether the condition holds where the test does not.
    pub(crate) negated: bool,
}

impl Leaf {
    /// The columns that the condition names; a text that it compares with may be one of them.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names = vec![self.target.as_str()];
        match &self.test {
            Test::Equal(operand, _)
            | Test::Differs(operand, _)
            | Test::PartEqual(_, operand)
            | Test::PartIn(_, operand)
            | Test::Compares(_, operand)
            | Test::Contains(operand, _)
            | Test::In(operand, _)
            | Test::EqualsPart(_, operand)
            | Test::Affix(_, operand)
            | Test::Length(_, operand)
            | Test::ContainsAll(operand)
            | Test::CompareDates(_, operand) => names.extend(operand.names()),
            Test::Inconsistent(with) | Test::UniqueSet(with, _) | Test::OneToOne(with) => {
                names.extend(with.iter().map(String::as_str));
            }
            Test::HasNext(other, occurrence) => {
                names.push(other);
                names.extend(occurrence.names());
            }
            Test::OnMultipleRows(occurrence) | Test::EmptyExceptLast(occurrence) => {
                names.extend(occurrence.names());
            }
            Test::SortedBy(keys, occurrence) => {
                names.extend(keys.iter().map(|key| key.name.as_str()));
                names.extend(occurrence.names());
            }
            Test::Shares(_, other) | Test::OrderedSubset(other) => names.push(other),
            Test::Exists
            | Test::Empty
            | Test::Matches(..)
            | Test::ValidDate
            | Test::ValidDuration { .. }
            | Test::CompleteDate
            | Test::DifferentValues
            | Test::OrderedBy(_)
            | Test::EnumerationGap => {}
        }
        names
    }
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// A column of that name, or that text where there is no such column.
    Name(String),
    /// A text, whatever the columns are called.
    Text(String),
    Number(f64),
    Flag(bool),
    /// The items of a list, each text, number or flag.
    List(Vec<Operand>),
    /// The column whose name stands in this column.
    Reference(String),
}

impl Operand {
    fn names(&self) -> Vec<&str> {
        match self {
            Self::Name(name) | Self::Reference(name) => vec![name],
            Self::List(items) => items.iter().flat_map(Self::names).collect(),
            Self::Text(_) | Self::Number(_) | Self::Flag(_) => Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

impl Order {
    pub(crate) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Greater => ordering.is_gt(),
        }
    }
}

/// The first or the last characters of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Prefix(usize),
    Suffix(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affix {
    Start,
    End,
}

/// How many elements two lists have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    AtLeastOne,
    ExactlyOne,
    None,
}

/// Which differences between two values do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// None.
    Exact,
    /// That of upper and lower case.
    FoldedCase,
    /// A number and the text that says it are equal.
    FoldedType,
}

/// The columns that make groups of rows, and the one that orders the rows of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Occurrence {
    pub(crate) within: Vec<String>,
    pub(crate) ordering: Option<String>,
}

impl Occurrence {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.within.iter().chain(&self.ordering).map(String::as_str)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortKey {
    pub(crate) name: String,
    pub(crate) descending: bool,
}

/// The order in which a column is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    Ascending,
    Descending,
}

#[derive(Debug, Clone)]
pub(crate) enum Test {
    Exists,
    Empty,
    /// Both populated and equal.
    Equal(Operand, Spread),
    /// Not both empty, and not equal.
    Differs(Operand, Spread),
    PartEqual(Part, Operand),
    PartIn(Part, Operand),
    Compares(Order, Operand),
    Contains(Operand, Spread),
    In(Operand, Spread),
    Matches(Option<Part>, Regex),
    EqualsPart(Regex, Operand),
    Affix(Affix, Operand),
    Length(Order, Operand),
    ContainsAll(Operand),
    ValidDate,
    /// A duration; a leading minus is allowed where the flag says so.
    ValidDuration {
        negative: bool,
    },
    CompleteDate,
    CompareDates(Order, Operand),
    Inconsistent(Vec<String>),
    UniqueSet(Vec<String>, Option<Regex>),
    /// One value of the target for each value of the other columns, and the other way round.
    OneToOne(Vec<String>),
    HasNext(String, Occurrence),
    OnMultipleRows(Occurrence),
    EmptyExceptLast(Occurrence),
    SortedBy(Vec<SortKey>, Occurrence),
    DifferentValues,
    OrderedBy(Position),
    Shares(Share, String),
    OrderedSubset(String),
    /// A later variable of an enumeration (`TSVAL2`) is filled while the one before it is not.
    EnumerationGap,
}

/// A dataset whose records are joined to those of the dataset in scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) name: String,
    /// The columns to join on: here, and there.
    pub(crate) keys: Vec<(String, String)>,
    /// Whether the dataset in scope is the child, and its parent is joined to it.
    pub(crate) child: bool,
    /// Whether records without a partner stay.
    pub(crate) left: bool,
    /// What stands for the related domain in the columns of `RELREC`.
    pub(crate) wildcard: String,
}
