//! How marts are made: in the order of what they read, side by side where they are free, each only if something it is
//! computed from changed, all published together once every test of weight holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::{CODE_VERSION, Clock, SnapshotId};
use warehouse::engine::Limits;
use warehouse::{DataFile, Manifest, Workbench, Writer};

use crate::crew::Crew;
use crate::freshness::{self, Freshness};
use crate::mart::Mart;
use crate::plan::{Action, Base, Planned, plan};
use crate::registry::MARTS;
use crate::run::{Built, Outcome, Run, Status};
use crate::selector::Selection;
use crate::{Error, Result};

/// What is to be built.
#[derive(Debug, Clone)]
pub struct Order {
    /// Which marts there are.
    pub graph: &'static [Mart],
    /// Which of them are wanted.
    pub selection: Selection,
    /// Whether the wanted ones are made even if nothing changed.
    pub full_refresh: bool,
    /// How old the sources may be; nobody asks when it is none.
    pub freshness: Option<Freshness>,
    /// What may be used.
    pub limits: Limits,
    /// Ends the build from outside.
    pub cancel: Cancel,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            graph: MARTS,
            selection: Selection::everything(),
            full_refresh: false,
            freshness: None,
            limits: Limits::default(),
            cancel: Cancel::default(),
        }
    }
}

