//! How marts are made: in order, each only if something it is computed from changed, all published
//! together once every test holds.

use std::time::Duration;

use kernel::{CODE_VERSION, Clock, SnapshotId};
use warehouse::engine::Limits;
use warehouse::workbench::{Plan, Workbench};
use warehouse::{Manifest, Writer};

use crate::mart::{Definition, Mart, Test};
use crate::registry::MARTS;
use crate::{Error, Result};

/// What became of one mart.
#[derive(Debug, Clone)]
pub struct Built {
    /// The mart.
    pub mart: &'static str,
    /// Whether it was made or taken over.
    pub outcome: Outcome,
    /// Its rows.
    pub rows: u64,
    /// How long it took.
    pub took: Duration,
}

/// Whether a mart was made or taken over from a former snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Computed and tested.
    Made,
    /// Nothing it is computed from changed.
    Shared,
}

/// What a build reads.
#[derive(Debug)]
pub struct Base<'a> {
    /// The snapshot whose tables are read.
    pub current: (SnapshotId, &'a Manifest),
    /// The last snapshot with marts, which may be the same.
    pub with_marts: Option<&'a Manifest>,
}

/// A build's result: a snapshot to be published, or none when every mart was shared and nothing is new.
#[derive(Debug)]
pub struct Publication {
    /// The new snapshot with its manifest's key.
    pub snapshot: Option<(SnapshotId, String, Manifest)>,
    /// What became of each mart, in building order.
    pub marts: Vec<Built>,
}

/// Makes every mart of a study.
///
/// # Errors
/// [`Error::Build`] or [`Error::Test`] with the mart that failed; nothing is published then.
pub fn build(
    writer: &Writer,
    base: &Base<'_>,
    (clock, limits): (&dyn Clock, &Limits),
    progress: &mut dyn FnMut(&str, u64, u64),
) -> Result<Publication> {
    let opened = Workbench::open(writer, base.current, limits);
    let mut bench =
        opened.map_err(|source| Error::Snapshot { step: "open the snapshot's tables", source })?;
    let mut marts = Vec::with_capacity(MARTS.len());
    for (done, mart) in (0..).zip(MARTS) {
        progress(mart.name, done, MARTS.len() as u64);
        let started = clock.now();
        let (outcome, rows) = make_or_share(&mut bench, mart, base.with_marts)?;
        let took = (clock.now() - started).to_std().unwrap_or_default();
        marts.push(Built { mart: mart.name, outcome, rows, took });
    }
    let unchanged = marts.iter().all(|built| built.outcome == Outcome::Shared) && base.current.1.has_marts();
    if unchanged {
        return Ok(Publication { snapshot: None, marts });
    }
    let published =
        bench.publish().map_err(|source| Error::Snapshot { step: "publish the marts", source })?;
    Ok(Publication { snapshot: Some(published), marts })
}

fn make_or_share(bench: &mut Workbench, mart: &Mart, former: Option<&Manifest>) -> Result<(Outcome, u64)> {
    let failed = |source| Error::Build { mart: mart.name.to_owned(), source };
    let inputs = inputs(bench, mart).map_err(failed)?;
    if let Some(known) =
        former.and_then(|former| former.tables.get(mart.name)).filter(|known| known.inputs == inputs)
    {
        bench.share(mart.name, known).map_err(failed)?;
        return Ok((Outcome::Shared, known.rows()));
    }
    let plan = Plan { name: mart.name.to_owned(), grain: mart.grain.to_owned(), inputs };
    let rows = match mart.definition {
        Definition::Sql(query) => bench.make_from_query(plan, query).map_err(failed)?,
        Definition::Rust(definition, ..) => {
            let rows = definition(bench)?;
            bench.make_from_rows(plan, &rows).map_err(failed)?
        }
    };
    test(bench, mart)?;
    Ok((Outcome::Made, rows))
}

/// A hash over the definition, its parameters and everything it reads.
fn inputs(bench: &Workbench, mart: &Mart) -> warehouse::Result<String> {
    let mut parts = vec![CODE_VERSION.to_owned()];
    match mart.definition {
        Definition::Sql(query) => parts.push(query.to_owned()),
        Definition::Rust(_, revision, parameters) => {
            parts.push(revision.to_string());
            parts.extend(parameters.iter().map(|text| (*text).to_owned()));
        }
    }
    for input in mart.inputs {
        parts.push(bench.inputs_of(input)?.to_owned());
    }
    Ok(warehouse::snapshot::inputs_hash(&parts))
}

fn test(bench: &Workbench, mart: &Mart) -> Result<()> {
    let key = ("the key is unique and not null".to_owned(), mart.repeated_keys());
    let tests = mart.tests.iter().map(|test: &Test| (test.words(), test.failing(mart.name)));
    for (test, query) in std::iter::once(key).chain(tests) {
        let count = format!("SELECT count(*) FROM ({query})");
        let rows = bench.engine().count(&format!("test `{}`", mart.name), &count);
        let rows = rows.map_err(|source| Error::Build { mart: mart.name.to_owned(), source })?;
        if rows > 0 {
            return Err(Error::Test { mart: mart.name.to_owned(), test, rows, query });
        }
    }
    Ok(())
}
