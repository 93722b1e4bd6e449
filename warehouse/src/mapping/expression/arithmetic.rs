//! Two expressions, calculated.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use serde::Deserialize;

use super::convert::{day, number};
use super::{Asked, Context, Counts, Expression};

/// `{ difference = [A, B], plus = 1 }` or `{ quotient = [A, B] }`; null when one of them is or is no number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
pub enum Arithmetic {
    /// A number less another; of two dates the days between them.
    Difference {
        /// The minuend and the subtrahend.
        difference: Vec<Expression>,
        /// Added to the result: an interval of which both days count has one more.
        #[serde(default)]
        plus: i32,
    },
    /// A number divided by another; null when that is zero.
    Quotient {
        /// The dividend and the divisor.
        quotient: Vec<Expression>,
    },
}

impl Arithmetic {
    /// The operands, of which there are two.
    pub(super) fn operands(&self) -> impl Iterator<Item = &Expression> {
        match self {
            Self::Difference { difference, .. } => difference.iter(),
            Self::Quotient { quotient } => quotient.iter(),
        }
    }

    /// The two operands.
    ///
    /// # Errors
    /// The reason, when there are not two.
    pub(super) fn parts(&self) -> Result<[&Expression; 2], String> {
        let mut operands = self.operands();
        match (operands.next(), operands.next(), operands.next()) {
            (Some(left), Some(right), None) => Ok([left, right]),
            _ => Err("a difference and a quotient are of two".into()),
        }
    }

    pub(super) fn for_each_column(&mut self, change: &mut dyn FnMut(&mut String)) {
        let (Self::Difference { difference: parts, .. } | Self::Quotient { quotient: parts }) = self;
        parts.iter_mut().for_each(|part| part.for_each_column(change));
    }

    pub(super) fn texts(&self, asked: Asked<'_>, context: &Context<'_>, counts: &mut Counts) -> ArrayRef {
        let Ok([left, right]) = self.parts() else {
            return Arc::new(StringArray::new_null(asked.batch.num_rows()));
        };
        let left = left.texts_asked(asked, context, counts);
        let right = right.texts_asked(asked, context, counts);
        let pairs = left.as_string::<i32>().iter().zip(right.as_string::<i32>());
        let texts: StringArray = pairs.map(|(left, right)| self.calculate(left?, right?)).collect();
        Arc::new(texts)
    }

    fn calculate(&self, left: &str, right: &str) -> Option<String> {
        let numbers = number(left).zip(number(right));
        let result = match self {
            Self::Difference { plus, .. } => {
                let between = || {
                    let days = day(left)?.signed_duration_since(day(right)?).num_days();
                    i32::try_from(days).ok().map(f64::from)
                };
                numbers.map(|(left, right)| left - right).or_else(between)? + f64::from(*plus)
            }
            Self::Quotient { .. } => {
                let (left, right) = numbers?;
                left / right
            }
        };
        result.is_finite().then(|| result.to_string())
    }
}
