//! `cairn demo`: two tenants with a study each, served.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use clap::Args;
use control::{Actor, Audience, Credentials, IssuedToken, NewAccessToken, NewAccount, TokenKind, TraceId};
use evidence::simulate::plan::StudyPlan;
use evidence::simulate::simulate;
use kernel::{Grant, Role, Seed, StudyId};
use serde::{Deserialize, Serialize};
use warehouse::engine::Limits;
use warehouse::{Delivery, Mapping};

use crate::app::App;
use crate::cli::say::say;
use crate::cli::{Bars, Doors, bind, serve_until_stopped};
use crate::error::{Failure, Result};
use crate::work::{self, Engineer, Order};

/// How the demonstration is made.
#[derive(Debug, Args)]
#[command(after_help = "\
A folder that holds a demonstration already is served as it is. The accounts and their passwords stand in
`demo.json` in the data folder.")]
pub(crate) struct DemoArgs {
    /// A folder with the SDTM datasets of the CDISC pilot study; without it only the simulated study is made.
    #[arg(long, value_name = "DIR")]
    pilot: Option<PathBuf>,
    /// Make no tenant with the pilot study, and do not warn about it.
    #[arg(long, conflicts_with = "pilot")]
    without_pilot: bool,
    /// Remove the demonstration that the data folder holds, and make it again.
    #[arg(long)]
    reset: bool,
    /// Make the demonstration and end, without serving it.
    #[arg(long)]
    no_serve: bool,
    #[command(flatten)]
    doors: Doors,
}

/// The accounts of the demonstration, kept beside its data.
#[derive(Debug, Serialize, Deserialize)]
struct Demo {
    accounts: Vec<DemoAccount>,
}

#[derive(Debug, Serialize, Deserialize)]
struct DemoAccount {
    tenant: String,
    study: StudyId,
    email: String,
    password: String,
    role: Role,
}

const ACCOUNTS: &str = "demo.json";
/// Chosen among ninety: the study has close to the planned 1,500 subjects, and red marks at planted sites alone. Other
/// seeds have a few false ones too, as chance makes them.
const SIMULATED_SEED: Seed = Seed(6);
/// The code of the simulated study.
pub(crate) const SIMULATED_STUDY: &str = "SIM-001";

/// Who works in each tenant of the demonstration: the name in the address, the name that is shown, and the role.
const PEOPLE: [(&str, &str, Role); 5] = [
    ("clinical", "Clinical team", Role::Clinical),
    ("engineer", "Engineer", Role::DataEngineer),
    ("researcher", "Researcher", Role::Researcher),
    ("administrator", "Administrator", Role::Administrator),
    ("auditor", "Auditor", Role::Auditor),
];

pub(crate) async fn run(data: &Path, args: DemoArgs) -> Result<()> {
    // What an interrupted run left is of no use: its accounts' passwords were never written down.
    if args.reset || data.join("demo-unfinished").exists() {
        reset(data)?;
    }
    let marker = data.join(ACCOUNTS);
    let demo = if marker.exists() {
        let text = fs::read_to_string(&marker).map_err(Failure::io("read the demonstration's accounts"))?;
        serde_json::from_str(&text).map_err(|error| {
            Failure::Usage(format!("`{ACCOUNTS}` is damaged ({error}); run `cairn demo --reset`"))
        })?
    } else {
        let app = App::open(data).await?;
        let demo = make(&app, data, &args).await?;
        keep(&marker, &demo)?;
        demo
    };
    if args.no_serve {
        return Ok(());
    }
    let app = App::open(data).await?;
    let bound = bind(&args.doors, app.clock.now()).await?;
    let (http, grpc) = args.doors.schemes();
    let (http, flight) =
        (format!("{http}://{}", bound.http_address), format!("{grpc}://{}", bound.flight_address));
    announce(&app, &demo, (&http, &flight)).await?;
    serve_until_stopped(app, bound, &args.doors).await
}

/// Removes what a demonstration made, and nothing else.
fn reset(data: &Path) -> Result<()> {
    if !data.exists() {
        return Ok(());
    }
    let is_empty = data.read_dir().map_err(Failure::io("open the data folder"))?.next().is_none();
    if !is_empty && !data.join(ACCOUNTS).exists() && !data.join("demo-unfinished").exists() {
        return Err(Failure::Usage(format!(
            "`{}` does not hold a demonstration, so it is not removed; name another folder with `--data`",
            data.display()
        )));
    }
    for name in ["control", "warehouse", "simulated", ACCOUNTS, "demo-unfinished"] {
        let path = data.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        if let Err(error) = removed
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(Failure::io(format!("remove `{name}`"))(error));
        }
    }
    Ok(())
}

fn keep(marker: &Path, demo: &Demo) -> Result<()> {
    let text = serde_json::to_string_pretty(demo).map_err(|error| Failure::Lost(error.to_string()))?;
    let failed = || Failure::io("write the demonstration's accounts");
    fs::write(marker, text).map_err(failed())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(marker, fs::Permissions::from_mode(0o600)).map_err(failed())?;
    }
    fs::remove_file(marker.with_file_name("demo-unfinished")).map_err(failed())
}

async fn make(app: &App, data: &Path, args: &DemoArgs) -> Result<Demo> {
    fs::write(data.join("demo-unfinished"), "").map_err(Failure::io("write to the data folder"))?;
    let mut accounts = Vec::new();
    match &args.pilot {
        Some(folder) => accounts.extend(pilot(app, folder).await?),
        None if !args.without_pilot => {
            say!(
                "without `--pilot` the demonstration has the simulated study alone; `./dev demo` brings the pilot study"
            );
        }
        None => {}
    }
    accounts.extend(simulated(app, &data.join("simulated")).await?);
    Ok(Demo { accounts })
}

