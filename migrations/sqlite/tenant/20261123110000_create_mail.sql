-- Messages of inboxes leave by e-mail too. The one endpoint of the channel MAIL stands for the relay that the operator
-- has named: its breaker and its budget are those of webhooks, and it has neither address nor secret. Its deliveries name
-- the account; the address is looked up when the message is sent.
ALTER TABLE webhook_endpoints ADD COLUMN channel TEXT NOT NULL DEFAULT 'WEBHOOK' CHECK (channel IN ('WEBHOOK', 'MAIL'));
CREATE UNIQUE INDEX webhook_endpoints_mail_once ON webhook_endpoints (channel) WHERE channel = 'MAIL';
ALTER TABLE webhook_deliveries ADD COLUMN account_id TEXT REFERENCES accounts (account_id);
ALTER TABLE accounts ADD COLUMN mail_choice TEXT NOT NULL DEFAULT 'ALERTS'
    CHECK (mail_choice IN ('NONE', 'ALERTS', 'ALL'));
