package conformance

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/dps"
	"edgewright/provisioning/iothub"
	"edgewright/provisioning/practice"
	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

// The environment names files, never secrets.
const (
	hubFile   = "EDGEWRIGHT_CONFORMANCE_HUB_FILE" // connection string of iothubowner
	dpsFile   = "EDGEWRIGHT_CONFORMANCE_DPS_FILE" // of provisioningserviceowner, of a DPS with that hub linked
	idScope   = "EDGEWRIGHT_CONFORMANCE_ID_SCOPE"
	globalURL = "EDGEWRIGHT_CONFORMANCE_GLOBAL" // https://global.azure-devices-provisioning.net if empty
)

// cloud is what the suite runs against.
type cloud struct {
	testing.TB
	hub     *iothub.Client
	dps     *dps.Client // nil without one
	scope   string
	global  string
	options rest.Options
	prefix  string
	// patience is how long an index may lag behind.
	patience time.Duration
}

// reach connects to the cloud that the environment names, or opens a practice
// cloud.
func reach(t *testing.T) *cloud {
	t.Helper()
	var tail [5]byte
	_, _ = rand.Read(tail[:]) // never fails
	c := &cloud{TB: t, prefix: "conformance-" + hex.EncodeToString(tail[:]) + "-"}
	if os.Getenv(hubFile) == "" {
		if os.Getenv(dpsFile) != "" {
			t.Fatalf("%s is set and %s is not", dpsFile, hubFile)
		}
		c.practice(t)
		return c
	}
	c.patience = 2 * time.Minute
	c.connect(read(t, hubFile), read(t, dpsFile))
	c.scope, c.global = os.Getenv(idScope), os.Getenv(globalURL)
	if c.global == "" {
		c.global = "https://global.azure-devices-provisioning.net"
	}
	if c.dps != nil && c.scope == "" {
		t.Fatalf("%s is set and %s is not", dpsFile, idScope)
	}
	return c
}

// read gives the connection string in the file that a variable names, the zero
// one if it names none.
func read(t *testing.T, variable string) wire.ConnectionString {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		return wire.ConnectionString{}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := wire.ParseConnectionString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("the file of %s: %v", variable, err)
	}
	return conn
}

func (c *cloud) connect(hub, provisioning wire.ConnectionString) {
	c.Helper()
	var err error
	if c.hub, err = iothub.New(hub, c.options); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = c.hub.Close() })
	if provisioning.HostName == "" {
		return
	}
	if c.dps, err = dps.New(provisioning, c.options); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = c.dps.Close() })
}

// plain leaves the practice state unsealed; nothing in it is secret.
type plain struct{}

func (plain) Seal(_ string, data []byte) ([]byte, error) { return data, nil }
func (plain) Open(_ string, data []byte) ([]byte, error) { return data, nil }

func (c *cloud) practice(t *testing.T) {
	t.Helper()
	opened, err := practice.Open(t.Context(), practice.Options{Dir: t.TempDir(), Sealer: plain{}, HTTPS: "127.0.0.1:0", MQTT: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	opened.Faults().Polling(time.Second, 1) // the shortest wait that a client takes for one
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- opened.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, opened.Close()); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-opened.Ready():
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	info := opened.Info()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(info.CAPEM)
	c.options = rest.Options{RootCAs: roots, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, info.HTTPS)
	}}
	c.scope, c.global = info.IDScope, "https://"+info.GlobalHost
	c.patience = 5 * time.Second
	hub, err := wire.ParseConnectionString(info.HubConnectionString.RevealString())
	if err != nil {
		t.Fatal(err)
	}
	provisioning, err := wire.ParseConnectionString(info.DPSConnectionString.RevealString())
	if err != nil {
		t.Fatal(err)
	}
	c.connect(hub, provisioning)
}

// tidy removes something at the end, also after a failure.
func (c *cloud) tidy(what string, remove func(context.Context) error) {
	c.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := remove(ctx); err != nil && !wire.IsNotFound(err) {
			c.Errorf("left over: %s: %v", what, err)
		}
	})
}

// device makes a device that is removed at the end.
func (c *cloud) device(d wire.Device) wire.Device {
	c.Helper()
	d.DeviceID = c.prefix + d.DeviceID
	c.tidy("device "+d.DeviceID, func(ctx context.Context) error { return c.hub.DeleteDevice(ctx, d.DeviceID, "*") })
	made, err := c.hub.CreateDevice(c.Context(), d)
	if err != nil {
		c.Fatal(err)
	}
	return made.Value
}

// failed wants an error with a status, and a correlation ID as every answer of a
// service has.
func (c *cloud) failed(err error, status int, what string) {
	c.Helper()
	var refused *wire.Error
	if !errors.As(err, &refused) || refused.Status != status || refused.CorrelationID == "" {
		c.Errorf("%s: %v, want status %d", what, err, status)
	}
}

// eventually tries until it holds; indexes lag behind.
func (c *cloud) eventually(what string, holds func() bool) {
	c.Helper()
	for until := time.Now().Add(c.patience); !holds(); time.Sleep(time.Second) {
		if time.Now().After(until) {
			c.Errorf("%s: not within %v", what, c.patience)
			return
		}
	}
}
