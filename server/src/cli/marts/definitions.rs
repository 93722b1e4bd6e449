//! `cairn marts definitions`.

use clap::{Args, Subcommand};
use control::{Actor, DefinitionChangeRow};
use marts::indicators::AccrualOn;
use marts::{Change, IndicatorDefinition};

use crate::app::App;
use crate::cli::engineer::Place;
use crate::cli::say::say;
use crate::error::{Failure, Result};
use crate::work::definitions::{Wanted, of_study, set};

/// What to do with the definitions of indicators and tolerance limits.
#[derive(Debug, Subcommand)]
pub(crate) enum DefinitionsCommand {
    /// List every indicator and tolerance limit with its thresholds and who changed it last.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Show one definition whole.
    Show {
        #[command(flatten)]
        place: Place,
        /// The indicator or limit: `kri0001`, `qtl_ineligible`.
        definition: String,
    },
    /// Change a definition in a study, or in every study of the tenant. Its marts are due then: `cairn marts build`.
    #[command(after_help = "Example:
  cairn marts definitions set kri0001 --thresholds=-3,-2,2,3 --reason 'agreed in the monitoring plan, version 2'
  cairn marts definitions set qtl_ineligible --tolerated 0.02 --secondary 0.015 --reason 'protocol 3.1'")]
    Set {
        #[command(flatten)]
        place: Place,
        /// The indicator or limit.
        definition: String,
        #[command(flatten)]
        points: Box<Points>,
        #[command(flatten)]
        why: Why,
    },
    /// Take back what was changed of a definition.
    Reset {
        #[command(flatten)]
        place: Place,
        /// The indicator or limit.
        definition: String,
        #[command(flatten)]
        why: Why,
    },
    /// List every change of a definition, or of all: who, when, why.
    History {
        #[command(flatten)]
        place: Place,
        /// The indicator or limit; all when left out.
        definition: Option<String>,
    },
}

/// Why, and where.
#[derive(Debug, Args)]
pub(crate) struct Why {
    /// Why. It is kept with the change and in the ledger.
    #[arg(long)]
    reason: String,
    /// In every study of the tenant that does not say otherwise.
    #[arg(long)]
    everywhere: bool,
}

/// What is changed; what is left out stays.
#[derive(Debug, Args)]
pub(crate) struct Points {
    /// Of an indicator: thresholds, ascending, between commas.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_name = "NUMBERS")]
    thresholds: Option<Vec<f64>>,
    /// Of an indicator: one flag from -2 to 2 for each interval that the thresholds leave, one more than thresholds.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_name = "FLAGS")]
    flags: Option<Vec<i8>>,
    /// Of an indicator: one weight in the site risk score for each flag.
    #[arg(long, value_delimiter = ',', value_name = "NUMBERS")]
    weights: Option<Vec<f64>>,
    /// Of an indicator: what must reach the least before a group is judged: `numerator`, `denominator` or `difference`.
    #[arg(long, value_parser = accrual_on)]
    accrual_on: Option<AccrualOn>,
    /// Of an indicator: the least.
    #[arg(long, value_name = "NUMBER")]
    accrual_least: Option<f64>,
    /// Of a limit: the share expected, as 0.01.
    #[arg(long, value_name = "SHARE")]
    expected: Option<f64>,
    /// Of a limit: the share at which an early word is due.
    #[arg(long, value_name = "SHARE")]
    secondary: Option<f64>,
    /// Of a limit: the share tolerated.
    #[arg(long, value_name = "SHARE")]
    tolerated: Option<f64>,
    /// Of a limit: below so many units no verdict is given.
    #[arg(long, value_name = "NUMBER")]
    least_units: Option<f64>,
    /// Whether it is computed and shown: `true` or `false`.
    #[arg(long)]
    shown: Option<bool>,
}

fn accrual_on(text: &str) -> Result<AccrualOn, String> {
    [AccrualOn::Numerator, AccrualOn::Denominator, AccrualOn::Difference]
        .into_iter()
        .find(|on| on.name() == text)
        .ok_or_else(|| "it is `numerator`, `denominator` or `difference`".to_owned())
}

impl Points {
    fn change(self) -> Change {
        Change {
            thresholds: self.thresholds,
            flags: self.flags,
            weights: self.weights,
            accrual_on: self.accrual_on,
            accrual_least: self.accrual_least,
            expected: self.expected,
            secondary: self.secondary,
            tolerated: self.tolerated,
            least_units: self.least_units,
            shown: self.shown,
        }
    }
}

