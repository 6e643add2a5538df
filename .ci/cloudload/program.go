package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"edgewright/provisioning/wire"
)

// cloud is a served practice cloud in a process of its own.
type cloud struct {
	process *exec.Cmd
	shown   shown
	roots   *x509.CertPool
	client  *http.Client // keeps connections, as a service does
	owner   wire.ConnectionString
	dps     wire.ConnectionString
}

// shown is what `practice show` tells.
type shown struct {
	HTTPS      string `json:"https"`
	MQTT       string `json:"mqtt"`
	CAFile     string `json:"ca_file"`
	IDScope    string `json:"id_scope"`
	HubHost    string `json:"hub_host"`
	GlobalHost string `json:"global_host"`
	Hub        string `json:"hub_connection_string"`
	DPS        string `json:"dps_connection_string"`
}

func start(ctx context.Context, program, folder string) (*cloud, error) {
	arguments := []string{"--json", "--data", filepath.Join(folder, "data")}
	environment := append(os.Environ(), "HOME="+folder, "XDG_CONFIG_HOME=", "XDG_DATA_HOME=", "XDG_STATE_HOME=", "XDG_CACHE_HOME=",
		"XDG_RUNTIME_DIR=", "DBUS_SESSION_BUS_ADDRESS=", "DISPLAY=", "WAYLAND_DISPLAY=", "LANG=en_US.UTF-8", "LC_ALL=")
	c := &cloud{process: exec.Command(program, append([]string{"practice", "serve", "--https", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"}, arguments...)...)}
	c.process.Env, c.process.Stderr = environment, os.Stderr
	out, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.process.Start(); err != nil {
		return nil, err
	}
	if err := json.NewDecoder(out).Decode(&c.shown); err != nil {
		c.stop()
		return nil, fmt.Errorf("practice serve: %w", err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	show := exec.CommandContext(ctx, program, append([]string{"practice", "show", "--show-secrets"}, arguments...)...)
	show.Env = environment
	text, err := show.Output()
	if err == nil {
		err = json.Unmarshal(text, &c.shown)
	}
	if err == nil {
		err = c.trust()
	}
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("practice show: %w", err)
	}
	return c, nil
}

// trust reads CA and connection strings.
func (c *cloud) trust() error {
	pem, err := os.ReadFile(c.shown.CAFile)
	if err != nil {
		return err
	}
	c.roots = x509.NewCertPool()
	if !c.roots.AppendCertsFromPEM(pem) {
		return errors.New("the CA file has no certificate")
	}
	c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.roots}, MaxIdleConnsPerHost: 16,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, c.shown.HTTPS)
		}}}
	if c.owner, err = wire.ParseConnectionString(c.shown.Hub); err != nil {
		return err
	}
	c.dps, err = wire.ParseConnectionString(c.shown.DPS)
	return err
}

func (c *cloud) stop() {
	_ = c.process.Process.Signal(syscall.SIGTERM)
	_ = c.process.Wait()
}

// call is one request as a policy; it gives status, header and body.
func (c *cloud) call(ctx context.Context, as wire.ConnectionString, method, path string, body any, header map[string]string) (*http.Response, []byte, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, nil, err
	}
	token, err := wire.SignSAS(as.HostName, as.Key, as.PolicyName, time.Now().Add(time.Hour))
	if err != nil {
		return nil, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, "https://"+as.HostName+path+"?api-version=2021-04-12", bytes.NewReader(encoded))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Authorization", token.RevealString())
	r.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	resp, err := c.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, answer)
	}
	return resp, answer, err
}

// resident is the memory of the serving process now, and most at any time, in
// MB of 2^20 bytes.
func (c *cloud) resident() int { return c.memory("VmRSS:") }
func (c *cloud) most() int     { return c.memory("VmHWM:") }

func (c *cloud) memory(field string) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.process.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if text, found := strings.CutPrefix(line, field); found {
			var kb int
			_, _ = fmt.Sscan(text, &kb)
			return kb / 1024
		}
	}
	return 0
}
