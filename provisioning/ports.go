package provisioning

import (
	"context"
	"crypto"
	"crypto/x509"
	"io/fs"
	"time"

	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// Ports are what the steps of a run reach the world through. The package app
// fills them; tests may wrap each of them.
type Ports struct {
	Cloud   Cloud
	Machine Machine
	Player  Player
	Journal Journal
	Locks   Locks
	Secrets Secrets
	Facts   FactFinder
	// Certificates is where certificates come from.
	Certificates Certificates
	// EST are the servers that devices obtain certificates from.
	EST ESTServers
	// TPMs are where endorsement keys come from.
	TPMs TPMs
	// Now is this computer's clock.
	Now func() time.Time
	// Random gives n random bytes.
	Random func(n int) []byte
}

// Cloud is the pair of services that a plan names. Hub may be nil with DPS
// (then what DPS made in the hub cannot be undone), DPS may be nil with manual
// provisioning.
type Cloud struct {
	Name     string
	Practice bool
	Hub      Registry
	DPS      Enroller
	// HubCAs and DPSCAs keep the CA certificates of the two; nil where the cloud
	// is known by connection strings only, which do not reach them.
	HubCAs, DPSCAs Onboarder
	// Reach is what an attached device needs to find and trust a practice
	// cloud; nil for a cloud that the device reaches by itself.
	Reach *Reach
}

// Reach names the practice cloud to an attached device.
type Reach struct {
	// CA is the PEM text of the practice CA.
	CA []byte
	// Hosts are the names that go to the loopback address on the device.
	Hosts []string
	// Forward brings the practice cloud's ports to the device; nil where it
	// runs on the same machine. The returned function ends it.
	Forward func(ctx context.Context) (stop func(), err error)
}

// Identity is a device identity of an IoT Hub.
type Identity struct {
	DeviceID           string
	Edge               bool
	Enabled            bool
	Authentication     string // sas | selfSigned | certificateAuthority
	Primary, Secondary secret.Value
	// Thumbprints are those of a selfSigned identity, hexadecimal: primary and
	// secondary, which may be equal.
	Thumbprints []string
	ETag        string
	Tags        map[string]any
}

// Activity is what a hub reports of a device having been there. Zero times
// mean never.
type Activity struct {
	Device    time.Time
	EdgeAgent time.Time
}

// Latest is the newer one of the two.
func (a Activity) Latest() time.Time {
	if a.EdgeAgent.After(a.Device) {
		return a.EdgeAgent
	}
	return a.Device
}

// Registry is an IoT Hub's identity registry. Errors are of the kinds of
// errors.go.
type Registry interface {
	// Host is the hub's host name as devices are told it, with its port if
	// that is not 443.
	Host() string
	Identity(ctx context.Context, deviceID string) (Identity, error)
	// CreateIdentity makes a device; empty keys are made by the hub. It is
	// ErrConflict if the device exists.
	CreateIdentity(ctx context.Context, identity Identity) (Identity, error)
	DeleteIdentity(ctx context.Context, deviceID string) error
	// SetThumbprints replaces both thumbprints of a selfSigned identity, in one
	// call; all else of it stays.
	SetThumbprints(ctx context.Context, deviceID, primary, secondary string) error
	// SetTags replaces the values of the given twin tags.
	SetTags(ctx context.Context, deviceID string, tags map[string]any) error
	Activity(ctx context.Context, deviceID string) (Activity, error)
	// Now is the hub's clock.
	Now(ctx context.Context) (time.Time, error)
}

// Enrollment is an individual enrollment or an enrollment group.
type Enrollment struct {
	Group bool
	// Name is the registration ID, or the group's name.
	Name           string
	DeviceID       string // individual only; empty means the registration ID
	Edge           bool
	Enabled        bool
	Authentication Authentication
	Primary        secret.Value
	Secondary      secret.Value
	// Certificate is what an X.509 enrollment knows: the device's own for an
	// individual one, that of the CA for a group. It is written and not read.
	Certificate *x509.Certificate
	// Uploaded is the name of an uploaded CA instead.
	Uploaded string
	// EndorsementKey is what a TPM enrollment knows, StorageRoot what it may know
	// besides: TPM2B_PUBLIC with their size.
	EndorsementKey, StorageRoot []byte
	// Thumbprints are the SHA-256 thumbprints of the certificates that an
	// enrollment knows. They are read and not written.
	Thumbprints []string
	Tags        map[string]any
	ETag        string
}

// Registration is what DPS keeps of a device that registered.
type Registration struct {
	RegistrationID string
	Status         string // assigned | assigning | failed | disabled | unassigned
	Hub            string
	DeviceID       string
	Updated        time.Time
	// Sealed is the key of the hub for a device that registered with its TPM,
	// which only that takes in.
	Sealed []byte
}

// Enroller is a Device Provisioning Service.
type Enroller interface {
	// Endpoint is the URL that devices register at; IDScope names the service
	// there.
	Endpoint() string
	IDScope() string
	Enrollment(ctx context.Context, group bool, name string) (Enrollment, error)
	// CreateEnrollment makes one; empty keys are made by the service. It is
	// ErrConflict if one of that name exists.
	CreateEnrollment(ctx context.Context, enrollment Enrollment) (Enrollment, error)
	DeleteEnrollment(ctx context.Context, group bool, name string) error
	// SetCertificates replaces the client certificates of an individual
	// enrollment, in one call; secondary may be nil. All else of it stays.
	SetCertificates(ctx context.Context, name string, primary, secondary *x509.Certificate) error
	// DeviceKey is the key that registrationID registers with: the
	// enrollment's own, or the one derived from the group's.
	DeviceKey(ctx context.Context, group bool, name, registrationID string) (secret.Value, error)
	// Derive gives the key that a group with that key gives to one device.
	Derive(groupKey secret.Value, registrationID string) secret.Value
	Registration(ctx context.Context, registrationID string) (Registration, error)
	DeleteRegistration(ctx context.Context, registrationID string) error
	// OthersInGroup tells whether a registration other than registrationID
	// came through the group.
	OthersInGroup(ctx context.Context, group, registrationID string) (bool, error)
	Now(ctx context.Context) (time.Time, error)
}

// Credentials are what a device holds, read back from the files on it.
type Credentials struct {
	// Manual provisioning: hub, device and key.
	Hub, DeviceID string
	// DPS: endpoint URL, ID scope and registration.
	Endpoint, IDScope, RegistrationID string
	Key                               secret.Value
	// Pair is what lies there in the place of a key, for X.509.
	Pair Pair
	// Chip is the TPM that registers, with its two public keys.
	Chip                        Chip
	EndorsementKey, StorageRoot []byte
	// Sign is the key that calls the hub, where that does not leave a TPM.
	Sign Sign
}

// Player plays the device with the credentials that lie on it.
type Player interface {
	// Register runs the device side of DPS; wait is told when the service asks
	// to wait.
	Register(ctx context.Context, c Credentials, wait func(time.Duration)) (Registration, error)
	// Connect makes one authenticated device call to the hub.
	Connect(ctx context.Context, hub, deviceID string, c Credentials) error
}

// File is one file of a set that goes to a device.
type File struct {
	Path         string
	Data         secret.Value // may hold keys, so it never prints
	Owner, Group string       // names of the device's own users
	Mode         fs.FileMode
	// Hidden says that nothing of its content is ever shown.
	Hidden bool
	// Remove says that the file shall not be there; only Path counts then.
	Remove bool
	// Stays leaves the bytes on the device as they are, without Data; with From
	// the file there takes the place first, if it exists.
	Stays bool
	From  string
}

// FileState is a file as it lies on a device. Exists is false if it does not.
type FileState struct {
	Exists       bool
	Data         secret.Value
	Owner, Group string
	Mode         fs.FileMode
	Modified     time.Time
}

// Placed is the result of placing a set.
type Placed struct {
	Changed bool
	// OwnersRecorded tells that owners could not be set and were written to
	// the manifest beside the folder instead.
	OwnersRecorded bool
}

// Action is a command from a closed list that runs on a device with rights.
type Action string

// The actions that the steps use.
const (
	ActConfigApply     Action = "config-apply"
	ActReprovision     Action = "reprovision"
	ActStatus          Action = "status"
	ActStop            Action = "stop"
	ActModules         Action = "modules"
	ActCheck           Action = "check"
	ActLogs            Action = "logs"
	ActAddTrust        Action = "add-trust"
	ActRefreshTrust    Action = "refresh-trust"
	ActRemoveGenerated Action = "remove-generated"
)

// Output is what an action printed and its exit code.
type Output struct {
	Stdout, Stderr string
	Exit           int
}

// Machine is the device a run acts on: this computer, one reached over SSH, or
// a mounted root file system.
type Machine interface {
	// Name is the target as the user wrote it.
	Name() string
	// Runs tells whether commands can run there.
	Runs() bool
	Read(ctx context.Context, path string) (FileState, error)
	// Exists tells whether a file is there without reading it.
	Exists(ctx context.Context, path string) (bool, error)
	// KeyObstacle says why the device can make and use no keys by itself, as a
	// clause for a person; it is empty where it can.
	KeyObstacle(ctx context.Context) (string, error)
	// MakeKey has the device make a private key at the path of file, once for a
	// run, as part of what PutBack takes back.
	MakeKey(ctx context.Context, runID string, file File, algorithm pki.Algorithm) error
	// Signer is a private key that stays on the device; ErrNotFound where there
	// is none, ErrInvalid for one that does not read. It signs as long as ctx
	// lives.
	Signer(ctx context.Context, path string) (crypto.Signer, error)
	// ReadAs reads a file, and PublicKeyAs the public part of a private key, as a
	// user of the runtime; ErrNotFound, fs.ErrPermission, or ErrInvalid for a key
	// that does not read.
	ReadAs(ctx context.Context, user, path string) ([]byte, error)
	PublicKeyAs(ctx context.Context, user, path string) (crypto.PublicKey, error)
	// MayUse tells whether a user of the runtime may read and write a device node
	// of a TPM: nil, ErrNotFound for a missing node, or fs.ErrPermission.
	MayUse(ctx context.Context, user, node string) error
	// Same tells whether all files lie there already: bytes, owner and mode.
	Same(ctx context.Context, files []File) (bool, error)
	// Place writes the files of a run as one set and keeps what was there.
	// Equal files are left alone.
	Place(ctx context.Context, runID string, files []File) (Placed, error)
	// PutBack restores what Place of that run replaced, byte for byte.
	PutBack(ctx context.Context, runID string) error
	Act(ctx context.Context, action Action, line func(string)) (Output, error)
	// Lock marks the device as being worked on by a run, until expiry. Another
	// run's live lock is an ErrBusy that names it.
	Lock(ctx context.Context, runID string, expiry time.Time) error
	Unlock(ctx context.Context, runID string) error
}

// ShowsTLS is a Machine that reaches TLS servers, its own among them.
type ShowsTLS interface {
	// ShownTLS is the chain, leaf first, that a server shows in a handshake; its
	// address, host:port, is the machine's. Nothing of the chain is verified.
	ShownTLS(ctx context.Context, address string) ([]*x509.Certificate, error)
}

// Locks keep two runs apart on this side: per device, and per enrollment group
// while it is made.
type Locks interface {
	// Acquire waits for nothing: a lock that another live run holds is an
	// ErrBusy that names the run.
	Acquire(ctx context.Context, key, runID string) error
	Release(ctx context.Context, key, runID string) error
	// Wait takes a lock when its turn comes, and gives what gives it up. waiting
	// is called once if it is not free.
	Wait(ctx context.Context, key, runID string, waiting func()) (release func(), err error)
}

// Secrets resolves the "vault:NAME" references of a plan.
type Secrets interface {
	Secret(ctx context.Context, name string) (secret.Value, error)
}

// Facts are what a look at the device brought up, reduced to what steps and
// previews need.
type Facts struct {
	// Summary is one line for a person: system, architecture, runtime.
	Summary string
	// Runtime is the IoT Edge version found, "" for none or unknown.
	Runtime string
	// HostName is the device's own name, "" if unknown.
	HostName string
	// Passed counts the checks without a finding.
	Passed   int
	Findings finding.List
	// NoRuntime tells that the device has no runtime, Lacking what it has to have
	// for one to run. A device whose key was born there can be proven without.
	NoRuntime bool
	Lacking   finding.List
}

// FactFinder looks at the device without changing it.
type FactFinder interface {
	Find(ctx context.Context, plan Plan) (Facts, error)
}