/// Ends a build from outside: what runs is interrupted, and nothing is published.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends it.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is to end.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What whoever waits is told.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A mart is begun; so many of so many have ended.
    Begun(&'a str, u64, u64),
    /// A mart has ended.
    Ended(&'a Built, u64, u64),
}

/// A build's result.
#[derive(Debug)]
pub struct Publication {
    /// The new snapshot with its manifest's key; none when every mart was shared and nothing is new, and when one failed.
    pub snapshot: Option<(SnapshotId, String, Manifest)>,
    /// What the build came to.
    pub run: Run,
    /// The first mart that failed.
    pub failure: Option<Error>,
}

/// Makes the marts of a study.
///
/// # Errors
/// [`Error::Selector`] when the selection means nothing, [`Error::Snapshot`] when the snapshot cannot be opened or the
/// new one not be written. A mart that fails is told in the publication.
pub fn build(
    writer: &Writer,
    base: &Base<'_>,
    order: &Order,
    clock: &dyn Clock,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<Publication> {
    let planned = plan(order.graph, base, &order.selection, order.full_refresh)?;
    let mut run = Run {
        started_at: clock.now(),
        finished_at: clock.now(),
        based_on: base.current.0,
        sources_as_of: base.current.1.sources_as_of,
        selection: order.selection.words(),
        full_refresh: order.full_refresh,
        code_version: CODE_VERSION.to_owned(),
        status: Status::Unchanged,
        snapshot: None,
        kept: None,
        sources: freshness::check(order.freshness, base.current.1, clock.now()),
        marts: Vec::with_capacity(planned.len()),
    };
    if is_unchanged(&planned, base.current.1) {
        run.marts = planned.iter().map(|step| shared(step.mart, base, clock)).collect();
        run.finished_at = clock.now();
        return Ok(Publication { snapshot: None, run, failure: None });
    }
    let step = |step| move |source| Error::Snapshot { step, source };
    let to_make =
        planned.iter().filter(|step| matches!(step.action, Action::Make | Action::MakeIfChanged)).count();
    let seats = order.limits.threads.clamp(1, (to_make as u64).max(1));
    let mut bench =
        Workbench::open(writer, base.current, &order.limits, seats).map_err(step("open the snapshot"))?;
    let mut work = Work { base, order, clock, planned: &planned, contents: BTreeMap::new(), run: &mut run };
    let failure = work.all(&mut bench, watch)?;
    let made_any = run.count(Outcome::Made) > 0;
    run.status = match &failure {
        _ if order.cancel.is_asked() => Status::Cancelled,
        Some(_) => Status::Failed,
        None if run.count(Outcome::LeftOut) > 0 => Status::Partial,
        None => Status::Published,
    };
    let failure = if run.status == Status::Cancelled { Some(Error::Cancelled) } else { failure };
    let mut snapshot = None;
    if failure.is_none() {
        let published = bench.publish().map_err(step("publish the marts"))?;
        // Everything that was made came out as it was, byte for byte.
        if published.2.tables == base.current.1.tables {
            run.status = Status::Unchanged;
        } else {
            snapshot = Some(published);
        }
    } else if made_any {
        let (id, key, _) = bench.publish().map_err(step("keep the marts that were made"))?;
        run.kept = Some((id, key));
    }
    run.snapshot = snapshot.as_ref().map(|(id, ..)| *id);
    run.finished_at = clock.now();
    Ok(Publication { snapshot, run, failure })
}

/// Whether the current snapshot has every mart as a build would leave it.
fn is_unchanged(planned: &[Planned], current: &Manifest) -> bool {
    let has = |step: &Planned| current.tables.contains_key(step.mart.name);
    planned.iter().all(|step| step.action == Action::Share && has(step))
}

fn shared(mart: &Mart, base: &Base<'_>, clock: &dyn Clock) -> Built {
    let blank = blank(mart.name, Outcome::Shared, clock);
    let table = base.current.1.tables.get(mart.name);
    table.map_or(blank.clone(), |table| Built { rows: table.rows(), content: table.content(), ..blank })
}

/// What is known of a mart with which nothing was done.
pub(crate) fn blank(mart: &str, outcome: Outcome, clock: &dyn Clock) -> Built {
    Built {
        mart: mart.to_owned(),
        outcome,
        reasons: Vec::new(),
        rows: 0,
        content: String::new(),
        started_at: clock.now(),
        took_us: 0,
        error: None,
        tests: Vec::new(),
    }
}

/// A build at work: hands marts to the crew as soon as what they read is there.
struct Work<'a> {
    base: &'a Base<'a>,
    order: &'a Order,
    clock: &'a dyn Clock,
    planned: &'a [Planned],
    /// The content of every table that is there.
    contents: BTreeMap<&'a str, String>,
    run: &'a mut Run,
}

impl<'a> Work<'a> {
    fn all(&mut self, bench: &mut Workbench, watch: &mut dyn FnMut(Event<'_>)) -> Result<Option<Error>> {
        self.contents = crate::plan::star_contents(self.base.current.1);
        let total = self.planned.len() as u64;
        let seats = bench.seats().map_err(|source| Error::Snapshot { step: "open the engine", source })?;
        let (clock, cancel) = (self.clock, &self.order.cancel);
        std::thread::scope(|scope| {
            let crew = Crew::start(scope, seats, (clock, self.base.definitions), cancel);
            let mut first_failure = None;
            let mut begun: BTreeSet<&str> = BTreeSet::new();
            let mut missing: BTreeSet<&str> = BTreeSet::new();
            loop {
                // A build that is to end begins nothing more.
                while let Some(step) =
                    self.next_free(&begun, &missing).filter(|_| !self.order.cancel.is_asked())
                {
                    begun.insert(step.mart.name);
                    match self.decide(step, &missing) {
                        Decision::Done(built, table) => {
                            match table {
                                Some(table) => {
                                    bench.share(step.mart.name, table);
                                    self.contents.insert(step.mart.name, table.content());
                                }
                                None => drop(missing.insert(step.mart.name)),
                            }
                            self.end(built, watch, total);
                        }
                        Decision::Make(order) => {
                            bench.need(step.mart.inputs).map_err(|source| Error::Snapshot {
                                step: "open the snapshot's tables",
                                source,
                            })?;
                            watch(Event::Begun(step.mart.name, self.run.marts.len() as u64, total));
                            crew.give(order);
                        }
                    }
                }
                let Some(ended) = crew.next() else { break };
                match ended.made {
                    Some((plan, made)) => {
                        self.contents.insert(ended.mart.name, made.content.clone());
                        bench.keep(plan, made);
                    }
                    None => drop(missing.insert(ended.mart.name)),
                }
                first_failure = first_failure.or(ended.error);
                self.end(ended.built, watch, total);
            }
            Ok(first_failure)
        })
    }

    fn end(&mut self, built: Built, watch: &mut dyn FnMut(Event<'_>), total: u64) {
        watch(Event::Ended(&built, self.run.marts.len() as u64 + 1, total));
        self.run.marts.push(built);
    }

    /// The first mart that is not begun and of whose inputs it is known what became.
    fn next_free(&self, begun: &BTreeSet<&str>, missing: &BTreeSet<&str>) -> Option<&'a Planned> {
        let known = |input: &str| self.contents.contains_key(input) || missing.contains(input);
        let is_mart = |input: &str| self.planned.iter().any(|step| step.mart.name == input);
        self.planned.iter().find(|step| {
            !begun.contains(step.mart.name)
                && step.mart.inputs.iter().all(|input| known(input) || !is_mart(input))
        })
    }

    fn decide(&self, step: &'a Planned, missing: &BTreeSet<&str>) -> Decision<'a> {
        let mart = step.mart;
        if let Some(input) = mart.inputs.iter().find(|input| missing.contains(*input)) {
            let outcome = if step.action == Action::LeaveOut { Outcome::LeftOut } else { Outcome::Skipped };
            let reasons = vec![format!("`{input}` is not there")];
            return Decision::Done(Built { reasons, ..blank(mart.name, outcome, self.clock) }, None);
        }
        let pieces = match mart.made_of(self.base.definitions, |table| self.contents.get(table).cloned()) {
            Ok(pieces) => pieces,
            Err(input) => {
                let error = Some(format!("the snapshot has no table `{input}`"));
                return Decision::Done(
                    Built { error, ..blank(mart.name, Outcome::Failed, self.clock) },
                    None,
                );
            }
        };
        let forced = step.reasons.contains(&crate::plan::Reason::FullRefresh);
        let known = crate::plan::find_known(mart, &pieces, &self.base.formers).filter(|_| !forced);
        if let Some(table) = known {
            let blank = blank(mart.name, Outcome::Shared, self.clock);
            let built = Built { rows: table.rows(), content: table.content(), ..blank };
            return Decision::Done(built, Some(table));
        }
        let mut reasons = crate::plan::why(mart, &pieces, &self.base.formers);
        if forced {
            reasons.insert(0, crate::plan::Reason::FullRefresh);
        }
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        if step.action == Action::LeaveOut {
            return Decision::Done(Built { reasons, ..blank(mart.name, Outcome::LeftOut, self.clock) }, None);
        }
        let parts = if forced { BTreeMap::new() } else { self.former_parts(mart) };
        Decision::Make(crate::crew::Job { mart, pieces, reasons, parts })
    }

    /// The parts of former results, by what each is made of.
    fn former_parts(&self, mart: &Mart) -> BTreeMap<String, DataFile> {
        let tables = self.base.formers.iter().filter_map(|former| former.tables.get(mart.name));
        let files = tables.flat_map(|table| &table.files);
        files.filter_map(|file| Some((file.made_of.clone()?, file.clone()))).collect()
    }
}

enum Decision<'a> {
    /// Nothing is to be made: it is taken over, or it cannot be there.
    Done(Built, Option<&'a warehouse::Table>),
    Make(crate::crew::Job),
}
