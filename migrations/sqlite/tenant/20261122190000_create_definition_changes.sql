-- One row is one change of what an indicator or a tolerance limit is: of every study (`place` is `*`), or of one. The newest of a
-- place and definition is in force; one without a change takes the former ones back.
CREATE TABLE definition_changes (
    place         TEXT    NOT NULL,
    definition_id TEXT    NOT NULL,
    version       INTEGER NOT NULL CHECK (version >= 1),
    study_id      TEXT    REFERENCES studies (study_id),
    change        TEXT,
    reason        TEXT    NOT NULL,
    changed_by    TEXT    NOT NULL,
    changed_at    TEXT    NOT NULL,
    PRIMARY KEY (place, definition_id, version),
    CHECK (place = coalesce(study_id, '*'))
) STRICT;

CREATE TRIGGER definition_changes_are_never_updated BEFORE UPDATE ON definition_changes
BEGIN
    SELECT RAISE(ABORT, 'a change that was made stays');
END;

CREATE TRIGGER definition_changes_are_never_deleted BEFORE DELETE ON definition_changes
BEGIN
    SELECT RAISE(ABORT, 'a change that was made stays');
END;
