package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"edgewright/provisioning/secret"
)

// keyFile is where the key of practice secrets lies: in the user's state
// folder, one for each data folder.
func (o Options) keyFile() string {
	name := sha256.Sum256([]byte(o.DataDir))
	return filepath.Join(o.StateDir, "practice-"+hex.EncodeToString(name[:8])+".key")
}

// hasKeyFile tells whether practice secrets of the data folder have their key
// in a file.
func (v *Vault) hasKeyFile() (bool, error) {
	_, err := os.Stat(v.options.keyFile())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// needFileKey reads the key file, or makes it if it may.
func (v *Vault) needFileKey(mayMake bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.fileKey.IsEmpty() {
		return nil
	}
	if v.shut {
		return ErrLocked
	}
	name := v.options.keyFile()
	key, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && mayMake {
		key, err = makeKeyFile(name)
	}
	if err != nil {
		return fmt.Errorf("%w: the key file of practice secrets: %w", ErrLocked, err)
	}
	if info, err := os.Stat(name); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w: others may read %s; chmod 600 it", ErrLocked, name)
	}
	if len(key) != keySize {
		return fmt.Errorf("%w: %s is not a key", ErrDamaged, name)
	}
	v.fileKey = secret.New(key)
	return nil
}

// makeKeyFile writes a new key. Of two processes that do so at once one wins,
// and both use its key.
func makeKeyFile(name string) ([]byte, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	temp, err := os.CreateTemp(filepath.Dir(name), ".practice-*") // made with 0600
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.Write(newKey().Reveal())
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(temp.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		// Not every file system has links; a rename may lose the race above.
		if err := os.Rename(temp.Name(), name); err != nil {
			return nil, err
		}
	}
	return os.ReadFile(name)
}
