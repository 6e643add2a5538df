package resources

import _ "embed"

// SupportTable is the support-lifecycle table as TOML: which platform, system
// and runtime is supported until when, each row with its source and the day on
// which it was checked.
//
//go:embed support/table.toml
var SupportTable []byte
