//! `cairn sql`.

use std::io::{Read as _, Write};

use arrow::util::pretty::pretty_format_batches;
use clap::{Args, ValueEnum};
use control::Export;
use flight::published::Visible;

use super::engineer::Place;
use crate::app::App;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work::{self, query};

/// A query and the form of its answer.
#[derive(Debug, Args)]
#[command(after_help = "\
The query sees the tables of the study's newest snapshot; `information_schema.tables` and
`information_schema.columns` list them. Nothing but a query is answered.

  cairn sql --tenant acme --study TRIAL01 'SELECT site_id, flag FROM mart_kri ORDER BY flag DESC LIMIT 5'
  cairn marts show mart_missingness --sql | cairn sql --tenant acme --study TRIAL01 --format csv -")]
pub(crate) struct SqlArgs {
    #[command(flatten)]
    place: Place,
    /// The query; `-` reads it from standard input.
    #[arg(value_name = "QUERY", allow_hyphen_values = true)]
    query: String,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    /// How many rows at most.
    #[arg(long, default_value_t = 1_000_000, value_name = "ROWS")]
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Columns in a frame, to look at.
    Table,
    /// Comma-separated text with a header.
    Csv,
    /// An array of objects.
    Json,
}

pub(crate) async fn run(app: &App, args: SqlArgs) -> Result<()> {
    let mut sql = args.query;
    if sql == "-" {
        sql.clear();
        std::io::stdin()
            .read_to_string(&mut sql)
            .map_err(Failure::io("read the query from standard input"))?;
    }
    let engineer = args.place.operator(app).await?;
    let (row, manifest) = work::current(app, &engineer).await?;
    let export = Export { what: query::name(&sql), snapshot: row.id, as_of: None };
    app.control.export_started(&engineer.actor, &engineer.scope, &export, &engineer.trace).await?;
    let visible = Visible { row, manifest };
    let answer = query::answer(app, (&engineer.scope.to_read(), &visible), &sql, args.limit).await?;
    match args.format {
        Form::Json => say!("{}", answer.json()?),
        Form::Csv => std::io::stdout().write_all(&answer.csv()?).map_err(Failure::io("write the rows"))?,
        Form::Table => {
            let failed = |source| Failure::Arrow { step: "write rows as a table", source };
            let empty = arrow::array::RecordBatch::new_empty(answer.schema.clone());
            let batches = if answer.batches.is_empty() { &[empty] } else { answer.batches.as_slice() };
            say!("{}\n{} rows", pretty_format_batches(batches).map_err(failed)?, answer.rows());
        }
    }
    if answer.is_truncated {
        eprintln!("there are more rows than {}; raise `--limit`", args.limit);
    }
    Ok(())
}
