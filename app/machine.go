package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/target"
)

// openTarget connects to a target. Nothing is elevated yet.
func (a *App) openTarget(ctx context.Context, text string, access Access) (target.Target, error) {
	spec, err := target.ParseSpec(text)
	if err != nil {
		return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The target does not read: " + err.Error() + ".",
			Hint: "Write local:, ssh://user@host, rootfs:///path or practice:NAME."}
	}
	options := target.Options{
		Dir:           filepath.Join(a.config.DataDir, "ssh"),
		HostKey:       access.HostKey,
		SSHPassword:   access.SSHPassword,
		SudoPassword:  access.SudoPassword,
		HelperCommand: a.config.HelperCommand,
		Version:       a.config.Version,
		Now:           a.now,
	}
	if access.Identity != "" {
		options.Identities = []string{access.Identity}
	}
	if access.Ask != nil {
		options.Ask = func(ctx context.Context, q target.Question) (secret.Value, error) {
			return access.Ask(ctx, Question{Kind: string(q.Kind), Target: text, Prompt: q.Prompt})
		}
	}
	if access.TrustHostKey != nil {
		options.TrustHostKey = func(key target.HostKey) bool {
			return access.TrustHostKey(HostKey{Host: key.Host, Type: key.Type, Fingerprint: key.Fingerprint})
		}
	}
	open := target.Open
	if spec.Kind == target.KindPractice {
		open = a.openPracticeDevice
	}
	opened, err := open(ctx, spec, options)
	if spec.Kind == target.KindRootfs && errors.Is(err, fs.ErrNotExist) {
		return nil, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "There is no folder " + spec.Path + ".",
			Hint: "Look whether the device's disk is mounted there, or make the folder.", Err: err}
	}
	if err != nil {
		return nil, translate(fmt.Errorf("open %s: %w", text, err))
	}
	return opened, nil
}

// machine fits a target to the port of the domain. It elevates when the first
// step needs it, once.
type machine struct {
	target target.Target
	name   string
	// station tells the runs of this data folder from those of another
	// computer: both count from 1.
	station string

	mu   sync.Mutex
	root target.Root
}

func (m *machine) Name() string { return m.name }
func (m *machine) Runs() bool   { return m.target.CanRun() }

func (m *machine) elevated(ctx context.Context) (target.Root, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.root == nil {
		// The session serves the whole run, also the undo after a cancel.
		root, err := m.target.Root(context.WithoutCancel(ctx))
		if err != nil {
			return nil, translate(fmt.Errorf("act as administrator on %s: %w", m.name, err))
		}
		m.root = root
	}
	return m.root, nil
}

func (m *machine) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var err error
	if m.root != nil {
		err = m.root.Close()
	}
	return errors.Join(err, m.target.Close())
}

func (m *machine) Read(ctx context.Context, name string) (provisioning.FileState, error) {
	root, err := m.elevated(ctx)
	if err != nil {
		return provisioning.FileState{}, err
	}
	info, err := root.Stat(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return provisioning.FileState{}, nil
	}
	if err != nil {
		return provisioning.FileState{}, translate(err)
	}
	if info.IsDir {
		return provisioning.FileState{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: name + " is a folder on the device.", Hint: "Move it away."}
	}
	data, err := root.ReadFile(ctx, name)
	if err != nil {
		return provisioning.FileState{}, translate(err)
	}
	return provisioning.FileState{Exists: true, Data: secret.New(data), Owner: info.Owner, Group: info.Group,
		Mode: info.Mode.Perm(), Modified: info.Modified}, nil
}

func (m *machine) Same(ctx context.Context, files []provisioning.File) (bool, error) {
	root, err := m.elevated(ctx)
	if err != nil {
		return false, err
	}
	same, err := root.Same(ctx, fileSet("compare", files))
	return same, translate(err)
}

