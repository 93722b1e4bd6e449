-- One row of `second_factors` is the authenticator app of one account. Its secret lies encrypted under the account's own
-- key, which lies in a file of its own; `last_step` is the half minute of the last code that was used, so that none is
-- used twice. One row of `recovery_codes` is one code for when the app is lost, as a hash.
CREATE TABLE second_factors (
    account_id   TEXT    NOT NULL PRIMARY KEY REFERENCES accounts (account_id),
    nonce        BLOB    NOT NULL CHECK (length(nonce) = 12),
    ciphertext   BLOB    NOT NULL,
    last_step    INTEGER NOT NULL,
    created_at   TEXT    NOT NULL,
    confirmed_at TEXT
) STRICT;

CREATE TABLE recovery_codes (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    code_hash  TEXT NOT NULL,
    used_at    TEXT,
    PRIMARY KEY (account_id, code_hash)
) STRICT;
