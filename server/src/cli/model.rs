//! `cairn model`: the unified model, for people and for programs.

use clap::Args;
use warehouse::contract::{self, Column, Entity};

use crate::cli::say::say;
use crate::error::{Failure, Result};

/// What is shown of the model.
#[derive(Debug, Args)]
#[command(after_help = "\
  cairn model                                  all entities
  cairn model lab_result                       its columns, with what is checked on every row
  cairn model --json-schema lab_result         its rows as JSON Schema (2020-12)
  cairn model --markdown > docs/model.md       the whole model as a page")]
pub(crate) struct ModelArgs {
    /// The entity whose columns are shown.
    #[arg(value_name = "ENTITY", conflicts_with_all = ["json_schema", "markdown"])]
    entity: Option<String>,
    /// An entity's rows as JSON Schema (2020-12).
    #[arg(long, value_name = "ENTITY", conflicts_with = "markdown")]
    json_schema: Option<String>,
    /// The whole model as Markdown.
    #[arg(long)]
    markdown: bool,
}

pub(crate) fn run(args: &ModelArgs) -> Result<()> {
    if args.markdown {
        say!("{}", contract::page()?.trim_end());
    } else if let Some(name) = &args.json_schema {
        say!("{:#}", contract::json_schema(entity(name)?));
    } else if let Some(name) = &args.entity {
        print_entity(entity(name)?);
    } else {
        for entity in contract::entities()?.values() {
            say!("{:<24}{:>3} columns  {}", entity.name, entity.columns.len(), entity.about);
        }
    }
    Ok(())
}

fn entity(name: &str) -> Result<&'static Entity> {
    let entities = contract::entities()?;
    entities.get(name).ok_or_else(|| {
        Failure::Usage(format!(
            "there is no entity `{name}`; `cairn model` lists the {} there are",
            entities.len()
        ))
    })
}

fn print_entity(entity: &Entity) {
    say!("{}: {} ({})", entity.name, entity.about, entity.class);
    for column in &entity.columns {
        say!("  {:<26}{:<18}{:<9}{}", column.name, column.kind.name(), needs(column), column.rule);
        let sources = [("from", &column.clinical_source), ("OMOP", &column.omop_source)];
        for (name, source) in sources.into_iter().filter(|(_, source)| !source.is_empty()) {
            say!("  {:<26}{name} {source}", "");
        }
    }
}

const fn needs(column: &Column) -> &'static str {
    match (column.is_key, column.nullable) {
        (true, _) => "key",
        (false, false) => "needed",
        (false, true) => "",
    }
}
