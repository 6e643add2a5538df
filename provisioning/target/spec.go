package target

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// Kind is the sort of target.
type Kind string

// The kinds of targets.
const (
	KindLocal  Kind = "local"
	KindSSH    Kind = "ssh"
	KindRootfs Kind = "rootfs"
	// KindPractice is a folder too: a device of the practice cloud.
	KindPractice Kind = "practice"
)

// Endpoint is one SSH server as the user named it: a host name, an alias of
// ssh_config, or an address; IPv6 without brackets and with a plain % before
// its zone. User and Port are zero when not given.
type Endpoint struct {
	User string
	Host string
	Port int
}

// Spec is a parsed target.
type Spec struct {
	Kind Kind
	SSH  Endpoint  // KindSSH
	Jump *Endpoint // KindSSH, nil if none was given
	Path string    // KindRootfs: clean, absolute, with forward slashes
	Name string    // KindPractice
}

// ParseSpec reads `local:`, `ssh://[user@]host[:port][?jump=user@host]` with
// IPv6 zones as `[fe80::1%25eth0]`, `rootfs:///path` and `practice:NAME`.
// Spec.String gives the same target back.
func ParseSpec(text string) (Spec, error) {
	switch {
	case text == "":
		return Spec{}, errors.New("target is empty: name local:, ssh://host, rootfs:///path or practice:NAME")
	case text == "local:":
		return Spec{Kind: KindLocal}, nil
	case strings.HasPrefix(text, "ssh://"):
		return parseSSH(text)
	case strings.HasPrefix(text, "rootfs:"):
		return parseRootfs(text)
	case strings.HasPrefix(text, "practice:"):
		name := strings.TrimPrefix(text, "practice:")
		if err := CheckPracticeName(name); err != nil {
			return Spec{}, fmt.Errorf("target %q: %w", text, err)
		}
		return Spec{Kind: KindPractice, Name: name}, nil
	}
	scheme, _, found := strings.Cut(text, ":")
	switch scheme {
	case "eflow", "eflow+ssh", "winrm", "eflow+winrm":
		if found {
			return Spec{}, fmt.Errorf("target %s: comes later", scheme)
		}
	}
	return Spec{}, fmt.Errorf("target %q: not local:, ssh://host, rootfs:///path or practice:NAME", text)
}

// ParseShorthand reads what a person types for an SSH machine, `[user@]host[:port]`
// with IPv6 addresses in brackets or bare, and everything ParseSpec reads.
func ParseShorthand(text string) (Spec, error) {
	text = strings.TrimSpace(text)
	if strings.Contains(text, "://") || text == "local:" || strings.HasPrefix(text, "rootfs:") || strings.HasPrefix(text, "practice:") {
		return ParseSpec(text)
	}
	if end, err := parseEndpoint(text); err == nil {
		return Spec{Kind: KindSSH, SSH: end}, nil
	}
	if scheme, _, ok := strings.Cut(text, ":"); ok && (scheme == "eflow" || scheme == "winrm") {
		return ParseSpec(text)
	}
	end, err := parseEndpoint(text)
	return Spec{Kind: KindSSH, SSH: end}, err
}

// String gives the text that ParseSpec reads.
func (s Spec) String() string {
	switch s.Kind {
	case KindLocal:
		return "local:"
	case KindSSH:
		text := "ssh://" + s.SSH.urlText()
		if s.Jump != nil {
			text += "?jump=" + url.QueryEscape(s.Jump.text())
		}
		return text
	case KindRootfs:
		return "rootfs://" + (&url.URL{Path: s.Path}).EscapedPath()
	case KindPractice:
		return "practice:" + s.Name
	}
	return ""
}

// CheckPracticeName tells what is wrong with the name of a practice device. It
// names a folder on any system, and fits as a device ID and registration ID.
func CheckPracticeName(name string) error {
	const inner, ends = "abcdefghijklmnopqrstuvwxyz0123456789-_", "abcdefghijklmnopqrstuvwxyz0123456789"
	if name == "" || len(name) > 64 || strings.Trim(name, inner) != "" || !strings.Contains(ends, name[:1]) || !strings.Contains(ends, name[len(name)-1:]) {
		return errors.New("a practice device is named with 1 to 64 lower-case letters, digits, - and _, a letter or digit first and last")
	}
	return nil
}

