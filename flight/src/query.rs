//! SQL from outside: one query over the published tables of one scope, answered by DataFusion. The session's catalogue
//! holds those tables and nothing else, its only object store is the tenant's, and nothing but a query is taken.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DataFusionError, Statistics};
use datafusion::config::Dialect;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::{ObjectStoreRegistry, ObjectStoreUrl};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::Expr;
use datafusion::object_store::ObjectStore;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{self, Visit, Visitor};
use kernel::{Read, StudyScope};
use tokio::runtime::Handle;
use url::Url;
use warehouse::{Manifest, Storage, TableFiles};

/// The one address at which a session finds files.
const STORE: &str = "cairn://published";
/// The longest query.
const TEXT_BYTES: usize = 64 << 10;
/// The deepest expression: what is walked by recursion, also by threads with the usual stack.
const DEPTH: usize = 200;
/// Planning walks a query by recursion.
const PLANNING_STACK_BYTES: usize = 128 << 20;

/// What one query may use.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of memory for sorting, joining and grouping; nothing is written to disk.
    pub memory_bytes: usize,
    /// Threads.
    pub threads: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { memory_bytes: 512 << 20, threads: 2 }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The query is at fault; the words are for who wrote it.
    #[error("{0}")]
    Refused(String),
    /// It needs more than it may use.
    #[error(
        "the query needs more than {mebibytes} MiB of memory; select fewer columns or rows, or group before you join"
    )]
    TooMuch {
        /// What it may use.
        mebibytes: usize,
    },
    /// A published table could not be opened.
    #[error("failed to open what is published")]
    Warehouse(#[from] warehouse::Error),
    /// The engine failed.
    #[error("the engine failed")]
    Engine(#[source] DataFusionError),
}

impl QueryError {
    /// Whether another query would be answered.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::TooMuch { .. })
    }
}

/// A session over the tables of one snapshot, as one scope sees it.
pub struct QuerySession {
    context: SessionContext,
    bounds: Bounds,
}

impl std::fmt::Debug for QuerySession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuerySession").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl QuerySession {
    /// Opens the tables of the snapshot that `manifest` describes, those that are masked only for an unblinded scope.
    ///
    /// # Errors
    /// [`QueryError::Warehouse`] when the manifest is not this scope's or a file is not there.
    pub fn open(
        storage: &Storage,
        scope: &StudyScope<Read>,
        manifest: &Manifest,
        bounds: Bounds,
    ) -> Result<Self, QueryError> {
        let files = storage.study(scope);
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(bounds.memory_bytes)))
            .with_disk_manager_builder(disk)
            .with_object_store_registry(Arc::new(OneStore(files.store())))
            .build_arc()
            .map_err(QueryError::Engine)?;
        let context = SessionContext::new_with_config_rt(config(bounds), runtime);
        let hidden = |name: &String| manifest.masked.contains(name) && !scope.is_unblinded();
        for name in manifest.tables.keys().filter(|name| !hidden(name)) {
            let table = TableFiles::open(storage, scope, manifest, name)?;
            let mut parts = Vec::with_capacity(table.files.len());
            for file in &table.files {
                parts.push(PartitionedFile::new(files.name_in_store(&file.key)?, file.bytes));
            }
            let rows = table.files.iter().map(|file| file.rows).sum();
            let published = Published { schema: table.schema, parts, rows };
            context.register_table(name, Arc::new(published)).map_err(QueryError::Engine)?;
        }
        Ok(Self { context, bounds })
    }

    /// Plans `sql` and starts it; the rows come as the stream is read, and dropping it ends the work.
    ///
    /// # Errors
    /// [`QueryError::Refused`] for what is not one query over these tables.
    pub async fn run(&self, sql: &str) -> Result<SendableRecordBatchStream, QueryError> {
        if sql.len() > TEXT_BYTES {
            return Err(QueryError::Refused(format!(
                "the query is {} bytes long; {TEXT_BYTES} are allowed",
                sql.len()
            )));
        }
        let plan = self.plan(sql.to_owned()).await?;
        datafusion::physical_plan::execute_stream(plan, self.context.task_ctx())
            .map_err(|error| self.failure(error))
    }

    /// What a failure of the stream is to who asked.
    #[must_use]
    pub fn failure(&self, error: DataFusionError) -> QueryError {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => {
                QueryError::TooMuch { mebibytes: self.bounds.memory_bytes >> 20 }
            }
            DataFusionError::SQL(..)
            | DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::Execution(_)
            | DataFusionError::ArrowError(..)
            | DataFusionError::Diagnostic(..)
            | DataFusionError::Collection(_)
            | DataFusionError::Configuration(_) => QueryError::Refused(error.strip_backtrace()),
            _ => QueryError::Engine(error),
        }
    }

    /// On a thread of its own, whose stack is deep enough for any query of the allowed length.
    async fn plan(&self, sql: String) -> Result<Arc<dyn ExecutionPlan>, QueryError> {
        let (context, runtime) = (self.context.clone(), Handle::current());
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let planning = move || {
            // The receiver is gone when the caller went away.
            drop(sender.send(runtime.block_on(physical_plan(&context, &sql))));
        };
        let spawned = thread::Builder::new().stack_size(PLANNING_STACK_BYTES).spawn(planning);
        spawned.map_err(|error| QueryError::Engine(DataFusionError::IoError(error)))?;
        let lost = || QueryError::Engine(DataFusionError::External("the planner broke down".into()));
        let planned = receiver.await.map_err(|_| lost())?;
        planned.map_err(|refusal| match refusal {
            Refusal::Words(words) => QueryError::Refused(words),
            Refusal::Engine(error) => self.failure(error),
        })
    }
}

