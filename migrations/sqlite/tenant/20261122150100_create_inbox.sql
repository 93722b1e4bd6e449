-- One row is one message of the outbox in one account's inbox. `about` names what it is about, so that one that is unread
-- stands for the next.
CREATE TABLE inbox (
    notice_id  TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    message_id TEXT NOT NULL REFERENCES outbox (message_id),
    about      TEXT NOT NULL,
    created_at TEXT NOT NULL,
    read_at    TEXT
) STRICT;

CREATE INDEX inbox_by_account ON inbox (account_id, notice_id);
CREATE INDEX inbox_by_message ON inbox (message_id);
