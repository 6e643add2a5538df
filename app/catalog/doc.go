// Package catalog is the SQLite file in which Edgewright keeps what it knows:
// devices, clouds, runs with their steps and logs, locks, settings and the
// sealed records of the vault.
//
// One pool writes, over a single connection with immediate transactions; one
// pool reads. The file uses a write-ahead log with synchronous=FULL, so that a
// write that has returned survives a killed process and a power cut: a resumed
// run must not forget what it did in a cloud. Times are stored in UTC as
// RFC 3339 text, identifiers are text.
//
// [Open] opens or makes the file, [Catalog.Search] lists devices as one types,
// [Catalog.NewRun] and [Catalog.PutStep] are the journal, [Catalog.Backup] and
// [Catalog.Restore] copy the whole, and [Replace] puts a copy in the place of a
// file that cannot be opened any more.
//
// The package holds no secret in the clear and knows no type of the domain:
// rows are plain structs, and what the domain nests into them is JSON or TOML
// text.
package catalog
