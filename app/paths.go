package app

import (
	"os"
	"path/filepath"
	"runtime"
)

// DefaultDataDir is a folder "edgewright-data" beside the program, if there is
// one (a portable installation), else the user's data folder.
func DefaultDataDir() string {
	if exe, err := os.Executable(); err == nil {
		portable := filepath.Join(filepath.Dir(exe), "edgewright-data")
		if info, err := os.Stat(portable); err == nil && info.IsDir() {
			return portable
		}
	}
	return userDir("XDG_DATA_HOME", ".local/share", "LOCALAPPDATA", "edgewright")
}

// DefaultStateDir is where the user's own small state lies, apart from the
// data folder, which may be on a stick or in a backup.
func DefaultStateDir() string {
	return userDir("XDG_STATE_HOME", ".local/state", "APPDATA", "edgewright-state")
}

func userDir(xdg, underHome, windows, name string) string {
	if runtime.GOOS == "windows" {
		if dir := os.Getenv(windows); dir != "" {
			return filepath.Join(dir, name)
		}
	} else if dir := os.Getenv(xdg); filepath.IsAbs(dir) {
		return filepath.Join(dir, name)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(os.TempDir(), name)
	}
	return filepath.Join(home, filepath.FromSlash(underHome), name)
}