pub(super) async fn run(app: &App, command: DefinitionsCommand) -> Result<()> {
    match command {
        DefinitionsCommand::List { place } => list(app, &place).await,
        DefinitionsCommand::Show { place, definition } => show(app, &place, &definition).await,
        DefinitionsCommand::Set { place, definition, points, why } => {
            change(app, &place, (&definition, Wanted::Changed(points.change())), &why).await
        }
        DefinitionsCommand::Reset { place, definition, why } => {
            change(app, &place, (&definition, Wanted::Reset), &why).await
        }
        DefinitionsCommand::History { place, definition } => {
            history(app, &place, definition.as_deref()).await
        }
    }
}

async fn list(app: &App, place: &Place) -> Result<()> {
    let all = of_study(app, &place.operator(app).await?.scope.to_read()).await?;
    say!("{:<32}{:<6}{:<22}{:<7}{:<12}title", "definition", "code", "limits", "shown", "version");
    for one in all.indicators() {
        let thresholds = numbers(&one.thresholds);
        say!(
            "{:<32}{:<6}{thresholds:<22}{:<7}{:<12}{}",
            one.id,
            one.code,
            yes(one.shown),
            one.version,
            one.title
        );
    }
    for one in all.limits() {
        let shares = numbers(&[one.expected, one.secondary(), one.tolerated]);
        say!(
            "{:<32}{:<6}{shares:<22}{:<7}{:<12}{}",
            one.id,
            one.code,
            yes(one.shown),
            one.version,
            one.title
        );
    }
    Ok(())
}

async fn show(app: &App, place: &Place, id: &str) -> Result<()> {
    let all = of_study(app, &place.operator(app).await?.scope.to_read()).await?;
    if let Some(one) = all.indicators().iter().find(|one| one.id == id) {
        indicator(one);
        return Ok(());
    }
    let limit = all.limits().iter().find(|one| one.id == id);
    let one = limit.ok_or_else(|| {
        Failure::Usage(format!("there is no `{id}`; `cairn marts definitions list` names what there is"))
    })?;
    say!("{} ({}), {}", one.title, one.code, one.version);
    say!("  counts:      {}\n  of:          {}", one.events, one.units);
    say!(
        "  expected:    {}\n  secondary:   {}\n  tolerated:   {}",
        one.expected,
        one.secondary(),
        one.tolerated
    );
    say!("  least units: {}\n  shown:       {}", one.least_units, yes(one.shown));
    Ok(())
}

fn indicator(one: &IndicatorDefinition) {
    let flags: Vec<String> = one.flags.iter().map(ToString::to_string).collect();
    say!("{} ({}), {}", one.title, one.code, one.version);
    say!("  numerator:   {}\n  denominator: {}", one.numerator_rule, one.denominator_rule);
    say!("  thresholds:  {}\n  flags:       {}", numbers(&one.thresholds), flags.join(", "));
    say!("  weights:     {}", numbers(&one.weights));
    say!("  accrual:     {} from {} on", one.accrual.on.name(), one.accrual.least);
    say!("  methods:     {}\n  shown:       {}", one.methods().join(", "), yes(one.shown));
}

async fn change(app: &App, place: &Place, (definition, wanted): (&str, Wanted), why: &Why) -> Result<()> {
    let engineer = place.operator(app).await?;
    let grants = if why.everywhere {
        let tenant = app.control.tenant_by_slug(&Actor::Operator, &place.tenant).await?;
        Some(app.control.operator_grants(tenant.id).await?)
    } else {
        None
    };
    let row = set(app, &engineer, grants.as_ref(), (definition, wanted, &why.reason)).await?;
    say!("{}", line(&row));
    say!("its marts are due: `cairn marts build --dry-run` says which, `cairn marts build` makes them");
    Ok(())
}

async fn history(app: &App, place: &Place, definition: Option<&str>) -> Result<()> {
    let rows = app.control.definition_changes(&place.operator(app).await?.scope.to_read()).await?;
    let wanted: Vec<&DefinitionChangeRow> =
        rows.iter().filter(|row| definition.is_none_or(|id| row.definition == id)).collect();
    if wanted.is_empty() {
        say!("nothing was changed: every definition is as shipped");
    }
    for row in wanted {
        say!("{}", line(row));
    }
    Ok(())
}

fn line(row: &DefinitionChangeRow) -> String {
    let place = row.study.as_ref().map_or("every study".to_owned(), |study| format!("study {study}"));
    format!(
        "{} {place}, version {}: {} ({}, by {}, {})",
        row.definition,
        row.version,
        row.change.as_deref().unwrap_or("reset"),
        row.reason,
        row.changed_by,
        row.changed_at.to_rfc3339()
    )
}

fn numbers(values: &[f64]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

const fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}
