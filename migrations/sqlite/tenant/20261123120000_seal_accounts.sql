-- An account's e-mail address and name, each sealed under the account's key. `email` holds the index of the address from then
-- on, and `display_name` nothing; what lay there in the clear is sealed when the program is next started.
ALTER TABLE accounts ADD COLUMN email_sealed BLOB;
ALTER TABLE accounts ADD COLUMN display_name_sealed BLOB;
