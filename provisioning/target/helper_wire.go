package target

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"edgewright/provisioning/secret"
)

// The helper's protocol: one line "edgewright-helper 1 VERSION NONCE", then
// frames in both directions, each four bytes of length (big endian) and that
// much JSON. Every request carries the nonce, so that nothing which was meant
// for somebody else is taken for one.
const (
	helperHello  = "edgewright-helper 1"
	maxFrameSize = 64 << 20
)

type helperVerb string

const (
	verbOpen    helperVerb = "open" // first, once; Path is a folder or "" for the running system
	verbRead    helperVerb = "read"
	verbStat    helperVerb = "stat"
	verbLock    helperVerb = "lock"
	verbUnlock  helperVerb = "unlock"
	verbSame    helperVerb = "same"
	verbPlace   helperVerb = "place"
	verbPutBack helperVerb = "put-back"
	verbForget  helperVerb = "forget"
	verbAct     helperVerb = "act"
	verbTPMOpen helperVerb = "tpm-open" // holds the device node open until the end
	verbTPMSend helperVerb = "tpm-send" // Data is one command, the reply's one response
	verbReadAs  helperVerb = "read-as"
	verbPublic  helperVerb = "public-key"
	verbSign    helperVerb = "sign"
	verbMayUse  helperVerb = "may-use"
	verbCancel  helperVerb = "cancel" // ends the request under way; has no answer
)

type helperRequest struct {
	Nonce  string     `json:"nonce"`
	Number int        `json:"number"` // of the request; that of the one to end for verbCancel
	Verb   helperVerb `json:"verb"`
	Path   string     `json:"path,omitempty"`
	Run    string     `json:"run,omitempty"`
	Expiry time.Time  `json:"expiry,omitzero"`
	Set    *wireSet   `json:"set,omitempty"`
	Action Action     `json:"action,omitempty"`
	Data   []byte     `json:"data,omitempty"`
	User   string     `json:"user,omitempty"`
	Sign   *Signing   `json:"sign,omitempty"`
}

// helperReply is a line of an action's output (Line), or the end of a request.
type helperReply struct {
	Line   *string    `json:"line,omitempty"`
	Error  *wireError `json:"error,omitempty"`
	Data   []byte     `json:"data,omitempty"`
	Info   *FileInfo  `json:"info,omitempty"`
	Placed *Placed    `json:"placed,omitempty"`
	Same   bool       `json:"same,omitempty"`
	Output *Output    `json:"output,omitempty"`
}

// wireSet is a FileSet whose secrets travel: over the helper's standard input
// and nowhere else.
type wireSet struct {
	RunID string     `json:"run"`
	Dirs  []Dir      `json:"dirs"`
	Files []wireFile `json:"files"`
}

type wireFile struct {
	Path   string      `json:"path"`
	Data   []byte      `json:"data"`
	Owner  string      `json:"owner"`
	Group  string      `json:"group"`
	Mode   fs.FileMode `json:"mode"`
	Remove bool        `json:"remove"`

	Make  KeyAlgorithm `json:"make,omitempty"`
	Stays bool         `json:"stays,omitempty"`
	From  string       `json:"from,omitempty"`
}

func toWire(s FileSet) *wireSet {
	w := &wireSet{RunID: s.RunID, Dirs: s.Dirs}
	for _, f := range s.Files {
		w.Files = append(w.Files, wireFile{f.Path, f.Data.Reveal(), f.Owner, f.Group, f.Mode, f.Remove, f.Make, f.Stays, f.From})
	}
	return w
}

func (w *wireSet) set() FileSet {
	if w == nil {
		return FileSet{}
	}
	s := FileSet{RunID: w.RunID, Dirs: w.Dirs}
	for _, f := range w.Files {
		s.Files = append(s.Files, File{f.Path, secret.New(f.Data), f.Owner, f.Group, f.Mode, f.Remove, f.Make, f.Stays, f.From})
	}
	return s
}

// wireError keeps the kind of an error across the process border.
type wireError struct {
	Kind    string    `json:"kind"`
	Text    string    `json:"text"`
	Name    string    `json:"name,omitempty"`
	Package string    `json:"package,omitempty"`
	Expiry  time.Time `json:"expiry,omitzero"`
}

// errorKinds are the sentinels that cross the border by name.
var errorKinds = []struct {
	name string
	err  error
}{
	{"not-exist", fs.ErrNotExist}, {"permission", fs.ErrPermission}, {"path", ErrPath},
	{"cannot-run", ErrCannotRun}, {"no-elevation", ErrNoElevation}, {"unsupported", ErrUnsupported},
}

func toWireError(err error) *wireError {
	if err == nil {
		return nil
	}
	w := &wireError{Text: err.Error()}
	var locked *LockedError
	var missing *MissingUserError
	var tpm *TPMError
	switch {
	case errors.As(err, &tpm):
		w.Kind, w.Name, w.Package = "tpm", string(tpm.Reason), tpm.Where
	case errors.As(err, &locked):
		w.Kind, w.Name, w.Expiry = "locked", locked.RunID, locked.Expiry
	case errors.As(err, &missing):
		w.Kind, w.Name, w.Package = "missing-user", missing.User, missing.Package
	default:
		for _, k := range errorKinds {
			if errors.Is(err, k.err) {
				w.Kind = k.name
				break
			}
		}
	}
	return w
}

// helperError is an error that happened in the helper, with its text there and
// its kind.
type helperError struct {
	text string
	kind error
}

func (e *helperError) Error() string { return e.text }
func (e *helperError) Unwrap() error { return e.kind }

func (w *wireError) err() error {
	if w == nil {
		return nil
	}
	switch w.Kind {
	case "locked":
		return &helperError{w.Text, &LockedError{RunID: w.Name, Expiry: w.Expiry}}
	case "missing-user":
		return &helperError{w.Text, &MissingUserError{User: w.Name, Package: w.Package}}
	case "tpm":
		return &helperError{w.Text, &TPMError{Reason: TPMReason(w.Name), Where: w.Package}}
	}
	for _, k := range errorKinds {
		if w.Kind == k.name {
			return &helperError{w.Text, k.err}
		}
	}
	return errors.New(w.Text)
}

func writeFrame(w io.Writer, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, len(body)+4), uint32(len(body)))
	frame = append(frame, body...)
	_, err = w.Write(frame)
	clear(frame)
	clear(body)
	return err
}

func readFrame(r io.Reader, value any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > maxFrameSize {
		return fmt.Errorf("helper: a frame of %d bytes is refused", size)
	}
	// Grown as it arrives: a length alone takes no memory.
	body, err := io.ReadAll(io.LimitReader(r, int64(size)))
	if err != nil {
		return err
	}
	if len(body) < int(size) {
		return io.ErrUnexpectedEOF
	}
	err = json.Unmarshal(body, value)
	clear(body)
	return err
}
