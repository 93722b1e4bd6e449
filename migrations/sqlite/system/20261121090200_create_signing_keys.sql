-- One row is the public half of a key that has signed tokens here. The private half lies in
-- `keys/signing.key` and never in a database. Rows stay after a key retires, for who checks an old token.
CREATE TABLE signing_keys (
    kid        TEXT NOT NULL PRIMARY KEY,
    algorithm  TEXT NOT NULL CHECK (algorithm = 'EdDSA'),
    public_key TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL
) STRICT;
