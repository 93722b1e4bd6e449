//! The sessions of one role of PostgreSQL, and the transactions in them. The pool of the driver makes, tests and closes
//! sessions; it would also begin transactions, in one way to the server and back for the beginning and another for what is
//! asked first, and ask each session for a sign of life when it is given back. Here a transaction begins with its first
//! question, and a session that has just answered waits for the next one as it is.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, Connection as _, Row as _};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::Connection;
use crate::store::database::BUSY_TIMEOUT;

/// How long after its last answer a session is taken to be alive.
pub(super) const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// The sessions of one role: those in use and those that wait are never more than its share.
pub(super) struct Sessions {
    pool: AnyPool,
    places: Arc<Semaphore>,
    // The one that answered last comes last, and is used first: what it has read is still at hand.
    waiting: Mutex<Vec<Waiting>>,
}

/// A session outside of any transaction.
struct Waiting {
    session: PoolConnection<Any>,
    answered: Instant,
}

/// A transaction in a session of its own. Dropping it rolls back.
pub(crate) struct Session {
    // There until the transaction ends.
    session: Option<PoolConnection<Any>>,
    place: Option<OwnedSemaphorePermit>,
    home: Arc<Sessions>,
}

impl Sessions {
    pub(super) fn new(options: AnyConnectOptions, connections: u32) -> Arc<Self> {
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(2 * BUSY_TIMEOUT)
            // A session answered when it was given back; only one that lay idle has to answer again.
            .test_before_acquire(false)
            .before_acquire(|connection, session| {
                Box::pin(async move { Ok(session.idle_for < TRUSTED_FOR || connection.ping().await.is_ok()) })
            });
        let places = usize::try_from(connections).unwrap_or(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            pool: pool.connect_lazy_with(options),
            places: Arc::new(Semaphore::new(places)),
            waiting: Mutex::default(),
        })
    }

    /// The sessions outside of transactions, for what is asked when the store opens.
    pub(super) const fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a transaction with statements of which the last gives one row with one text, and gives that. A caller that
    /// goes away meanwhile may be dropped with this future: the session rolls back before it is used again.
    pub(super) async fn begin(
        self: &Arc<Self>,
        statements: &'static str,
    ) -> Result<(Session, String), sqlx::Error> {
        let mut session = self.take().await?;
        let rows = sqlx::raw_sql(statements).fetch_all(&mut *session).await?;
        let told = rows.last().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
        Ok((session, told))
    }

    async fn take(self: &Arc<Self>) -> Result<Session, sqlx::Error> {
        let place = tokio::time::timeout(2 * BUSY_TIMEOUT, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| sqlx::Error::PoolTimedOut)?.expect("the semaphore is never closed");
        let session = match self.trusted() {
            Some(session) => session,
            None => self.pool.acquire().await?,
        };
        Ok(Session { session: Some(session), place: Some(place), home: Arc::clone(self) })
    }

    /// The session that answered last, unless that is too long ago: then all of them go back to the pool.
    fn trusted(&self) -> Option<PoolConnection<Any>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let last = waiting.pop_if(|last| last.answered.elapsed() < TRUSTED_FOR);
        if last.is_none() {
            waiting.clear();
        }
        last.map(|last| last.session)
    }

    fn keep(&self, session: PoolConnection<Any>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(Waiting { session, answered: Instant::now() });
    }
}

impl Session {
    /// Keeps what was done.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.end("COMMIT").await
    }

    /// Keeps nothing.
    pub(super) async fn rollback(self) -> Result<(), sqlx::Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(statement).execute(&mut *self).await?;
        if let Some(session) = self.session.take() {
            self.home.keep(session);
        }
        Ok(())
    }
}

impl Deref for Session {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.session.as_ref().expect("the transaction is open")
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Connection {
        self.session.as_mut().expect("the transaction is open")
    }
}

impl Drop for Session {
    /// Rolls back what has not ended, in a task: whatever the session was in the middle of comes to its end first. One
    /// that cannot roll back is closed.
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        let Ok(runtime) = Handle::try_current() else {
            // The program ends: so does the connection, and with it the transaction.
            drop(session.detach());
            return;
        };
        let (home, place) = (Arc::clone(&self.home), self.place.take());
        runtime.spawn(async move {
            match sqlx::raw_sql("ROLLBACK").execute(&mut *session).await {
                Ok(_) => home.keep(session),
                Err(_) => session.close_on_drop(),
            }
            drop(place);
        });
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}