enum Refusal {
    Words(String),
    Engine(DataFusionError),
}

impl From<DataFusionError> for Refusal {
    fn from(error: DataFusionError) -> Self {
        Self::Engine(error)
    }
}

async fn physical_plan(context: &SessionContext, sql: &str) -> Result<Arc<dyn ExecutionPlan>, Refusal> {
    let state = context.state();
    let statement = state.sql_to_statement(sql, &Dialect::Generic)?;
    let Statement::Statement(parsed) = &statement else { return Err(not_a_query()) };
    if !matches!(parsed.as_ref(), ast::Statement::Query(_)) {
        return Err(not_a_query());
    }
    if Depth::default().of(parsed) > DEPTH {
        return Err(Refusal::Words(format!("an expression is nested deeper than {DEPTH} levels")));
    }
    let plan = state.statement_to_plan(statement).await?;
    let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    reading.verify_plan(&plan)?;
    Ok(state.create_physical_plan(&plan).await?)
}

fn not_a_query() -> Refusal {
    Refusal::Words("only a query is answered here: begin with `SELECT` or `WITH`".into())
}

fn config(bounds: Bounds) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .with_target_partitions(bounds.threads)
        .with_default_catalog_and_schema("cairn", "published");
    // Text leaves as the tables have it, not as a view that not every client reads.
    config.options_mut().execution.parquet.schema_force_view_types = false;
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    config
}

/// How deep the expressions of a statement are.
#[derive(Default)]
struct Depth {
    now: usize,
    deepest: usize,
}

impl Depth {
    fn of(mut self, statement: &ast::Statement) -> usize {
        // It never breaks off.
        let _: ControlFlow<()> = statement.visit(&mut self);
        self.deepest
    }
}

impl Visitor for Depth {
    type Break = ();

    fn pre_visit_expr(&mut self, _: &ast::Expr) -> ControlFlow<()> {
        self.now += 1;
        self.deepest = self.deepest.max(self.now);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &ast::Expr) -> ControlFlow<()> {
        self.now -= 1;
        ControlFlow::Continue(())
    }
}

/// The tenant's objects, whatever is asked for.
#[derive(Debug)]
struct OneStore(Arc<dyn ObjectStore>);

impl ObjectStoreRegistry for OneStore {
    fn register_store(&self, _: &Url, _: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        // The path is the object's.
        if url[..url::Position::BeforePath] == *STORE {
            return Ok(self.0.clone());
        }
        Err(DataFusionError::Plan("there is no such place".into()))
    }
}

/// A table that can be read, and nothing else.
#[derive(Debug)]
struct Published {
    schema: SchemaRef,
    parts: Vec<PartitionedFile>,
    rows: u64,
}

impl Published {
    /// The manifest knows how many rows there are; joins are put in order by that.
    fn statistics(&self) -> Statistics {
        let rows = usize::try_from(self.rows).map_or(Precision::Absent, Precision::Exact);
        Statistics { num_rows: rows, ..Statistics::new_unknown(&self.schema) }
    }
}

#[tonic::async_trait]
impl TableProvider for Published {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let source = Arc::new(ParquetSource::new(self.schema.clone()));
        let scan = FileScanConfigBuilder::new(ObjectStoreUrl::parse(STORE)?, source)
            .with_file_groups(self.parts.iter().map(|part| FileGroup::new(vec![part.clone()])).collect())
            .with_statistics(self.statistics())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}
