-- One row is the personal data of one event, encrypted under the key of the account that they belong to. The
-- event holds commitments to each value and the hash of the ciphertext. To erase the data, the key is destroyed,
-- which lies in a file of its own; rows stay, so that a missing one is a fault.
CREATE TABLE audit_pii (
    pii_id     TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    nonce      BLOB NOT NULL CHECK (length(nonce) = 12),
    ciphertext BLOB NOT NULL
) STRICT;

CREATE TRIGGER audit_pii_is_never_updated BEFORE UPDATE ON audit_pii
BEGIN
    SELECT RAISE(ABORT, 'the personal data of an event are never updated');
END;

CREATE TRIGGER audit_pii_is_never_deleted BEFORE DELETE ON audit_pii
BEGIN
    SELECT RAISE(ABORT, 'the personal data of an event are never deleted; their key is destroyed');
END;
