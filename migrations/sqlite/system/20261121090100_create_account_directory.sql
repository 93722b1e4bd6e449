-- One row says which tenant the owner of an e-mail address belongs to, so that an address is unique in the
-- deployment and a login needs no tenant. It holds no password and grants nothing.
CREATE TABLE account_directory (
    email       TEXT NOT NULL PRIMARY KEY,
    tenant_id   TEXT NOT NULL REFERENCES tenants (tenant_id),
    account_id  TEXT NOT NULL UNIQUE,
    reserved_at TEXT NOT NULL
) STRICT;
