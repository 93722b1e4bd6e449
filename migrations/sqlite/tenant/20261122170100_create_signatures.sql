-- One row is one electronic signature. Its block, which holds the signer's name, lies encrypted under the signer's own key;
-- `block_sha256` is also in the ledger's event of the signature. A signature is never changed.
CREATE TABLE signatures (
    signature_id     TEXT NOT NULL PRIMARY KEY,
    study_id         TEXT NOT NULL,
    record_type      TEXT NOT NULL,
    record_id        TEXT NOT NULL,
    record_sha256    TEXT NOT NULL CHECK (length(record_sha256) = 64),
    account_id       TEXT NOT NULL REFERENCES accounts (account_id),
    meaning          TEXT NOT NULL CHECK (meaning IN ('authorship', 'review', 'approval', 'responsibility')),
    signed_at        TEXT NOT NULL,
    block_nonce      BLOB NOT NULL CHECK (length(block_nonce) = 12),
    block_ciphertext BLOB NOT NULL,
    block_sha256     TEXT NOT NULL CHECK (length(block_sha256) = 64)
) STRICT;

CREATE INDEX signatures_by_study ON signatures (study_id, signed_at);
