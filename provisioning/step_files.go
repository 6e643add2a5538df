package provisioning

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/secret"
)

// Where the files of a run lie on a Linux device.
const (
	ConfigPath  = "/etc/aziot/config.toml"
	HostsPath   = "/etc/hosts"
	OSTrustPath = "/usr/local/share/ca-certificates/edgewright-practice.crt"
	TrustPath   = "/var/aziot/certs/edgewright-practice-ca.pem"
	// superPath is written by `iotedge config apply`; it is older than
	// config.toml while that has not been applied.
	superPath = "/etc/aziot/identityd/config.d/00-super.toml"
)

// filesStep places config.toml, and with a practice cloud what the device
// needs to find and trust it, as one set.
type filesStep struct{}

// filesUndo says how the device was configured before.
type filesUndo struct {
	// Configured tells that a config.toml was there.
	Configured bool `json:"configured"`
	// DPSBefore identifies the DPS registration configured before, "" for
	// none; it holds no key.
	DPSBefore string `json:"dps_before"`
	// Trust tells that the operating system's trust store was changed.
	Trust bool `json:"trust"`
}

func (filesStep) Name() string { return StepFiles }

func (filesStep) Look(ctx context.Context, x *Execution) (Look, error) {
	before, err := x.Machine.Read(ctx, ConfigPath)
	if err != nil {
		return Look{}, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	files, err := x.wantedFiles(ctx, before)
	if err != nil {
		return Look{}, err
	}
	same, err := x.Machine.Same(ctx, files)
	if err != nil {
		return Look{}, fmt.Errorf("compare files: %w", err)
	}
	undo := filesUndo{Configured: before.Exists, DPSBefore: dpsIdentity(before.Data.Reveal()), Trust: x.reaches() && x.Run.Rotate == nil}
	look := Look{Done: same, Summary: "to be placed", Undo: encode(undo)}
	if same {
		look.Summary = summaryFound
		if x.acted(StepFiles) {
			look.Summary = countPlaced(files) + " placed"
		} else {
			look.Undo = nil
		}
	}
	return look, nil
}

func (filesStep) Do(ctx context.Context, x *Execution) (Result, error) {
	before, err := x.Machine.Read(ctx, ConfigPath)
	if err != nil {
		return Result{}, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	files, err := x.wantedFiles(ctx, before)
	if err != nil {
		return Result{}, err
	}
	placed, err := x.Machine.Place(ctx, x.Run.ID, files)
	if err != nil {
		return Result{}, fmt.Errorf("place files: %w", err)
	}
	if placed.OwnersRecorded {
		x.Run.Outcome.note("Owners cannot be set here; they are recorded in the manifest beside the folder.")
	}
	return Result{Summary: countPlaced(files) + "; the set before is kept for undo"}, nil
}

func countPlaced(files []File) string {
	n := 0
	for _, f := range files {
		if !f.Remove {
			n++
		}
	}
	return count(n, "file")
}

// Undo restores the files, and then the runtime: it applies the old
// configuration again, or stops the services where there was none.
func (filesStep) Undo(ctx context.Context, x *Execution, record json.RawMessage) (Undone, error) {
	var undo filesUndo
	if err := json.Unmarshal(record, &undo); err != nil {
		return Undone{}, fmt.Errorf("read undo record: %w", err)
	}
	placed, err := x.Machine.Read(ctx, ConfigPath)
	if err != nil {
		return Undone{}, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	// The pair that comes back has to be let in before it is used.
	if err := x.letBackIn(ctx); err != nil {
		return Undone{}, err
	}
	applied := x.acted(StepApply)
	if applied && x.Run.Rotate == nil {
		x.nameServiceKey(placed.Data.Reveal())
	}
	if applied && !undo.Configured {
		x.waiting(StepFiles, "the device stopping its services")
		if _, err := x.act(ctx, StepFiles, ActStop); err != nil {
			return Undone{}, err
		}
	}
	given := x.givenOnDevice(ctx)
	if err := x.Machine.PutBack(ctx, x.Run.ID); err != nil {
		return Undone{}, fmt.Errorf("put files back: %w", err)
	}
	if err := x.unsettleKeys(ctx, given); err != nil {
		return Undone{}, err
	}
	if undo.Trust && x.Machine.Runs() {
		if _, err := x.act(ctx, StepFiles, ActRefreshTrust); err != nil {
			return Undone{}, err
		}
	}
	if !applied {
		return Undone{Summary: "the files from before are back"}, nil
	}
	if !undo.Configured {
		if _, err := x.act(ctx, StepFiles, ActRemoveGenerated); err != nil {
			return Undone{}, err
		}
		return Undone{Summary: "files and generated configuration removed, services stopped"}, nil
	}
	return x.reapply(ctx, undo, dpsIdentity(placed.Data.Reveal()))
}

// reapply makes the runtime take its old configuration. A runtime that cannot
// reach its old cloud keeps the right files all the same, so that is named and
// not an error.
func (x *Execution) reapply(ctx context.Context, undo filesUndo, dpsNow string) (Undone, error) {
	x.waiting(StepFiles, "the device restarting its services")
	if _, err := x.act(ctx, StepFiles, ActConfigApply); err != nil {
		return Undone{}, err
	}
	done := Undone{Summary: "the files from before are back and applied"}
	if undo.DPSBefore != "" && (undo.DPSBefore != dpsNow || x.Run.Rotate != nil) && x.acted(StepReprovision) {
		if _, err := x.act(ctx, StepFiles, ActReprovision); err != nil {
			done.Left = append(done.Left, "the runtime has not registered with its former enrollment yet: "+View(err).Message)
		}
	}
	return done, nil
}

// reaches tells whether the device has to be told how to reach the cloud.
func (x *Execution) reaches() bool {
	return x.Cloud.Reach != nil && x.Machine.Runs() && !x.withoutRuntime
}

// wantedFiles is the set as it has to lie on the device.
func (x *Execution) wantedFiles(ctx context.Context, before FileState) ([]File, error) {
	if x.Run.Rotate != nil {
		return x.newFiles(before)
	}
	key, err := x.deviceKey(ctx)
	if err != nil {
		return nil, err
	}
	changes := x.configChanges(key)
	x.certificateChanges(&changes, before.Data.Reveal())
	x.agentChanges(&changes, before.Data.Reveal())
	if err := x.tpmChanges(ctx, &changes); err != nil {
		return nil, err
	}
	config, err := edgeconfig.Apply(before.Data.Reveal(), changes)
	if err != nil {
		return nil, &Error{Kind: ErrInvalid, Message: "The config.toml on the device cannot be changed as it is.",
			Hint: "Mend the line that is named, or move the file away.", Err: err}
	}
	files := []File{}
	if !bytes.Equal(config, before.Data.Reveal()) {
		if files, err = x.staleGenerated(ctx, before); err != nil {
			return nil, err
		}
	}
	if x.reaches() {
		reach, err := x.reachFiles(ctx)
		if err != nil {
			return nil, err
		}
		files = append(files, reach...)
	}
	certificates, err := x.certificateFiles(ctx)
	if err != nil {
		return nil, err
	}
	files = append(files, certificates...)
	return append(files, File{Path: ConfigPath, Data: secret.New(config), Owner: "root", Group: "root", Mode: 0o600}), nil
}

func (x *Execution) configChanges(key secret.Value) edgeconfig.Changes {
	plan := x.Run.Plan
	changes := edgeconfig.Changes{}
	byCertificate := plan.Cell.Authentication == X509
	switch pair := x.pairOf(RoleIdentity); {
	case plan.Cell.Provisioning == DPS && plan.IssuedOnDevice():
		changes.Provisioning = edgeconfig.DPSIssued(x.Cloud.DPS.Endpoint(), x.Cloud.DPS.IDScope(), x.Run.RegistrationID(), plan.issuedIdentity())
	case plan.IssuedOnDevice():
		changes.Provisioning = edgeconfig.ManualIssued(x.Cloud.Hub.Host(), plan.Device.ID, plan.issuedIdentity())
	case plan.Cell.Provisioning == DPS && byCertificate:
		changes.Provisioning = edgeconfig.DPSX509(x.Cloud.DPS.Endpoint(), x.Cloud.DPS.IDScope(), x.Run.RegistrationID(), "file://"+pair.CertificatePath, "file://"+pair.KeyPath)
	case plan.Cell.Authentication == TPM:
		changes.Provisioning = edgeconfig.DPSTPM(x.Cloud.DPS.Endpoint(), x.Cloud.DPS.IDScope(), x.Run.RegistrationID())
	case plan.Cell.Provisioning == DPS:
		changes.Provisioning = edgeconfig.DPSSymmetricKey(x.Cloud.DPS.Endpoint(), x.Cloud.DPS.IDScope(), x.Run.RegistrationID(), key)
	case byCertificate:
		changes.Provisioning = edgeconfig.ManualX509(x.Cloud.Hub.Host(), plan.Device.ID, "file://"+pair.CertificatePath, "file://"+pair.KeyPath)
	default:
		changes.Provisioning = edgeconfig.ManualSymmetricKey(x.Cloud.Hub.Host(), plan.Device.ID, key)
	}
	if plan.Device.Hostname != "" {
		changes.Set("hostname", plan.Device.Hostname)
	}
	return changes
}

// agentImage is edgeAgent's image without its tag, the minor version of the runtime.
const agentImage = "mcr.microsoft.com/azureiotedge-agent:"

// agentChanges have edgeAgent speak MQTT: AMQP, its default, is not spoken by the
// practice cloud. edgeHub is told by the deployment. A table agent has to be
// whole, or the runtime refuses the file.
func (x *Execution) agentChanges(changes *edgeconfig.Changes, before []byte) {
	if !x.Cloud.Practice {
		return
	}
	// A key that does not read is no reason to take the agent's own image away.
	config, _ := edgeconfig.Read(before)
	has := config.Agent
	for _, part := range []struct{ key, has, value string }{{"agent.name", has.Name, "edgeAgent"}, {"agent.type", has.Type, "docker"},
		{"agent.config.image", has.Image, agentImage + x.Run.Plan.Runtime.Version}} {
		if part.has == "" {
			changes.Set(part.key, part.value)
		}
	}
	changes.Set("agent.env.UpstreamProtocol", "Mqtt")
}

// reachFiles are the practice CA, twice, and the block of its names.
func (x *Execution) reachFiles(ctx context.Context) ([]File, error) {
	hosts, err := x.Machine.Read(ctx, HostsPath)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", HostsPath, err)
	}
	hostsFile := File{Path: HostsPath, Owner: "root", Group: "root", Mode: 0o644,
		Data: secret.New(hostsWith(hosts.Data.Reveal(), x.Cloud.Reach.Hosts))}
	if hosts.Exists {
		hostsFile.Owner, hostsFile.Group, hostsFile.Mode = hosts.Owner, hosts.Group, hosts.Mode
	}
	ca := bytes.Clone(x.Cloud.Reach.CA)
	return []File{
		{Path: OSTrustPath, Data: secret.New(ca), Owner: "root", Group: "root", Mode: 0o644},
		{Path: TrustPath, Data: secret.New(ca), Owner: "aziotcs", Group: "aziotcs", Mode: 0o644},
		hostsFile,
	}, nil
}

const (
	hostsBegin = "# begin edgewright practice cloud"
	hostsEnd   = "# end edgewright practice cloud"
)

// hostsWith puts the marked block at the end of a hosts file, in the place of
// an older one. All other bytes stay.
func hostsWith(text []byte, names []string) []byte {
	block := hostsBegin + "\n127.0.0.1 " + strings.Join(names, " ") + "\n" + hostsEnd + "\n"
	before, rest, found := strings.Cut(string(text), hostsBegin+"\n")
	if found {
		_, after, closed := strings.Cut(rest, hostsEnd+"\n")
		if closed {
			return []byte(before + block + after)
		}
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		block = "\n" + block
	}
	return append(bytes.Clone(text), block...)
}

// deviceKey is the symmetric key that goes to the device, if it has one, read from the cloud each time,
// so that no journal has to hold it. In a preview of something that does not
// exist yet it is a stand-in, which is masked wherever it is shown.
func (x *Execution) deviceKey(ctx context.Context) (secret.Value, error) {
	plan := x.Run.Plan
	var key secret.Value
	var err error
	if plan.Cell.Authentication != SymmetricKey {
		return key, nil
	}
	if plan.Cell.Provisioning == DPS {
		key, err = x.Cloud.DPS.DeviceKey(ctx, plan.ByGroup(), x.Run.enrollmentName(), x.Run.RegistrationID())
	} else {
		var identity Identity
		identity, err = x.Cloud.Hub.Identity(ctx, plan.Device.ID)
		key = identity.Primary
	}
	if errors.Is(err, ErrNotFound) && x.preview {
		return secret.FromString("a key that the cloud is about to make"), nil
	}
	if err != nil {
		return secret.Value{}, fmt.Errorf("read the key of %s: %w", plan.Device.ID, err)
	}
	return key, nil
}

// dpsIdentity names the DPS registration that a config.toml asks for, or gives
// "" for another way of provisioning or a file that does not read.
func dpsIdentity(config []byte) string {
	read, err := edgeconfig.Read(config)
	if err != nil || read.Provisioning.Source != "dps" {
		return ""
	}
	p := read.Provisioning
	method := p.Attestation.Method
	if issued := p.Attestation.Certificate.Issued; issued != nil {
		method += "/" + issued.Method
	}
	return strings.Join([]string{p.GlobalEndpoint, p.IDScope, method, p.Attestation.RegistrationID}, " ")
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// ConfigOf is the config.toml that a plan makes where there is none, with a
// stand-in for the key.
func ConfigOf(plan Plan, cloud Cloud) ([]byte, error) {
	x := &Execution{Ports: Ports{Cloud: cloud, Machine: noMachine{}, Secrets: noSecrets{}}, Run: &Run{Plan: plan.WithDefaults()}, pairs: map[CertificateRole]Pair{}}
	for _, order := range x.Run.Plan.orders() {
		var pair Pair
		pair.CertificatePath, pair.KeyPath = newPaths(plan.Device.ID, order.Role, 1)
		x.pairs[order.Role] = pair
	}
	if strings.HasPrefix(plan.X509.EST.Bootstrap, "vault:") {
		x.est.access.Username, x.est.access.Password = "a name of the vault", secret.FromString("its password")
	}
	if x.Run.RegistrationID() == "" {
		x.Run.Registration = "made from the endorsement key"
	}
	changes := x.configChanges(secret.FromString("a key that the cloud is about to make"))
	x.certificateChanges(&changes, nil)
	x.agentChanges(&changes, nil)
	if err := x.tpmChanges(context.Background(), &changes); err != nil {
		return nil, err
	}
	return edgeconfig.Apply(nil, changes)
}

// noMachine stands where only a file's text is wanted.
type noMachine struct{ Machine }

func (noMachine) Runs() bool { return false }

// noSecrets stands where a secret is not shown anyway.
type noSecrets struct{}

func (noSecrets) Secret(context.Context, string) (secret.Value, error) {
	return secret.FromString("a secret of the vault"), nil
}