func parseSSH(text string) (Spec, error) {
	rest := strings.TrimPrefix(text, "ssh://")
	rest, query, hasQuery := strings.Cut(rest, "?")
	rest = strings.TrimSuffix(rest, "/")
	fail := func(err error) (Spec, error) { return Spec{}, fmt.Errorf("target %q: %w", text, err) }
	if strings.ContainsAny(rest, "/#") {
		return fail(errors.New("has a path; only user, host and port are read"))
	}
	user, host := "", rest
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		var err error
		if user, err = url.PathUnescape(rest[:at]); err != nil || user == "" {
			return fail(errors.New("bad user"))
		}
		host = rest[at+1:]
		if strings.Contains(user, ":") {
			return Spec{}, errors.New("target ssh: a password does not belong in a target; it is asked for, or read by --ssh-password-fd")
		}
	}
	if inner, after, ok := strings.Cut(host, "]"); ok && strings.HasPrefix(inner, "[") {
		zoned := strings.Replace(inner, "%25", "%", 1)
		if strings.Contains(inner, "%") && !strings.Contains(inner, "%25") {
			return fail(errors.New("write the zone as [address%25zone]"))
		}
		host = zoned + "]" + after
	}
	end, err := splitHostPort(host)
	if err != nil {
		return fail(err)
	}
	end.User = user
	if err := end.check(); err != nil {
		return fail(err)
	}
	spec := Spec{Kind: KindSSH, SSH: end}
	if hasQuery {
		values, err := url.ParseQuery(query)
		if err != nil {
			return fail(errors.New("bad query"))
		}
		for key := range values {
			if key != "jump" || len(values[key]) != 1 {
				return fail(fmt.Errorf("%q is not a setting; only one jump=user@host is read", key))
			}
		}
		if values.Has("jump") {
			jump, err := parseEndpoint(values.Get("jump"))
			if err != nil {
				return fail(fmt.Errorf("jump: %w", err))
			}
			spec.Jump = &jump
		}
	}
	return spec, nil
}

func parseRootfs(text string) (Spec, error) {
	rest, ok := strings.CutPrefix(text, "rootfs://")
	if !ok || !strings.HasPrefix(rest, "/") {
		return Spec{}, fmt.Errorf("target %q: write rootfs:///path with an absolute path", text)
	}
	if strings.ContainsAny(rest, "?#") {
		return Spec{}, fmt.Errorf("target %q: ? and # in the path are written %%3F and %%23", text)
	}
	folder, err := url.PathUnescape(rest)
	if err != nil || hasControl(folder) {
		return Spec{}, fmt.Errorf("target %q: bad path", text)
	}
	folder = path.Clean(folder)
	return Spec{Kind: KindRootfs, Path: folder}, nil
}

// parseEndpoint reads `[user@]host[:port]`.
func parseEndpoint(text string) (Endpoint, error) {
	user, host := "", text
	if at := strings.LastIndex(text, "@"); at >= 0 {
		user, host = text[:at], text[at+1:]
		if user == "" {
			return Endpoint{}, fmt.Errorf("%q: user is empty", text)
		}
	}
	end, err := splitHostPort(host)
	if err != nil {
		return Endpoint{}, err
	}
	end.User = user
	return end, end.check()
}

func splitHostPort(text string) (Endpoint, error) {
	host, port := text, ""
	if inner, ok := strings.CutPrefix(text, "["); ok {
		address, after, closed := strings.Cut(inner, "]")
		if !closed || (after != "" && !strings.HasPrefix(after, ":")) || (after == ":") {
			return Endpoint{}, fmt.Errorf("%q: bad bracketed address", text)
		}
		if ip, err := netip.ParseAddr(address); err != nil || !ip.Is6() {
			return Endpoint{}, fmt.Errorf("%q: only an IPv6 address stands in brackets", text)
		}
		host, port = address, strings.TrimPrefix(after, ":")
	} else if strings.Count(text, ":") == 1 {
		host, port, _ = strings.Cut(text, ":")
		if port == "" {
			return Endpoint{}, fmt.Errorf("%q: port is empty", text)
		}
	} else if strings.Contains(text, ":") {
		if ip, err := netip.ParseAddr(text); err != nil || !ip.Is6() {
			return Endpoint{}, fmt.Errorf("%q: not an address", text)
		}
	}
	end := Endpoint{Host: host}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return Endpoint{}, fmt.Errorf("port %q: want 1 to 65535", port)
		}
		end.Port = int(n)
	}
	return end, nil
}

func (e Endpoint) check() error {
	switch {
	case e.Host == "":
		return errors.New("host is empty")
	case strings.HasPrefix(e.Host, "-") || strings.HasPrefix(e.User, "-"):
		return errors.New("host and user do not begin with -")
	case strings.ContainsAny(e.User, " \t@/:\\'\"`$;|&<>()[]{}%,") || hasControl(e.User):
		// A backslash would be a domain account, which no Linux device has.
		return errors.New("user has a character that user names do not have")
	}
	if strings.Contains(e.Host, ":") {
		ip, err := netip.ParseAddr(e.Host)
		if err != nil || strings.ContainsAny(ip.Zone(), "%/?#[]@ ") || hasControl(ip.Zone()) {
			return errors.New("not an IPv6 address")
		}
		return nil
	}
	for _, r := range e.Host {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_'
		if !ok {
			return fmt.Errorf("host has %q: letters, digits, dot, - and _ only", r)
		}
	}
	return nil
}

// text is `[user@]host[:port]` with a plain % before a zone, as parseEndpoint
// reads it.
func (e Endpoint) text() string {
	host := e.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if e.User != "" {
		host = e.User + "@" + host
	}
	if e.Port != 0 {
		host += ":" + strconv.Itoa(e.Port)
	}
	return host
}

func (e Endpoint) urlText() string {
	return strings.Replace(e.text(), "%", "%25", 1)
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}
