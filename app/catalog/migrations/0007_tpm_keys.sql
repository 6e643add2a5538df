-- Endorsement keys of TPMs that were read at devices or came in with a list. sha256
-- is over public, which is TPM2B_PUBLIC. standard is the hash of the key that
-- template L-1 makes: it stands for the TPM's endorsement seed; '' where it could
-- not be made.
CREATE TABLE tpm_key (
  id                  INTEGER PRIMARY KEY,
  sha256              TEXT NOT NULL UNIQUE,
  base32              TEXT NOT NULL,
  device_id           TEXT NOT NULL,
  target              TEXT NOT NULL,
  address             TEXT NOT NULL,
  handle              TEXT NOT NULL,
  template            TEXT NOT NULL,
  standard            TEXT NOT NULL,
  manufacturer        TEXT NOT NULL,
  firmware            TEXT NOT NULL,
  certificate_state   TEXT NOT NULL,
  certificate_problem TEXT NOT NULL,
  station             TEXT NOT NULL,
  taken               TEXT NOT NULL,
  origin              TEXT NOT NULL,
  signer              TEXT NOT NULL,
  replaced_by         TEXT NOT NULL DEFAULT '',
  replaced_why        TEXT NOT NULL DEFAULT '',
  public              BLOB NOT NULL,
  srk                 BLOB NOT NULL,
  certificate         BLOB
) STRICT;
CREATE INDEX tpm_key_by_time ON tpm_key (taken);
CREATE INDEX tpm_key_by_device ON tpm_key (device_id COLLATE NOCASE);
CREATE INDEX tpm_key_by_place ON tpm_key (target, address) WHERE origin = 'read' AND replaced_by = '';
CREATE INDEX tpm_key_by_successor ON tpm_key (replaced_by) WHERE replaced_by <> '';

CREATE VIRTUAL TABLE tpm_key_text USING fts5 (
  sha256, base32, device_id, target, manufacturer, station,
  content = 'tpm_key', content_rowid = 'id', tokenize = 'trigram'
);
CREATE TRIGGER tpm_key_insert AFTER INSERT ON tpm_key BEGIN
  INSERT INTO tpm_key_text (rowid, sha256, base32, device_id, target, manufacturer, station)
  VALUES (new.id, new.sha256, new.base32, new.device_id, new.target, new.manufacturer, new.station);
END;
CREATE TRIGGER tpm_key_delete AFTER DELETE ON tpm_key BEGIN
  INSERT INTO tpm_key_text (tpm_key_text, rowid, sha256, base32, device_id, target, manufacturer, station)
  VALUES ('delete', old.id, old.sha256, old.base32, old.device_id, old.target, old.manufacturer, old.station);
END;
CREATE TRIGGER tpm_key_update AFTER UPDATE ON tpm_key BEGIN
  INSERT INTO tpm_key_text (tpm_key_text, rowid, sha256, base32, device_id, target, manufacturer, station)
  VALUES ('delete', old.id, old.sha256, old.base32, old.device_id, old.target, old.manufacturer, old.station);
  INSERT INTO tpm_key_text (rowid, sha256, base32, device_id, target, manufacturer, station)
  VALUES (new.id, new.sha256, new.base32, new.device_id, new.target, new.manufacturer, new.station);
END;

-- Stations whose signed lists are taken; the fingerprint was accepted by a person.
CREATE TABLE tpm_station (
  fingerprint TEXT PRIMARY KEY,
  public      BLOB NOT NULL,
  name        TEXT NOT NULL,
  accepted    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Bulk enrollments of endorsement keys, and their rows.
CREATE TABLE tpm_run (
  id      TEXT PRIMARY KEY,
  state   TEXT NOT NULL,
  cloud   TEXT NOT NULL,
  started TEXT NOT NULL,
  ended   TEXT
) STRICT;
CREATE INDEX tpm_run_by_start ON tpm_run (started);
CREATE TABLE tpm_run_row (
  run             TEXT NOT NULL REFERENCES tpm_run (id) ON DELETE CASCADE,
  seq             INTEGER NOT NULL,
  registration_id TEXT NOT NULL,
  device_id       TEXT NOT NULL,
  state           TEXT NOT NULL,
  sent            TEXT,
  code            INTEGER NOT NULL DEFAULT 0,
  problem         TEXT NOT NULL DEFAULT '',
  public          BLOB NOT NULL,
  PRIMARY KEY (run, seq)
) STRICT;
CREATE INDEX tpm_run_row_by_state ON tpm_run_row (run, state, seq);
