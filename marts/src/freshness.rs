//! How old the sources may be. A study says so in its settings; where it does not, nobody asks.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use warehouse::{Manifest, TenantFiles};

use crate::run::Tested;
use crate::test::Severity;
use crate::{Error, Result};

/// How old the newest cut of each source may be when marts are built. When one is older, a warning is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// In days.
    pub fresh_within_days: u32,
}

impl Freshness {
    /// What the study's own file says, `<tenant>/settings/<study>.marts.toml`; none when there is no such file.
    ///
    /// # Errors
    /// [`Error::Settings`] when the file is wrong.
    pub fn of(files: &TenantFiles) -> Result<Option<Self>> {
        let file = format!("{}.marts.toml", files.study());
        let wrong = |reason: String| Error::Settings { file: file.clone(), reason };
        let text = files.setting(&file).map_err(|error| wrong(error.to_string()))?;
        text.map(|text| toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))).transpose()
    }
}

/// One test for each source that the manifest knows. A build of a past instant asks nothing: it is meant to be old.
pub(crate) fn check(freshness: Option<Freshness>, manifest: &Manifest, now: DateTime<Utc>) -> Vec<Tested> {
    let Some(freshness) = freshness.filter(|_| manifest.sources_as_of.is_none()) else { return Vec::new() };
    let days = freshness.fresh_within_days;
    let mut newest: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
    for cut in &manifest.cuts {
        let known = newest.entry(&cut.source_system).or_insert(cut.extracted_at);
        *known = cut.extracted_at.max(*known);
    }
    let tested = |(source, at): (&str, DateTime<Utc>)| {
        let is_old = now - at > TimeDelta::days(i64::from(days));
        let row = BTreeMap::from([
            ("source".to_owned(), Some(source.to_owned())),
            ("newest cut".to_owned(), Some(at.to_rfc3339())),
        ]);
        Tested {
            test: format!("the newest cut of `{source}` is at most {days} days old"),
            column: None,
            severity: Severity::Warning,
            rows: u64::from(is_old),
            sample: if is_old { vec![row] } else { Vec::new() },
            query: "cairn canon list".to_owned(),
        }
    };
    newest.into_iter().map(tested).collect()
}
