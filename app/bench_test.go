package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/est/esttest"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// bench is a place to provision one device in: a data folder with its own
// practice cloud, and a folder that stands for the device's disk. A child
// process opens the same one.
type bench struct {
	Dir string
	// Way is manual, individual, group, manual x509, manual uploaded, group uploaded, group local-ca,
	// group est or tpm, the last on a practice device.
	Way string
	// Runtime makes the device one with a runtime: a new one for the manual
	// way, else one that was provisioned before.
	Runtime bool
	// Key is the name of a key in the vault, "" to let the cloud make one.
	Key string
	// EST is the server of the way "group est", which takes estLogin.
	EST benchEST
}

// benchEST is an EST server that outlives the benches.
type benchEST struct{ URL, Trust string }

const (
	estLogin = "plant:correct horse"
	estTrust = "EST test server root"
)

// killEST is the server that benches are made with; serveEST sets it.
var killEST benchEST

// serveEST starts a server for all benches of a test.
func serveEST(t *testing.T) *esttest.Server {
	t.Helper()
	name, password, _ := strings.Cut(estLogin, ":")
	server := esttest.Start(t, esttest.Rules{Username: name, Password: password})
	killEST = benchEST{URL: server.URL, Trust: string(pki.PEM(server.Trust))}
	return server
}