async fn pilot(app: &App, folder: &Path) -> Result<Vec<DemoAccount>> {
    let study = study("CDISCPILOT01")?;
    let engineer = tenant(app, "pilot", "Pilot Research", &study).await?;
    let delivery = Delivery::of(&[folder.to_owned()], Some(Mapping::load("sdtm")?))?;
    let title = "Xanomeline transdermal system in mild to moderate Alzheimer's disease (CDISC pilot)";
    load(app, &engineer, delivery, title).await?;
    accounts(app, &engineer, "pilot", &study).await
}

async fn simulated(app: &App, folder: &Path) -> Result<Vec<DemoAccount>> {
    let plan = StudyPlan { study: study(SIMULATED_STUDY)?, ..StudyPlan::demo() };
    let engineer = tenant(app, "meridian", "Meridian Trials", &plan.study).await?;
    let bars = Bars::new("simulating SIM-001");
    let made = simulate(&plan, SIMULATED_SEED, folder, &mut |progress| {
        bars.set(progress.subjects_done, progress.subjects_total);
    });
    bars.finish();
    made?;
    let delivery = Delivery::of(&[folder.to_owned()], Some(Mapping::load("edc")?))?;
    load(app, &engineer, delivery, "A simulated study of 60 sites, six of which misbehave").await?;
    accounts(app, &engineer, "meridian", &plan.study).await
}

fn study(code: &str) -> Result<StudyId> {
    code.parse().map_err(|error| Failure::Usage(format!("{error}")))
}

async fn tenant(app: &App, slug: &str, name: &str, study: &StudyId) -> Result<Engineer> {
    let tenant = app.control.create_tenant(&Actor::Operator, slug, name).await?;
    let grants = app.control.operator_grants(tenant.id).await?;
    let scope = grants.scope(study).map_err(|denied| Failure::NotThere(denied.to_string()))?;
    Ok(Engineer { actor: Actor::Operator, scope, trace: TraceId::random()?, fence: None })
}

async fn load(app: &App, engineer: &Engineer, delivery: Delivery, title: &str) -> Result<()> {
    let study = engineer.scope.study();
    let bars = Bars::new(&format!("taking in {study}"));
    let order = Order { delivery, key: None, title: title.to_owned(), batch: None };
    let taken_in = work::ingest(app, engineer, &order, bars.teller()).await;
    bars.finish();
    let total = taken_in?.receipt.total();
    say!("{study}: {} rows taken in, {} set aside", total.rows_in, total.quarantined);
    let bars = Bars::new(&format!("marts of {study}"));
    let built = work::build_marts(app, engineer, Limits::default(), bars.teller()).await;
    bars.finish();
    let rows: u64 = built?.run.marts.iter().map(|mart| mart.rows).sum();
    say!("{study}: {rows} rows in the marts");
    Ok(())
}

async fn accounts(app: &App, engineer: &Engineer, tenant: &str, study: &StudyId) -> Result<Vec<DemoAccount>> {
    let mut accounts = Vec::new();
    for (name, title, role) in PEOPLE {
        let password = TraceId::random()?.as_str()[..20].to_owned();
        let email = format!("{name}@{tenant}.example");
        let display_name = format!("{title} of {tenant}");
        let grants = vec![Grant { role, study: None }];
        let account =
            NewAccount { email: email.clone(), password: Some(password.clone()), display_name, grants };
        app.control.create_account(&Actor::Operator, engineer.scope.tenant(), account).await?;
        accounts.push(DemoAccount { tenant: tenant.to_owned(), study: study.clone(), email, password, role });
    }
    Ok(accounts)
}

async fn announce(app: &App, demo: &Demo, (http, flight): (&str, &str)) -> Result<()> {
    say!("\ndashboards  {http}/");
    for account in &demo.accounts {
        say!(
            "  {:<12} {:<28} password {}   ({})",
            account.study.as_str(),
            account.email,
            account.password,
            account.role.name()
        );
    }
    let Some(account) = demo.accounts.iter().rev().find(|account| account.role == Role::Researcher) else {
        return Ok(());
    };
    let token = pulling_token(app, account).await?;
    say!(
        "\na mart in Python over Arrow Flight (the token ends {}):\n
import pyarrow.flight as flight
client = flight.connect(\"{flight}\")
options = flight.FlightCallOptions(headers=[(b\"authorization\", b\"Bearer {}\")])
info = client.get_flight_info(flight.FlightDescriptor.for_path(\"{}\", \"mart_kri\"), options)
print(client.do_get(info.endpoints[0].ticket, options).read_all())\n\nend with Ctrl-C",
        token.token.ends_at.format("%Y-%m-%d %H:%M UTC"),
        token.secret,
        account.study,
    );
    Ok(())
}

/// A token of the account for programs, for a day.
async fn pulling_token(app: &App, account: &DemoAccount) -> Result<IssuedToken> {
    let (control, trace) = (&app.control, TraceId::random()?);
    let given = Credentials::new(&account.email, &account.password);
    let principal = control.login(&given, Audience::Http, &trace).await?.principal;
    let new = NewAccessToken {
        kind: TokenKind::Personal,
        label: "demonstration".to_owned(),
        grants: Vec::new(),
        lifetime: TimeDelta::days(1),
        peer: None,
    };
    let (tenant, id) = (principal.tenant(), principal.account());
    let token = control.create_access_token(&principal.actor(), tenant, id, new).await?;
    control.logout(&principal, &trace).await?;
    Ok(token)
}
