CREATE TABLE device (
  uuid            TEXT PRIMARY KEY,
  hub_host        TEXT NOT NULL COLLATE NOCASE,
  device_id       TEXT NOT NULL,
  registration_id TEXT NOT NULL DEFAULT '',
  state           TEXT NOT NULL,
  platform        TEXT NOT NULL,
  provisioning    TEXT NOT NULL,
  authentication  TEXT NOT NULL,
  cloud           TEXT NOT NULL,
  enrollment      TEXT NOT NULL DEFAULT '',
  grp             TEXT NOT NULL DEFAULT '',
  target          TEXT NOT NULL DEFAULT '',
  host_name       TEXT NOT NULL DEFAULT '',
  machine_key     TEXT NOT NULL DEFAULT '',
  runtime         TEXT NOT NULL DEFAULT '',
  cert_ends       TEXT,
  last_proof      TEXT,
  tags            TEXT NOT NULL DEFAULT '{}',
  facts           TEXT NOT NULL DEFAULT '{}',
  plan            TEXT NOT NULL DEFAULT '',
  note            TEXT NOT NULL DEFAULT '',
  created         TEXT NOT NULL,
  updated         TEXT NOT NULL,
  UNIQUE (hub_host, device_id)
) STRICT;

CREATE INDEX device_by_id ON device (device_id COLLATE NOCASE);
CREATE INDEX device_by_state ON device (state);
CREATE INDEX device_by_cloud ON device (cloud, device_id COLLATE NOCASE);
CREATE INDEX device_by_proof ON device (last_proof);
CREATE INDEX device_by_machine ON device (machine_key) WHERE machine_key <> '';

CREATE VIRTUAL TABLE device_text USING fts5 (
  device_id, registration_id, hub_host, host_name, target, tags, note,
  content = 'device', tokenize = 'trigram'
);

CREATE TRIGGER device_insert AFTER INSERT ON device BEGIN
  INSERT INTO device_text (rowid, device_id, registration_id, hub_host, host_name, target, tags, note)
  VALUES (new.rowid, new.device_id, new.registration_id, new.hub_host, new.host_name, new.target, new.tags, new.note);
END;
CREATE TRIGGER device_delete AFTER DELETE ON device BEGIN
  INSERT INTO device_text (device_text, rowid, device_id, registration_id, hub_host, host_name, target, tags, note)
  VALUES ('delete', old.rowid, old.device_id, old.registration_id, old.hub_host, old.host_name, old.target, old.tags, old.note);
END;
CREATE TRIGGER device_update AFTER UPDATE ON device BEGIN
  INSERT INTO device_text (device_text, rowid, device_id, registration_id, hub_host, host_name, target, tags, note)
  VALUES ('delete', old.rowid, old.device_id, old.registration_id, old.hub_host, old.host_name, old.target, old.tags, old.note);
  INSERT INTO device_text (rowid, device_id, registration_id, hub_host, host_name, target, tags, note)
  VALUES (new.rowid, new.device_id, new.registration_id, new.hub_host, new.host_name, new.target, new.tags, new.note);
END;

CREATE TABLE cloud (
  name            TEXT PRIMARY KEY COLLATE NOCASE,
  kind            TEXT NOT NULL,
  hub_host        TEXT NOT NULL DEFAULT '',
  dps_host        TEXT NOT NULL DEFAULT '',
  id_scope        TEXT NOT NULL DEFAULT '',
  global_endpoint TEXT NOT NULL DEFAULT '',
  hub_secret      TEXT NOT NULL DEFAULT '',
  dps_secret      TEXT NOT NULL DEFAULT '',
  created         TEXT NOT NULL
) STRICT;

