-- One row of `audit_checkpoints` is what a log committed to at one size: `note` is the signed text, the other
-- columns repeat parts of it, and `frontier` and `last_hash` let a verification go on from there. Every log's
-- checkpoints lie in this file, so that a tenant's file that was put back is found by itself.
CREATE TABLE audit_checkpoints (
    log        TEXT    NOT NULL,
    size       INTEGER NOT NULL CHECK (size > 0),
    root       TEXT    NOT NULL,
    last_hash  TEXT    NOT NULL,
    frontier   BLOB    NOT NULL,
    note       TEXT    NOT NULL,
    created_at TEXT    NOT NULL,
    PRIMARY KEY (log, size)
) STRICT;

-- One row is one witness's signature below a checkpoint.
CREATE TABLE audit_cosignatures (
    log         TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    line        TEXT    NOT NULL,
    received_at TEXT    NOT NULL,
    PRIMARY KEY (log, size, line)
) STRICT;

-- One row is the public half of a key that has signed checkpoints here. The private half lies in
-- `keys/ledger.key` and never in a database. Rows stay after a key retires, for who checks an old checkpoint.
CREATE TABLE ledger_keys (
    public_key TEXT NOT NULL PRIMARY KEY,
    created_at TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_checkpoints_are_never_updated BEFORE UPDATE ON audit_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'checkpoints are never updated');
END;

CREATE TRIGGER audit_checkpoints_are_never_deleted BEFORE DELETE ON audit_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'checkpoints are never deleted');
END;

CREATE TRIGGER audit_cosignatures_are_never_updated BEFORE UPDATE ON audit_cosignatures
BEGIN
    SELECT RAISE(ABORT, 'cosignatures are never updated');
END;

CREATE TRIGGER audit_cosignatures_are_never_deleted BEFORE DELETE ON audit_cosignatures
BEGIN
    SELECT RAISE(ABORT, 'cosignatures are never deleted');
END;
