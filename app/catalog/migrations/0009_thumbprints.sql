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
