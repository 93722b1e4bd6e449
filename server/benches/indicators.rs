//! The risk indicators of a study against the twelve of the reference as one hand-written script of plain DuckDB SQL, side
//! by side over the same Parquet in one process. The marts have all indicators, at every level by every method, and are
//! tested and published; the script has sites by the reference's method and nothing else. Prints CPU seconds (user and
//! system, of all threads) and their ratio. The bar is a ratio of at most 1 on the EDC study for the script's own numbers,
//! tests apart: what is published asks of the marts' columns and keys alone, what is tested of everything that they declare.
//! A small study costs little more than to begin a build, which a script has not got to do.
//!
//! The study is simulated, and with `CAIRN_ORACLES` also the EDC study of 6.4 million rows that stands there. For that one
//! there is a further script, over the files as they were delivered and for sites and countries.

#[path = "support/account.rs"]
mod account;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use account::{Used, measure};
use evidence::simulate::plan::StudyPlan;
use evidence::simulate::simulate;
use kernel::{
    ActionKind, BatchId, Build, Clock, Grants, Permission, Seed, StudyId, StudyScope, SystemClock, TenantId,
};
use warehouse::engine::{Engine, Limits};
use warehouse::{Batch, Delivery, Manifest, Mapping, Storage, Writer, ingest};

