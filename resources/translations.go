package resources

import "embed"

// Translations holds one JSON file per language under translations/, named by
// its BCP 47 tag: a flat map from stable key ("devices.empty.title") to text,
// sorted by key; a text with plural forms is an object with "one" and "other".
// The files toolkit.TAG.json hold the toolkit's own words under the toolkit's
// keys, for a language that the user chose against the system's.
//
//go:embed translations/*.json
var Translations embed.FS
