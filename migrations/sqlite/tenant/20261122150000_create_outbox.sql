-- One row is one message about an event, written in the transaction of the event. Its payload holds ids and words of
-- closed lists, never data of a study, and is sent as it stands here.
CREATE TABLE outbox (
    message_id TEXT NOT NULL PRIMARY KEY,
    kind       TEXT NOT NULL,
    payload    TEXT NOT NULL,
    trace_id   TEXT,
    created_at TEXT NOT NULL
) STRICT;

-- One row is one address that messages are posted to. `kinds` are separated by spaces. The secrets are sealed under the
-- tenant's data key; the previous one signs too until its time is over. What follows from `failures` on is the breaker:
-- failures in a row, how often it has opened since the last success, until when nothing is sent, and what may be spent
-- on repetitions, in thousandths of one.
CREATE TABLE webhook_endpoints (
    endpoint_id       TEXT    NOT NULL PRIMARY KEY,
    url               TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    kinds             TEXT    NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('ENABLED', 'DISABLED', 'REMOVED')),
    reason            TEXT,
    secret            BLOB,
    secret_version    INTEGER NOT NULL,
    previous_secret   BLOB,
    previous_until    TEXT,
    failures          INTEGER NOT NULL,
    openings          INTEGER NOT NULL,
    open_until        TEXT,
    retry_credit      INTEGER NOT NULL,
    spared_at         TEXT,
    last_status       INTEGER,
    last_sent_at      TEXT,
    last_delivered_at TEXT,
    created_at        TEXT    NOT NULL,
    changed_at        TEXT    NOT NULL
) STRICT;

-- One row is one message on its way to one endpoint. Whoever sends it holds a lease; `attempt` counts the claims and is the
-- fence, as it is for jobs.
CREATE TABLE webhook_deliveries (
    delivery_id TEXT    NOT NULL PRIMARY KEY,
    message_id  TEXT    NOT NULL REFERENCES outbox (message_id),
    endpoint_id TEXT    NOT NULL REFERENCES webhook_endpoints (endpoint_id),
    state       TEXT    NOT NULL CHECK (state IN ('QUEUED', 'SENDING', 'DELIVERED', 'DEAD', 'CANCELLED')),
    attempt     INTEGER NOT NULL CHECK (attempt >= 0),
    failures    INTEGER NOT NULL CHECK (failures >= 0),
    due_at      TEXT    NOT NULL,
    give_up_at  TEXT    NOT NULL,
    lease_until TEXT,
    status      INTEGER,
    problem     TEXT,
    answer      TEXT,
    sent_at     TEXT,
    ended_at    TEXT,
    created_at  TEXT    NOT NULL
) STRICT;

CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (state, due_at);
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, delivery_id);
CREATE INDEX webhook_deliveries_by_message ON webhook_deliveries (message_id);
