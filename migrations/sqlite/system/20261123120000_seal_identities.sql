-- The name that a provider gives to a person, sealed under the account's key. `subject` holds its index from then on, as
-- `email` in `account_directory` holds that of the address.
ALTER TABLE identity_directory ADD COLUMN subject_sealed BLOB;
