-- Who gave a role (`account:<id>`, `operator:local`; null before that was kept), and when an account last signed in,
-- which outlives its sessions.
ALTER TABLE grants ADD COLUMN granted_by TEXT;
ALTER TABLE accounts ADD COLUMN last_used_at TEXT;
