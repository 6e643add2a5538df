package bundle

import (
	"errors"
	"fmt"
	"time"

	"edgewright/provisioning/secret"
)

// Version is the version of the format that this package writes and reads.
const Version = 2

// MaxSealed is how many bytes a sealed bundle has at most; one with an Edge CA
// and RSA keys has about 20,000. Nothing in it is compressed, so this bounds what
// opening takes, too.
const MaxSealed = 256 << 10

// Extension is the end of a bundle's file name.
const Extension = ".edgewright"

// Pair is a certificate chain and its key.
type Pair struct {
	// Chain is PEM, leaf first, without the root.
	Chain []byte
	// Key is PKCS #8, PEM, unencrypted.
	Key secret.Value
}

// Bundle is what is sealed.
type Bundle struct {
	// Batch is the batch that made it; Device is the device ID.
	Batch, Device string
	Made          time.Time // UTC, whole seconds
	// Plan is the plan's TOML. Where it names files of certificates, these are
	// names of members.
	Plan     []byte
	Identity Pair
	// EdgeCA is nil for a device without one.
	EdgeCA *Pair
	// Trust is PEM, the roots that the device trusts; it may be empty.
	Trust []byte
}

// The members of the archive, which are also the names that a sealed plan uses.
const (
	manifestName  = "manifest.json"
	PlanName      = "plan.toml"
	ChainName     = "identity.cert.pem"
	KeyName       = "identity.key.pem"
	EdgeChainName = "edge-ca.cert.pem"
	EdgeKeyName   = "edge-ca.key.pem"
	TrustName     = "trust-bundle.pem"
)

// What Open can wrap.
var (
	// ErrDamaged is a file that is no bundle, is cut off or was changed.
	ErrDamaged = errors.New("the bundle is damaged, or is none")
	// ErrVersion is a bundle of a version that this program does not know.
	ErrVersion = errors.New("the bundle is of an unknown version")
	// ErrRecipient is a bundle that is sealed for somebody else.
	ErrRecipient = errors.New("the bundle is sealed for another recipient")
	// ErrRefused is a bundle that opens and breaks a rule of the format.
	ErrRefused = errors.New("the bundle breaks the rules of its format")
	// ErrRecipientText and ErrIdentityText are text that is no key.
	ErrRecipientText = errors.New("it is no recipient")
	ErrIdentityText  = errors.New("it is no identity")
	// ErrPassphrase is an identity that is encrypted, without its passphrase.
	ErrPassphrase = errors.New("it is encrypted, and its passphrase is missing or wrong")
)

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// member is one file of the archive.
type member struct {
	name string
	data []byte
}

// members are the files behind the manifest, in their order.
func (b Bundle) members() []member {
	list := []member{{PlanName, b.Plan}, {ChainName, b.Identity.Chain}, {KeyName, b.Identity.Key.Reveal()}}
	if b.EdgeCA != nil {
		list = append(list, member{EdgeChainName, b.EdgeCA.Chain}, member{EdgeKeyName, b.EdgeCA.Key.Reveal()})
	}
	if len(b.Trust) > 0 {
		list = append(list, member{TrustName, b.Trust})
	}
	return list
}
