package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/BurntSushi/toml"
)

// config is the part of config.toml that is taken.
type config struct {
	Hostname        string   `toml:"hostname"`
	TrustBundleCert string   `toml:"trust_bundle_cert"`
	EdgeCA          edgeCA   `toml:"edge_ca"`
	CertIssuance    issuance `toml:"cert_issuance"`
	Provisioning    struct {
		Source         string `toml:"source"`
		IothubHostname string `toml:"iothub_hostname"`
		DeviceID       string `toml:"device_id"`
		Authentication struct {
			Method       string       `toml:"method"`
			DeviceIDPK   value        `toml:"device_id_pk"`
			IdentityCert identityCert `toml:"identity_cert"`
			IdentityPK   string       `toml:"identity_pk"`
		} `toml:"authentication"`
		GlobalEndpoint string `toml:"global_endpoint"`
		IDScope        string `toml:"id_scope"`
		Attestation    struct {
			Method         string       `toml:"method"`
			RegistrationID string       `toml:"registration_id"`
			SymmetricKey   value        `toml:"symmetric_key"`
			IdentityCert   identityCert `toml:"identity_cert"`
			IdentityPK     string       `toml:"identity_pk"`
		} `toml:"attestation"`
	} `toml:"provisioning"`
}

type value struct {
	Value string `toml:"value"`
}

// account is a user of the device.
type account struct{ uid, gid uint32 }

func accounts() (map[string]account, error) {
	text, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return nil, err
	}
	found := map[string]account{}
	for line := range strings.SplitSeq(string(text), "\n") {
		fields := strings.Split(line, ":")
		if len(fields) < 4 {
			continue
		}
		var a account
		if _, err := fmt.Sscan(fields[2]+" "+fields[3], &a.uid, &a.gid); err == nil {
			found[fields[0]] = a
		}
	}
	for _, name := range []string{"aziotks", "aziotcs", "aziotid", "aziottpm", "iotedge"} {
		if _, ok := found[name]; !ok {
			return nil, fmt.Errorf("could not query %s user information", name)
		}
	}
	return found, nil
}

func apply() error {
	if os.Geteuid() != 0 {
		return errors.New("this command must be run as root")
	}
	users, err := accounts()
	if err != nil {
		return err
	}
	if err := owned(configPath, account{}, 0o600); err != nil {
		return err
	}
	var c config
	if _, err := toml.DecodeFile(configPath, &c); err != nil {
		return fmt.Errorf("could not parse config file: %w", err)
	}
	if err := c.checkIssued(); err != nil {
		return err
	}
	text, err := os.ReadFile(configPath)
	if err != nil {
		return err
	}
	switch {
	case c.byTPM():
		if p := c.Provisioning; !strings.HasPrefix(p.GlobalEndpoint, "https://") || p.IDScope == "" || p.Attestation.RegistrationID == "" {
			return errors.New("missing field in the provisioning by TPM")
		}
	case !c.byCertificate():
		key, err := c.key()
		if err != nil {
			return err
		}
		if err := write(keyPath, key, users["aziotks"], 0o700); err != nil {
			return err
		}
	}
	for daemon, user := range map[string]string{"keyd": "aziotks", "certd": "aziotcs", "identityd": "aziotid", "tpmd": "aziottpm", "edged": "iotedge"} {
		if err := write("/etc/aziot/"+daemon+"/config.d/00-super.toml", text, users[user], 0o755); err != nil {
			return err
		}
	}
	for _, dir := range []string{"/var/lib/aziot/identityd"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.Chown(dir, int(users["aziotid"].uid), int(users["aziotid"].gid)); err != nil {
			return err
		}
	}
	fmt.Println("Azure IoT Edge has been configured successfully!")
	fmt.Println("Restarting service for configuration to take effect...")
	// What fails from here on is in the services' logs only; the exit code stays 0.
	_ = start()
	return nil
}

// key checks the values as the daemons' parsers do, and gives the raw key.
func (c config) key() ([]byte, error) {
	p := c.Provisioning
	text := ""
	switch {
	case p.Source == "manual" && p.IothubHostname != "" && p.DeviceID != "" && p.Authentication.Method == "sas":
		text = p.Authentication.DeviceIDPK.Value
	case p.Source == "manual":
		return nil, errors.New("data did not match any variant of untagged enum ManualProvisioning")
	case p.Source == "dps" && strings.HasPrefix(p.GlobalEndpoint, "https://") && p.IDScope != "" && p.Attestation.Method == "symmetric_key" && p.Attestation.RegistrationID != "":
		text = p.Attestation.SymmetricKey.Value
	default:
		return nil, fmt.Errorf("unknown provisioning source %q or missing field", p.Source)
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) == 0 {
		return nil, errors.New("data did not match any variant of untagged enum SymmetricKey")
	}
	return key, nil
}

// owned refuses a file with another owner or mode than it has to have.
func owned(path string, who account, mode os.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("could not read config file %s: %w", path, err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid != who.uid || stat.Gid != who.gid || info.Mode() != mode {
		return fmt.Errorf("%s has owner %d:%d and mode %v, want %d:%d and %v", path, stat.Uid, stat.Gid, info.Mode(), who.uid, who.gid, mode)
	}
	return nil
}

func write(path string, data []byte, who account, dirMode os.FileMode) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	if err := os.Chown(dir, int(who.uid), int(who.gid)); err != nil {
		return err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return err
	}
	return os.Chown(path, int(who.uid), int(who.gid))
}

// as runs a part of the stand-in as the user of a daemon.
func as(user, part string, input []byte) ([]byte, error) {
	users, err := accounts()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.Command(self, "daemon", part)
	child.Args[0] = "iotedge"
	child.Stdin = strings.NewReader(string(input))
	who := users[user]
	if os.Geteuid() == 0 {
		child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: who.uid, Gid: who.gid}}
	}
	out, err := child.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s as %s: %s", part, user, strings.TrimSpace(string(exit.Stderr)))
	}
	return out, err
}

// start starts the services: identityd provisions, edged reads the trust
// bundle through certd.
func start() (err error) {
	defer func() {
		if err != nil {
			logged("aziot-identityd", err)
		}
	}()
	if err := setState("failed"); err != nil {
		return err
	}
	token, err := signer()
	if err != nil {
		return err
	}
	defer token()
	if _, err := as("aziotcs", "certd-read", nil); err != nil {
		return err
	}
	if err := errors.Join(prepareIdentity(), prepareEdgeCA()); err != nil {
		return err
	}
	if _, err := as("aziotid", "identityd", nil); err != nil {
		return err
	}
	if err := startEdgeHub(); err != nil {
		return err
	}
	return setState("running")
}

// reprovision forgets the saved device and provisions anew.
func reprovision() error {
	if state() == "stopped" {
		return errors.New("could not connect to the identity service")
	}
	if err := os.Remove(backupPath); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := start(); err != nil {
		return err
	}
	fmt.Println("Successfully reprovisioned with IoT Hub.")
	return nil
}
