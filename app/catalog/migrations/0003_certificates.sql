CREATE TABLE certificate (
  number      INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  profile     TEXT NOT NULL,
  role        TEXT NOT NULL,
  subject     TEXT NOT NULL,
  issuer_id   TEXT NOT NULL DEFAULT '',
  serial      TEXT NOT NULL,
  sha1        TEXT NOT NULL,
  sha256      TEXT NOT NULL UNIQUE,
  not_before  TEXT NOT NULL,
  not_after   TEXT NOT NULL,
  algorithm   TEXT NOT NULL,
  key_place   TEXT NOT NULL,
  state       TEXT NOT NULL,
  reason      TEXT NOT NULL DEFAULT '',
  revoked     TEXT,
  superseded  TEXT NOT NULL DEFAULT '',
  device_id   TEXT NOT NULL DEFAULT '',
  run         TEXT NOT NULL DEFAULT '',
  run_role    TEXT NOT NULL DEFAULT '',
  der         BLOB NOT NULL,
  created     TEXT NOT NULL
) STRICT;

CREATE INDEX certificate_by_issuer ON certificate (issuer_id, subject COLLATE NOCASE);
CREATE INDEX certificate_by_subject ON certificate (subject COLLATE NOCASE);
CREATE INDEX certificate_by_end ON certificate (not_after);
CREATE INDEX certificate_by_device ON certificate (device_id) WHERE device_id <> '';
CREATE UNIQUE INDEX certificate_of_run ON certificate (run, run_role) WHERE run <> '';

CREATE VIRTUAL TABLE certificate_text USING fts5 (
  subject, device_id, serial, sha1, sha256, profile,
  content = 'certificate', content_rowid = 'number', tokenize = 'trigram'
);
CREATE TRIGGER certificate_insert AFTER INSERT ON certificate BEGIN
  INSERT INTO certificate_text (rowid, subject, device_id, serial, sha1, sha256, profile)
  VALUES (new.number, new.subject, new.device_id, new.serial, new.sha1, new.sha256, new.profile);
END;
CREATE TRIGGER certificate_delete AFTER DELETE ON certificate BEGIN
  INSERT INTO certificate_text (certificate_text, rowid, subject, device_id, serial, sha1, sha256, profile)
  VALUES ('delete', old.number, old.subject, old.device_id, old.serial, old.sha1, old.sha256, old.profile);
END;
CREATE TRIGGER certificate_update AFTER UPDATE ON certificate
WHEN (old.subject, old.device_id, old.serial, old.sha1, old.sha256, old.profile)
  IS NOT (new.subject, new.device_id, new.serial, new.sha1, new.sha256, new.profile)
BEGIN
  INSERT INTO certificate_text (certificate_text, rowid, subject, device_id, serial, sha1, sha256, profile)
  VALUES ('delete', old.number, old.subject, old.device_id, old.serial, old.sha1, old.sha256, old.profile);
  INSERT INTO certificate_text (rowid, subject, device_id, serial, sha1, sha256, profile)
  VALUES (new.number, new.subject, new.device_id, new.serial, new.sha1, new.sha256, new.profile);
END;

-- The number of a CA's newest revocation list, which only ever grows.
CREATE TABLE revocation_list (
  issuer_id TEXT PRIMARY KEY REFERENCES certificate (id) ON DELETE CASCADE,
  number    INTEGER NOT NULL,
  made      TEXT NOT NULL,
  der       BLOB NOT NULL
) STRICT, WITHOUT ROWID;
