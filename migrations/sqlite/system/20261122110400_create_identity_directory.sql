-- One row says whose account an identity is that a provider vouches for: the issuer and its own name for the person,
-- which it never gives to another. An e-mail address says nothing here.
CREATE TABLE identity_directory (
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    tenant_id  TEXT NOT NULL REFERENCES tenants (tenant_id),
    account_id TEXT NOT NULL,
    linked_at  TEXT NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT;

CREATE INDEX identity_directory_by_account ON identity_directory (account_id);
