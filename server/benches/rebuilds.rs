//! Marts of many studies: made for the first time, again when nothing changed, and again when some of the studies did.
//! Missingness and the risk indicators, with all that they read, are made and measured before the others.
//! Beside them, in the same process and over the same files, the queries of the marts alone as plain DuckDB SQL, which
//! neither test nor publish and leave out what is computed in Rust. Prints CPU seconds (user and system, of all threads),
//! seconds on the wall, and the peak of the resident set (bar: 2 GiB whatever the size). dbt makes missingness and the
//! indicators from the same queries, too: all of them, and again those of one study that changed.
//!
//! `./dev bench rebuilds 10000000 8`: ten million observations in eight studies, 60 variables at 20 visits, 10 % missing;
//! 400,000 in eight without numbers. With 50 studies one, five, twenty and all of them change.

#[path = "support/account.rs"]
mod account;
#[path = "support/dbt.rs"]
mod dbt;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use account::{Used, measure};
use kernel::{
    ActionKind, BatchId, Build, Clock, Grants, Permission, SnapshotId, StudyId, StudyScope, SystemClock,
    TenantId,
};
use warehouse::engine::{Engine, Limits};
use warehouse::{Batch, Delivery, Manifest, Mapping, Storage, Writer, Zone, ingest};

const PEAK_BAR_MIB: f64 = 2048.0;
const VISITS: u64 = 20;
const VARIABLES: u64 = 60;
const SITES: u64 = 25;
/// How many of the slowest marts are named.
const SLOWEST: usize = 8;
const THREADS: u64 = 2;
/// What the engine may hold; the rest of the process needs some too.
const ENGINE_MIB: u64 = 1200;
/// Missingness and the risk indicators.
const FIRST: [&str; 4] = ["+mart_missingness", "+mart_kri", "+mart_kri_bounds", "+mart_indicator"];

static NOTHING: [marts::Mart; 1] = [marts::Mart {
    name: "mart_nothing",
    grain: "one row",
    description: "How many subjects there are.",
    owner: "this benchmark",
    inputs: &["dim_subject"],
    key: &["n_subjects"],
    columns: &[marts::Column {
        name: "n_subjects",
        description: "versions of subjects",
        from: &["dim_subject.subject_sk"],
    }],
    tests: &[],
    tags: &[],
    definition: marts::Definition::Sql("SELECT count(*) AS n_subjects FROM dim_subject"),
}];

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let (rows, studies) = (numbers.next().unwrap_or(400_000), numbers.next().unwrap_or(8).max(1));
    match compare(rows, studies) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{rows} rows in {studies} studies: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One study with its newest snapshot.
struct Study {
    scope: StudyScope<Build>,
    writer: Writer,
    newest: (SnapshotId, Manifest),
    with_marts: Option<Manifest>,
    subjects: u64,
    deliveries: u32,
    /// Events and results that came later.
    more: [u32; 2],
}

