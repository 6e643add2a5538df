package target

import "fmt"

// Action is a command from a closed list that runs on a device with rights.
type Action string

// The actions, with the commands they stand for.
const (
	ConfigApply   Action = "config-apply"  // iotedge config apply
	Reprovision   Action = "reprovision"   // iotedge system reprovision
	SystemStatus  Action = "status"        // iotedge system status
	SystemStop    Action = "stop"          // iotedge system stop
	SystemRestart Action = "restart"       // iotedge system restart
	ModuleList    Action = "modules"       // iotedge list
	Check         Action = "check"         // iotedge check -o json
	Logs          Action = "logs"          // iotedge system logs, the last 200 lines
	Version       Action = "version"       // iotedge --version
	RefreshTrust  Action = "refresh-trust" // update-ca-certificates --fresh, or update-ca-trust
	AddTrust      Action = "add-trust"     // the practice CA alone, as update-ca-certificates would
	// RemoveGenerated removes what `iotedge config apply` generated and what
	// identityd remembers. It is file work and goes on every target; on one
	// that runs, stop the services first.
	RemoveGenerated Action = "remove-generated"
)

// Output is what an action printed, and its exit code. A command that the
// device does not have is exit 127.
type Output struct {
	Stdout, Stderr string
	Exit           int
}

// systemPath is where commands of ours are looked up, whatever the login's
// PATH is.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"

// commands gives the ways to carry an action out, best first; the first whose
// program exists is run. RemoveGenerated has none.
func (a Action) commands() ([][]string, error) {
	switch a {
	case ConfigApply:
		return [][]string{{"iotedge", "config", "apply"}}, nil
	case Reprovision:
		return [][]string{{"iotedge", "system", "reprovision"}}, nil
	case SystemStatus:
		return [][]string{{"iotedge", "system", "status"}}, nil
	case SystemStop:
		return [][]string{{"iotedge", "system", "stop"}}, nil
	case SystemRestart:
		return [][]string{{"iotedge", "system", "restart"}}, nil
	case ModuleList:
		return [][]string{{"iotedge", "list"}}, nil
	case Check:
		return [][]string{{"iotedge", "check", "-o", "json"}}, nil
	case Logs:
		return [][]string{{"iotedge", "system", "logs", "--", "-n", "200", "--no-pager"}}, nil
	case Version:
		return [][]string{{"iotedge", "--version"}}, nil
	case AddTrust:
		return [][]string{{"sh", "-c", addTrust, "sh", ""}}, nil
	case RefreshTrust:
		// Without --fresh the link of a removed certificate stays.
		return [][]string{{"update-ca-certificates", "--fresh"}, {"update-ca-trust"}}, nil
	}
	return nil, fmt.Errorf("action %q: not in the list", string(a))
}

// generated is what `iotedge config apply` writes (1.2 to 1.6) and the state
// that identityd and edged keep of a provisioning. Folders that are empty
// afterwards and that apply makes go too, deepest first.
var generated = struct{ files, dirs []string }{
	files: []string{
		"/etc/aziot/keyd/config.d/00-super.toml",
		"/etc/aziot/certd/config.d/00-super.toml",
		"/etc/aziot/identityd/config.d/00-super.toml",
		"/etc/aziot/tpmd/config.d/00-super.toml",
		"/etc/aziot/edged/config.d/00-super.toml",
		"/var/secrets/aziot/keyd/device-id",
		"/var/secrets/aziot/keyd/imported-master-encryption-key",
		"/var/lib/aziot/identityd/device_info",
		"/var/lib/aziot/identityd/prev_state",
		"/var/lib/aziot/identityd/modules",
		"/var/lib/aziot/edged/cache/provisioning_state",
	},
	dirs: []string{"/var/secrets/aziot/keyd", "/var/secrets/aziot", "/var/secrets", "/var/lib/aziot/certd/certs", "/var/lib/aziot/keyd/keys"},
}
