-- What belongs to tenants, as in `migrations/sqlite/tenant`, where each has a file of its own. Here a row says
-- whose it is: `tenant_id` leads every key and every reference, fills itself from the transaction's context, and
-- the policy lets a transaction see and write the rows of that tenant alone.
CREATE SCHEMA cairn;
GRANT USAGE ON SCHEMA cairn TO cairn_app;

CREATE TABLE cairn.audit_events (
    log           text   NOT NULL,
    seq           bigint NOT NULL CHECK (seq >= 0),
    tenant_id     text   NOT NULL DEFAULT cairn_keeper.context(),
    event_id      text   NOT NULL,
    at            text   NOT NULL,
    action        text   NOT NULL,
    outcome       text   NOT NULL CHECK (outcome IN ('success', 'denied', 'failed')),
    actor_type    text   NOT NULL,
    actor_id      text   NOT NULL,
    resource_type text   NOT NULL,
    resource_id   text   NOT NULL,
    trace_id      text,
    prev_hash     text   NOT NULL,
    entry_hash    text   NOT NULL,
    leaf          bytea  NOT NULL CHECK (length(leaf) <= 32768),
    PRIMARY KEY (tenant_id, log, seq),
    UNIQUE (tenant_id, event_id),
    UNIQUE (tenant_id, entry_hash)
);

CREATE INDEX audit_events_by_action ON cairn.audit_events (tenant_id, action, seq);

CREATE TABLE cairn.audit_head (
    tenant_id text   NOT NULL DEFAULT cairn_keeper.context(),
    log       text   NOT NULL,
    size      bigint NOT NULL CHECK (size >= 0),
    last_hash text   NOT NULL,
    PRIMARY KEY (tenant_id, log)
);

CREATE TABLE cairn.accounts (
    tenant_id     text   NOT NULL DEFAULT cairn_keeper.context(),
    account_id    text   NOT NULL,
    email         text   NOT NULL,
    display_name  text   NOT NULL,
    password_hash text   NOT NULL,
    enabled       bigint NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    created_at    text   NOT NULL,
    disabled_at   text,
    PRIMARY KEY (tenant_id, account_id),
    UNIQUE (tenant_id, email)
);

CREATE TABLE cairn.grants (
    tenant_id  text NOT NULL DEFAULT cairn_keeper.context(),
    account_id text NOT NULL,
    role       text NOT NULL,
    study_id   text,
    granted_at text NOT NULL,
    FOREIGN KEY (tenant_id, account_id) REFERENCES cairn.accounts (tenant_id, account_id)
);

CREATE UNIQUE INDEX grants_are_given_once ON cairn.grants (tenant_id, account_id, role, (COALESCE(study_id, '')));

CREATE TABLE cairn.revoked_tokens (
    tenant_id  text NOT NULL DEFAULT cairn_keeper.context(),
    jti        text NOT NULL,
    account_id text NOT NULL,
    expires_at text NOT NULL,
    revoked_at text NOT NULL,
    PRIMARY KEY (tenant_id, jti),
    FOREIGN KEY (tenant_id, account_id) REFERENCES cairn.accounts (tenant_id, account_id)
);

CREATE TABLE cairn.studies (
    tenant_id  text NOT NULL DEFAULT cairn_keeper.context(),
    study_id   text NOT NULL,
    title      text NOT NULL,
    created_at text NOT NULL,
    PRIMARY KEY (tenant_id, study_id)
);

CREATE TABLE cairn.snapshots (
    tenant_id    text   NOT NULL DEFAULT cairn_keeper.context(),
    study_id     text   NOT NULL,
    seq          bigint NOT NULL CHECK (seq >= 0),
    snapshot_id  text   NOT NULL,
    manifest_key text   NOT NULL,
    has_marts    bigint NOT NULL CHECK (has_marts IN (0, 1)),
    replaces     text,
    published_at text   NOT NULL,
    PRIMARY KEY (tenant_id, study_id, seq),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id)
);

CREATE INDEX snapshots_by_id ON cairn.snapshots (tenant_id, study_id, snapshot_id);

CREATE TABLE cairn.ingest_batches (
    tenant_id       text NOT NULL DEFAULT cairn_keeper.context(),
    batch_id        text NOT NULL,
    study_id        text NOT NULL,
    idempotency_key text NOT NULL,
    manifest_hash   text NOT NULL,
    receipt         text NOT NULL,
    committed_at    text NOT NULL,
    PRIMARY KEY (tenant_id, batch_id),
    UNIQUE (tenant_id, study_id, idempotency_key),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id)
);

CREATE TABLE cairn.distribution_logs (
    tenant_id   text   NOT NULL DEFAULT cairn_keeper.context(),
    pull_id     text   NOT NULL,
    account_id  text   NOT NULL,
    study_id    text   NOT NULL,
    snapshot_id text   NOT NULL,
    table_name  text   NOT NULL,
    door        text   NOT NULL,
    outcome     text   NOT NULL CHECK (outcome IN ('success', 'denied', 'failed')),
    row_count   bigint NOT NULL CHECK (row_count >= 0),
    byte_count  bigint NOT NULL CHECK (byte_count >= 0),
    finished_at text   NOT NULL,
    PRIMARY KEY (tenant_id, pull_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES cairn.accounts (tenant_id, account_id)
);

CREATE INDEX distribution_logs_by_study ON cairn.distribution_logs (tenant_id, study_id, finished_at);

CREATE TABLE cairn.deliveries (
    tenant_id       text NOT NULL DEFAULT cairn_keeper.context(),
    batch_id        text NOT NULL,
    study_id        text NOT NULL,
    idempotency_key text NOT NULL,
    manifest_hash   text NOT NULL,
    manifest        text NOT NULL,
    state           text NOT NULL CHECK (state IN ('RECEIVED', 'STAGED', 'COMMITTED', 'REJECTED')),
    account_id      text NOT NULL,
    problem         text,
    announced_at    text NOT NULL,
    changed_at      text NOT NULL,
    PRIMARY KEY (tenant_id, batch_id),
    UNIQUE (tenant_id, study_id, idempotency_key),
    FOREIGN KEY (tenant_id, study_id) REFERENCES cairn.studies (tenant_id, study_id)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['audit_events', 'audit_head', 'accounts', 'grants', 'revoked_tokens', 'studies',
                                'snapshots', 'ingest_batches', 'distribution_logs', 'deliveries'] LOOP
        EXECUTE format('ALTER TABLE cairn.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE cairn.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_tenant_alone ON cairn.%I
                 USING (tenant_id = (SELECT cairn_keeper.context()))
                 WITH CHECK (tenant_id = (SELECT cairn_keeper.context()))', name);
    END LOOP;
END
$$;

-- Nothing may be truncated, since that asks no policy, and only what the program changes may be changed.
GRANT SELECT, INSERT ON cairn.audit_events, cairn.grants, cairn.studies, cairn.snapshots, cairn.ingest_batches,
    cairn.distribution_logs TO cairn_app;
GRANT SELECT, INSERT, UPDATE ON cairn.audit_head, cairn.accounts, cairn.deliveries TO cairn_app;
GRANT SELECT, INSERT, DELETE ON cairn.revoked_tokens TO cairn_app;
