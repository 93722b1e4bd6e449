//! What another expression gives, looked up, translated or converted, in that order.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use serde::Deserialize;

use super::{Asked, Context, Convert, Counts, Expression, LookupTable};
use crate::mapping::Lookup;

/// `{ from = …, lookup = "…", give = "…", map = { … }, as = "…", count_as = "…" }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct From {
    from: Box<Expression>,
    lookup: Option<String>,
    give: Option<String>,
    map: Option<BTreeMap<String, String>>,
    #[serde(rename = "as")]
    convert: Option<Convert>,
    /// What a value that becomes null is counted as, in the receipt.
    count_as: Option<String>,
}

impl From {
    /// The one column it reads as it is, if it reads one.
    pub(super) fn column(&self) -> Option<&String> {
        match &*self.from {
            Expression::Column(column) => Some(column),
            _ => None,
        }
    }

    /// Whether the text stays what it is.
    pub(super) const fn is_plain(&self) -> bool {
        self.map.is_none() && self.convert.is_none() && self.lookup.is_none()
    }

    pub(super) fn unfed(&self, has: &dyn Fn(&str) -> bool) -> Option<&str> {
        let answers_absence = matches!(self.convert, Some(Convert::IsMissing | Convert::IsPresent));
        if answers_absence { None } else { self.from.unfed(has) }
    }

    pub(super) fn for_each_column(&mut self, change: &mut dyn FnMut(&mut String)) {
        self.from.for_each_column(change);
    }

    pub(super) fn keys_for<'a>(&'a self, lookup: &str, found: &mut Vec<&'a Expression>) {
        if self.lookup.as_deref() == Some(lookup) {
            found.push(&self.from);
        }
        self.from.keys_for(lookup, found);
    }

    pub(super) fn check(&self, lookups: &[Lookup]) -> Result<(), String> {
        match (&self.lookup, &self.give) {
            (None, None) => self.from.check(lookups),
            (Some(name), Some(give)) => {
                let position = lookups.iter().position(|lookup| &lookup.name == name);
                let position = position.ok_or_else(|| format!("there is no lookup `{name}`"))?;
                if !lookups[position].gives(give) {
                    return Err(format!("lookup `{name}` does not give `{give}`"));
                }
                // A key that is itself looked up needs its lookup read before this one.
                self.from.check(&lookups[..position]).map_err(|reason| format!("{reason} before `{name}`"))
            }
            _ => Err("`lookup` and `give` belong together".into()),
        }
    }

    pub(super) fn texts(&self, asked: Asked<'_>, context: &Context<'_>, counts: &mut Counts) -> ArrayRef {
        let given = self.from.texts_asked(asked, context, counts);
        let texts = given.as_string::<i32>();
        let table = self.table(context);
        let mut builder = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
        for text in texts {
            let found = match &self.lookup {
                None => text,
                Some(_) => text.and_then(|key| {
                    let (table, position) = table?;
                    table.rows.get(key)?.get(position)?.as_deref()
                }),
            };
            let found = match &self.map {
                Some(map) => found.and_then(|text| map.get(text)).map(String::as_str),
                None => found,
            };
            match self.convert {
                None => builder.append_option(found),
                Some(convert) => builder.append_option(convert.apply(found)),
            }
        }
        let made: ArrayRef = Arc::new(builder.finish());
        if let Some(name) = &self.count_as {
            let tally = counts.tallies.entry(name.clone()).or_default();
            for row in (0..texts.len()).filter(|row| asked.rows[*row] && !texts.is_null(*row)) {
                tally.of += 1;
                tally.rows += u64::from(made.is_null(row));
            }
        }
        made
    }

    fn table<'a>(&self, context: &'a Context<'_>) -> Option<(&'a LookupTable, usize)> {
        let (lookup, table) = context.lookups.get(self.lookup.as_deref()?)?;
        Some((table, lookup.give.position(self.give.as_deref()?)?))
    }
}
