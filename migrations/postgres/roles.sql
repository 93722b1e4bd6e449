-- Run once for each cluster, by who administers it, before the program's first start. The passwords are set
-- beside it; none stands in a file of ours. `docs/databases.md` says who is who.
--
-- cairn_keeper   owns the key that binds a transaction to its tenant, and the function that checks it
-- cairn_owner    makes and migrates the tables; the program uses it at its start alone
-- cairn_system   serves what belongs to the deployment: tenants, the directory of addresses, the system's log
-- cairn_app      serves the tenants' own tables
CREATE ROLE cairn_keeper NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS;
CREATE ROLE cairn_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS;
CREATE ROLE cairn_system LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS;
CREATE ROLE cairn_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS;
-- The owner steps into the keeper's role to make the keeper's objects, and in no other migration.
GRANT cairn_keeper TO cairn_owner;
