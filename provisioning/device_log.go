package provisioning

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// logLine is an error of a service of IoT Edge in the journal: the service, and
// what it says, each cause on a line of its own, the deepest last.
//
// IIS http-common/src/server.rs, logger/src/lib.rs
var logLine = regexp.MustCompile(`\baziot-(certd|identityd|keyd|tpmd|edged)\[\d+\]: .*\[ERR!\] - (?:!!! )?(caused by: )?(.*)$`)

// markLog notes where the journal of the services ends, so that only what comes
// later counts. A device that does not give it has none.
func (x *Execution) markLog(ctx context.Context) {
	x.logMark = lastOf(x.deviceLog(ctx))
}

func lastOf(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

// deviceLog are the last lines of the services' journal, those after the mark.
func (x *Execution) deviceLog(ctx context.Context) []string {
	out, err := x.Machine.Act(ctx, ActLogs, nil)
	if err != nil || out.Exit != 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(out.Stdout), "\n")
	if x.logMark == "" {
		return lines
	}
	for i := len(lines) - 1; i >= 0; i-- {
		if lines[i] == x.logMark {
			return lines[i+1:]
		}
	}
	return lines
}

// causeIn is the deepest cause of the last error that a service logged, without
// a full stop; "" for none.
func causeIn(lines []string, service string) (cause string) {
	for _, line := range lines {
		found := logLine.FindStringSubmatch(line)
		if found == nil || service != "" && found[1] != service || strings.HasPrefix(strings.TrimSpace(found[3]), "0: ") {
			continue // a backtrace says nothing to a person
		}
		cause = found[3]
	}
	return oneLine(cause)
}

// mostCause is how much is told of a cause, in characters: a server may have
// answered with a whole page.
const mostCause = 300

// oneLine makes text of a device fit for a message.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	text = strings.TrimRight(strings.TrimSpace(text), ".")
	if runes := []rune(text); len(runes) > mostCause {
		return string(runes[:mostCause]) + "…"
	}
	return text
}

// whyDown adds to an error about the services what they say themselves.
func (x *Execution) whyDown(ctx context.Context, err error) error {
	var failed *Error
	if !errors.As(err, &failed) || failed.Kind != ErrUnproven {
		return err
	}
	cause := causeIn(x.deviceLog(context.WithoutCancel(ctx)), "")
	if cause == "" {
		return err
	}
	said := *failed
	said.Message = failed.Message + " Its log says: " + cause + "."
	return &said
}

// What the certificate service of the runtime says of an EST server, in words of
// its own, of its HTTP client and of OpenSSL. IIS cert/aziot-certd/src/{lib,est}.rs
var estWords = []struct {
	words   string
	kind    error
	problem string // what %s, the server, does
	hint    string
}{
	{"successful response: 401", ErrUnauthorized, "The EST server %s does not know the device by what it shows.", "Give x509.est.bootstrap the certificate or login that the server's operator gave out."},
	{"successful response: 403", ErrUnauthorized, "The EST server %s does not let the device enrol.", "Give x509.est.bootstrap the certificate or login that the server's operator gave out."},
	{"alert", ErrUnauthorized, "The EST server %s does not take the device's bootstrap certificate.", "Give x509.est.bootstrap the certificate that the server's operator gave out."},
	{"certificate verify failed", ErrUnauthorized, "The device does not trust the EST server %s.", "Give x509.est.trust the CA of the server's certificate."},
	{"successful response: 4", ErrRefused, "The EST server %s refuses the device's request.", "Ask the server's operator what it issues, and to whom; x509.est.url names the server."},
	{"EST bootstrap identity cert", ErrRefused, "The device cannot use its bootstrap certificate for the EST server %s.", "Look whether aziotcs can read the certificate and aziotks its key."},
	{"unreadable cert", ErrRefused, "The device cannot read the certificates that vouch for the EST server %s.", "Look whether aziotcs can read them."},
}

// estUnreached are the words for a server that nobody is at.
var estUnreached = []string{"Connection refused", "dns error", "timed out", "No route to host", "Network is unreachable"}

// refusedByEST is what an EST server did to the device, once waiting cannot mend
// it; nil before. A server that is not reached is believed to be gone if a
// connection through the device is not made either: behind a proxy it is not.
func (x *Execution) refusedByEST(ctx context.Context) error {
	plan := x.Run.Plan
	if !plan.UsesEST() {
		return nil
	}
	cause := causeIn(x.deviceLog(ctx), "certd")
	if cause == "" {
		return nil
	}
	address, err := url.Parse(plan.X509.EST.URL)
	if err != nil {
		return fmt.Errorf("read x509.est.url: %w", err)
	}
	for _, known := range estWords {
		if strings.Contains(cause, known.words) {
			return &Error{Kind: known.kind, Message: fmt.Sprintf(known.problem, address.Host) + " Its log says: " + cause + ".", Hint: known.hint}
		}
	}
	shower, can := x.Machine.(ShowsTLS)
	for _, words := range estUnreached {
		if !can || !strings.Contains(cause, words) {
			continue
		}
		port := address.Port()
		if port == "" {
			port = "443"
		}
		if _, err := shower.ShownTLS(ctx, net.JoinHostPort(address.Hostname(), port)); err != nil && ctx.Err() == nil {
			return &Error{Kind: ErrUnreachable, Message: "The device does not reach the EST server " + address.Host + ". Its log says: " + cause + ".",
				Hint: "Look whether the server runs, whether x509.est.url is right, and whether a firewall is in between.", Err: err}
		}
	}
	return nil
}
