package tpm

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-tpm/tpm2"
)

// answering is a transport that answers everything with one code.
type answering struct {
	tag   uint16
	code  tpm2.TPMRC
	err   error
	asked int
}

func (a *answering) Send([]byte) ([]byte, error) {
	a.asked++
	if a.err != nil {
		return nil, a.err
	}
	response := binary.BigEndian.AppendUint16(nil, a.tag)
	response = binary.BigEndian.AppendUint32(response, 10)
	return binary.BigEndian.AppendUint32(response, uint32(a.code)), nil
}

func (a *answering) Close() error { return nil }

func TestEachFailureHasItsText(t *testing.T) {
	const plain = 0x8001
	for _, row := range []struct {
		answer answering
		want   Code
	}{
		{answering{tag: 0x00C4, code: 0x1E}, CodeOldTPM},
		{answering{tag: plain, code: tpm2.TPMRCLockout}, CodeLockout},
		{answering{tag: plain, code: 0x9A2}, CodeAuth},
		{answering{tag: plain, code: 0x98E}, CodeKeyAuth},
		{answering{tag: plain, code: 0x185}, CodeHierarchyOff},
		{answering{tag: plain, code: tpm2.TPMRCObjectMemory}, CodeObjectMemory},
		{answering{tag: plain, code: tpm2.TPMRCSessionMemory}, CodeSessionMemory},
		{answering{tag: plain, code: 0xB0000 | tpm2.TPMRCObjectMemory}, CodeObjectMemory},
		{answering{tag: plain, code: 0xC0000 | tpm2.TPMRCSessionMemory}, CodeSessionMemory},
		{answering{err: syscall.EBUSY}, CodeBusy},
		{answering{tag: plain, code: tpm2.TPMRCInitialize}, CodeNotStarted},
		{answering{tag: plain, code: tpm2.TPMRCFailure}, CodeFailed},
		{answering{err: io.ErrUnexpectedEOF}, CodeLost},
	} {
		answer := row.answer
		_, err := New(&answer, Auth{}).Properties(t.Context())
		wants(t, err, row.want)
		if answer.asked != 1 {
			t.Errorf("%s: asked %d times", row.want, answer.asked)
		}
	}
	for err, want := range map[error]Code{fs.ErrNotExist: CodeNoTPM, fs.ErrPermission: CodeNoPermission, syscall.EBUSY: CodeBusy, errors.New("x"): CodeNoTPM} {
		wants(t, NodeError("/dev/tpm0", err), want)
	}
}

// busy answers that it cannot just now, and then works.
type busy struct {
	Transport
	code  tpm2.TPMRC
	times int
}

func (b *busy) Send(command []byte) ([]byte, error) {
	if b.times--; b.times >= 0 {
		return (&answering{tag: 0x8001, code: b.code}).Send(command)
	}
	return b.Transport.Send(command)
}

func TestATPMThatIsBusyIsAskedAgain(t *testing.T) {
	chip := bare(t)
	for _, code := range []tpm2.TPMRC{tpm2.TPMRCRetry, tpm2.TPMRCYielded, tpm2.TPMRCNVRate, tpm2.TPMRCTesting} {
		slow := New(&busy{Transport: chip.transport, code: code, times: 3}, Auth{})
		if _, err := slow.Properties(t.Context()); err != nil {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// One that stays busy is given up after some two seconds.
func TestATPMThatStaysBusy(t *testing.T) {
	for _, code := range later {
		for _, layer := range []tpm2.TPMRC{0, 0xB0000, 0xC0000} {
			synctest.Test(t, func(t *testing.T) {
				begun, answer := time.Now(), answering{tag: 0x8001, code: layer | code}
				_, err := New(&answer, Auth{}).Properties(t.Context())
				wants(t, err, CodeBusy)
				if took := time.Since(begun); took < time.Second || took > 3*time.Second {
					t.Errorf("%s: given up after %v", code, took)
				}
			})
		}
	}
}

// A layer's own small codes are none of the TPM's.
func TestLayersOwnCodeStays(t *testing.T) {
	answer := answering{tag: 0x8001, code: 0xC0001}
	_, err := New(&answer, Auth{}).Properties(t.Context())
	var found *Error
	if err == nil || errors.As(err, &found) {
		t.Errorf("0xC0001 is read as %v", err)
	}
}
