package hostdetect

import (
	"context"
	_ "embed"
	"errors"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed reach.sh
var reachScript string

// How long one endpoint may take to answer, name resolution included.
const reachPatience = 6 * time.Second

// A host name or address as it may stand on a command line: no blank, no
// leading hyphen.
var reachableName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._:%-]{0,253}$|^::[0-9A-Fa-f:.]*$`)

func (e Endpoint) valid() bool {
	return reachableName.MatchString(e.Host) && e.Port > 0 && e.Port < 1<<16
}

// reachFrom tries endpoints from the host itself, all at once, past any proxy.
func reachFrom(ctx context.Context, h Host, offline bool, endpoints []Endpoint) []Reachability {
	out := make([]Reachability, len(endpoints))
	var args []string
	for i, e := range endpoints {
		out[i] = Reachability{Endpoint: e, Resolved: Unknown, Open: Unknown, Why: "the host did not say"}
		switch {
		case offline:
			out[i].Why = "only files can be read"
		case !e.valid():
			out[i].Why = "not a host name and port"
		default:
			args = append(args, e.Host, strconv.Itoa(e.Port))
		}
	}
	if len(args) == 0 {
		return out
	}
	mark, err := newMark()
	if err != nil {
		return out
	}
	answer, _, err := h.Output(ctx, "sh", append([]string{"-c", reachScript, "edgewright", mark}, args...)...)
	if err != nil {
		for i := range out {
			if out[i].valid() {
				out[i].Why = "the host could not be asked"
			}
		}
		return out
	}
	parseReach(answer, mark, out)
	return out
}

// parseReach fills in what the script's lines say; lines of another shape or
// for another endpoint are passed over.
func parseReach(answer []byte, mark string, out []Reachability) {
	states := map[string]State{"yes": Found, "no": Absent, "unknown": Unknown}
	for line := range strings.Lines(string(answer[:min(len(answer), answerLimit)])) {
		f := strings.Fields(line)
		if len(f) != 8 || f[0] != mark {
			continue
		}
		resolved, ok1 := states[f[3]]
		open, ok2 := states[f[5]]
		if !ok1 || !ok2 {
			continue
		}
		for i := range out {
			r := &out[i]
			if r.Host != f[1] || strconv.Itoa(r.Port) != f[2] {
				continue
			}
			r.Resolved, r.Open, r.Why = resolved, open, ""
			r.How = "tools " + f[4] + ", " + f[6]
			if a, err := netip.ParseAddr(f[7]); err == nil && resolved == Found {
				r.Address = a.String()
			}
			switch {
			case open == Unknown:
				r.Why = "the host has no bash, python, nc, curl or openssl to try with"
			case resolved == Absent:
				r.Why = "the name is not known to the host"
			case open == Absent:
				r.Why = "no answer, or refused"
			}
		}
	}
}

// reachLocal tries endpoints from this process.
func reachLocal(ctx context.Context, endpoints []Endpoint) []Reachability {
	out := make([]Reachability, len(endpoints))
	var all sync.WaitGroup
	for i, e := range endpoints {
		out[i] = Reachability{Endpoint: e, Resolved: Unknown, Open: Unknown, How: "this program"}
		if !e.valid() {
			out[i].Why = "not a host name and port"
			continue
		}
		all.Go(func() { out[i].try(ctx) })
	}
	all.Wait()
	return out
}

func (r *Reachability) try(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, reachPatience)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, r.Host)
	if err != nil || len(addresses) == 0 {
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			r.Resolved, r.Open, r.Why = Absent, Absent, "the name is not known to this computer"
			return
		}
		r.Why = "the name could not be looked up"
		return
	}
	r.Resolved, r.Address = Found, addresses[0]
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(r.Host, strconv.Itoa(r.Port)))
	if err != nil {
		r.Open, r.Why = Absent, "no answer, or refused"
		return
	}
	r.Open = Found
	// Nothing was sent; a failure to close changes nothing of the answer.
	_ = c.Close()
}

// addReachFacts lists one fact per endpoint.
func (r *Report) addReachFacts() {
	for _, e := range r.Reach {
		where := net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
		f := Fact{Key: FactReach, Value: where + " open", Found: e.Open, How: e.How, Why: e.Why}
		if e.Open != Found {
			f.Value = where
		}
		r.Facts = append(r.Facts, f)
	}
}