// learnEST brings anchor and login of the EST server into catalog and vault.
func (b bench) learnEST(ctx context.Context, a *App) error {
	file := filepath.Join(b.Dir, "est-trust.pem")
	if err := os.WriteFile(file, []byte(b.EST.Trust), 0o600); err != nil {
		return err
	}
	if _, err := a.ImportCertificates(ctx, []string{file}, secret.Value{}); err != nil {
		return err
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	return v.Put(ctx, userSecret("est"), vault.Practice, secret.FromString(estLogin))
}

const benchDevice = "line-7-0042"

// benchAddresses hands out loopback addresses, so that practice clouds of
// several tests and processes keep out of each other's way at port 8443.
var benchAddresses atomic.Uint32

func benchAddress() string {
	n := uint32(os.Getpid())<<12 | benchAddresses.Add(1)&0xfff
	return fmt.Sprintf("127.%d.%d.%d", 1+n>>16%254, n>>8&0xff, n&0xff)
}

// newBench makes the folders and settles the practice cloud's address.
func newBench(dir, way string, runtime bool) (bench, error) {
	b := bench{Dir: dir, Way: way, Runtime: runtime}
	files := map[string]string{}
	switch {
	case runtime && strings.HasPrefix(way, "manual"):
		files["etc/hosts"], files[benchStopped] = "127.0.0.1 localhost\n", ""
	case runtime:
		files["etc/hosts"], files["etc/aziot/config.toml"], files[benchSuper] = "127.0.0.1 localhost\n", earlierConfig, superOf(earlierConfig)
	}
	for name, text := range files {
		file := filepath.Join(b.folder(), name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return b, err
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return b, err
		}
	}
	made := b.folder()
	if runtime { // by the packages of IoT Edge
		made = filepath.Dir(filepath.Join(b.folder(), benchSuper))
	}
	if err := os.MkdirAll(made, 0o755); err != nil {
		return b, err
	}
	ctx := context.Background()
	a, err := New(ctx, b.config())
	if err != nil {
		return b, err
	}
	address := benchAddress()
	cloud, err := a.practice.open(ctx, PracticeOptions{HTTPS: address + ":8443", MQTT: address + ":8883"})
	if err != nil {
		return b, err
	}
	if err := cloud.Close(); err != nil {
		return b, err
	}
	if way == "group est" {
		b.EST = killEST
		if err := b.learnEST(ctx, a); err != nil {
			return b, err
		}
	}
	if way == "tpm" {
		if err := a.SwitchSoftwareTPM(ctx, benchPractice, true); err != nil {
			return b, err
		}
	}
	return b, a.Close()
}

// benchPractice is the practice device of the way "tpm".
const benchPractice = "press-2"

// earlierConfig is a device's configuration from before, with what a person
// wrote around it.
const earlierConfig = `# kept by the night shift
hostname = "press-4"

[provisioning]
source = "dps"
global_endpoint = "https://global.azure-devices-provisioning.net"
id_scope = "0ne00000000" # the old plant

[provisioning.attestation]
method = "symmetric_key"
registration_id = "press-4"
symmetric_key = { value = "YmVmb3JlYmVmb3JlYmVmb3JlYmVmb3JlYmVmb3JlISE=" }

[agent]
name = "edgeAgent"
type = "docker"
`

func (b bench) folder() string {
	if b.Way == "tpm" {
		return filepath.Join(b.data(), "practice-devices", benchPractice)
	}
	return filepath.Join(b.Dir, "device", "disk")
}

func (b bench) data() string  { return filepath.Join(b.Dir, "data") }
func (b bench) state() string { return filepath.Join(b.Dir, "state") }

func (b bench) config() Config {
	config := Config{DataDir: b.data(), StateDir: b.state(), Version: "test"}
	if file := filepath.Join(b.Dir, "passphrase"); fileExists(file) {
		config.PassphraseFile = file
	}
	return config
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func (b bench) request() Request {
	plan := provisioning.Plan{Device: provisioning.DevicePlan{ID: benchDevice, Tags: map[string]any{"line": int64(7)}},
		Cell: provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.SymmetricKey}}
	switch b.Way {
	case "manual":
		plan.Cell.Provisioning = provisioning.Manual
	case "group":
		plan.Cloud.Group = "line-7"
	case "manual x509":
		plan.Cell.Provisioning, plan.Cell.Authentication = provisioning.Manual, provisioning.X509
		plan.EdgeCA = &provisioning.EdgeCAPlan{}
	}
	if b.Way == "individual x509" {
		plan.Cell.Authentication = provisioning.X509
	}
	if way, ok := strings.CutSuffix(b.Way, " uploaded"); ok {
		plan.Cell.Authentication = provisioning.X509
		plan.X509 = provisioning.X509Plan{Source: provisioning.SourceIssue, Anchor: provisioning.AnchorUploaded, Uploaded: "line-7-ca", Onboard: true}
		if plan.Cloud.Group = "line-7"; way == "manual" {
			plan.Cell.Provisioning, plan.Cloud.Group = provisioning.Manual, ""
		}
	} else if source, ok := strings.CutPrefix(b.Way, "group "); ok {
		plan.Cloud.Group, plan.Cell.Authentication, plan.X509.Source = "line-7", provisioning.X509, source
	}
	if b.Way == "group est" {
		plan.X509.EST = provisioning.ESTPlan{URL: b.EST.URL, Bootstrap: "vault:est", Trust: estTrust}
		plan.EdgeCA = &provisioning.EdgeCAPlan{Source: provisioning.SourceEST}
	}
	if b.Key != "" {
		plan.SymmetricKey.Key = "vault:" + b.Key
	}
	request := Request{Target: FolderTarget(b.folder())}
	if b.Way == "tpm" {
		plan.Cell.Authentication, request.Target = provisioning.TPM, PracticeTarget(benchPractice)
	}
	request.Plan = plan.WithDefaults()
	return request
}

// open opens the app of the bench, with a practice cloud that has assigned a
// device when it asks for the first time, and devices that ask at once: hundreds
// of benches would do nothing but wait otherwise. k may be nil.
func (b bench) open(ctx context.Context, k *knife) (*App, error) {
	a, err := New(ctx, b.config())
	if err != nil {
		return nil, err
	}
	a.decorate = func(p provisioning.Ports) provisioning.Ports {
		a.practice.mu.Lock()
		a.practice.cloud.Faults().Polling(time.Second, 0)
		ca := a.practice.cloud.Info().CAPEM
		a.practice.mu.Unlock()
		own := p.Player.(player)
		own.pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
		p.Player = own
		if b.Runtime {
			p.Machine = runtimeMachine{Machine: p.Machine, bench: b, player: p.Player}
			p.Cloud.Reach = &provisioning.Reach{CA: ca, Hosts: []string{"hub.practice.test", "global.practice.test"}}
		}
		if k != nil {
			p = k.wrap(p)
		}
		return p
	}
	return a, nil
}

// runtimeMachine adds to the folder what a device with IoT Edge does: it takes
// its configuration, registers with it and connects. Its state lies in files,
// so that it outlives a killed program as a device does.
type runtimeMachine struct {
	provisioning.Machine
	bench  bench
	player provisioning.Player
}

func (m runtimeMachine) Runs() bool { return true }

func (m runtimeMachine) file(name string) string {
	return filepath.Join(m.bench.folder(), filepath.FromSlash(name))
}

const (
	benchSuper   = "etc/aziot/identityd/config.d/00-super.toml"
	benchStopped = "run/stopped" // exists while the services do not run
)

func (m runtimeMachine) Act(ctx context.Context, action provisioning.Action, _ func(string)) (provisioning.Output, error) {
	switch action {
	case provisioning.ActStatus:
		state := "Running"
		if _, err := os.Stat(m.file(benchStopped)); err == nil {
			state = "Down - inactive"
		}
		return provisioning.Output{Stdout: fmt.Sprintf("    aziot-edged  %s\n    aziot-identityd  %s\n    aziot-keyd  Ready\n", state, state)}, nil
	case provisioning.ActCheck:
		return provisioning.Output{Stdout: `{"checks":{"identityd-running":{"result":{"result":"ok"}}}}`}, nil
	case provisioning.ActConfigApply:
		return provisioning.Output{}, m.apply(ctx)
	case provisioning.ActReprovision:
		return provisioning.Output{}, m.connect(ctx)
	case provisioning.ActStop:
		return provisioning.Output{}, writeWhole(m.file(benchStopped), "")
	case provisioning.ActRemoveGenerated:
		return provisioning.Output{}, os.RemoveAll(m.file(benchSuper))
	}
	return provisioning.Output{}, nil
}

func (m runtimeMachine) apply(ctx context.Context) error {
	text, err := os.ReadFile(m.file("etc/aziot/config.toml"))
	if err != nil {
		return err
	}
	if err := writeWhole(m.file(benchSuper), superOf(string(text))); err != nil {
		return err
	}
	if err := os.RemoveAll(m.file("run")); err != nil {
		return err
	}
	return m.connect(ctx)
}

// superOf is what the runtime makes of a configuration.
func superOf(config string) string {
	if config == earlierConfig {
		return "# made from the earlier configuration\n"
	}
	return "# made from a new configuration\n"
}

func writeWhole(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o600)
}

