//! The contract as a page for people, in Markdown. `docs/model.md` is this text; a test holds that it is.

use std::fmt::Write as _;

use super::{Column, Entity, entities};
use crate::Result;

const HEAD: &str = "\
# The unified model

Every delivery becomes rows of these entities, whatever its source. The table behind this page is
[`contract.csv`](../warehouse/contract.csv); `cairn model --markdown` writes the page, and
`cairn model --json-schema ENTITY` gives one entity as JSON Schema.

- A text is verbatim; empty is null. Ids are texts, never numbers. A visit number is a decimal with four digits after
  the point.
- A date that ends in `_dtc` is ISO 8601 as far as it is known. Canon adds its day, its first and last possible day
  and its precision (`x_date`, `x_min`, `x_max`, `x_prec`).
- **key** marks the natural key, which is unique within one cut of one source. `row_id` is the identity across cuts.
- **checked** is what is held on every row: a row that breaks it is set aside with the reason. Lists of CDISC
  controlled terminology (`CT C…`) are named in the rule and are not closed here.
- Every row has the system columns too: `row_id`, `source_system`, `source_record_id`, `batch_id`,
  `source_extract_ts`, `row_hash`, `sys_from_ts`, `op`, `dq_status`, `source_row`.
";

/// The whole page, ending with a line break.
///
/// # Errors
/// [`crate::Error::Contract`] when the contract is not usable.
pub fn page() -> Result<String> {
    let mut text = HEAD.to_owned();
    let entities = entities()?;
    for class in ["reference", "clinical", "operational"] {
        let members = entities.values().filter(|entity| entity.class == class);
        let names: Vec<String> = members.map(|entity| format!("[`{0}`](#{0})", entity.name)).collect();
        push(&mut text, format_args!("\n**{class}**: {}\n", names.join(", ")));
    }
    for entity in entities.values() {
        push(&mut text, format_args!("\n{}", entity_page(entity)));
    }
    Ok(text)
}

/// The part about one entity.
#[must_use]
pub fn entity_page(entity: &Entity) -> String {
    let mut text = format!("## {}\n\n{}. Class: {}.\n\n", entity.name, entity.about, entity.class);
    text.push_str("| column | type | null | key | checked | rule | SDTM, ODM, EDC, CTMS | OMOP 5.4 |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for column in &entity.columns {
        let cells = [
            format!("`{}`", column.name),
            column.kind.name().to_owned(),
            if column.nullable { "yes".to_owned() } else { String::new() },
            key(column),
            checked(column),
            cell(&column.rule),
            cell(&column.clinical_source),
            cell(&column.omop_source),
        ];
        push(&mut text, format_args!("| {} |\n", cells.join(" | ")));
    }
    text
}

fn key(column: &Column) -> String {
    let own = if column.is_key { Some("key".to_owned()) } else { None };
    let others = column.references.iter().map(|reference| {
        let name = &reference.entity;
        if reference.is_soft { format!("→ {name} (where there is one)") } else { format!("→ {name}") }
    });
    own.into_iter().chain(others).collect::<Vec<_>>().join(" ")
}

fn checked(column: &Column) -> String {
    let allowed = column.allowed.to_string();
    if column.allowed == super::Allowed::Any { String::new() } else { cell(&allowed) }
}

/// A text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn push(text: &mut String, part: std::fmt::Arguments<'_>) {
    text.write_fmt(part).expect("a string takes all text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_documentation_is_the_contract() {
        let committed = std::fs::read_to_string("../docs/model.md").expect("docs/model.md is there");
        let page = page().expect("the contract is well formed");
        assert!(committed == page, "run `cairn model --markdown > docs/model.md`");
    }

    #[test]
    fn every_entity_and_every_column_has_its_line() {
        let page = page().expect("the contract is well formed");
        assert_eq!(page.lines().filter(|line| line.starts_with("## ")).count(), 32);
        assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), 419);
        assert!(page.contains(
            "| `toxicity_grade` | int8 | yes |  | from 0 to 5 | 0..5 | LB.LBTOXGR; EDC toxgrg_nsv | derived |"
        ));
    }
}
