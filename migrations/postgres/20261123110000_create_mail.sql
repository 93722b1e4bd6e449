-- As `migrations/sqlite/tenant/20261123110000_create_mail.sql`.
ALTER TABLE cairn.webhook_endpoints ADD COLUMN channel text NOT NULL DEFAULT 'WEBHOOK' CHECK (channel IN ('WEBHOOK', 'MAIL'));
CREATE UNIQUE INDEX webhook_endpoints_mail_once ON cairn.webhook_endpoints (tenant_id) WHERE channel = 'MAIL';
ALTER TABLE cairn.webhook_deliveries ADD COLUMN account_id text;
ALTER TABLE cairn.webhook_deliveries ADD CONSTRAINT webhook_deliveries_account
    FOREIGN KEY (tenant_id, account_id) REFERENCES cairn.accounts (tenant_id, account_id);
ALTER TABLE cairn.accounts ADD COLUMN mail_choice text NOT NULL DEFAULT 'ALERTS'
    CHECK (mail_choice IN ('NONE', 'ALERTS', 'ALL'));