fn compare(rows: u64, studies: u64) -> Result<bool, Failure> {
    let folder = tempfile::tempdir()?;
    let storage = Storage::open(&folder.path().join("data"))?;
    let subjects = (rows / studies / VISITS / VARIABLES).max(SITES);
    let mut all = Vec::new();
    let (_, set_up) = measure(|| {
        for number in 1..=studies {
            all.push(Study::deliver(&storage, folder.path(), (number, subjects))?);
        }
        Ok(())
    })?;
    println!(
        "{} observations of {} subjects in {studies} studies",
        subjects * VISITS * VARIABLES * studies,
        subjects * studies
    );
    tell("files to canon and star", set_up);

    let dbt = dbt::Project::new(folder.path().join("dbt"), THREADS)?;
    let mut of_dbt = BTreeSet::new();
    let mut peak: f64 = 0.0;
    for (what, selected) in [("missingness and indicators", &FIRST[..]), ("all others", &[])] {
        let (made, first) = measure(|| build(&mut all, selected))?;
        tell(&format!("{what}, {} marts made first", made.len()), first);
        tell_slowest(&made);
        let names: BTreeSet<&str> = made.iter().map(|(mart, _)| mart.as_str()).collect();
        let (_, plain) =
            measure(|| all.iter().try_for_each(|study| study.plain(&storage, folder.path(), &names)))?;
        tell_peer("their queries alone, plain DuckDB", plain, first);
        peak = peak.max(first.peak_mib);
        if let (Some(dbt), true) = (&dbt, of_dbt.is_empty()) {
            of_dbt = made.iter().map(|(mart, _)| mart.clone()).collect();
            all.iter().try_for_each(|study| study.write_for(dbt, &storage, &of_dbt))?;
            tell_peer("their queries, dbt", dbt.run(None)?, first);
        }
    }
    let (made, unchanged) = measure(|| build(&mut all, &[]))?;
    tell(&format!("nothing changed, {} marts made", made.len()), unchanged);

    tell_trivial(&all[0], &storage, folder.path())?;

    let changes = steps(all.len()).map(|changed| (changed, "event", Table::Events));
    for (changed, what, table) in changes.chain([(1, "result", Table::Results)]) {
        for study in &mut all[..changed] {
            study.deliver_again(folder.path(), table)?;
        }
        for (which, selected) in [("missingness and indicators", &FIRST[..]), ("others", &[])] {
            let (made, used) = measure(|| build(&mut all, selected))?;
            tell(&format!("one {what} in {changed} of {studies}, {which} ({} marts)", made.len()), used);
            peak = peak.max(used.peak_mib);
            if changed == 1 {
                tell_slowest(&made);
            }
            if let (Some(dbt), 1, true) = (&dbt, changed, which == "missingness and indicators") {
                let study = &all[0];
                study.write_for(dbt, &storage, &of_dbt)?;
                tell_peer(
                    "the queries of that study, dbt",
                    dbt.run(Some(study.scope.study().as_str()))?,
                    used,
                );
            }
        }
    }
    all[0].deliver_again(folder.path(), Table::Results)?;
    let (made, used) = measure(|| build(&mut all, &FIRST[..1]))?;
    tell(&format!("one result more in 1 of {studies}, missingness alone ({} marts)", made.len()), used);
    println!("  highest peak of the builds: {peak:.0} MiB (bar {PEAK_BAR_MIB})");
    Ok(peak <= PEAK_BAR_MIB)
}

/// What any build costs, here and there.
fn tell_trivial(study: &Study, storage: &Storage, folder: &Path) -> Result<(), Failure> {
    let ((), nothing) = measure(|| study.build_nothing())?;
    tell("a trivial mart of one study", nothing);
    if let Some(dbt) = dbt::Project::new(folder.join("nothing"), THREADS)? {
        dbt.write(study.scope.study().as_str(), &[&NOTHING[0]], &study.tables(storage)?)?;
        tell_peer("the same, dbt", dbt.run(None)?, nothing);
    }
    Ok(())
}

/// How many studies change: few, more, all.
fn steps(studies: usize) -> impl Iterator<Item = usize> {
    [1, 5, 20].into_iter().filter(move |changed| *changed < studies).chain([studies])
}

fn tell(what: &str, used: Used) {
    println!("  {what:60} {:8.3} CPU s {:8.3} s {:6.0} MiB", used.cpu_seconds, used.seconds, used.peak_mib);
}

/// What a peer used, and how much of that we did.
fn tell_peer(what: &str, peer: Used, ours: Used) {
    tell(what, peer);
    println!("  ratio {:.2} of CPU", ours.cpu_seconds / peer.cpu_seconds);
}

/// Builds the selected marts of every study, as a schedule does. Each that was made, with its seconds on the wall.
fn build(studies: &mut [Study], selected: &[&str]) -> Result<Vec<(String, f64)>, Failure> {
    let mut made = Vec::new();
    for study in studies {
        made.extend(study.build(selected)?);
    }
    Ok(made)
}

