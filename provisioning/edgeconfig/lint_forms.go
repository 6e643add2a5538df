package edgeconfig

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

var (
	renewalPoint = regexp.MustCompile(`^(?:[1-9][0-9]?%|[1-9][0-9]*(?:min|day))$`)
	wholeDays    = regexp.MustCompile(`^[1-9][0-9]*\s*(?:d|day|days)$`)
	timeOfDay    = regexp.MustCompile(`^(?:[01][0-9]|2[0-3]):[0-5][0-9]$`)
)

// form checks what a string has to look like.
func (l *linter) form(form Form, field string, e *entry, v *value) {
	name, text := e.name, v.text
	fail := func(problem, fix string) {
		if problem != "" {
			l.add(LevelError, field, v.start, problem, fix)
		}
	}
	switch form {
	case FileURI, CertificateOrIDs:
		fail(fileURIProblem(name, text, false))
	case KeyURI, RawKeyURI:
		fail(fileURIProblem(name, text, true))
		if form == RawKeyURI {
			l.note(field, e, "the file must hold the raw bytes of the key; base64 text in it loads and is then refused by the hub (401)", `Prefer value = "…" with the base64 text, or decode it before it is written to the file.`)
		}
	case Base64Key:
		problem, fix := symmetricKeyProblem(text)
		if problem == "" && l.version.Before(Version{1, 4, 10}) && len(text)%4 != 0 {
			problem, fix = "the base64 of the key has no padding, which is read by 1.4.10 and later only", "Add = at the end until the length is a multiple of 4."
		}
		if problem != "" {
			fail(untagged(problem, "SymmetricKey"), fix)
		}
	case HubConnection:
		parts := parseConnectionString(text)
		problem, fix := parts.problem()
		if problem == "" && l.version.Before(Version{1, 4, 10}) && len(parts.key)%4 != 0 {
			problem, fix = "the SharedAccessKey has no base64 padding, which is read by 1.4.10 and later only", "Add = at the end until the length is a multiple of 4."
		}
		if problem != "" {
			fail(untagged(problem, "ManualProvisioning"), fix)
		}
	case ServiceURL:
		l.serviceURL(field, name, v)
	case ESTURL:
		if u, err := url.Parse(text); err == nil && u.Scheme == "http" && u.Host != "" {
			l.add(LevelCare, field, v.start, "the EST server is called without TLS", "Use an https URL.")
		} else if err != nil || u.Scheme != "https" || u.Host == "" {
			fail("the URL of the EST server is not one", "Write https://host/.well-known/est.")
		}
	case RenewalPoint:
		if !renewalPoint.MatchString(text) {
			fail(name+" is not a point of renewal", `Write "80%", "60min" or "10day": a share from 1 to 99 %, or a time before the end; the units are exactly min and day.`)
		}
	case WholeDays:
		if !wholeDays.MatchString(text) {
			fail(name+" is not a number of whole days", `Write "7d".`)
		}
	case TimeOfDay:
		if !timeOfDay.MatchString(text) {
			fail(name+" is not a time of day", `Write "HH:MM", with 24 hours.`)
		}
	case ConnectSocket, EngineSocket:
		fail(socketProblem(name, text, "unix", "http"))
	case ListenSocket:
		fail(socketProblem(name, text, "fd", "unix", "http"))
	case AbsolutePath, PathList:
		if !strings.HasPrefix(text, "/") {
			fail(name+" is not an absolute path", "Begin it with /.")
		}
	case TCTIForm:
		if strings.HasPrefix(text, "/dev/") {
			l.add(LevelCare, field, v.start, name+" is the path of a device node, which is taken for a library", `Write "device:`+text+`", or "device" for the node that is there.`)
		}
	case RestartLimit:
		if text != "infinite" {
			fail(name+" is neither \"infinite\" nor a number", `Write "infinite", or a positive number without quotes.`)
		}
	}
}

// fileURIProblem checks file:///absolute/path, and pkcs11 URIs where key is
// set.
func fileURIProblem(name, text string, key bool) (problem, fix string) {
	switch {
	case key && strings.HasPrefix(text, "pkcs11:"):
		return "", ""
	case strings.HasPrefix(text, "pkcs11:"):
		return name + " is a pkcs11 URI, which only keys may be", "Write file:///absolute/path."
	case strings.HasPrefix(text, "/"):
		return name + " is a path and not a URI", "Put file:// before it: file:///absolute/path."
	case !strings.HasPrefix(text, "file:///") || text == "file:///":
		if key {
			return name + " is neither a file URI nor a pkcs11 URI", "Write file:///absolute/path, with three slashes, or pkcs11:…"
		}
		return name + " is not a file URI with an absolute path", "Write file:///absolute/path, with three slashes."
	}
	for _, r := range text {
		if r <= ' ' || r > '~' {
			return name + " has a character in its path that a URI cannot hold", "Write spaces as %20, and other such characters percent-encoded."
		}
	}
	if _, err := url.Parse(text); err != nil {
		return name + " has a % that begins no percent-encoding", "Write % itself as %25."
	}
	return "", ""
}

func (l *linter) serviceURL(field, name string, v *value) {
	u, err := url.Parse(v.text)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		l.add(LevelError, field, v.start, name+" is not a URL", "Write https://global.azure-devices-provisioning.net, with its scheme.")
	case u.Scheme == "http":
		l.add(LevelCare, field, v.start, name+" is called without TLS", "Use an https URL.")
	}
}

func socketProblem(name, text string, schemes ...string) (problem, fix string) {
	scheme, rest, found := strings.Cut(text, "://")
	for _, allowed := range schemes {
		if found && scheme == allowed && rest != "" && (scheme != "unix" || strings.HasPrefix(rest, "/")) {
			return "", ""
		}
	}
	return name + " is not the URI of a socket", "Write unix:///absolute/path, or one of: " + strings.Join(schemes, "://, ") + "://."
}

// hostNameProblem checks the rules of RFC 1035 for a host name; an IP address
// passes. tooLong is set above what a DNS name can be at all.
func hostNameProblem(name string) (problem string, tooLong bool) {
	if _, err := netip.ParseAddr(name); err == nil {
		return "", false
	}
	if len(name) > 255 {
		return "it is longer than 255 characters", true
	}
	for label := range strings.SplitSeq(name, ".") {
		switch {
		case label == "" || len(label) > 63:
			return "each part between dots has 1 to 63 characters", false
		case !isLetter(label[0]):
			return "each part between dots begins with a letter", false
		case !isLetter(label[len(label)-1]) && !isDigit(label[len(label)-1]):
			return "each part between dots ends with a letter or a digit", false
		}
		for i := range len(label) {
			if c := label[i]; !isLetter(c) && !isDigit(c) && c != '-' {
				return "only letters, digits, hyphens and dots may be in it", false
			}
		}
	}
	if len(name) > 64 {
		return "it is longer than 64 characters, which is what a certificate's CN can hold", false
	}
	return "", false
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
