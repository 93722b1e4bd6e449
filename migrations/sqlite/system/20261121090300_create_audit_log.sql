-- One row of `audit_events` is one entry of a ledger: `leaf` holds its exact bytes, the other columns repeat
-- parts of the leaf for searching, and verification compares the two. `audit_head` says where the log ends.
-- No foreign keys: the ledger never depends on live data, and live data never on the ledger.
CREATE TABLE audit_events (
    log           TEXT    NOT NULL,
    seq           INTEGER NOT NULL CHECK (seq >= 0),
    tenant_id     TEXT,
    event_id      TEXT    NOT NULL UNIQUE,
    at            TEXT    NOT NULL,
    action        TEXT    NOT NULL,
    outcome       TEXT    NOT NULL CHECK (outcome IN ('success', 'denied', 'failed')),
    actor_type    TEXT    NOT NULL,
    actor_id      TEXT    NOT NULL,
    resource_type TEXT    NOT NULL,
    resource_id   TEXT    NOT NULL,
    trace_id      TEXT,
    prev_hash     TEXT    NOT NULL,
    entry_hash    TEXT    NOT NULL UNIQUE,
    leaf          BLOB    NOT NULL CHECK (length(leaf) <= 32768),
    PRIMARY KEY (log, seq)
) STRICT;

CREATE INDEX audit_events_by_action ON audit_events (action, seq);

CREATE TABLE audit_head (
    log       TEXT    NOT NULL PRIMARY KEY,
    size      INTEGER NOT NULL CHECK (size >= 0),
    last_hash TEXT    NOT NULL
) STRICT;

CREATE TRIGGER audit_events_are_appended_at_the_head BEFORE INSERT ON audit_events
WHEN NEW.seq IS NOT (SELECT size FROM audit_head WHERE log = NEW.log)
  OR NEW.prev_hash IS NOT (SELECT last_hash FROM audit_head WHERE log = NEW.log)
BEGIN
    SELECT RAISE(ABORT, 'an audit event is appended at the head of its log');
END;

CREATE TRIGGER audit_events_are_never_updated BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit events are never updated');
END;

CREATE TRIGGER audit_events_are_never_deleted BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit events are never deleted');
END;

CREATE TRIGGER audit_head_starts_an_empty_log BEFORE INSERT ON audit_head
WHEN NEW.size <> 0 OR EXISTS (SELECT 1 FROM audit_events)
BEGIN
    SELECT RAISE(ABORT, 'a log starts once, and empty');
END;

CREATE TRIGGER audit_head_moves_with_the_last_event BEFORE UPDATE ON audit_head
WHEN NEW.log IS NOT OLD.log
  OR NEW.size IS NOT OLD.size + 1
  OR NEW.last_hash IS NOT (SELECT entry_hash FROM audit_events WHERE log = OLD.log AND seq = OLD.size)
BEGIN
    SELECT RAISE(ABORT, 'the head of a log moves one event at a time');
END;

CREATE TRIGGER audit_head_is_never_deleted BEFORE DELETE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'the head of a log is never deleted');
END;
