//! An open transaction, on whichever database it is.

use std::fmt;
use std::ops::{Deref, DerefMut};

use sqlx::{Any, Transaction};

use crate::store::Connection;
use crate::store::session::Session;

/// Dropping it rolls back. The driver does not know of a transaction in a session of a server: its own `begin` must not be
/// called inside.
pub(crate) enum Open {
    File(Transaction<'static, Any>),
    Served(Session),
}

impl Open {
    /// Keeps what was done.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::File(tx) => tx.commit().await,
            Self::Served(session) => session.commit().await,
        }
    }

    /// Keeps nothing.
    pub(super) async fn rollback(self) -> Result<(), sqlx::Error> {
        match self {
            Self::File(tx) => tx.rollback().await,
            Self::Served(session) => session.rollback().await,
        }
    }
}

impl Deref for Open {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Self::File(tx) => tx,
            Self::Served(session) => session,
        }
    }
}

impl DerefMut for Open {
    fn deref_mut(&mut self) -> &mut Connection {
        match self {
            Self::File(tx) => tx,
            Self::Served(session) => session,
        }
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").finish_non_exhaustive()
    }
}
