//! Which marts are meant: by name, by tag, by owner, by what changed, with what they read and what reads them.

use std::collections::BTreeSet;

use crate::mart::Mart;
use crate::plan::{Planned, Reason};
use crate::{Error, Result};

/// What is selected and what is not.
///
/// A selector is one of
/// - `mart_kri`, or `mart_k*` for every name that begins so;
/// - `tag:rbqm`, `owner:central monitoring`;
/// - `state:modified` (its definition, parameters, tests or the program changed, or it is new), `state:stale` (anything
///   that it is computed from changed);
/// - `dim_site+`, every mart that reads the table, directly or not;
///
/// with `+` before it for what it reads, and after it for what reads it. Several selectors joined by `,` mean what all of
/// them mean; several words mean what any of them means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// What is selected; every mart when there is none.
    pub select: Vec<String>,
    /// What is left out of it.
    pub exclude: Vec<String>,
}

impl Selection {
    /// Every mart.
    #[must_use]
    pub fn everything() -> Self {
        Self::default()
    }

    /// Whether every mart is meant.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.select.is_empty() && self.exclude.is_empty()
    }

    /// In words, for the history.
    #[must_use]
    pub fn words(&self) -> String {
        let select = if self.select.is_empty() { "everything".to_owned() } else { self.select.join(" ") };
        if self.exclude.is_empty() { select } else { format!("{select} without {}", self.exclude.join(" ")) }
    }

    /// The selected marts of `graph`, by name. `planned` says what changed, mart by mart.
    ///
    /// # Errors
    /// [`Error::Selector`] when a selector means nothing.
    pub fn marts(&self, graph: &[Mart], planned: &[Planned]) -> Result<BTreeSet<&'static str>> {
        let of = |words: &[String]| -> Result<BTreeSet<&'static str>> {
            let mut found = BTreeSet::new();
            for word in words.iter().flat_map(|words| words.split_whitespace()) {
                found.extend(joined(word, graph, planned)?);
            }
            Ok(found)
        };
        let mut selected = if self.select.is_empty() {
            graph.iter().map(|mart| mart.name).collect()
        } else {
            of(&self.select)?
        };
        let excluded = of(&self.exclude)?;
        selected.retain(|name| !excluded.contains(name));
        Ok(selected)
    }
}

fn joined(word: &str, graph: &[Mart], planned: &[Planned]) -> Result<BTreeSet<&'static str>> {
    let mut found: Option<BTreeSet<&'static str>> = None;
    for part in word.split(',') {
        let marts = one(part, graph, planned)?;
        found = Some(match found {
            None => marts,
            Some(known) => known.intersection(&marts).copied().collect(),
        });
    }
    Ok(found.unwrap_or_default())
}

fn one(part: &str, graph: &[Mart], planned: &[Planned]) -> Result<BTreeSet<&'static str>> {
    let (before, rest) = part.strip_prefix('+').map_or((false, part), |rest| (true, rest));
    let (after, atom) = rest.strip_suffix('+').map_or((false, rest), |rest| (true, rest));
    let is_table = graph.iter().any(|mart| mart.inputs.contains(&atom)) && !atom.starts_with("mart_");
    let named = if is_table { BTreeSet::new() } else { named(atom, graph, planned)? };
    let mut found = named.clone();
    if before {
        found.extend(upstream(graph, &named));
    }
    if after || is_table {
        let mut read: BTreeSet<&str> = named.iter().copied().collect();
        read.insert(atom);
        found.extend(downstream(graph, &read));
    }
    Ok(found)
}

