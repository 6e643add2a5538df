package tpm

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/google/go-tpm/tpm2"
)

// Transport carries one command to a TPM and brings its response: whole
// buffers as TPM 2.0 Part 1, 18 lays them out. It is used by one goroutine at a
// time. Closing it while a command is under way ends that command.
type Transport interface {
	Send(command []byte) (response []byte, err error)
	io.Closer
}

// TPM is an open TPM 2.0. Its methods may be called from several goroutines;
// they wait for each other.
type TPM struct {
	mu        sync.Mutex
	transport Transport
	auth      Auth
}

// New takes a transport over, which [TPM.Close] closes.
func New(transport Transport, auth Auth) *TPM { return &TPM{transport: transport, auth: auth} }

// Close ends the transport.
func (t *TPM) Close() error { return t.transport.Close() }

// use runs act with the TPM for itself. A context that ends closes the
// transport, as there is no other way to end a command.
func (t *TPM) use(ctx context.Context, operation string, act func(sender) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = t.transport.Close() })
	defer stop()
	err := act(sender{t.transport})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return explain(operation, err)
}

// sender is a transport that sends again what the TPM could not take just now.
type sender struct{ Transport }

// The pauses after "try again" double from the first; go-tpm gives up after
// two seconds, too.
const (
	firstPause = time.Millisecond
	lastPause  = time.Second
)

const (
	headSize    = 10      // tag, size, code (Part 1, 18.5)
	maxResponse = 1 << 16 // bytes; a TPM has 4096
	tagOldTPM   = 0x00C4  // TPM_TAG_RSP_COMMAND of TPM 1.2
)

func (s sender) Send(command []byte) ([]byte, error) {
	for pause := firstPause; ; pause *= 2 {
		response, err := s.Transport.Send(command)
		if err != nil {
			return nil, &transportError{err}
		}
		if err := checkHead(response); err != nil {
			return nil, err
		}
		dropLayer(response)
		if !again(tpm2.TPMRC(binary.BigEndian.Uint32(response[6:]))) || pause > lastPause {
			return response, nil
		}
		time.Sleep(pause)
	}
}

// later are the codes with which a TPM did nothing and asks for a repetition
// (Part 2, 6.6.3). None of them counts as a wrong password.
var later = []tpm2.TPMRC{tpm2.TPMRCRetry, tpm2.TPMRCYielded, tpm2.TPMRCNVRate, tpm2.TPMRCTesting}

func again(code tpm2.TPMRC) bool { return slices.Contains(later, code) }

// A resource manager answers in the TPM's place with the TPM's own code and a
// layer above it (TSS2_RESMGR_TPM_RC_LAYER and TSS2_RESMGR_RC_LAYER of the TCG
// TSS 2.0 Overview, as Linux's and tpm2-abrmd do).
const (
	layerShift      = 16
	layerManagedTPM = 11
	layerManager    = 12
	firstTPMCode    = 0x100 // a layer has smaller ones of its own
)

// dropLayer leaves the TPM's own code in a response.
func dropLayer(response []byte) {
	code := binary.BigEndian.Uint32(response[6:])
	layer, own := code>>layerShift, code&(1<<layerShift-1)
	if (layer == layerManagedTPM || layer == layerManager) && own >= firstTPMCode {
		binary.BigEndian.PutUint32(response[6:], own)
	}
}

func checkHead(response []byte) error {
	if len(response) < headSize {
		return &transportError{fmt.Errorf("a response of %d bytes", len(response))}
	}
	if size := binary.BigEndian.Uint32(response[2:]); size != uint32(len(response)) {
		return &transportError{fmt.Errorf("a response of %d bytes that says it has %d", len(response), size)}
	}
	if binary.BigEndian.Uint16(response) == tagOldTPM {
		return errOldTPM
	}
	return nil
}

// transportError is a failure on the way to the TPM, not one of the TPM.
type transportError struct{ err error }

func (e *transportError) Error() string { return e.err.Error() }
func (e *transportError) Unwrap() error { return e.err }
