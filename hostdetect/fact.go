package hostdetect

// State says whether something was found, is known not to be there, or could
// not be found out. The zero value counts as unknown.
type State string

// The states of a fact.
const (
	Found   State = "found"
	Absent  State = "absent"
	Unknown State = "unknown"
)

// Fact is one thing known about a host, ready to be listed. Key is stable and
// is, behind "fact.", the ID of its label in [Texts].
type Fact struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Found State  `json:"found"`
	// How names the command or file that told it.
	How string `json:"how"`
	// Why says, where Found is unknown, why it could not be found out; else it
	// may hold a remark.
	Why string `json:"why,omitempty"`
}

// The keys of facts, in the order in which a report lists them.
const (
	FactOS           = "os"
	FactArch         = "arch"
	FactKernel       = "kernel"
	FactVirt         = "virt"
	FactCPU          = "cpu"
	FactMemory       = "memory"
	FactDisk         = "disk"
	FactSystemd      = "systemd"
	FactEngine       = "engine"
	FactRuntime      = "runtime"
	FactIdentity     = "identity-service"
	FactProvisioning = "provisioning"
	FactUsers        = "users"
	FactTPM          = "tpm"
	FactTimeSync     = "time-sync"
	FactClock        = "clock"
	FactHostname     = "hostname"
	FactMachineID    = "machine-id"
	FactInterfaces   = "interfaces"
	FactProxy        = "proxy"
	FactStore        = "store"
	FactReach        = "reach"
)

// Fact gives the first fact of that key; one of state unknown where the report
// has none.
func (r Report) Fact(key string) Fact {
	for _, f := range r.Facts {
		if f.Key == key {
			return f
		}
	}
	return Fact{Key: key, Found: Unknown, Why: "not looked at"}
}

func (r *Report) found(key, value, how string) {
	r.Facts = append(r.Facts, Fact{Key: key, Value: value, Found: Found, How: how})
}

func (r *Report) absent(key, how string) {
	r.Facts = append(r.Facts, Fact{Key: key, Found: Absent, How: how})
}

func (r *Report) unknown(key, how, why string) {
	r.Facts = append(r.Facts, Fact{Key: key, Found: Unknown, How: how, Why: why})
}
