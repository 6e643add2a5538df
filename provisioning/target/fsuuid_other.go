//go:build !linux

package target

// fileSystemUUID is found on Linux only.
func fileSystemUUID(string) string { return "" }
