-- A key signs tokens until another comes into use. After that the tokens that it has signed are accepted for as long
-- as they last, and not a moment longer: `accepted_until`, null for a key that signs.
ALTER TABLE signing_keys ADD COLUMN accepted_until TEXT;
