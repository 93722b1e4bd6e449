//! What PostgreSQL itself refuses.
