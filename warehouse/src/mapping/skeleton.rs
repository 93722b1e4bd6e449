//! The beginning of a mapping for somebody's own extract: what can be guessed from names, and what is left to say.

use std::fmt::Write as _;

use super::block::DatasetMapping;
use super::name::near;
use super::{Mapping, SHIPPED};
use crate::contract::{self, Column, ColumnType, Entity};
use crate::{Error, Result};
use formats::Dataset;

/// A mapping for the dataset in `path` as TOML, for `entity` or, without one, for the entity that the name and
/// the columns of the dataset are nearest to. Lines that a person has to complete are comments.
///
/// # Errors
/// [`Error::File`] when the file cannot be read, [`Error::Contract`] when there is no such entity.
pub fn skeleton(name: &str, path: &std::path::Path, entity: Option<&str>) -> Result<String> {
    let datasets = formats::datasets(path)?;
    let dataset =
        datasets.iter().find(|dataset| dataset.name.eq_ignore_ascii_case(name)).or(datasets.first());
    let dataset = dataset.ok_or_else(|| Error::NothingToIngest { place: crate::error::file_name(path) })?;
    let shipped: Vec<Mapping> =
        SHIPPED.iter().map(|(name, text)| Mapping::parse(name, text)).collect::<Result<_>>()?;
    let guesses = Guesses { blocks: shipped.iter().flat_map(|mapping| &mapping.datasets).collect(), dataset };
    let entity = match entity {
        Some(entity) => contract::entity(entity)?,
        None => guesses.entity(name)?,
    };
    Ok(written(name, entity, &guesses))
}

struct Guesses<'a> {
    blocks: Vec<&'a DatasetMapping>,
    dataset: &'a Dataset,
}

impl Guesses<'_> {
    /// The entity of that name; else the one for which most columns can be guessed, where the shipped mappings'
    /// use of the dataset's name counts as three columns.
    fn entity(&self, name: &str) -> Result<&'static Entity> {
        let entities = contract::entities()?;
        if let Some(entity) = entities.get(&name.to_ascii_lowercase()) {
            return Ok(entity);
        }
        let by_name = |entity: &Entity| {
            let named = |block: &&&DatasetMapping| {
                block.entity == entity.name && block.knows(name) && !block.fallback
            };
            self.blocks.iter().find(named).map_or(0, |_| 3)
        };
        let score = |entity: &&Entity| {
            entity.columns.iter().filter(|column| self.column(entity, column).is_some()).count()
                + by_name(entity)
        };
        // Of equals the first by name stands.
        let best = entities.values().rev().max_by_key(score);
        best.ok_or_else(|| Error::Contract { reason: "there is no entity".into() })
    }

    /// The source column that may feed a canon column: of the same name, used for it by a shipped mapping, or of
    /// nearly the same name.
    fn column(&self, entity: &Entity, column: &Column) -> Option<&str> {
        let find = |name: &str| {
            let position = self.dataset.position(name)?;
            Some(self.dataset.columns[position].name.as_str())
        };
        let used = |block: &&DatasetMapping| {
            let block = block.of_domain(&self.dataset.name);
            let sources = if column.name == "study_id" {
                block.study.into_iter().collect()
            } else {
                // What an occurrence counts is no source of its number.
                let expression = block.columns.get(&column.name);
                let expression = expression.filter(|one| !matches!(one, super::Expression::Occurrence(_)));
                expression.map(super::Expression::sources).unwrap_or_default()
            };
            sources.iter().find_map(|source| find(source))
        };
        let names = || self.dataset.columns.iter().map(|column| column.name.as_str());
        find(&column.name)
            .or_else(|| self.blocks.iter().filter(|block| block.entity == entity.name).find_map(used))
            .or_else(|| near(&column.name, names()).first().and_then(|name| find(name)))
    }
}

