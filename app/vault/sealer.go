package vault

import (
	"context"
	"fmt"
)

// Sealer seals what another store keeps. Scope, kind and record name are bound
// into what is sealed.
type Sealer struct {
	vault *Vault
	scope string
	kind  Kind
}

// Sealer gives the sealer of a scope.
func (v *Vault) Sealer(scope string, kind Kind) Sealer { return Sealer{v, scope, kind} }

// Seal seals plain for the record of that name.
func (s Sealer) Seal(record string, plain []byte) ([]byte, error) {
	return s.seal(context.Background(), record, plain)
}

// Open opens what Seal gave for the record of that name.
func (s Sealer) Open(record string, sealed []byte) ([]byte, error) {
	return s.open(context.Background(), record, sealed)
}

// A sealed record begins with the version of the format and the mark of the key
// that sealed it.
const (
	formatVersion = 1
	markData      = 'd'
	markFile      = 'f'
)

func (s Sealer) binding() string { return s.scope + "/" + string(s.kind) }

func (s Sealer) seal(ctx context.Context, record string, plain []byte) ([]byte, error) {
	mark, err := s.vault.markFor(ctx, s.kind)
	if err != nil {
		return nil, err
	}
	s.vault.mu.RLock()
	defer s.vault.mu.RUnlock()
	key := s.vault.dataKey
	if mark == markFile {
		key = s.vault.fileKey
	}
	if key.IsEmpty() { // Lock was faster
		return nil, ErrLocked
	}
	return append([]byte{formatVersion, mark}, seal(key, s.binding(), record, plain)...), nil
}

func (s Sealer) open(ctx context.Context, record string, sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || sealed[0] != formatVersion {
		return nil, ErrDamaged
	}
	switch sealed[1] {
	case markData:
		if err := s.vault.need(ctx); err != nil {
			return nil, err
		}
	case markFile:
		// The key file is for practice secrets; a record that was moved here
		// from among them is none of ours.
		if s.kind != Practice {
			return nil, ErrDamaged
		}
		if err := s.vault.needFileKey(false); err != nil {
			return nil, err
		}
	default:
		return nil, ErrDamaged
	}
	s.vault.mu.RLock()
	defer s.vault.mu.RUnlock()
	key := s.vault.dataKey
	if sealed[1] == markFile {
		key = s.vault.fileKey
	}
	if key.IsEmpty() { // Lock was faster
		return nil, ErrLocked
	}
	return open(key, s.binding(), record, sealed[2:])
}

// markFor chooses the key for a new record and makes it available. Practice
// secrets of a data folder that began with a key file stay with it, also in a
// session that could open the vault: else the next one without a desktop would
// be locked out of the practice cloud.
func (v *Vault) markFor(ctx context.Context, kind Kind) (mark byte, err error) {
	if kind != Practice {
		return markData, v.need(ctx)
	}
	has, err := v.hasKeyFile()
	if err != nil {
		return 0, fmt.Errorf("%w: the key file of practice secrets: %w", ErrLocked, err)
	}
	v.mu.RLock()
	canOpen := !v.dataKey.IsEmpty() || v.canMake
	v.mu.RUnlock()
	if canOpen && !has {
		return markData, v.need(ctx)
	}
	return markFile, v.needFileKey(true)
}
