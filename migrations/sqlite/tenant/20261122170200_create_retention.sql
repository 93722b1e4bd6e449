-- One row of `study_retention` is one decision from which day on a study's data may be removed; the last one counts. One
-- row of `legal_holds` keeps them whatever the day is, until it is lifted. One row of `removed_studies` is a study that is
-- not there any more; its code is never used again, and `files_gone_at` is set once its files are gone.
CREATE TABLE study_retention (
    study_id    TEXT    NOT NULL REFERENCES studies (study_id),
    decision    INTEGER NOT NULL CHECK (decision >= 0),
    not_before  TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    approved_by TEXT REFERENCES accounts (account_id),
    decided_at  TEXT    NOT NULL,
    PRIMARY KEY (study_id, decision)
) STRICT;

CREATE TABLE legal_holds (
    hold_id    TEXT NOT NULL PRIMARY KEY,
    study_id   TEXT NOT NULL REFERENCES studies (study_id),
    reason     TEXT NOT NULL,
    placed_at  TEXT NOT NULL,
    lifted_at  TEXT,
    lifted_why TEXT
) STRICT;

CREATE TABLE removed_studies (
    study_id      TEXT NOT NULL PRIMARY KEY REFERENCES studies (study_id),
    removed_at    TEXT NOT NULL,
    files_gone_at TEXT
) STRICT;