fn written(name: &str, entity: &Entity, guesses: &Guesses<'_>) -> String {
    let mut text = format!(
        "# Begun from `{}`: every line is a guess by name and wants to be read.\n\
         # `cairn mapping check FILES --mapping THIS_FILE` shows what becomes of it; docs/mappings.md explains the form.\n\
         name = {}\ndescription = {}\nsource_system = {}\n\n[[dataset]]\nnames = [{}]\nentity = {}\n",
        guesses.dataset.file,
        quoted(&format!("my-{}", name.to_ascii_lowercase())),
        quoted(&format!("Rows of {name}")),
        quoted("my"),
        quoted(name),
        quoted(&entity.name),
    );
    let mut used: Vec<&str> = Vec::new();
    let mut push = |line: String| text.write_str(&line).expect("a string takes all text");
    match entity.column("study_id").and_then(|column| guesses.column(entity, column)) {
        Some(study) => {
            used.push(study);
            push(format!("study = {}\n", quoted(study)));
        }
        None => push("# study = \"…\"  # the column that names the study, checked on every row\n".into()),
    }
    push("# record_id = \"…\"  # the source's own id of a record, if it has one\n[dataset.columns]\n".into());
    // Without a number of its own a record has its place among the subject's.
    let subject = entity.column("subject_id").and_then(|column| guesses.column(entity, column));
    for column in entity.columns.iter().filter(|column| column.name != "study_id") {
        match guesses.column(entity, column) {
            Some(source) => {
                used.push(source);
                push(format!("{} = {}\n", column.name, expression(column, source)));
            }
            None if column.name.ends_with("_seq") && subject.is_some() => {
                let subject = quoted(subject.unwrap_or_default());
                push(format!("{} = {{ occurrence = [{subject}], plus = 1 }}\n", column.name));
            }
            None if column.nullable => push(format!("# {} = \"…\"{}\n", column.name, note(column))),
            None => {
                push(format!("# {} = \"…\"  # needed{}\n", column.name, note(column).replace("  #", ":")));
            }
        }
    }
    let left = guesses.dataset.columns.iter().map(|column| column.name.as_str());
    let left: Vec<&str> = left.filter(|column| !used.contains(column)).collect();
    if !left.is_empty() {
        push(format!("# Columns of the file that nothing reads: {}\n", left.join(", ")));
    }
    text
}

/// Yes and no come in many forms; everything else is taken as it is.
fn expression(column: &Column, source: &str) -> String {
    match column.kind {
        ColumnType::Bool => format!("{{ from = {}, as = \"yes_no\" }}", quoted(source)),
        _ => quoted(source),
    }
}

fn note(column: &Column) -> String {
    if column.rule.is_empty() { String::new() } else { format!("  # {}", column.rule) }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skeleton_of(name: &str, text: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(format!("{name}.csv"));
        std::fs::write(&path, text).expect("the folder takes files");
        skeleton(name, &path, None).expect("the file is a CSV")
    }

    #[test]
    fn a_skeleton_whose_needed_columns_were_guessed_is_a_mapping() {
        let text = skeleton_of(
            "events",
            "STUDYID,USUBJID,AESEQ,AETERM,AESER,Severity,Colour\nS1,1,1,COUGH,N,MILD,RED\n",
        );
        let mapping = Mapping::parse("my-events", &text).expect("it can be used as it is");
        assert_eq!(mapping.datasets[0].entity, "adverse_event");
        for line in [
            "study = \"STUDYID\"",
            "subject_id = \"USUBJID\"",
            "serious = { from = \"AESER\", as = \"yes_no\" }",
            "severity = \"Severity\"",
            "# Columns of the file that nothing reads: Colour",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn a_record_without_a_number_is_counted_among_its_subjects() {
        let text = skeleton_of("consent", "subjid,conscat,consdt,consyn\n1,MAIN,2020-01-01,Y\n");
        assert!(text.contains("consent_seq = { occurrence = [\"subjid\"], plus = 1 }"), "{text}");
        Mapping::parse("my-consent", &text).expect("it can be used as it is");
    }

    #[test]
    fn what_cannot_be_guessed_is_left_to_say() {
        let text = skeleton_of("query", "who,what\na,b\n");
        assert!(text.contains("entity = \"query\""), "{text}");
        assert!(text.contains("# state = \"…\"  # needed: CANDIDATE,OPEN"), "{text}");
        let error = Mapping::parse("my-query", &text).expect_err("columns are missing").to_string();
        assert!(error.contains("nothing feeds it"), "{error}");
    }
}