// connect is identityd: what it cannot reach it tries again later.
func (m runtimeMachine) connect(ctx context.Context) error {
	text, err := os.ReadFile(m.file("etc/aziot/config.toml"))
	if err != nil {
		return err
	}
	config, err := edgeconfig.Read(text)
	if err != nil {
		return err
	}
	p := config.Provisioning
	pair, err := m.enrol(ctx, config)
	if err != nil {
		return nil
	}
	hub, id := p.HubHostname, p.DeviceID
	held := provisioning.Credentials{Key: p.DeviceKey}
	named := p.Authentication.Certificate
	if p.Source == "dps" {
		if !strings.Contains(p.GlobalEndpoint, "practice.test") {
			return nil // the old plant is not here
		}
		held.Key, named = p.Attestation.SymmetricKey, p.Attestation.Certificate
		held.Endpoint, held.IDScope, held.RegistrationID = p.GlobalEndpoint, p.IDScope, p.Attestation.RegistrationID
	}
	if held.Pair = pair; pair.Leaf() == nil { // not issued by itself
		if held.Pair, err = m.pair(ctx, named); err != nil {
			return err
		}
	}
	if p.Source == "dps" {
		registered, err := m.player.Register(ctx, held, func(time.Duration) {})
		if err != nil {
			return nil
		}
		hub, id = registered.Hub, registered.DeviceID
	}
	_ = m.player.Connect(ctx, hub, id, held)
	return nil
}

// enrol is certd: it obtains an identity where the configuration asks an EST
// server that takes a name and password.
func (m runtimeMachine) enrol(ctx context.Context, config edgeconfig.Config) (provisioning.Pair, error) {
	issued := config.Provisioning.Attestation.Certificate.Issued
	if issued == nil {
		return provisioning.Pair{}, nil
	}
	server := provisioning.ESTAccess{URL: config.EST.URL, Username: config.EST.Username, Password: config.EST.Password}
	for _, uri := range config.EST.Trusted {
		text, err := os.ReadFile(m.file(strings.TrimPrefix(uri, "file:///")))
		if err != nil {
			return provisioning.Pair{}, err
		}
		content, err := pki.Read(text, secret.Value{})
		if err != nil {
			return provisioning.Pair{}, err
		}
		server.Trust = append(server.Trust, content.Certificates...)
	}
	return estServers{&App{now: time.Now}}.Enroll(ctx, server, provisioning.ESTOrder{CommonName: issued.CommonName})
}

// mustBench is newBench in a folder of the test.
func mustBench(t *testing.T, way string, runtime bool) bench {
	t.Helper()
	b, err := newBench(t.TempDir(), way, runtime)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
