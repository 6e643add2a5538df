package provisioning

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"io/fs"

	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

func (m fakeMachine) Exists(_ context.Context, path string) (bool, error) {
	return m.w.files[path].Exists, nil
}

func (m fakeMachine) KeyObstacle(context.Context) (string, error) {
	if !m.w.runs {
		return "nothing runs on a root file system", nil
	}
	return m.w.noKeys, nil
}

// MakeKey makes it once for a run, as the kept set tells.
func (m fakeMachine) MakeKey(_ context.Context, run string, file File, algorithm pki.Algorithm) error {
	if before, touched := m.w.kept[run][file.Path]; touched && m.w.files[file.Path].Exists && !before.Data.Equal(m.w.files[file.Path].Data) {
		return nil
	}
	key, err := pki.GenerateKey(rand.Reader, algorithm)
	if err != nil {
		return err
	}
	if file.Data, err = pki.DeviceKeyPEM(key); err != nil {
		return err
	}
	m.w.effect("make key", func() { m.put(run, []File{file}) })
	return nil
}

func (m fakeMachine) Signer(_ context.Context, path string) (crypto.Signer, error) {
	if !m.w.files[path].Exists {
		return nil, ErrNotFound
	}
	key, err := pki.ParseKey(m.w.files[path].Data.Reveal(), secret.Value{})
	if err != nil {
		return nil, ErrInvalid
	}
	return key, nil
}

func (m fakeMachine) ReadAs(_ context.Context, user, path string) ([]byte, error) {
	switch file := m.w.files[path]; {
	case !file.Exists:
		return nil, ErrNotFound
	case file.Owner != user && file.Mode&0o004 == 0:
		return nil, fs.ErrPermission
	default:
		return file.Data.Reveal(), nil
	}
}

func (m fakeMachine) PublicKeyAs(ctx context.Context, user, path string) (crypto.PublicKey, error) {
	if _, err := m.ReadAs(ctx, user, path); err != nil {
		return nil, err
	}
	key, err := m.Signer(ctx, path)
	if err != nil {
		return nil, err
	}
	return key.Public(), nil
}

// put writes files and keeps what was there before the run.
func (m fakeMachine) put(run string, files []File) {
	if m.w.kept[run] == nil {
		m.w.kept[run] = map[string]FileState{}
	}
	for _, f := range files {
		if _, touched := m.w.kept[run][f.Path]; !touched {
			m.w.kept[run][f.Path] = m.w.files[f.Path]
		}
		if f.Remove {
			delete(m.w.files, f.Path)
			continue
		}
		data := bytes.Clone(f.Data.Reveal())
		if f.Stays {
			from := f.Path
			if m.w.files[f.From].Exists {
				from = f.From
			}
			data = m.w.files[from].Data.Reveal()
			delete(m.w.files, f.From)
		}
		m.w.files[f.Path] = FileState{Exists: true, Data: secret.New(data), Owner: f.Owner, Group: f.Group, Mode: f.Mode, Modified: m.w.now}
	}
}
