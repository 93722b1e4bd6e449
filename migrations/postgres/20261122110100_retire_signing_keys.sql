-- Keys that sign no more, as in `migrations/sqlite/system`.
ALTER TABLE cairn_system.signing_keys ADD COLUMN accepted_until text;
GRANT UPDATE (accepted_until) ON cairn_system.signing_keys TO cairn_system;
