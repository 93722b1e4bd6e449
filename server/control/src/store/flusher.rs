//! How a commit of PostgreSQL reaches the disk. A transaction with an event commits without waiting for it, and so
//! gives its log to the next writer at once. Its own writer is told only when the write-ahead log is on disk up to
//! there, and one session of each role sees to that for everybody who waits: the next flush takes all of them.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Connection};
use tokio::sync::OwnedMutexGuard;

use crate::error::{ControlError, storage};
use crate::store::database::BUSY_TIMEOUT;
use crate::store::dialect::{POSTGRES_FLUSH, POSTGRES_FLUSHER};
use crate::store::session::TRUSTED_FOR;

const STEP: &str = "commit";

/// Sees to it that commits are on disk. Its session stands outside of the pool, so that nobody can starve it.
pub(super) struct Flusher {
    address: AnyConnectOptions,
    // Whoever flushes holds it. It is taken out meanwhile: a session that did not answer is not there afterwards.
    session: Arc<tokio::sync::Mutex<Option<Session>>>,
    trusted: Mutex<Option<Trusted>>,
    // How many commits have asked. One counts itself after its COMMIT has come back.
    asked: AtomicU64,
}

/// A session that flushes.
struct Session {
    connection: AnyConnection,
    life: Arc<Life>,
}

/// What is known of one session, for as long as a commit counts on it.
#[derive(Default)]
struct Life {
    // Every commit up to this number that has a ticket of this session is on disk.
    flushed: AtomicU64,
}

/// A session that has answered, and when.
struct Trusted {
    life: Arc<Life>,
    answered: Instant,
}

/// Taken before a commit, and given up for the knowledge that it is on disk.
///
/// INVARIANT: only a flush by the session that was there when the ticket was taken counts. A server that ends
/// between a commit and its flush loses the commit, and a session of the server that is started next would flush
/// nonetheless; one that was there before and answers afterwards proves that the server lived through both. The
/// time at which a server was started would not: after the crash of one session's process it starts its other
/// processes anew, and keeps that time.
#[must_use = "a commit is acknowledged only after its ticket is settled"]
pub(crate) struct Ticket {
    flusher: Arc<Flusher>,
    life: Arc<Life>,
}

impl Flusher {
    /// Goes on with a session that has begun, and flushes once: a server that does not let this role is refused
    /// before anybody counts on it.
    pub(super) async fn start(
        address: AnyConnectOptions,
        mut connection: AnyConnection,
    ) -> Result<Arc<Self>, ControlError> {
        const STEP: &str = "flush the write-ahead log";
        sqlx::query(POSTGRES_FLUSH).execute(&mut connection).await.map_err(storage(STEP))?;
        let life = Arc::<Life>::default();
        let trusted = Trusted { life: Arc::clone(&life), answered: Instant::now() };
        Ok(Arc::new(Self {
            address,
            session: Arc::new(tokio::sync::Mutex::new(Some(Session { connection, life }))),
            trusted: Mutex::new(Some(trusted)),
            asked: AtomicU64::new(0),
        }))
    }

    /// A ticket of the present session, which is asked for a sign of life when it lay idle, and opened anew when
    /// it gives none.
    ///
    /// # Errors
    /// When the server cannot be reached: then there is nothing to commit either.
    pub(super) async fn ticket(self: &Arc<Self>) -> Result<Ticket, ControlError> {
        if let Some(life) = self.trusted_life() {
            return Ok(self.ticket_of(life));
        }
        let session = Arc::clone(&self.session).lock_owned().await;
        // Another writer may have asked it meanwhile.
        if let Some(life) = self.trusted_life() {
            return Ok(self.ticket_of(life));
        }
        let flusher = Arc::clone(self);
        // A task of its own, as below.
        let revived = tokio::spawn(async move { flusher.revive(session).await }).await;
        revived.map_err(|error| failed(error.into()))?.map(|life| self.ticket_of(life))
    }

