package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ServeHelper is `edgewright helper`: it says hello on out, carries requests
// out that come on in, one at a time, and returns when in ends, whatever is
// under way then being cancelled. It runs as root, started by the program
// itself through polkit or sudo, and opens no catalog and no home. main turns
// an error into an exit code other than 126 and 127, which are pkexec's.
func ServeHelper(ctx context.Context, in io.Reader, out io.Writer, version string) error {
	if !isRoot() {
		return errors.New("helper: it is started by Edgewright itself, with administrator rights")
	}
	HideMemory()
	s := &helperServer{nonce: randomMark(""), out: out}
	if _, err := fmt.Fprintf(out, "%s %s %s\n", helperHello, helloVersion(version), s.nonce); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer s.close()

	requests := make(chan helperRequest)
	ended := make(chan error, 1)
	go func() {
		defer stop()
		for {
			var request helperRequest
			if err := readFrame(in, &request); err != nil {
				ended <- err
				return
			}
			if request.Nonce != s.nonce {
				ended <- errors.New("helper: a request without the nonce")
				return
			}
			if request.Verb == verbCancel {
				s.cancelRequest(request.Number)
				continue
			}
			select {
			case requests <- request:
			case <-ctx.Done():
				ended <- ctx.Err()
				return
			}
		}
	}()
	for {
		select {
		case request := <-requests:
			if err := s.answer(ctx, request); err != nil {
				return err
			}
		case err := <-ended:
			if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		}
	}
}

type helperServer struct {
	nonce string
	root  Root
	tpm   TPM

	outMu sync.Mutex
	out   io.Writer

	cancelMu  sync.Mutex
	cancel    context.CancelFunc
	current   int // number of the request under way
	cancelled int // highest number that was cancelled
}

func (s *helperServer) close() {
	if s.tpm != nil {
		_ = s.tpm.Close()
	}
	if s.root != nil {
		_ = s.root.Close()
	}
}

func (s *helperServer) cancelRequest(number int) {
	s.cancelMu.Lock()
	defer s.cancelMu.Unlock()
	s.cancelled = max(s.cancelled, number)
	if s.cancel != nil && number == s.current {
		s.cancel()
	}
}

func (s *helperServer) send(reply helperReply) error {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	return writeFrame(s.out, reply)
}

func (s *helperServer) answer(ctx context.Context, request helperRequest) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.cancelMu.Lock()
	s.cancel, s.current = cancel, request.Number
	if s.cancelled == request.Number {
		cancel() // the cancel overtook the request
	}
	s.cancelMu.Unlock()
	reply, err := s.carryOut(ctx, request)
	reply.Error = toWireError(err)
	return s.send(reply)
}

func (s *helperServer) carryOut(ctx context.Context, q helperRequest) (reply helperReply, err error) {
	if q.Verb == verbOpen {
		if s.root != nil {
			return reply, errors.New("helper: it is open already")
		}
		if q.Path == "" {
			s.root, err = openLiveRoot(Options{})
		} else {
			s.root, err = openFolderRoot(q.Path, false, Options{})
		}
		return reply, err
	}
	if s.root == nil {
		return reply, errors.New("helper: nothing is open")
	}
	switch q.Verb {
	case verbTPMOpen:
		if err = s.openTPM(); err == nil {
			reply.Data = []byte(s.tpm.Way())
		}
	case verbTPMSend:
		if s.tpm == nil {
			return reply, errors.New("helper: the TPM is not open")
		}
		reply.Data, err = s.tpm.Send(q.Data)
	case verbRead:
		reply.Data, err = s.root.ReadFile(ctx, q.Path)
	case verbStat:
		var info FileInfo
		info, err = s.root.Stat(ctx, q.Path)
		reply.Info = &info
	case verbLock:
		err = s.root.Lock(ctx, q.Run, q.Expiry)
	case verbUnlock:
		err = s.root.Unlock(ctx, q.Run)
	case verbSame:
		reply.Same, err = s.root.Same(ctx, q.Set.set())
	case verbPlace:
		var placed Placed
		placed, err = s.root.Place(ctx, q.Set.set())
		reply.Placed = &placed
	case verbPutBack:
		err = s.root.PutBack(ctx, q.Run)
	case verbForget:
		err = s.root.Forget(ctx, q.Run)
	case verbReadAs:
		reply.Data, err = s.root.ReadAs(ctx, q.User, q.Path)
	case verbPublic:
		reply.Data, err = s.root.PublicKey(ctx, q.User, q.Path)
	case verbSign:
		if q.Sign == nil {
			return reply, errors.New("helper: nothing to sign")
		}
		reply.Data, err = s.root.Sign(ctx, q.Path, *q.Sign)
	case verbMayUse:
		err = s.root.MayUse(ctx, q.User, q.Path)
	case verbAct:
		var output Output
		output, err = s.root.Act(ctx, q.Action, func(line string) { _ = s.send(helperReply{Line: &line}) })
		reply.Output = &output
	default:
		err = fmt.Errorf("helper: verb %q is not in the list", string(q.Verb))
	}
	return reply, err
}

// helloVersion is one word.
func helloVersion(version string) string {
	word := make([]rune, 0, len(version))
	for _, r := range version {
		if r > ' ' && r < 0x7f {
			word = append(word, r)
		}
	}
	if len(word) == 0 {
		return "-"
	}
	return string(word)
}