/// The marts that took longest over all studies; two are made at a time.
fn tell_slowest(made: &[(String, f64)]) {
    let mut times = BTreeMap::<&str, f64>::new();
    for (mart, seconds) in made {
        *times.entry(mart).or_default() += seconds;
    }
    let mut slowest: Vec<(&str, f64)> = times.into_iter().collect();
    slowest.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (mart, seconds) in slowest.iter().take(SLOWEST) {
        println!("    {mart:58} {:8} {seconds:14.3} s", "");
    }
}

impl Study {
    fn deliver(storage: &Storage, folder: &Path, (number, subjects): (u64, u64)) -> Result<Self, Failure> {
        let tenant: TenantId = "01890a5d-ac96-774b-bcce-b302099a8057".parse()?;
        let study: StudyId = format!("BENCH-{number}").parse()?;
        let grants = Grants::from_gate(tenant, vec![Permission { action: ActionKind::Build, study: None }]);
        let scope: StudyScope<Build> = grants.scope(&study)?;
        let writer = Writer::wait(storage, &scope)?;
        let inbox = folder.join(format!("in-{number}"));
        fs::create_dir(&inbox)?;
        write_study(&inbox, study.as_str(), subjects)?;
        let newest = take_in(&writer, &inbox, None)?;
        fs::remove_dir_all(&inbox)?;
        Ok(Self { scope, writer, newest, with_marts: None, subjects, deliveries: 1, more: [0; 2] })
    }

    /// One more event, or one more result, of one subject.
    fn deliver_again(&mut self, folder: &Path, table: Table) -> Result<(), Failure> {
        self.deliveries += 1;
        let study = self.scope.study().as_str().to_owned();
        let inbox = folder.join(format!("in-{study}-{}", self.deliveries));
        fs::create_dir(&inbox)?;
        self.more[table as usize] += 1;
        table.write(&inbox, &study, self.subjects, self.more[table as usize])?;
        self.newest = take_in(&self.writer, &inbox, Some((self.newest.0, &self.newest.1)))?;
        Ok(fs::remove_dir_all(&inbox)?)
    }

    /// The marts that were made, with the seconds that each took on the wall.
    fn build(&mut self, selected: &[&str]) -> Result<Vec<(String, f64)>, Failure> {
        let (id, manifest) = &self.newest;
        let definitions = marts::Definitions::shipped()?;
        let formers = self.with_marts.iter().collect();
        let base = marts::Base { current: (*id, manifest), formers, definitions: &definitions };
        let limits = Limits { memory_mib: ENGINE_MIB, threads: THREADS };
        let select = selected.iter().map(|&selector| selector.to_owned()).collect();
        let selection = marts::Selection { select, ..marts::Selection::everything() };
        let order = marts::Order { limits, selection, ..marts::Order::default() };
        let built = marts::build(&self.writer, &base, &order, &SystemClock, &mut |_| {})?;
        if let Some(failure) = built.failure {
            return Err(format!("{}: {failure:?}", self.scope.study()).into());
        }
        let made = built.run.marts.iter().filter(|mart| mart.outcome == marts::Outcome::Made);
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a benchmark")]
        let made = made.map(|mart| (mart.mart.to_string(), mart.took_us as f64 / 1e6)).collect();
        if let Some((id, _, manifest)) = built.snapshot {
            self.with_marts = Some(manifest.clone());
            self.newest = (id, manifest);
        }
        Ok(made)
    }

    /// The queries of the marts named.
    fn plain(&self, storage: &Storage, work: &Path, names: &BTreeSet<&str>) -> Result<(), Failure> {
        let zones = [Zone::Star, Zone::Marts].map(|zone| storage.study(&self.scope).folder(zone));
        let engine = Engine::open(&zones, work, &Limits { memory_mib: ENGINE_MIB, threads: THREADS })?;
        for (name, paths) in self.tables(storage)? {
            engine.view(&name, &paths)?;
        }
        for mart in marts::MARTS.iter().filter(|mart| names.contains(mart.name)) {
            if let Some(query) = mart.query() {
                engine.copy("run the query", query, &work.join("plain.parquet"))?;
            }
        }
        Ok(())
    }