const SCRIPT: &str = include_str!("indicators.sql");
/// The same over the files of the EDC study, for countries as well.
const SCRIPT_OF_FILES: &str = include_str!("indicators_raw.sql");
const ROUNDS: usize = 7;
const BAR: f64 = 1.0;
/// The script's numbers: the indicators at each site by the reference's method.
const SITES: [&str; 1] = ["+mart_kri"];
/// The same with all levels, all methods and the limits of funnels.
const ALL: [&str; 3] = ["+mart_kri", "+mart_indicator", "+mart_kri_bounds"];

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut slow = 0;
    let simulated = simulated(folder.path());
    for (name, study, files) in simulated.into_iter().chain(oracle()) {
        match compare(folder.path(), &study, &files) {
            Ok(([sites, sites_tested, all, all_tested], [peer, of_files])) => {
                println!("{name}: plain SQL {:.3} CPU s", peer.cpu_seconds);
                let is_edc = of_files.cpu_seconds > 0.0;
                if is_edc {
                    println!("  plain SQL over the delivered files: {:.3} CPU s", of_files.cpu_seconds);
                }
                for (what, ours) in [
                    ("sites, published", sites),
                    ("sites, tested and published", sites_tested),
                    ("all levels, methods and limits, published", all),
                    ("all levels, methods and limits, tested and published", all_tested),
                ] {
                    let ratio = ours.cpu_seconds / peer.cpu_seconds;
                    println!(
                        "  marts, {what}: {:.3} CPU s, ratio {ratio:.2}; {:.3} s on the wall, peak {:.0} MiB",
                        ours.cpu_seconds, ours.seconds, ours.peak_mib
                    );
                }
                slow += u32::from(is_edc && sites.cpu_seconds > BAR * peer.cpu_seconds);
            }
            Err(error) => {
                eprintln!("{name}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("bar: a ratio of {BAR} for the sites of the EDC study, what the marts declare must hold apart");
    if slow == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn simulated(folder: &Path) -> Option<(String, StudyId, Vec<PathBuf>)> {
    let plan = StudyPlan { sites: 150, subjects_per_site: 20.0, ..StudyPlan::demo() };
    let out = folder.join("simulated");
    simulate(&plan, Seed(1), &out, &mut |_| {}).ok()?;
    Some((format!("simulated, {} sites", plan.sites), plan.study, vec![out]))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is told by its environment where the oracles are")]
fn oracle() -> Option<(String, StudyId, Vec<PathBuf>)> {
    let Some(oracles) = std::env::var_os("CAIRN_ORACLES") else {
        println!("EDC study of 6.4 million rows: not run: oracle data absent");
        return None;
    };
    let entries =
        Path::new(&oracles).join("rbqm").read_dir().ok()?.filter_map(Result::ok).map(|entry| entry.path());
    // The pharmacokinetic samples feed no indicator of the twelve.
    let is_raw = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("gsm_raw_") && name != "gsm_raw_pk.parquet"
    };
    Some((
        "EDC study, 6.4 million rows".to_owned(),
        "AA-AA-000-0000".parse().ok()?,
        entries.filter(is_raw).collect(),
    ))
}

/// What the marts of both selections and the scripts used, the least of several rounds that take turns.
fn compare(folder: &Path, study: &StudyId, files: &[PathBuf]) -> Result<([Used; 4], [Used; 2]), Failure> {
    let tenant: TenantId = "01890a5d-ac96-774b-bcce-b302099a8057".parse()?;
    let grants = Grants::from_gate(tenant, vec![Permission { action: ActionKind::Build, study: None }]);
    let scope: StudyScope<Build> = grants.scope(study)?;
    let storage = Storage::open(&folder.join("data"))?;
    let writer = Writer::wait(&storage, &scope)?;
    let (id, manifest) = take_in(&writer, files)?;
    let script = folder.join("script.parquet");
    let untested = without_tests();
    let [mut sites, mut sites_tested, mut all, mut all_tested, mut peer, mut of_files] =
        [const { Vec::new() }; 6];
    for _ in 0..ROUNDS {
        for (graph, selected, rounds) in [
            (untested, &SITES[..], &mut sites),
            (marts::MARTS, &SITES[..], &mut sites_tested),
            (untested, &ALL[..], &mut all),
            (marts::MARTS, &ALL[..], &mut all_tested),
        ] {
            let (with_marts, used) = measure(|| build(&writer, (id, &manifest), (graph, selected)))?;
            rounds.push(used);
            let ((), used) = measure(|| run_script(&storage, &scope, &manifest, folder, &script))?;
            peer.push(used);
            check_equal(&storage, &scope, &with_marts, folder, &script)?;
        }
        let ((), used) = measure(|| run_script_of_files(files, folder, &script))?;
        of_files.push(used);
    }
    let least = |rounds: Vec<Used>| {
        rounds.into_iter().min_by(|a, b| a.cpu_seconds.total_cmp(&b.cpu_seconds)).ok_or("no round was run")
    };
    let ours = [least(sites)?, least(sites_tested)?, least(all)?, least(all_tested)?];
    Ok((ours, [least(peer)?, least(of_files)?]))
}

/// Where the files are those of the EDC study.
fn run_script_of_files(files: &[PathBuf], work: &Path, out: &Path) -> Result<(), Failure> {
    const PREFIX: &str = "gsm_";
    let Some(folder) = files.first().filter(|file| file.is_file()).and_then(|file| file.parent()) else {
        return Ok(());
    };
    let engine = Engine::open(&[folder.to_owned()], work, &Limits { threads: 1, ..Limits::default() })?;
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        engine.view(name.trim_start_matches(PREFIX), std::slice::from_ref(file))?;
    }
    engine.copy("run the script over the files", SCRIPT_OF_FILES, out)?;
    Ok(())
}

/// The marts as they are, but for what they declare must hold.
fn without_tests() -> &'static [marts::Mart] {
    let bare = |mart: &marts::Mart| marts::Mart { tests: &[], ..*mart };
    Box::leak(marts::MARTS.iter().map(bare).collect())
}

fn build(
    writer: &Writer,
    current: (kernel::SnapshotId, &Manifest),
    (graph, selected): (&'static [marts::Mart], &[&str]),
) -> Result<Manifest, Failure> {
    let definitions = marts::Definitions::shipped()?;
    let base = marts::Base { current, formers: Vec::new(), definitions: &definitions };
    let select = selected.iter().map(|&selector| selector.to_owned()).collect();
    let selection = marts::Selection { select, ..marts::Selection::everything() };
    let order = marts::Order { graph, selection, ..marts::Order::default() };
    let built = marts::build(writer, &base, &order, &SystemClock, &mut |_| {})?;
    let (_, _, manifest) = built.snapshot.ok_or("no marts were made")?;
    Ok(manifest)
}

fn take_in(writer: &Writer, files: &[PathBuf]) -> Result<(kernel::SnapshotId, Manifest), Failure> {
    let delivery = Delivery::of(files, Some(Mapping::load("edc")?))?;
    let now = SystemClock.now();
    let batch = Batch { id: BatchId::at(now, "bench"), received_at: now };
    let ingested = ingest(writer, (&batch, &delivery), None, &mut |_| {})?;
    let base = warehouse::star::Base { former: None, ingested: &ingested, as_of: now };
    let (id, _, manifest) = warehouse::star::build(writer, &base, &mut |_| {})?;
    Ok((id, manifest))
}

fn engine_over(
    storage: &Storage,
    scope: &StudyScope<Build>,
    manifest: &Manifest,
    work: &Path,
) -> Result<Engine, Failure> {
    let files = storage.study(scope);
    let zones = [warehouse::Zone::Star, warehouse::Zone::Marts].map(|zone| files.folder(zone));
    let engine = Engine::open(&zones, work, &Limits::default())?;
    for (name, table) in &manifest.tables {
        let paths: Vec<PathBuf> =
            table.files.iter().map(|file| files.path(&file.key)).collect::<Result<_, _>>()?;
        engine.view(name, &paths)?;
    }
    Ok(engine)
}

fn run_script(
    storage: &Storage,
    scope: &StudyScope<Build>,
    manifest: &Manifest,
    work: &Path,
    out: &Path,
) -> Result<(), Failure> {
    let engine = engine_over(storage, scope, manifest, work)?;
    engine.copy("run the script", SCRIPT, out)?;
    Ok(())
}

/// A ratio means something only between equal results.
fn check_equal(
    storage: &Storage,
    scope: &StudyScope<Build>,
    manifest: &Manifest,
    work: &Path,
    script: &Path,
) -> Result<(), Failure> {
    let engine = engine_over(storage, scope, manifest, work)?;
    engine.view("script", &[script.to_owned()])?;
    let different = engine.count(
        "compare",
        "SELECT count(*) FROM (FROM mart_kri WHERE indicator_id <= 'kri0012' AND indicator_id LIKE 'kri%') m FULL JOIN script s USING (indicator_id, site_id)
         WHERE m.numerator IS DISTINCT FROM s.numerator OR m.denominator IS DISTINCT FROM s.denominator
            OR m.flag IS DISTINCT FROM s.flag OR (m.score IS NULL) <> (s.score IS NULL) OR abs(m.score - s.score) > 1e-9",
    )?;
    if different == 0 { Ok(()) } else { Err(format!("{different} rows differ from the script's").into()) }
}
