-- One row is one organisation. Its own data lies in `tenants/<id>.sqlite`; this file only says that it exists.
-- A tenant that is not listed here cannot be opened, whatever files lie beside this one.
CREATE TABLE tenants (
    tenant_id  TEXT NOT NULL PRIMARY KEY,
    slug       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
