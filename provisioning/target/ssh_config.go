package target

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kevinburke/ssh_config"
)

// sshSettings is what ssh_config and the target's text say of one host.
type sshSettings struct {
	alias          string // as the user named it
	host           string // what is dialled
	port           int
	user           string
	identities     []string
	identitiesOnly bool
	agent          string // socket or pipe; "" is the system's, "none" is none
	knownHosts     []string
	keyAlias       string // HostKeyAlias
	jump           []Endpoint
}

// address is host and port to dial, with brackets for IPv6.
func (s sshSettings) address() string { return joinHostPort(s.host, s.port) }

// keyAddress is the name under which host keys are looked up.
func (s sshSettings) keyAddress() string {
	if s.keyAlias != "" {
		return joinHostPort(s.keyAlias, 22)
	}
	return s.address()
}

func joinHostPort(host string, port int) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}

// lookupConfig reads values of ssh_config(5): the first one holds.
type lookupConfig func(key string) []string

// resolveSSH joins the target's text with the user's and the system's
// ssh_config. What the text says comes first.
func resolveSSH(ctx context.Context, end Endpoint, options Options) (sshSettings, error) {
	home, _ := os.UserHomeDir() // without one nothing of it is found
	look, err := readSSHConfig(ctx, end.Host, home, options.SSHConfig)
	if err != nil {
		return sshSettings{}, err
	}
	one := func(key string) string {
		if values := look(key); len(values) > 0 {
			return values[0]
		}
		return ""
	}
	s := sshSettings{alias: end.Host, host: end.Host, port: end.Port, user: end.User}
	if name := one("HostName"); name != "" {
		s.host = strings.NewReplacer("%%", "%", "%h", end.Host).Replace(name)
	}
	if s.port == 0 {
		s.port = 22
		if text := one("Port"); text != "" {
			port, err := strconv.ParseUint(text, 10, 16)
			if err != nil || port == 0 {
				return s, fmt.Errorf("ssh_config: port %q of %s is not a port", text, end.Host)
			}
			s.port = int(port)
		}
	}
	if s.user == "" {
		s.user = one("User")
	}
	local := localUser()
	if s.user == "" {
		s.user = local
	}
	expand := func(text string) string { return s.expand(text, home, local) }
	for _, file := range look("IdentityFile") {
		if file != "none" {
			s.identities = append(s.identities, expand(file))
		}
	}
	s.identitiesOnly = strings.EqualFold(one("IdentitiesOnly"), "yes")
	if s.agent = one("IdentityAgent"); s.agent != "" && s.agent != "none" {
		s.agent = agentPath(expand(s.agent))
	}
	s.keyAlias = one("HostKeyAlias")
	s.knownHosts = options.KnownHosts
	if s.knownHosts == nil {
		for _, text := range look("UserKnownHostsFile") {
			for _, file := range strings.Fields(text) {
				if file != "none" {
					s.knownHosts = append(s.knownHosts, expand(file))
				}
			}
		}
		if len(look("UserKnownHostsFile")) == 0 && home != "" {
			s.knownHosts = []string{filepath.Join(home, ".ssh", "known_hosts"), filepath.Join(home, ".ssh", "known_hosts2")}
		}
		s.knownHosts = append(s.knownHosts, "/etc/ssh/ssh_known_hosts")
	}
	if command := one("ProxyCommand"); command != "" && command != "none" && one("ProxyJump") == "" {
		return s, fmt.Errorf("ssh_config: %s is reached by a ProxyCommand, which is not supported: name the jump host as ?jump=user@host", end.Host)
	}
	if text := one("ProxyJump"); text != "" && text != "none" {
		for hop := range strings.SplitSeq(text, ",") {
			jump, err := parseEndpoint(strings.TrimPrefix(strings.TrimSpace(hop), "ssh://"))
			if err != nil {
				return s, fmt.Errorf("ssh_config: ProxyJump of %s: %w", end.Host, err)
			}
			s.jump = append(s.jump, jump)
		}
	}
	return s, nil
}

func localUser() string {
	if me, err := user.Current(); err == nil {
		// DOMAIN\name on Windows
		return me.Username[strings.LastIndex(me.Username, `\`)+1:]
	}
	return ""
}

// expand replaces ~ and the tokens of ssh_config(5) that name files.
func (s sshSettings) expand(text, home, local string) string {
	if text == "~" || strings.HasPrefix(text, "~/") {
		text = home + text[1:]
	}
	return strings.NewReplacer("%%", "%", "%d", home, "%h", s.host, "%n", s.alias, "%p", strconv.Itoa(s.port),
		"%r", s.user, "%u", local).Replace(text)
}

func agentPath(text string) string {
	if text == "SSH_AUTH_SOCK" {
		return os.Getenv("SSH_AUTH_SOCK")
	}
	if name, ok := strings.CutPrefix(text, "$"); ok {
		return os.Getenv(name)
	}
	return text
}

// readSSHConfig parses the user's and the system's file. Where the parser
// gives up (Match with more than host and all), an ssh client that is
// installed is asked.
func readSSHConfig(ctx context.Context, host, home, file string) (lookupConfig, error) {
	files := []string{file}
	if file == "" {
		files = []string{filepath.Join(home, ".ssh", "config"), "/etc/ssh/ssh_config"}
	}
	var parsed []*ssh_config.Config
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // none, or not for us
		}
		config, err := ssh_config.Decode(bytes.NewReader(text))
		if err == nil {
			parsed = append(parsed, config)
			continue
		}
		look, askErr := askSSH(ctx, host, file)
		if askErr != nil {
			return nil, fmt.Errorf("read %s: %w (and `ssh -G` does not help: %w)", name, err, askErr)
		}
		return look, nil
	}
	return func(key string) []string {
		var all []string
		for _, config := range parsed {
			values, err := config.GetAll(host, key)
			if err != nil {
				continue
			}
			for _, v := range values {
				all = append(all, strings.Trim(v, `"`))
			}
		}
		return all
	}, nil
}

// askSSH reads `ssh -G host`, which prints "key value" lines of everything
// that holds, defaults included. It connects to nothing.
func askSSH(ctx context.Context, host, file string) (lookupConfig, error) {
	program, err := exec.LookPath("ssh")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	args := []string{"-G"}
	if file != "" {
		args = append(args, "-F", file)
	}
	text, err := exec.CommandContext(ctx, program, append(args, "--", host)...).Output()
	if err != nil {
		return nil, err
	}
	return parseSSHG(string(text)), nil
}

func parseSSHG(text string) lookupConfig {
	values := map[string][]string{}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok {
			values[key] = append(values[key], value)
		}
	}
	return func(key string) []string { return values[strings.ToLower(key)] }
}
