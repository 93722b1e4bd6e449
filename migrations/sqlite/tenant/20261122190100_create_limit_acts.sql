-- One row is what a person did about the alarm of a tolerance limit. What a snapshot says of the limit is in the snapshot.
CREATE TABLE limit_acts (
    study_id    TEXT    NOT NULL REFERENCES studies (study_id),
    limit_id    TEXT    NOT NULL,
    act_no      INTEGER NOT NULL CHECK (act_no >= 1),
    act         TEXT    NOT NULL CHECK (act IN ('acknowledge', 'resolve', 'reopen')),
    snapshot_id TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    acted_by    TEXT    NOT NULL,
    acted_at    TEXT    NOT NULL,
    PRIMARY KEY (study_id, limit_id, act_no)
) STRICT;

CREATE TRIGGER limit_acts_are_never_updated BEFORE UPDATE ON limit_acts
BEGIN
    SELECT RAISE(ABORT, 'what was done stays');
END;

CREATE TRIGGER limit_acts_are_never_deleted BEFORE DELETE ON limit_acts
BEGIN
    SELECT RAISE(ABORT, 'what was done stays');
END;
