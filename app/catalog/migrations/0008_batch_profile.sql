-- The profile of the identities of a batch, as TOML with the kind of key that was
-- chosen, so that resuming makes what was begun; '' is the program's own.
ALTER TABLE batch ADD COLUMN profile TEXT NOT NULL DEFAULT '';
