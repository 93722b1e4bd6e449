//! The sessions of one role of PostgreSQL, and the transactions in them. The pool of the driver makes, tests and closes
//! sessions; it would also begin transactions, in one way to the server and back for the beginning and another for what is
//! asked first, and ask each session for a sign of life when it is given back. Here a transaction begins with its first
//! question, and a session that has just answered waits for the next one as it is.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, Connection as _, Row as _};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::store::Connection;
use crate::store::database::BUSY_TIMEOUT;
use crate::store::dialect::{POSTGRES_COMMIT, is_lost};

/// How long after its last answer a session is taken to be alive.
pub(super) const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// How long a session may wait below others before it goes back to the pool.
const WAITS_FOR: Duration = Duration::from_mins(1);
/// How long it stays out of the pool, which looks at its age.
const LENT_FOR: Duration = Duration::from_mins(10);
/// How long a session may take to give a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

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
    lent: Instant,
    answered: Instant,
}

/// A transaction in a session of its own. Dropping it rolls back.
pub(crate) struct Session {
    // There until the transaction ends.
    session: Option<PoolConnection<Any>>,
    lent: Instant,
    // Whether nobody asked it for a sign of life before it was used.
    is_trusted: bool,
    place: Option<OwnedSemaphorePermit>,
    home: Arc<Sessions>,
}

impl Sessions {
    pub(super) fn new(options: AnyConnectOptions, connections: u32) -> Arc<Self> {
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(BUSY_TIMEOUT)
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
        let rows = match session.ask(statements).await {
            // It was lost while it waited. Nothing has begun, so that another can begin.
            Err(error) if session.is_trusted && is_lost(&error) => {
                session.replace().await?;
                session.ask(statements).await?
            }
            answer => answer?,
        };
        let told = rows.last().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
        Ok((session, told))
    }

    async fn take(self: &Arc<Self>) -> Result<Session, sqlx::Error> {
        let place = timeout(BUSY_TIMEOUT, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| sqlx::Error::PoolTimedOut)?.expect("the semaphore is never closed");
        let (is_trusted, session, lent) = match self.trusted() {
            Some(Waiting { session, lent, .. }) => (true, session, lent),
            None => (false, self.pool.acquire().await?, Instant::now()),
        };
        Ok(Session { session: Some(session), lent, is_trusted, place: Some(place), home: Arc::clone(self) })
    }

    /// The session that answered last, unless that is too long ago: then all of them go back to the pool.
    fn trusted(&self) -> Option<Waiting> {
        let mut waiting = self.waiting();
        let last = waiting.pop_if(|last| last.answered.elapsed() < TRUSTED_FOR);
        if last.is_none() {
            waiting.drain(..).for_each(|session| give_back(session.session));
        }
        last
    }

    /// Lets a session wait that has just answered, and sees to it that none waits for ever.
    fn keep(&self, session: PoolConnection<Any>, lent: Instant) {
        let mut waiting = self.waiting();
        let tired = waiting.partition_point(|session| session.answered.elapsed() > WAITS_FOR);
        waiting.drain(..tired).for_each(|session| give_back(session.session));
        if lent.elapsed() > LENT_FOR {
            give_back(session);
        } else {
            waiting.push(Waiting { session, lent, answered: Instant::now() });
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a session back to the pool, or closes one that gives no sign of life in time: the pool would wait for it as long
/// as the network does.
fn give_back(mut session: PoolConnection<Any>) {
    tokio::spawn(async move {
        if !matches!(timeout(SIGN_OF_LIFE, session.ping()).await, Ok(Ok(()))) {
            session.close_on_drop();
        }
    });
}

impl Session {
    /// Keeps what was done.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.end(POSTGRES_COMMIT).await
    }

    /// Keeps nothing.
    pub(super) async fn rollback(self) -> Result<(), sqlx::Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(statement).execute(&mut *self).await?;
        if let Some(session) = self.session.take() {
            self.home.keep(session, self.lent);
        }
        Ok(())
    }

    async fn ask(&mut self, statements: &'static str) -> Result<Vec<AnyRow>, sqlx::Error> {
        sqlx::raw_sql(statements).fetch_all(&mut **self).await
    }

    /// Closes the session, and goes on with one from the pool.
    async fn replace(&mut self) -> Result<(), sqlx::Error> {
        if let Some(mut lost) = self.session.take() {
            lost.close_on_drop();
        }
        self.session = Some(self.home.pool.acquire().await?);
        (self.lent, self.is_trusted) = (Instant::now(), false);
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
    /// that does not roll back in time is closed.
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let Ok(runtime) = Handle::try_current() else {
            // The program ends: so does the connection, and with it the transaction.
            drop(session.detach());
            return;
        };
        let (home, lent, place) = (Arc::clone(&self.home), self.lent, self.place.take());
        runtime.spawn(async move {
            if let Some(session) = rolled_back(session).await {
                home.keep(session, lent);
            }
            drop(place);
        });
    }
}

async fn rolled_back(mut session: PoolConnection<Any>) -> Option<PoolConnection<Any>> {
    // The first answer may be the error of a statement that was cut off.
    for _ in 0..2 {
        match timeout(BUSY_TIMEOUT, sqlx::raw_sql("ROLLBACK").execute(&mut *session)).await {
            Ok(Ok(_)) => return Some(session),
            Ok(Err(sqlx::Error::Database(_))) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    session.close_on_drop();
    None
}

impl Drop for Sessions {
    fn drop(&mut self) {
        if Handle::try_current().is_err() {
            // The program ends: the pool could not close them any more.
            self.waiting().drain(..).for_each(|waiting| drop(waiting.session.detach()));
        }
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}
