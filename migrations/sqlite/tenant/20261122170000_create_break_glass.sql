-- One row is one emergency access of an account to a study in which it has no role. It holds until `ends_at`, or until
-- `ended_at` if that is set, and has to be reviewed by another account. The reason lies encrypted under the account's own
-- key. The study's code is no reference: what was done stays listed when a study's data are removed.
CREATE TABLE break_glass (
    break_glass_id    TEXT NOT NULL PRIMARY KEY,
    account_id        TEXT NOT NULL REFERENCES accounts (account_id),
    study_id          TEXT NOT NULL,
    reason_nonce      BLOB NOT NULL CHECK (length(reason_nonce) = 12),
    reason_ciphertext BLOB NOT NULL,
    opened_at         TEXT NOT NULL,
    ends_at           TEXT NOT NULL,
    ended_at          TEXT,
    review_due_at     TEXT NOT NULL,
    reviewed_at       TEXT,
    reviewed_by       TEXT REFERENCES accounts (account_id),
    verdict           TEXT CHECK (verdict IN ('justified', 'unjustified')),
    CHECK (reviewed_by IS NULL OR reviewed_by <> account_id)
) STRICT;

CREATE INDEX break_glass_by_account ON break_glass (account_id, ends_at);
