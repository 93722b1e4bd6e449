//! The threads that make marts, each at a seat of the workbench. Whoever leads them gives them marts and takes what they
//! made; a build that is cancelled interrupts what they are at.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;
use std::time::Duration;

use arrow::array::RecordBatch;
use kernel::Clock;
use warehouse::DataFile;
use warehouse::engine::Interrupt;
use warehouse::snapshot::inputs_hash;
use warehouse::workbench::{Made, Parts, Plan, Seat, made_of_hash};

use crate::build::{Cancel, blank};
use crate::check::check;
use crate::mart::{Definition, Mart, Native, Sink};
use crate::run::{Built, Outcome, Tested, microseconds};
use crate::seen::Seen;
use crate::test::Severity;
use crate::{Definitions, Error, Result};

/// How often it is looked whether the build is to end.
const LOOK: Duration = Duration::from_millis(50);

/// A mart to be made.
pub(crate) struct Job {
    pub(crate) mart: &'static Mart,
    /// What it is made of.
    pub(crate) pieces: BTreeMap<String, String>,
    /// Why it is made.
    pub(crate) reasons: Vec<String>,
    /// The parts of former results, by what each is made of.
    pub(crate) parts: BTreeMap<String, DataFile>,
}

/// A mart that was made, or not.
pub(crate) struct Ended {
    pub(crate) mart: &'static Mart,
    pub(crate) built: Built,
    /// What is to be published; none when it failed.
    pub(crate) made: Option<(Plan, Made)>,
    pub(crate) error: Option<Error>,
}

/// Threads at work.
pub(crate) struct Crew<'a> {
    jobs: Sender<Job>,
    ended: Receiver<Ended>,
    interrupts: Vec<Interrupt>,
    cancel: &'a Cancel,
    at_work: Cell<usize>,
}

impl<'a> Crew<'a> {
    /// One thread for each seat.
    pub(crate) fn start<'scope, 'env: 'scope>(
        scope: &'scope Scope<'scope, 'env>,
        seats: Vec<Seat>,
        (clock, definitions): (&'env dyn Clock, &'env Definitions),
        cancel: &'a Cancel,
    ) -> Self
    where
        'a: 'scope,
    {
        let (jobs, taken) = channel::<Job>();
        let (tell, ended) = channel();
        let taken = Arc::new(Mutex::new(taken));
        let interrupts = seats.iter().map(|seat| seat.engine().interrupt()).collect();
        for seat in seats {
            let (taken, tell) = (Arc::clone(&taken), tell.clone());
            scope.spawn(move || {
                loop {
                    let job = taken.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { break };
                    if tell.send(make(&seat, job, (clock, definitions))).is_err() {
                        break;
                    }
                }
            });
        }
        Self { jobs, ended, interrupts, cancel, at_work: Cell::new(0) }
    }

    /// Gives a mart to whoever is free next. A build that is to end begins nothing more.
    pub(crate) fn give(&self, job: Job) {
        // Every thread is there until the jobs end, which is when this is dropped.
        if self.jobs.send(job).is_ok() {
            self.at_work.set(self.at_work.get() + 1);
        }
    }

    /// Waits for the next mart that ended; none when nobody is at work.
    pub(crate) fn next(&self) -> Option<Ended> {
        while self.at_work.get() > 0 {
            match self.ended.recv_timeout(LOOK) {
                Ok(ended) => {
                    self.at_work.set(self.at_work.get() - 1);
                    return Some(ended);
                }
                Err(RecvTimeoutError::Timeout) if self.cancel.is_asked() => {
                    self.interrupts.iter().for_each(Interrupt::now);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        None
    }
}

fn make(seat: &Seat, job: Job, (clock, definitions): (&dyn Clock, &Definitions)) -> Ended {
    let Job { mart, pieces, reasons, parts } = job;
    let started_at = clock.now();
    let mut built = Built { reasons, started_at, ..blank(mart.name, Outcome::Made, clock) };
    let (made, error) = match make_and_test(seat, mart, (definitions, &parts)) {
        Ok((made, tests)) => {
            (built.rows, built.content) = (made.rows, made.content.clone());
            let error = failed(mart, &tests);
            built.tests = tests;
            (Some(made), error)
        }
        Err(error) => (None, Some(error)),
    };
    built.took_us = microseconds(started_at, clock.now());
    if let Some(error) = &error {
        built.outcome = Outcome::Failed;
        built.error = Some(with_causes(error));
    }
    let plan = Plan { name: mart.name.to_owned(), grain: mart.grain.to_owned(), made_of: pieces };
    let made = made.filter(|_| error.is_none()).map(|made| (plan, made));
    Ended { mart, built, made, error }
}

fn make_and_test(
    seat: &Seat,
    mart: &Mart,
    (definitions, known): (&Definitions, &BTreeMap<String, DataFile>),
) -> Result<(Made, Vec<Tested>)> {
    let failed = |source| Error::Build { mart: mart.name.to_owned(), source };
    let mut seen = Seen::of(mart);
    let (made, seen) = match mart.definition {
        Definition::Sql(query) => (seat.make_from_query(mart.name, query).map_err(failed)?, None),
        Definition::Rust(definition, ..) => {
            let rows = definition(seat.engine(), definitions)?;
            seen.see(&rows).map_err(warehouse::Error::arrow("look at the rows")).map_err(failed)?;
            (seat.make_from_rows(mart.name, &rows).map_err(failed)?, Some(seen))
        }
        Definition::Native(_, Native { schema, rows }, _) => {
            let own = made_of_hash(&mart.own_pieces(definitions));
            let made = seat.make_in_parts(mart.name, (&schema(), known), |parts| {
                rows(seat.engine(), &mut Watched { seen: &mut seen, parts, own: &own })
            });
            (made.map_err(failed)?, Some(seen))
        }
    };
    let tests = check(seat.engine(), mart, &made, seen.as_ref()).map_err(failed)?;
    Ok((made, tests))
}

/// Rows on their way into files, seen as they pass.
struct Watched<'a, 'mart, 'files> {
    seen: &'a mut Seen<'mart>,
    parts: &'a mut Parts<'files>,
    /// What any part is made of besides its rows' own sources: the definition and the tests.
    own: &'a str,
}

impl Sink for Watched<'_, '_, '_> {
    fn write(&mut self, rows: &RecordBatch) -> warehouse::Result<()> {
        self.seen.see(rows).map_err(warehouse::Error::arrow("look at the rows"))?;
        self.parts.write(rows)?;
        // Of a part that is taken over nothing is seen again.
        if !self.seen.all() {
            self.parts.forget();
        }
        Ok(())
    }

    fn has_part(&mut self, made_of: &str) -> warehouse::Result<bool> {
        self.seen.part();
        self.parts.has_part(inputs_hash(&[self.own.to_owned(), made_of.to_owned()]))
    }
}

/// The first test of weight that failed.
fn failed(mart: &Mart, tests: &[Tested]) -> Option<Error> {
    let test = tests.iter().find(|test| !test.holds() && test.severity == Severity::Error)?;
    Some(Error::Test {
        mart: mart.name.to_owned(),
        test: test.test.clone(),
        rows: test.rows,
        place: test
            .column
            .as_ref()
            .map_or_else(|| mart.name.to_owned(), |column| format!("{}.{column}", mart.name)),
    })
}

/// The error and its causes, outermost first.
fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
