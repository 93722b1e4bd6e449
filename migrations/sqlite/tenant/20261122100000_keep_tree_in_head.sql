-- The head of a log also holds the frontier of its Merkle tree: the roots of the perfect subtrees that its
-- events fall into, the largest first, 32 bytes each. Null is the head of a log that is older than this column;
-- the program fills it when it opens the file, and never again.
ALTER TABLE audit_head ADD COLUMN frontier BLOB;

DROP TRIGGER audit_head_moves_with_the_last_event;

CREATE TRIGGER audit_head_moves_with_the_last_event BEFORE UPDATE ON audit_head
WHEN (NEW.log IS NOT OLD.log
   OR NEW.frontier IS NULL
   OR NEW.size IS NOT OLD.size + 1
   OR NEW.last_hash IS NOT (SELECT entry_hash FROM audit_events WHERE log = OLD.log AND seq = OLD.size))
 AND (NEW.log IS NOT OLD.log
   OR NEW.frontier IS NULL
   OR OLD.frontier IS NOT NULL
   OR NEW.size IS NOT OLD.size
   OR NEW.last_hash IS NOT OLD.last_hash)
BEGIN
    SELECT RAISE(ABORT, 'the head of a log moves one event at a time');
END;
