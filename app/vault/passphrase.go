package vault

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"

	"edgewright/provisioning/secret"
)

// givenPassphrase reads the passphrase from the descriptor or the file that
// the options name, without its line end; empty if they name none.
func (o Options) givenPassphrase() (secret.Value, error) {
	switch {
	case o.PassphraseFD > 0:
		file := os.NewFile(uintptr(o.PassphraseFD), "passphrase")
		if file == nil {
			return secret.Value{}, fmt.Errorf("%w: descriptor %d is not open", ErrPassphraseFile, o.PassphraseFD)
		}
		defer func() { _ = file.Close() }()
		return readPassphrase(file)
	case o.PassphraseFile != "":
		file, err := os.Open(o.PassphraseFile)
		if err != nil {
			return secret.Value{}, fmt.Errorf("%w: %w", ErrPassphraseFile, err)
		}
		defer func() { _ = file.Close() }()
		info, err := file.Stat()
		if err != nil {
			return secret.Value{}, fmt.Errorf("%w: %w", ErrPassphraseFile, err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			return secret.Value{}, fmt.Errorf("%w: others may read %s (mode %04o); chmod 600 it", ErrPassphraseFile, o.PassphraseFile, info.Mode().Perm())
		}
		return readPassphrase(file)
	}
	return secret.Value{}, nil
}

func readPassphrase(r io.Reader) (secret.Value, error) {
	raw, err := io.ReadAll(io.LimitReader(r, 64<<10))
	if err != nil {
		return secret.Value{}, fmt.Errorf("%w: %w", ErrPassphraseFile, err)
	}
	raw = bytes.TrimRight(raw, "\r\n")
	if len(raw) == 0 {
		return secret.Value{}, fmt.Errorf("%w: it is empty", ErrPassphraseFile)
	}
	return secret.New(raw), nil
}
