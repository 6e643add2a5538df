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
