-- Requests that a CA whose key is elsewhere is to sign. The key is never in the
-- row: key_place says where it is, key_sha256 which one it is.
CREATE TABLE certificate_request (
  id          TEXT PRIMARY KEY,
  profile     TEXT NOT NULL,
  role        TEXT NOT NULL,
  subject     TEXT NOT NULL,
  issuer_id   TEXT NOT NULL DEFAULT '',
  algorithm   TEXT NOT NULL,
  key_place   TEXT NOT NULL,
  key_sha256  TEXT NOT NULL UNIQUE,
  der         BLOB NOT NULL,
  created     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
