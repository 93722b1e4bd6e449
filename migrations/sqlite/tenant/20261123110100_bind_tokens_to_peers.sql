-- The machine that alone may use a token: a name in the certificate that its connections have to show.
ALTER TABLE access_tokens ADD COLUMN peer TEXT;
