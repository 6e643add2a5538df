-- Batches of devices that are minted at once, and their rows. sealed is a bundle
-- that may not lie in its folder yet; it goes when the file is on the disk.
CREATE TABLE batch (
  id        TEXT PRIMARY KEY,
  state     TEXT NOT NULL,
  ca        TEXT NOT NULL,
  recipient TEXT NOT NULL,
  cloud     TEXT NOT NULL,
  enroll    INTEGER NOT NULL,
  folder    TEXT NOT NULL,
  started   TEXT NOT NULL,
  ended     TEXT
) STRICT;
CREATE INDEX batch_by_start ON batch (started);

CREATE TABLE batch_row (
  batch          TEXT NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
  seq            INTEGER NOT NULL,
  device_id      TEXT NOT NULL,
  hostname       TEXT NOT NULL,
  enroll_group   TEXT NOT NULL,
  edge_ca        INTEGER NOT NULL,
  days           INTEGER NOT NULL,
  recipient      TEXT NOT NULL,
  state          TEXT NOT NULL,
  certificate_id TEXT NOT NULL DEFAULT '',
  problem        TEXT NOT NULL DEFAULT '',
  sealed         BLOB,
  PRIMARY KEY (batch, seq)
) STRICT;
CREATE INDEX batch_row_by_state ON batch_row (batch, state, seq);