fn named(atom: &str, graph: &[Mart], planned: &[Planned]) -> Result<BTreeSet<&'static str>> {
    let wrong = |reason: String| Error::Selector { selector: atom.to_owned(), reason };
    let of = |fits: &dyn Fn(&Mart) -> bool| -> BTreeSet<&'static str> {
        graph.iter().filter(|mart| fits(mart)).map(|mart| mart.name).collect()
    };
    if let Some(state) = atom.strip_prefix("state:") {
        let fits: fn(&Reason) -> bool = match state {
            "modified" => Reason::is_modification,
            "stale" => |_| true,
            _ => return Err(wrong("a state is `modified` or `stale`".to_owned())),
        };
        let changed = planned.iter().filter(|planned| planned.reasons.iter().any(fits));
        return Ok(changed.map(|planned| planned.mart.name).collect());
    }
    let found = match (atom.strip_prefix("tag:"), atom.strip_prefix("owner:"), atom.strip_suffix('*')) {
        (Some(tag), ..) => of(&|mart| mart.tags.contains(&tag)),
        (_, Some(owner), _) => of(&|mart| mart.owner.replace(' ', "_") == owner.replace(' ', "_")),
        (.., Some(beginning)) => of(&|mart| mart.name.starts_with(beginning)),
        _ => of(&|mart| mart.name == atom),
    };
    if found.is_empty() {
        let known = |words: BTreeSet<&str>| words.into_iter().collect::<Vec<_>>().join(", ");
        let reason = if atom.starts_with("tag:") {
            let tags = graph.iter().flat_map(|mart| mart.tags).copied().collect();
            format!("no mart has that tag; there are {}", known(tags))
        } else if atom.starts_with("owner:") {
            format!(
                "no mart has that owner; there are {}",
                known(graph.iter().map(|mart| mart.owner).collect())
            )
        } else {
            format!("no mart is called so; there are {}", known(graph.iter().map(|mart| mart.name).collect()))
        };
        return Err(wrong(reason));
    }
    Ok(found)
}

/// What the marts read, directly or not.
pub(crate) fn upstream(graph: &[Mart], of: &BTreeSet<&'static str>) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut wanted: BTreeSet<&str> = of.iter().copied().collect();
    for mart in graph.iter().rev() {
        if wanted.contains(mart.name) {
            if !of.contains(mart.name) {
                found.insert(mart.name);
            }
            wanted.extend(mart.inputs);
        }
    }
    found
}

/// What reads any of the tables, directly or not.
fn downstream(graph: &[Mart], of: &BTreeSet<&str>) -> BTreeSet<&'static str> {
    let mut found: BTreeSet<&'static str> = BTreeSet::new();
    for mart in graph {
        if mart.inputs.iter().any(|input| of.contains(input) || found.contains(input)) {
            found.insert(mart.name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MARTS;

    #[track_caller]
    fn check(select: &[&str], exclude: &[&str], expected: &[&str]) {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let selection = Selection { select: words(select), exclude: words(exclude) };
        let found = selection.marts(MARTS, &[]).expect("it means something");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{select:?} without {exclude:?}");
    }

    // By hand, from the picture of the graph: subject_results feeds indicator_input, which with reporting feeds kri, which
    // feeds site_risk; indicator_input feeds definition, indicator, kri_bounds and the tolerance limits too.
    #[test]
    fn a_selector_reaches_up_and_down_the_graph() {
        check(&["mart_kri"], &[], &["mart_kri"]);
        check(&["mart_kri+"], &[], &["mart_kri", "mart_site_risk"]);
        let up =
            ["mart_indicator_input", "mart_kri", "mart_reporting", "mart_site_risk", "mart_subject_results"];
        check(&["+mart_site_risk"], &[], &up);
        check(&["+mart_kri+"], &[], &up);
        check(&["dim_term+"], &[], &["mart_ae_level"]);
        check(
            &["fact_query+"],
            &["mart_kri+"],
            &[
                "mart_definition",
                "mart_indicator",
                "mart_indicator_input",
                "mart_kri_bounds",
                "mart_tolerance_limit",
                "mart_tolerance_site",
            ],
        );
    }

    #[test]
    fn words_add_up_and_commas_narrow() {
        check(&["mart_retention mart_ae_term"], &[], &["mart_ae_term", "mart_retention"]);
        check(
            &["mart_retention*"],
            &[],
            &["mart_retention", "mart_retention_group", "mart_retention_reason"],
        );
        check(&["tag:enrolment,mart_retention"], &[], &["mart_retention"]);
        check(&["owner:drug_safety,mart_ae_t*"], &[], &["mart_ae_term"]);
        check(&["tag:rbqm,dim_visit+,mart_tol*"], &[], &["mart_tolerance_limit", "mart_tolerance_site"]);
    }

    #[test]
    fn a_selector_that_means_nothing_is_refused_with_what_there_is() {
        let refused = |word: &str| {
            let selection = Selection { select: vec![word.to_owned()], exclude: Vec::new() };
            selection.marts(MARTS, &[]).expect_err("it means nothing").to_string()
        };
        assert!(refused("mart_kir").contains("mart_kri"));
        assert!(refused("tag:rbmq").contains("rbqm"));
        assert!(refused("state:old").contains("`modified` or `stale`"));
    }
}
