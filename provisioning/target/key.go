package target

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// KeyAlgorithm is a kind of private key that a machine can make for itself, by
// the words of plans: p256, rsa2048, rsa3072 or rsa4096.
type KeyAlgorithm string

// keyOptions are what `openssl genpkey` takes for each algorithm. The curve is
// named in the key, as the runtime's key service wants it.
var keyOptions = map[KeyAlgorithm][]string{
	"p256":    {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:named_curve"},
	"rsa2048": {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"},
	"rsa3072": {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"},
	"rsa4096": {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"},
}

// Signing is what a key on the machine is to sign.
type Signing struct {
	// Hash made the digest: sha1, sha256, sha384 or sha512.
	Hash   string `json:"hash"`
	Digest []byte `json:"digest"`
	// RSA says that the key is an RSA key; its padding is PKCS #1 v1.5, or with
	// PSS that of RFC 8017, 8.1, with a salt as long as the digest, as TLS has it.
	RSA bool `json:"rsa"`
	PSS bool `json:"pss"`
}

// digestSizes are those of the hashes, in bytes.
var digestSizes = map[string]int{"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}

// command is the openssl that signs a digest on its standard input.
func (s Signing) command(p string) ([]string, error) {
	if size, known := digestSizes[s.Hash]; !known || len(s.Digest) != size {
		return nil, fmt.Errorf("sign with %s: a digest of %d bytes is none of %q", p, len(s.Digest), s.Hash)
	}
	command := []string{"openssl", "pkeyutl", "-sign", "-inkey", p}
	switch {
	case s.PSS:
		command = append(command, "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:-1")
	case s.RSA:
		command = append(command, "-pkeyopt", "rsa_padding_mode:pkcs1")
	}
	return append(command, "-pkeyopt", "digest:"+s.Hash), nil
}

// readers are the users of the runtime as which a Root reads: what they cannot
// read, the runtime replaces.
var readers = []string{"root", "aziotcs", "aziotks"}

// call is a command from this file with its input. It runs as a user.
type call struct {
	user    string
	command []string
	input   []byte
}

// ReadAs gives the content of a file as one of the runtime's users reads it.
func (e *engine) ReadAs(ctx context.Context, user, p string) ([]byte, error) {
	if err := checkReadable(p); err != nil {
		return nil, err
	}
	out, err := e.callOn(ctx, p, call{user: user, command: []string{"cat", p}})
	if err != nil {
		return nil, fmt.Errorf("read %s as %s: %w", p, user, err)
	}
	return out, nil
}

// PublicKey gives the public part of a private key.
func (e *engine) PublicKey(ctx context.Context, user, p string) ([]byte, error) {
	if err := checkWritable(p); err != nil {
		return nil, err
	}
	// An encrypted key is refused: no terminal, no passphrase.
	out, err := e.callOn(ctx, p, call{user: user, command: []string{"openssl", "pkey", "-in", p, "-passin", "pass:", "-pubout", "-outform", "DER"}})
	if err == nil {
		_, err = x509.ParsePKIXPublicKey(out)
	}
	if err != nil {
		return nil, fmt.Errorf("read key %s as %s: %w", p, user, err)
	}
	return out, nil
}

// Sign lets a key on the machine sign a digest.
func (e *engine) Sign(ctx context.Context, p string, s Signing) ([]byte, error) {
	if err := checkWritable(p); err != nil {
		return nil, err
	}
	command, err := s.command(p)
	if err != nil {
		return nil, err
	}
	out, err := e.callOn(ctx, p, call{user: "root", command: command, input: s.Digest})
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", p, err)
	}
	return out, nil
}

// callOn runs a call about a file, which has to exist, as one of the readers.
func (e *engine) callOn(ctx context.Context, p string, c call) ([]byte, error) {
	a, err := e.callAs(ctx, readers, p, c)
	if err != nil {
		return nil, err
	}
	if a.code != 0 {
		return nil, a.said()
	}
	return a.out, nil
}

// callAs runs a call about what is at p, which has to exist, as one of users.
func (e *engine) callAs(ctx context.Context, users []string, p string, c call) (answer, error) {
	if !slices.Contains(users, c.user) {
		return answer{}, fmt.Errorf("user %q is not in the list", c.user)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	found, err := e.layer.look(ctx, []string{p}, true, false)
	if err != nil {
		return answer{}, err
	}
	if found[0].kind == kindMissing {
		return answer{}, &fs.PathError{Op: "open", Path: p, Err: fs.ErrNotExist}
	}
	if c.user != "root" {
		uids, _, err := e.layer.ids(ctx, []string{c.user}, nil)
		if err != nil {
			return answer{}, err
		}
		if _, ok := uids[c.user]; !ok {
			return answer{}, &MissingUserError{User: c.user, Package: packageOf(c.user)}
		}
	}
	return e.layer.call(ctx, c)
}

// checkKey refuses files whose content is to come from the machine itself, and
// which say what it is as well.
func (f File) checkKey() error {
	if f.Make != "" && keyOptions[f.Make] == nil {
		return fmt.Errorf("file %s: keys of the kind %q are not made", f.Path, string(f.Make))
	}
	if n := len(f.Data.Reveal()); n > 0 && (f.Make != "" || f.Stays) || f.Make != "" && f.Stays || f.From != "" && !f.Stays {
		return fmt.Errorf("file %s: it has more than one content", f.Path)
	}
	if f.From == "" {
		return nil
	}
	if path.Dir(f.From) != path.Dir(f.Path) || f.From == f.Path {
		return fmt.Errorf("file %s: what takes its place lies in another folder", f.Path)
	}
	return checkWritable(f.From)
}

// isBorn tells whether a key that the machine makes is there: another than lay
// there before the run.
func (j *journal) isBorn(p, sum string) bool {
	if j == nil {
		return false
	}
	for _, k := range j.Files {
		if k.Path == p {
			return !k.Existed || k.Sum != sum
		}
	}
	return false
}

// errNothingStays is a file that is to stay and is not there.
func errNothingStays(p string) error {
	return fmt.Errorf("%s: %w", p, errors.Join(errors.New("the key that is to stay is not there"), fs.ErrNotExist))
}

// makeKeyCommand is the command whose standard output is the new key, PKCS #8,
// PEM.
func makeKeyCommand(a KeyAlgorithm) []string {
	return append([]string{"openssl", "genpkey"}, keyOptions[a]...)
}