    fn ticket_of(self: &Arc<Self>, life: Arc<Life>) -> Ticket {
        Ticket { flusher: Arc::clone(self), life }
    }

    fn trusted_life(&self) -> Option<Arc<Life>> {
        let trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        let trusted = trusted.as_ref().filter(|trusted| trusted.answered.elapsed() < TRUSTED_FOR);
        trusted.map(|trusted| Arc::clone(&trusted.life))
    }

    fn trust(&self, life: Option<&Arc<Life>>) {
        let trusted = life.map(|life| Trusted { life: Arc::clone(life), answered: Instant::now() });
        *self.trusted.lock().unwrap_or_else(PoisonError::into_inner) = trusted;
    }

    async fn revive(&self, mut place: OwnedMutexGuard<Option<Session>>) -> Result<Arc<Life>, ControlError> {
        let answered = match place.take() {
            Some(mut session) => {
                let answer = tokio::time::timeout(BUSY_TIMEOUT, session.connection.ping()).await;
                matches!(answer, Ok(Ok(()))).then_some(session)
            }
            None => None,
        };
        let session = match answered {
            Some(session) => session,
            None => Session { connection: self.connect().await?, life: Arc::default() },
        };
        let life = Arc::clone(&session.life);
        self.trust(Some(&life));
        *place = Some(session);
        Ok(life)
    }

    async fn connect(&self) -> Result<AnyConnection, ControlError> {
        let connecting = async {
            let mut connection = AnyConnection::connect_with(&self.address).await?;
            sqlx::raw_sql(POSTGRES_FLUSHER).execute(&mut connection).await?;
            Ok(connection)
        };
        let connected = tokio::time::timeout(BUSY_TIMEOUT, connecting).await;
        connected.map_err(|_| ControlError::Busy { step: STEP })?.map_err(storage(STEP))
    }

    async fn flush(
        &self,
        mut place: OwnedMutexGuard<Option<Session>>,
        mut session: Session,
    ) -> Result<(), sqlx::Error> {
        // Everybody counted by now has committed, so that its record lies before the one that is written here.
        let asked = self.asked.load(Ordering::SeqCst);
        match sqlx::query(POSTGRES_FLUSH).execute(&mut session.connection).await {
            Ok(_) => {
                session.life.flushed.store(asked, Ordering::SeqCst);
                self.trust(Some(&session.life));
                *place = Some(session);
                Ok(())
            }
            Err(error) => {
                self.trust(None);
                Err(error)
            }
        }
    }
}

impl Ticket {
    /// Returns when everything is on disk that was committed before, by whomever.
    ///
    /// # Errors
    /// When the session was lost: whether the commit is kept is unknown, as after a COMMIT without an answer.
    pub(crate) async fn settle(self) -> Result<(), ControlError> {
        let Self { flusher, life } = self;
        let number = flusher.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut place = Arc::clone(&flusher.session).lock_owned().await;
        // Whoever held the session before may have flushed for this one too.
        if life.flushed.load(Ordering::SeqCst) >= number {
            return Ok(());
        }
        let session = place.take_if(|session| Arc::ptr_eq(&session.life, &life));
        let lost = "the session that flushes was lost, perhaps with its server";
        let session = session.ok_or_else(|| failed(lost.into()))?;
        // A task of its own, so that a caller that goes away leaves a session that is not in the middle of a
        // question.
        let flushed = tokio::spawn(async move { flusher.flush(place, session).await }).await;
        flushed.map_err(|error| failed(error.into()))?.map_err(|error| failed(error.into()))
    }
}

/// Never [`ControlError::Busy`], which asks to try again: what was to be written may be there.
fn failed(source: Box<dyn Error + Send + Sync>) -> ControlError {
    ControlError::Storage { step: STEP, source }
}

impl fmt::Debug for Flusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flusher").finish_non_exhaustive()
    }
}