// folders are those that a set may need, as the packages of IoT Edge and of
// Debian make them. An existing one is left as it is.
var folders = map[string]target.Dir{
	"/etc/aziot":                       {Path: "/etc/aziot", Owner: "root", Group: "root", Mode: 0o755},
	"/var/aziot":                       {Path: "/var/aziot", Owner: "root", Group: "root", Mode: 0o755},
	"/var/aziot/certs":                 {Path: "/var/aziot/certs", Owner: "aziotcs", Group: "aziotcs", Mode: 0o755},
	"/var/aziot/secrets":               {Path: "/var/aziot/secrets", Owner: "aziotks", Group: "aziotks", Mode: 0o700},
	"/usr/local/share/ca-certificates": {Path: "/usr/local/share/ca-certificates", Owner: "root", Group: "root", Mode: 0o755},
}

func (m *machine) Place(ctx context.Context, runID string, files []provisioning.File) (provisioning.Placed, error) {
	root, err := m.elevated(ctx)
	if err != nil {
		return provisioning.Placed{}, err
	}
	placed, err := root.Place(ctx, fileSet(m.mark(runID), files))
	if err != nil {
		return provisioning.Placed{}, translate(err)
	}
	return provisioning.Placed{Changed: placed.Changed, OwnersRecorded: placed.OwnersRecorded}, nil
}

// mark is how a run is named on the device.
func (m *machine) mark(runID string) string { return runID + "-" + m.station }

func fileSet(runID string, files []provisioning.File) target.FileSet {
	set := target.FileSet{RunID: runID, Dirs: foldersOf(files)}
	for _, file := range files {
		set.Files = append(set.Files, target.File{Path: file.Path, Data: file.Data, Owner: file.Owner, Group: file.Group, Mode: file.Mode,
			Remove: file.Remove, Stays: file.Stays, From: file.From})
	}
	return set
}

// foldersOf gives the known folders above the files, parents first.
func foldersOf(files []provisioning.File) []target.Dir {
	var dirs []target.Dir
	seen := map[string]bool{}
	for _, file := range files {
		var above []target.Dir
		for dir := path.Dir(file.Path); dir != "/"; dir = path.Dir(dir) {
			if known, ok := folders[dir]; ok && !seen[dir] {
				seen[dir] = true
				above = append([]target.Dir{known}, above...)
			}
		}
		dirs = append(dirs, above...)
	}
	return dirs
}

func (m *machine) PutBack(ctx context.Context, runID string) error {
	root, err := m.elevated(ctx)
	if err != nil {
		return err
	}
	return translate(root.PutBack(ctx, m.mark(runID)))
}

func (m *machine) Act(ctx context.Context, action provisioning.Action, line func(string)) (provisioning.Output, error) {
	root, err := m.elevated(ctx)
	if err != nil {
		return provisioning.Output{}, err
	}
	out, err := root.Act(ctx, target.Action(action), line)
	if err != nil {
		return provisioning.Output{}, translate(err)
	}
	return provisioning.Output{Stdout: out.Stdout, Stderr: out.Stderr, Exit: out.Exit}, nil
}

func (m *machine) Lock(ctx context.Context, runID string, expiry time.Time) error {
	root, err := m.elevated(ctx)
	if err != nil {
		return err
	}
	err = root.Lock(ctx, m.mark(runID), expiry)
	var locked *target.LockedError
	if errors.As(err, &locked) {
		number, ours := strings.CutSuffix(locked.RunID, "-"+m.station)
		if !ours {
			return &provisioning.Error{Kind: provisioning.ErrBusy, Message: "The device is being worked on by run " + locked.RunID + " of another computer.",
				Hint: "Wait for it; its lock ends at " + locked.Expiry.Local().Format(time.TimeOnly) + ".", Err: err}
		}
		locked.RunID = number
	}
	return translate(err)
}

func (m *machine) Unlock(ctx context.Context, runID string) error {
	root, err := m.elevated(ctx)
	if err != nil {
		return err
	}
	return translate(root.Unlock(ctx, m.mark(runID)))
}
