package practice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// The fixed names of the practice cloud. .test never resolves (RFC 6761).
const (
	domain      = "practice.test"
	dpsName     = "dps." + domain
	globalName  = "global." + domain
	defaultHub  = "hub"
	idScope     = "0ne00PRACTICE"
	defaultAddr = "127.0.0.1:8443"
	defaultMQTT = "127.0.0.1:8883"
)

// The shared access policies that a new IoT Hub and a new DPS have.
const (
	policyHubOwner = "iothubowner"
	policyDPSOwner = "provisioningserviceowner"
)

var settingsKey = objectKey{kindSettings, "cloud"}

// settings are what is chosen once per folder. It holds keys; it is only ever
// stored sealed.
type settings struct {
	HTTPS, MQTT string                                  // addresses to listen on
	IDScope     string                                  //
	Hubs        []string                                // labels below domain, the first is the default
	HubKeys     map[string]map[string]wire.SymmetricKey // by hub, by policy
	DPSKey      wire.SymmetricKey                       // of policyDPSOwner
	ARMToken    wire.Key                                // opens the routes of Azure Resource Manager
	CACert      []byte                                  // DER
	CAKey       []byte                                  // PKCS #8, DER
	Created     time.Time
}

// OptionError says which of the Options cannot be as it is, and why.
type OptionError struct{ problem string }

func (e *OptionError) Error() string { return e.problem }

func wrongOption(format string, args ...any) error {
	return &OptionError{fmt.Sprintf(format, args...)}
}

var hubLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$`)

// openSettings reads the settings of the folder. The first time, and when
// options ask for further hubs, it writes them under the folder's lock.
func (c *Cloud) openSettings(ctx context.Context, o Options) error {
	hubs, err := hubLabels(o.Hubs)
	if err != nil {
		return err
	}
	for _, addr := range []string{o.HTTPS, o.MQTT} {
		if err := checkAddress(addr, o.ListenAnywhere); err != nil {
			return err
		}
	}
	if err := c.readSettings(ctx); err != nil {
		return err
	}
	if c.settings() == nil || c.settings().lacks(hubs) || c.settings().ARMToken.IsEmpty() {
		if err := c.writeSettings(ctx, o, hubs); err != nil {
			return err
		}
	}
	for _, chosen := range []struct{ what, given, stored string }{{"HTTPS", o.HTTPS, c.settings().HTTPS}, {"MQTT", o.MQTT, c.settings().MQTT}} {
		if chosen.given != "" && !sameAddress(chosen.given, chosen.stored) {
			return wrongOption("practice cloud %s address: %s is fixed for this folder, not %s; reset the practice cloud to choose another",
				chosen.what, chosen.stored, chosen.given)
		}
	}
	return nil
}

// sameAddress compares addresses; port 0 takes whatever was chosen. A host
// outside loopback, which only listening anywhere allows, is not stored.
func sameAddress(given, stored string) bool {
	givenHost, givenPort, _ := net.SplitHostPort(given)
	storedHost, storedPort, _ := net.SplitHostPort(stored)
	if !net.ParseIP(givenHost).IsLoopback() {
		givenHost = storedHost
	}
	return givenHost == storedHost && (givenPort == storedPort || givenPort == "0")
}

func (s *settings) lacks(hubs []string) bool {
	return slices.ContainsFunc(hubs, func(hub string) bool { return !slices.Contains(s.Hubs, hub) })
}

func (c *Cloud) readSettings(ctx context.Context) error {
	return c.store.load(ctx, kindSettings, func(key objectKey, plain []byte) error {
		if key != settingsKey {
			return nil
		}
		var s settings
		if err := json.Unmarshal(plain, &s); err != nil {
			return err
		}
		c.chosen.Store(&s)
		return nil
	})
}

func (c *Cloud) writeSettings(ctx context.Context, o Options, hubs []string) error {
	lock, err := lockFolder(c.dir)
	if err != nil {
		return err
	}
	// Somebody may have been faster.
	err = c.readSettings(ctx)
	if err == nil {
		err = c.changeSettings(o, hubs)
	}
	return errors.Join(err, lock.release())
}

func (c *Cloud) changeSettings(o Options, hubs []string) (err error) {
	s := c.settings()
	if s == nil {
		if s, err = c.newSettings(o); err != nil {
			return err
		}
	}
	for _, hub := range hubs {
		if s.HubKeys[hub] != nil {
			continue
		}
		s.Hubs = append(s.Hubs, hub)
		s.HubKeys[hub] = map[string]wire.SymmetricKey{}
		for _, policy := range hubPolicies {
			s.HubKeys[hub][policy.name] = c.newKeys(32)
		}
	}
	if s.ARMToken.IsEmpty() { // a new folder, or one of before there were these routes
		s.ARMToken = wire.NewKey(secret.New(c.random(32)))
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write practice settings: %w", err)
	}
	if err := c.store.submit([]write{{settingsKey, plain}}, nil).wait(); err != nil {
		return err
	}
	c.chosen.Store(s)
	return nil
}

func (c *Cloud) newSettings(o Options) (*settings, error) {
	s := &settings{IDScope: idScope, HubKeys: map[string]map[string]wire.SymmetricKey{}, Created: c.clock().UTC(), DPSKey: c.newKeys(64)}
	var err error
	if s.HTTPS, err = chooseAddress(o.HTTPS, defaultAddr); err != nil {
		return nil, err
	}
	if s.MQTT, err = chooseAddress(o.MQTT, defaultMQTT); err != nil {
		return nil, err
	}
	if s.CACert, s.CAKey, err = newAuthority(c.rand, c.clock()); err != nil {
		return nil, err
	}
	return s, nil
}

// chooseAddress settles an address for good. Port 0 takes one that is free at
// this moment, for tests.
func chooseAddress(given, otherwise string) (string, error) {
	if given == "" {
		return otherwise, nil
	}
	host, port, err := net.SplitHostPort(given)
	if err != nil {
		return "", fmt.Errorf("practice cloud address %q: %w", given, err)
	}
	// Who may reach it is decided each time it listens; stored is loopback.
	if !net.ParseIP(host).IsLoopback() {
		host = "127.0.0.1"
	}
	if port == "0" {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil {
			return "", fmt.Errorf("choose a practice cloud address: %w", err)
		}
		defer func() { _ = listener.Close() }()
		return listener.Addr().String(), nil
	}
	return net.JoinHostPort(host, port), nil
}

// checkAddress refuses what is not loopback unless anywhere is set. Empty is
// the stored or default address.
func checkAddress(addr string, anywhere bool) error {
	if addr == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return wrongOption("practice cloud address %q: %v", addr, err)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return wrongOption("practice cloud address %q: the port is not a number", addr)
	}
	if ip := net.ParseIP(host); anywhere || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return wrongOption("practice cloud address %q: it is not a loopback address; give one such as %s", addr, defaultAddr)
}

// hubLabels checks the names of further hubs, with or without the domain, and
// puts the default hub first.
func hubLabels(names []string) ([]string, error) {
	hubs := []string{defaultHub}
	for _, name := range names {
		label := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), "."+domain)
		if !hubLabel.MatchString(label) || label == "dps" || label == "global" {
			return nil, wrongOption("practice hub name %q: use letters, digits and dashes, at most 50; dps and global are taken", name)
		}
		if !slices.Contains(hubs, label) {
			hubs = append(hubs, label)
		}
	}
	return hubs, nil
}

// withPort appends the port of HTTPS to a name unless it is 443.
func (s *settings) withPort(name string) string {
	if _, port, _ := net.SplitHostPort(s.HTTPS); port != "443" {
		return name + ":" + port
	}
	return name
}

// names are all DNS names of the practice cloud.
func (s *settings) names() []string {
	names := []string{globalName, dpsName}
	for _, hub := range s.Hubs {
		names = append(names, hub+"."+domain)
	}
	return names
}

// newKeys makes a pair of keys of size bytes each.
func (c *Cloud) newKeys(size int) wire.SymmetricKey {
	return wire.SymmetricKey{PrimaryKey: wire.NewKey(secret.New(c.random(size))), SecondaryKey: wire.NewKey(secret.New(c.random(size)))}
}
