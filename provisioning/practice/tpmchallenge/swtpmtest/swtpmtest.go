// Package swtpmtest runs software TPMs for tests and does with them what a
// device's TPM client does. It is for tests only.
package swtpmtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// TPM is a software TPM of one test.
type TPM struct {
	t    testing.TB
	conn transport.TPM

	endorsement, storageRoot *tpm2.CreatePrimaryResponse
	imported                 *tpm2.LoadResponse
}

// Start runs swtpm with a fresh state and ends it with the test. It skips the
// test where there is no swtpm.
func Start(t testing.TB) *TPM {
	t.Helper()
	program, err := exec.LookPath("swtpm")
	if err != nil {
		t.Skip("needs swtpm")
	}
	// Not t.TempDir: a socket's path has at most 107 bytes.
	dir, err := os.MkdirTemp("", "ewtpm")
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	command := exec.Command(program, "socket", "--tpm2", "--tpmstate", "dir="+dir, "--server", "type=unixio,path="+socket,
		"--ctrl", "type=unixio,path="+filepath.Join(dir, "c"), "--flags", "not-need-init,startup-clear")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = os.RemoveAll(dir)
	})
	made := &TPM{t: t, conn: dial(t, socket)}
	made.endorsement = made.primary(tpm2.TPMRHEndorsement, tpm2.RSAEKTemplate)
	made.storageRoot = made.primary(tpm2.TPMRHOwner, tpm2.RSASRKTemplate)
	return made
}

func dial(t testing.TB, socket string) transport.TPM {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
			return wire{conn}
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// wire is the bare stream of a TPM: the length of an answer is in its bytes 2 to 6.
type wire struct{ net.Conn }

func (w wire) Send(command []byte) ([]byte, error) {
	if err := w.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	for {
		if _, err := w.Write(command); err != nil {
			return nil, err
		}
		answer := make([]byte, 10)
		if _, err := io.ReadFull(w, answer); err != nil {
			return nil, err
		}
		size := binary.BigEndian.Uint32(answer[2:])
		if size < 10 || size > 1<<16 {
			return nil, fmt.Errorf("an answer of %d bytes", size)
		}
		answer = append(answer, make([]byte, size-10)...)
		if _, err := io.ReadFull(w, answer[10:]); err != nil {
			return nil, err
		}
		if tpm2.TPMRC(binary.BigEndian.Uint32(answer[6:])) != tpm2.TPMRCRetry {
			return answer, nil
		}
	}
}

func (s *TPM) primary(hierarchy tpm2.TPMHandle, template tpm2.TPMTPublic) *tpm2.CreatePrimaryResponse {
	s.t.Helper()
	made, err := tpm2.CreatePrimary{PrimaryHandle: hierarchy, InPublic: tpm2.New2B(template)}.Execute(s.conn)
	if err != nil {
		s.t.Fatal(err)
	}
	return made
}

// EndorsementKey is TPM2B_PUBLIC of the key of the TCG's template L-1.
func (s *TPM) EndorsementKey() []byte { return tpm2.Marshal(s.endorsement.OutPublic) }

// StorageRootKey is TPM2B_PUBLIC of the storage root key.
func (s *TPM) StorageRootKey() []byte { return tpm2.Marshal(s.storageRoot.OutPublic) }

// Activate takes a key from DPS in, as the clients do: ActivateCredential,
// Import, Load. The result signs with it inside the TPM, until the next Activate.
func (s *TPM) Activate(sealed []byte) (sign func(message []byte) ([]byte, error), err error) {
	var parts [6][]byte
	rest := sealed
	for i := range parts {
		if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
			return nil, fmt.Errorf("part %d is cut off", i+1)
		}
		size := int(binary.BigEndian.Uint16(rest))
		parts[i], rest = rest[2:2+size], rest[2+size:]
	}
	if len(rest) > 0 {
		return nil, errors.New("bytes after the last part")
	}
	inner, err := s.credential(parts[0], parts[1])
	if err != nil {
		return nil, fmt.Errorf("activate: %w", err)
	}
	key, err := s.load(parts[2], parts[3], parts[4], inner)
	if err != nil {
		return nil, err
	}
	s.imported = key
	return func(message []byte) ([]byte, error) {
		made, err := tpm2.Hmac{Handle: tpm2.AuthHandle{Handle: key.ObjectHandle, Name: key.Name, Auth: tpm2.PasswordAuth(nil)},
			Buffer: tpm2.TPM2BMaxBuffer{Buffer: message}, HashAlg: tpm2.TPMAlgSHA256}.Execute(s.conn)
		if err != nil {
			return nil, err
		}
		return made.OutHMAC.Buffer, nil
	}, nil
}

// credential is ActivateCredential, whose second authorisation is a policy
// session with PolicySecret(endorsement).
func (s *TPM) credential(idObject, secret []byte) ([]byte, error) {
	session, closeSession, err := tpm2.PolicySession(s.conn, tpm2.TPMAlgSHA256, 16)
	if err != nil {
		return nil, err
	}
	defer func() { _ = closeSession() }()
	_, err = tpm2.PolicySecret{AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHEndorsement, Auth: tpm2.PasswordAuth(nil)},
		PolicySession: session.Handle(), NonceTPM: session.NonceTPM()}.Execute(s.conn)
	if err != nil {
		return nil, err
	}
	activated, err := tpm2.ActivateCredential{
		ActivateHandle: tpm2.AuthHandle{Handle: s.storageRoot.ObjectHandle, Name: s.storageRoot.Name, Auth: tpm2.PasswordAuth(nil)},
		KeyHandle:      tpm2.AuthHandle{Handle: s.endorsement.ObjectHandle, Name: s.endorsement.Name, Auth: session},
		CredentialBlob: tpm2.TPM2BIDObject{Buffer: idObject}, Secret: tpm2.TPM2BEncryptedSecret{Buffer: secret},
	}.Execute(s.conn)
	if err != nil {
		return nil, err
	}
	return activated.CertInfo.Buffer, nil
}

func (s *TPM) load(private, secret, public, inner []byte) (*tpm2.LoadResponse, error) {
	if s.imported != nil { // there are three slots
		if _, err := (tpm2.FlushContext{FlushHandle: s.imported.ObjectHandle}).Execute(s.conn); err != nil {
			return nil, err
		}
		s.imported = nil
	}
	parent := tpm2.AuthHandle{Handle: s.storageRoot.ObjectHandle, Name: s.storageRoot.Name, Auth: tpm2.PasswordAuth(nil)}
	area := tpm2.BytesAs2B[tpm2.TPMTPublic](public)
	imported, err := tpm2.Import{ParentHandle: parent, EncryptionKey: tpm2.TPM2BData{Buffer: inner}, ObjectPublic: area,
		Duplicate: tpm2.TPM2BPrivate{Buffer: private}, InSymSeed: tpm2.TPM2BEncryptedSecret{Buffer: secret},
		Symmetric: tpm2.TPMTSymDef{Algorithm: tpm2.TPMAlgAES, KeyBits: tpm2.NewTPMUSymKeyBits(tpm2.TPMAlgAES, tpm2.TPMKeyBits(8*len(inner))),
			Mode: tpm2.NewTPMUSymMode(tpm2.TPMAlgAES, tpm2.TPMAlgCFB)}}.Execute(s.conn)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	loaded, err := tpm2.Load{ParentHandle: parent, InPrivate: imported.OutPrivate, InPublic: area}.Execute(s.conn)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return loaded, nil
}
