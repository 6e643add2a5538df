// Standin takes the places of iotedge and systemctl in the root of a test
// device. It does what the runtime does with a configuration, as the users the
// runtime does it as: `config apply` reads config.toml as root and writes the
// daemons' files, the identity daemon reads its own as aziotid, keys are read
// and used as aziotks, certificates as aziotcs. It registers and connects for
// real, trusting only what the device's own store trusts, and fails on a wrong
// owner, mode or value.
//
// It shares no code with the program under test. Source of the behaviour: the
// product's own sources as listed in the product documentation, 1.6.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Files of the device.
const (
	configPath = "/etc/aziot/config.toml"
	superPath  = "/etc/aziot/identityd/config.d/00-super.toml"
	keyPath    = "/var/secrets/aziot/keyd/device-id"
	backupPath = "/var/lib/aziot/identityd/device_info"
	statePath  = "/run/aziot-standin"
)

// commandFailed begins what a command says on its way out.
const commandFailed = "Command failed: "

func main() {
	name, args := filepath.Base(os.Args[0]), strings.Join(os.Args[1:], " ")
	if err := run(name, args); err != nil {
		fmt.Fprintln(os.Stderr, commandFailed+err.Error())
		os.Exit(1)
	}
}

func run(name, args string) error {
	if name == "systemctl" {
		return systemctl(os.Args[1:])
	}
	switch args {
	case "--version", "version":
		fmt.Println("iotedge 1.6.0")
		return nil
	case "config apply":
		return apply()
	case "system status":
		status()
		return nil
	case "system stop":
		stopEdgeHub()
		return setState("stopped")
	case "system restart":
		return start()
	case "system reprovision":
		return reprovision()
	case "list":
		return list()
	case "system logs -- -n 200 --no-pager":
		return logs()
	case "check -o json", "check --output json":
		return check()
	case "daemon identityd":
		return identityd()
	case "daemon keyd-sign":
		return keydSign()
	case "daemon keyd-key":
		return keydKey()
	case "daemon certd-read":
		return certdRead()
	case "daemon certd-chain":
		return certdChain()
	case "daemon certd-create":
		return certdCreate()
	case "daemon edgehub":
		return edgeHubServe()
	}
	if act, ok := tpmParts[strings.TrimPrefix(args, "daemon ")]; ok {
		return tpmd(act)
	}
	return fmt.Errorf("unrecognized subcommand %q", args)
}

// systemctl answers what a look at the host asks.
func systemctl(args []string) error {
	if len(args) > 0 && args[0] == "is-system-running" {
		fmt.Println("running")
	}
	for _, arg := range args {
		if strings.HasSuffix(arg, ".service") {
			fmt.Printf("Id=%s\nLoadState=loaded\nActiveState=active\nEnvironment=\n\n", arg)
		}
	}
	return nil
}

// state is what the services are in: stopped, running, or failed.
func state() string {
	text, err := os.ReadFile(statePath)
	if err != nil {
		return "stopped"
	}
	return string(text)
}

func setState(text string) error { return os.WriteFile(statePath, []byte(text), 0o644) }

func status() {
	fmt.Println("System services:")
	identity, edged := "Ready", "Down - inactive"
	switch state() {
	case "running":
		identity, edged = "Running", "Running"
	case "failed":
		identity, edged = "Down - activating", "Running"
	}
	for _, row := range [][2]string{{"aziot-edged", edged}, {"aziot-identityd", identity}, {"aziot-keyd", "Ready"}, {"aziot-certd", "Ready"}, {"aziot-tpmd", "Ready"}} {
		fmt.Printf("    %-24s%s\n", row[0], row[1])
	}
}

func list() error {
	if state() != "running" {
		return fmt.Errorf("a module runtime error occurred\n\tcaused by: No such file or directory (os error 2)")
	}
	fmt.Println(listedModules())
	return nil
}

// check answers as on a device that has no deployment: edgeHub is missing, so
// the command itself ends with 1.
func check() error {
	result := "ok"
	if state() != "running" {
		result = "error"
	}
	fmt.Printf(`{"additional_info":{},"checks":{"hostname":{"result":{"result":"ok"}},"identityd-config-well-formed":{"result":{"result":"ok"}},`+
		`"identityd-running":{"result":{"result":%q,"details":["not running"]}},"container-engine-dns":{"result":{"result":"warning","details":["no dns"]}},`+
		`"edge-hub-storage-mounted-from-host":{"result":{"result":"error","details":["Could not check current state of edgeHub container"]}}}}`+"\n", result)
	os.Exit(1)
	return nil
}