    fn tables(&self, storage: &Storage) -> Result<dbt::Tables, Failure> {
        let files = storage.study(&self.scope);
        let tables = self.newest.1.tables.iter().map(|(name, table)| {
            let paths = table.files.iter().map(|file| files.path(&file.key)).collect::<Result<_, _>>()?;
            Ok((name.to_string(), paths))
        });
        tables.collect()
    }

    /// The models of the marts named, for dbt.
    fn write_for(
        &self,
        dbt: &dbt::Project,
        storage: &Storage,
        names: &BTreeSet<String>,
    ) -> Result<(), Failure> {
        let named: Vec<&marts::Mart> = marts::MARTS.iter().filter(|mart| names.contains(mart.name)).collect();
        dbt.write(self.scope.study().as_str(), &named, &self.tables(storage)?)
    }

    /// A mart that asks next to nothing, made, tested and published: what any build costs.
    fn build_nothing(&self) -> Result<(), Failure> {
        let (id, manifest) = &self.newest;
        let definitions = marts::Definitions::shipped()?;
        let base = marts::Base { current: (*id, manifest), formers: Vec::new(), definitions: &definitions };
        let order = marts::Order { graph: &NOTHING, ..marts::Order::default() };
        let built = marts::build(&self.writer, &base, &order, &SystemClock, &mut |_| {})?;
        built.snapshot.map(|_| ()).ok_or_else(|| "the trivial mart was not published".into())
    }
}

fn take_in(
    writer: &Writer,
    inbox: &Path,
    former: Option<(SnapshotId, &Manifest)>,
) -> Result<(SnapshotId, Manifest), Failure> {
    let delivery = Delivery::of(&[inbox.to_owned()], Some(Mapping::load("sdtm")?))?;
    let now = SystemClock.now();
    let batch = Batch { id: BatchId::at(now, "bench"), received_at: now };
    let ingested = ingest(writer, (&batch, &delivery), former.map(|(_, manifest)| manifest), &mut |_| {})?;
    let base = warehouse::star::Base { former, ingested: &ingested, as_of: now };
    let (id, _, manifest) = warehouse::star::build(writer, &base, &mut |_| {})?;
    Ok((id, manifest))
}

/// What a later delivery has one row more of.
#[derive(Clone, Copy)]
enum Table {
    Events,
    Results,
}

impl Table {
    /// The whole table, with so many rows more.
    fn write(self, inbox: &Path, study: &str, subjects: u64, more: u32) -> Result<(), Failure> {
        let name = match self {
            Self::Events => {
                write_events(inbox, study, subjects)?;
                "ae.csv"
            }
            Self::Results => {
                write_results(inbox, study, subjects)?;
                "lb.csv"
            }
        };
        let mut out = OpenOptions::new().append(true).open(inbox.join(name))?;
        let of_visits = (0..VISITS).flat_map(|visit| (0..VARIABLES).map(move |variable| (visit, variable)));
        let mut missing = of_visits.filter(|(visit, variable)| value(1, *visit, *variable).is_none());
        for seq in 100_001..=100_000 + more {
            match self {
                Self::Events => {
                    writeln!(out, "{study},AE,{study}-0001,{seq},HEADACHE,Headache,N,2024-02-01")?;
                }
                Self::Results => {
                    let (visit, variable) = missing.next().ok_or("no result is missing any more")?;
                    write_result(&mut out, study, (1, visit, variable), (seq.into(), "50.5"))?;
                }
            }
        }
        Ok(())
    }
}

/// Subjects at sites, who come to every visit and have an event each; some of their results are not there.
fn write_study(inbox: &Path, study: &str, subjects: u64) -> Result<(), Failure> {
    write_visits(inbox, study, subjects)?;
    write_events(inbox, study, subjects)?;
    write_results(inbox, study, subjects)
}

