-- One row is one study that the tenant has registered, by the code its protocol uses.
CREATE TABLE studies (
    study_id   TEXT NOT NULL PRIMARY KEY,
    title      TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
