-- One row while the tenant is disabled, and none while it is in use. Nobody is let in, no job is claimed, no schedule fires
-- and no message is sent while there is one.
CREATE TABLE disabled_tenant (
    disabled_at TEXT NOT NULL PRIMARY KEY,
    reason      TEXT NOT NULL
) STRICT;