fn write_visits(inbox: &Path, study: &str, subjects: u64) -> Result<(), Failure> {
    let open = |name: &str| File::create(inbox.join(name)).map(BufWriter::new);
    let (mut dm, mut sv, mut tv) = (open("dm.csv")?, open("sv.csv")?, open("tv.csv")?);
    writeln!(dm, "STUDYID,DOMAIN,USUBJID,SUBJID,SITEID,COUNTRY,ARMCD,RFSTDTC,RFENDTC")?;
    writeln!(sv, "STUDYID,DOMAIN,USUBJID,VISITNUM,VISIT,VISITDY,SVSTDTC")?;
    writeln!(tv, "STUDYID,DOMAIN,VISITNUM,VISIT,VISITDY")?;
    for visit in 0..VISITS {
        writeln!(tv, "{study},TV,{},WEEK {},{}", visit + 1, 4 * visit, 28 * visit + 1)?;
    }
    for subject in 1..=subjects {
        let (id, day) = (format!("{study}-{subject:04}"), day(subject));
        let country = ["DEU", "FRA", "USA", "JPN"][usize::try_from(subject % SITES % 4)?];
        let site = 100 + subject % SITES;
        writeln!(dm, "{study},DM,{id},{subject:04},{site},{country},A,2024-01-{day:02},2025-08-{day:02}")?;
        for visit in 0..VISITS {
            let (number, date) = (visit + 1, date(subject, visit));
            writeln!(sv, "{study},SV,{id},{number},WEEK {},{},{date}", 4 * visit, 28 * visit + 1)?;
        }
    }
    [dm, sv, tv].iter_mut().try_for_each(|out| Ok(out.flush()?))
}

/// The day of the month on which a subject comes.
const fn day(subject: u64) -> u64 {
    1 + subject % 28
}

fn date(subject: u64, visit: u64) -> String {
    format!("{}-{:02}-{:02}", 2024 + visit / 12, 1 + visit % 12, day(subject))
}

fn write_events(inbox: &Path, study: &str, subjects: u64) -> Result<(), Failure> {
    let mut ae = BufWriter::new(File::create(inbox.join("ae.csv"))?);
    writeln!(ae, "STUDYID,DOMAIN,USUBJID,AESEQ,AETERM,AEDECOD,AESER,AESTDTC")?;
    for subject in 1..=subjects {
        let (serious, day) = (if subject % 9 == 0 { "Y" } else { "N" }, day(subject));
        writeln!(ae, "{study},AE,{study}-{subject:04},1,HEADACHE,Headache,{serious},2024-03-{day:02}")?;
    }
    Ok(ae.flush()?)
}

fn write_results(inbox: &Path, study: &str, subjects: u64) -> Result<(), Failure> {
    let mut lb = BufWriter::new(File::create(inbox.join("lb.csv"))?);
    writeln!(
        lb,
        "STUDYID,DOMAIN,USUBJID,LBSEQ,LBTESTCD,LBTEST,LBORRES,LBORRESU,LBSTRESC,LBSTRESN,LBSTRESU,VISITNUM,VISIT,LBDTC"
    )?;
    for subject in 1..=subjects {
        for visit in 0..VISITS {
            for variable in 0..VARIABLES {
                if let Some(value) = value(subject, visit, variable) {
                    let seq = visit * VARIABLES + variable + 1;
                    write_result(&mut lb, study, (subject, visit, variable), (seq, &value))?;
                }
            }
        }
    }
    Ok(lb.flush()?)
}

/// The result of a subject at a visit, which is missing in 104 of 1,000.
fn value(subject: u64, visit: u64, variable: u64) -> Option<String> {
    let mut bits = ((subject * VISITS + visit) * VARIABLES + variable).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (bits % 1000 >= 104).then(|| format!("{}.{}", 20 + (bits >> 20) % 60, (bits >> 40) % 10))
}

fn write_result(
    out: &mut impl Write,
    study: &str,
    (subject, visit, variable): (u64, u64, u64),
    (seq, value): (u64, &str),
) -> Result<(), Failure> {
    let (number, name, date) = (visit + 1, format!("WEEK {}", 4 * visit), date(subject, visit));
    writeln!(
        out,
        "{study},LB,{study}-{subject:04},{seq},V{variable:02},Variable {variable},{value},U,{value},{value},U,{number},{name},{date}"
    )?;
    Ok(())
}