CREATE TABLE run (
  number      INTEGER PRIMARY KEY AUTOINCREMENT,
  batch       TEXT NOT NULL DEFAULT '',
  kind        TEXT NOT NULL,
  device_uuid TEXT NOT NULL DEFAULT '',
  device_id   TEXT NOT NULL,
  hub_host    TEXT NOT NULL DEFAULT '',
  target      TEXT NOT NULL,
  cloud       TEXT NOT NULL,
  plan        TEXT NOT NULL,
  state       TEXT NOT NULL,
  outcome     TEXT NOT NULL DEFAULT '',
  started     TEXT NOT NULL,
  ended       TEXT,
  cloud_start TEXT,
  holder      TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX run_by_batch ON run (batch) WHERE batch <> '';
CREATE INDEX run_by_device ON run (device_id, number);

CREATE TABLE step (
  run_number INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
  name       TEXT NOT NULL,
  seq        INTEGER NOT NULL,
  state      TEXT NOT NULL,
  acted      INTEGER NOT NULL,
  summary    TEXT NOT NULL,
  started    TEXT NOT NULL,
  ended      TEXT,
  undo       TEXT NOT NULL,
  error      TEXT NOT NULL,
  kept       TEXT NOT NULL,
  waited_ns  INTEGER NOT NULL,
  PRIMARY KEY (run_number, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
  run_number INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
  at         TEXT NOT NULL,
  step       TEXT NOT NULL,
  level      TEXT NOT NULL,
  text       TEXT NOT NULL
) STRICT;

CREATE INDEX log_by_run ON log (run_number);

CREATE TABLE lock (
  name    TEXT PRIMARY KEY,
  run     TEXT NOT NULL,
  holder  TEXT NOT NULL,
  expires TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sealed (
  name TEXT PRIMARY KEY,
  data BLOB NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA application_id = 1164203890;
INSERT INTO device VALUES ('6f1c9d52-3a3e-4a55-9d0f-2f0f5f3d7a11', 'hub.example.test', 'line-7-0042', 'line-7-0042', 'proven', 'linux', 'dps', 'symmetric-key',
  'Plant', 'group', 'line-7', 'ssh://pi@10.0.0.7', 'press7', 'machine-id:1', '1.5.21', NULL, '2026-11-24T12:00:00.000000000Z', '{"line":7}', '{}',
  'version = 1', 'bench 3', '2026-11-24T11:00:00.000000000Z', '2026-11-24T12:00:00.000000000Z');
INSERT INTO cloud VALUES ('Plant', 'azure', 'hub.example.test', 'dps.example.test', '0ne00AAAAAA', 'global.example.test', 'cloud/plant/hub', '', '2026-11-24T10:00:00.000000000Z');
INSERT INTO run VALUES (7, '', 'provision', '6f1c9d52-3a3e-4a55-9d0f-2f0f5f3d7a11', 'line-7-0042', 'hub.example.test', 'ssh://pi@10.0.0.7', 'Plant', 'version = 1',
  'succeeded', '{}', '2026-11-24T11:59:00.000000000Z', '2026-11-24T12:00:00.000000000Z', NULL, 'bench 4711 815');
INSERT INTO step VALUES (7, 'identity', 1, 'done', 1, 'made', '2026-11-24T11:59:00.000000000Z', NULL, '{"made":true}', '', '', 0);
INSERT INTO log VALUES (7, '2026-11-24T11:59:00.000000000Z', 'identity', 'info', 'made');
INSERT INTO lock VALUES ('hub.example.test/line-7-0042', '0007', 'bench 4711 815', '2026-11-24T12:10:00.000000000Z');
INSERT INTO setting VALUES ('language', 'de');
INSERT INTO sealed VALUES ('header', CAST('sealed' AS BLOB));
-- A device gets a number of its own. The text index refers to rows by number, and
-- SQLite promises to keep only a declared INTEGER PRIMARY KEY through VACUUM.
DROP TRIGGER device_insert;
DROP TRIGGER device_delete;
DROP TRIGGER device_update;
DROP TABLE device_text;

CREATE TABLE numbered_device (
  id              INTEGER PRIMARY KEY,
  uuid            TEXT NOT NULL UNIQUE,
  hub_host        TEXT NOT NULL COLLATE NOCASE,
  device_id       TEXT NOT NULL,
  registration_id TEXT NOT NULL DEFAULT '',
  state           TEXT NOT NULL,
  platform        TEXT NOT NULL,
  provisioning    TEXT NOT NULL,
  authentication  TEXT NOT NULL,
  cloud           TEXT NOT NULL COLLATE NOCASE,
  enrollment      TEXT NOT NULL DEFAULT '',
  grp             TEXT NOT NULL DEFAULT '',
  target          TEXT NOT NULL DEFAULT '',
  host_name       TEXT NOT NULL DEFAULT '',
  machine_key     TEXT NOT NULL DEFAULT '',
  runtime         TEXT NOT NULL DEFAULT '',
  cert_ends       TEXT,
  last_proof      TEXT,
  tags            TEXT NOT NULL DEFAULT '{}',
  facts           TEXT NOT NULL DEFAULT '{}',
  plan            TEXT NOT NULL DEFAULT '',
  note            TEXT NOT NULL DEFAULT '',
  created         TEXT NOT NULL,
  updated         TEXT NOT NULL,
  UNIQUE (hub_host, device_id)
) STRICT;

INSERT INTO numbered_device (uuid, hub_host, device_id, registration_id, state, platform, provisioning, authentication, cloud, enrollment, grp, target,
  host_name, machine_key, runtime, cert_ends, last_proof, tags, facts, plan, note, created, updated)
SELECT uuid, hub_host, device_id, registration_id, state, platform, provisioning, authentication, cloud, enrollment, grp, target,
  host_name, machine_key, runtime, cert_ends, last_proof, tags, facts, plan, note, created, updated FROM device ORDER BY created, uuid;

DROP TABLE device;
ALTER TABLE numbered_device RENAME TO device;

-- One index for each order that a list can have, so that no page is sorted; the
-- number of the row, which every index ends with, makes the order total.
CREATE INDEX device_by_id ON device (device_id COLLATE NOCASE);
CREATE INDEX device_by_exact_id ON device (device_id);
CREATE INDEX device_by_state ON device (state, device_id COLLATE NOCASE);
CREATE INDEX device_by_cloud ON device (cloud, device_id COLLATE NOCASE);
CREATE INDEX device_in_state_order ON device (state);
CREATE INDEX device_in_cloud_order ON device (cloud);
CREATE INDEX device_by_way ON device (platform || '/' || provisioning || '/' || authentication);
CREATE INDEX device_by_target ON device (target COLLATE NOCASE);
CREATE INDEX device_by_runtime ON device (runtime);
CREATE INDEX device_by_certificate ON device (ifnull(cert_ends, '~'));
CREATE INDEX device_by_proof ON device (ifnull(last_proof, ''));
CREATE INDEX device_by_machine ON device (machine_key) WHERE machine_key <> '';

CREATE VIRTUAL TABLE device_text USING fts5 (
  device_id, registration_id, hub_host, host_name, target, tags, note,
  content = 'device', content_rowid = 'id', tokenize = 'trigram'
);
INSERT INTO device_text (device_text) VALUES ('rebuild');

CREATE TRIGGER device_insert AFTER INSERT ON device BEGIN
  INSERT INTO device_text (rowid, device_id, registration_id, hub_host, host_name, target, tags, note)
  VALUES (new.id, new.device_id, new.registration_id, new.hub_host, new.host_name, new.target, new.tags, new.note);
END;
CREATE TRIGGER device_delete AFTER DELETE ON device BEGIN
  INSERT INTO device_text (device_text, rowid, device_id, registration_id, hub_host, host_name, target, tags, note)
  VALUES ('delete', old.id, old.device_id, old.registration_id, old.hub_host, old.host_name, old.target, old.tags, old.note);
END;
CREATE TRIGGER device_update AFTER UPDATE ON device
WHEN (old.device_id, old.registration_id, old.hub_host, old.host_name, old.target, old.tags, old.note)
  IS NOT (new.device_id, new.registration_id, new.hub_host, new.host_name, new.target, new.tags, new.note)
BEGIN
  INSERT INTO device_text (device_text, rowid, device_id, registration_id, hub_host, host_name, target, tags, note)
  VALUES ('delete', old.id, old.device_id, old.registration_id, old.hub_host, old.host_name, old.target, old.tags, old.note);
  INSERT INTO device_text (rowid, device_id, registration_id, hub_host, host_name, target, tags, note)
  VALUES (new.id, new.device_id, new.registration_id, new.hub_host, new.host_name, new.target, new.tags, new.note);
END;

-- Numbers of runs are unique in one data folder only; what is left on a device names
-- a run by its UID. A heartbeat tells of holders on other computers.
ALTER TABLE run ADD COLUMN uid TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN holder_seen TEXT;
UPDATE run SET uid = lower(hex(randomblob(8))), holder_seen = started;
CREATE UNIQUE INDEX run_by_uid ON run (uid);
CREATE INDEX run_by_uuid ON run (device_uuid, number) WHERE device_uuid <> '';
CREATE INDEX run_unfinished ON run (number) WHERE ended IS NULL;

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

INSERT INTO certificate (id, profile, role, subject, serial, sha1, sha256, not_before, not_after, algorithm, key_place, state, superseded, der, created) VALUES ('c1', 'device identity', 'identity', 'line-7-0042', 'D0F631CA1DDBA8DB3BCFCB9E057CDC', '2F22765D04931A078909145CA628D2264C852D7D', 'D0F631CA1DDBA8DB3BCFCB9E057CDC98D0379F1BEE00E75A545147A27DADD982', '2026-01-01T00:00:00.000000000Z', '2027-01-01T00:00:00.000000000Z', 'p256', 'none', 'valid', '', x'30', '2026-01-01T00:00:00.000000000Z');
INSERT INTO certificate (id, profile, role, subject, serial, sha1, sha256, not_before, not_after, algorithm, key_place, state, superseded, der, created) VALUES ('c2', 'device identity', 'identity', 'short', '9C0ABE51C6E6655D81DE2D044D4FB1', '6B1F53303A732CCC8C6AAE6640399827C15250E3', '9C0ABE51C6E6655D81DE2D044D4FB194931F058C0426C67C7285D8F5657ED64A', '2026-01-01T00:00:00.000000000Z', '2026-01-11T00:00:00.000000000Z', 'p256', 'none', 'valid', '', x'30', '2026-01-01T00:00:00.000000000Z');
INSERT INTO certificate (id, profile, role, subject, serial, sha1, sha256, not_before, not_after, algorithm, key_place, state, superseded, der, created) VALUES ('c3', 'device identity', 'identity', 'old', '7C1C97DF17C066924822B0AF09A652', 'A625406F6977D45C1391B078F4D3656E0B75BFCB', '7C1C97DF17C066924822B0AF09A65251554962C61E23329AED04CD19020DC3B8', '2025-01-01T00:00:00.000000000Z', '2035-01-01T00:00:00.000000000Z', 'p256', 'none', 'superseded', 'c1', x'30', '2025-01-01T00:00:00.000000000Z');

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

-- When a certificate begins to want care: at 80 % of its life or 30 days before its
-- end, whichever is first; of a life of 60 days or less only the share counts.
ALTER TABLE certificate ADD COLUMN care_from TEXT NOT NULL DEFAULT '';
UPDATE certificate SET care_from = strftime('%Y-%m-%dT%H:%M:%f000000Z', CASE
  WHEN julianday(not_after) - julianday(not_before) > 60
  THEN min(julianday(not_before) + 0.8 * (julianday(not_after) - julianday(not_before)), julianday(not_after) - 30)
  ELSE julianday(not_before) + 0.8 * (julianday(not_after) - julianday(not_before)) END);
CREATE INDEX certificate_by_care ON certificate (care_from) WHERE state = 'valid';
CREATE INDEX certificate_by_successor ON certificate (superseded) WHERE superseded <> '';

-- Profiles that a user made, as TOML.
CREATE TABLE profile (
  name    TEXT PRIMARY KEY COLLATE NOCASE,
  text    TEXT NOT NULL,
  changed TEXT NOT NULL
) STRICT, WITHOUT ROWID;

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

-- The profile of the identities of a batch, as TOML with the kind of key that was
-- chosen, so that resuming makes what was begun; '' is the program's own.
ALTER TABLE batch ADD COLUMN profile TEXT NOT NULL DEFAULT '';

-- Serial numbers and thumbprints are looked for from their first digit on, by plain
-- indexes: as trigrams of random digits they were most of the text index and of
-- the time that it took to write a certificate.
DROP TRIGGER certificate_insert;
DROP TRIGGER certificate_delete;
DROP TRIGGER certificate_update;
DROP TABLE certificate_text;

CREATE INDEX certificate_by_serial ON certificate (serial);
CREATE INDEX certificate_by_sha1 ON certificate (sha1);

CREATE VIRTUAL TABLE certificate_text USING fts5 (
  subject, device_id, profile,
  content = 'certificate', content_rowid = 'number', tokenize = 'trigram'
);
INSERT INTO certificate_text (certificate_text) VALUES ('rebuild');

CREATE TRIGGER certificate_insert AFTER INSERT ON certificate BEGIN
  INSERT INTO certificate_text (rowid, subject, device_id, profile)
  VALUES (new.number, new.subject, new.device_id, new.profile);
END;
CREATE TRIGGER certificate_delete AFTER DELETE ON certificate BEGIN
  INSERT INTO certificate_text (certificate_text, rowid, subject, device_id, profile)
  VALUES ('delete', old.number, old.subject, old.device_id, old.profile);
END;
CREATE TRIGGER certificate_update AFTER UPDATE ON certificate
WHEN (old.subject, old.device_id, old.profile) IS NOT (new.subject, new.device_id, new.profile)
BEGIN
  INSERT INTO certificate_text (certificate_text, rowid, subject, device_id, profile)
  VALUES ('delete', old.number, old.subject, old.device_id, old.profile);
  INSERT INTO certificate_text (rowid, subject, device_id, profile)
  VALUES (new.number, new.subject, new.device_id, new.profile);
END;

PRAGMA user_version = 9;
