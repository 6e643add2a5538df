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
PRAGMA user_version = 1;
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
