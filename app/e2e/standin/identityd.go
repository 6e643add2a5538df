package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// socketPath is where the key daemon signs for the identity daemon, as its own
// user: the identity daemon never sees the key.
const socketPath = "/run/aziot-standin-keyd.sock"

// signer listens for the identity daemon and lets each request be signed as
// aziotks.
func signer() (stop func(), err error) {
	_ = os.Remove(socketPath)
	listener, err := net.Listen("unix", socketPath)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(socketPath, 0o666); err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return func() { _ = listener.Close(); _ = os.Remove(socketPath) }, nil
}

// keydSign runs as aziotks: it reads the raw key and signs standard input.
func keydSign() error {
	key, err := os.ReadFile(keyPath)
	if err != nil {
		return err
	}
	message, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	fmt.Print(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}

// certdRead runs as aziotcs: a trust bundle that is configured must be
// readable.
func certdRead() error {
	var c config
	if _, err := toml.DecodeFile("/etc/aziot/certd/config.d/00-super.toml", &c); err != nil {
		return err
	}
	if c.TrustBundleCert == "" {
		return nil
	}
	path, ok := strings.CutPrefix(c.TrustBundleCert, "file://")
	if !ok {
		return fmt.Errorf("trust bundle %q is not a file URI", c.TrustBundleCert)
	}
	text, err := os.ReadFile(path)
	if err == nil && !bytes.Contains(text, []byte("BEGIN CERTIFICATE")) {
		err = errors.New("the trust bundle is not PEM")
	}
	return err
}

// sign asks the key daemon.
func sign(message string) (string, error) {
	conn, err := net.Dial("unix", socketPath)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, message); err != nil {
		return "", err
	}
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
		return "", err
	}
	signature, err := io.ReadAll(conn)
	if err == nil && len(signature) == 0 {
		err = errors.New("keyd: Permission denied (os error 13)")
	}
	return string(signature), err
}

// token makes a SAS as identityd does: audience in lower case, slashes plain,
// thirty seconds.
func token(audience, policy string) (string, error) {
	audience = strings.ToLower(audience)
	expiry := strconv.FormatInt(time.Now().Add(30*time.Second).Unix(), 10)
	text := audience + "\n" + expiry
	var signature string
	var err error
	if signsInTPM {
		var raw []byte
		raw, err = askTPM("tpmd-sign", []byte(text))
		signature = base64.StdEncoding.EncodeToString(raw)
	} else {
		signature, err = sign(text)
	}
	if err != nil {
		return "", err
	}
	text = "SharedAccessSignature sr=" + audience + "&sig=" + url.QueryEscape(signature) + "&se=" + expiry
	if policy != "" {
		text += "&skn=" + policy
	}
	return text, nil
}

// signsInTPM makes tokens with the key that the TPM keeps.
var signsInTPM bool

// saved is the identity daemon's backup.
type saved struct{ Hub, Device string }

// identityd runs as aziotid: it provisions, or takes its backup, and
// reconciles the module identities at the hub.
func identityd() error {
	var c config
	if _, err := toml.DecodeFile(superPath, &c); err != nil {
		return err
	}
	p := c.Provisioning
	var err error
	device := saved{p.IothubHostname, p.DeviceID}
	if c.byCertificate() {
		if shown, err = certificate(identity); err != nil {
			return err
		}
	}
	signsInTPM = c.byTPM()
	if p.Source == "dps" {
		text, err := os.ReadFile(backupPath)
		if err == nil && json.Unmarshal(text, &device) == nil {
			fmt.Fprintln(os.Stderr, "Provisioned with backup for", device.Device)
		} else if device, err = register(c); err != nil {
			return fmt.Errorf("failed to provision with IoT Hub, and no valid device backup was found: %w", err)
		}
		text, err = json.Marshal(device)
		if err != nil {
			return err
		}
		if err := os.WriteFile(backupPath, text, 0o600); err != nil {
			return err
		}
	}
	return modules(device, c.byCertificate())
}

func register(c config) (saved, error) {
	p := c.Provisioning
	base := p.GlobalEndpoint + "/" + p.IDScope + "/registrations/" + p.Attestation.RegistrationID
	auth := func() (string, error) {
		if c.byCertificate() {
			return "", nil
		}
		return token(p.IDScope+"/registrations/"+p.Attestation.RegistrationID, "registration")
	}
	const version = "?api-version=2021-06-01"
	var answer struct {
		OperationID       string `json:"operationId"`
		Status            string `json:"status"`
		RegistrationState *struct {
			RegistrationID string `json:"registrationId"`
			AssignedHub    string `json:"assignedHub"`
			DeviceID       string `json:"deviceId"`
			TPM            struct {
				AuthenticationKey string `json:"authenticationKey"`
			} `json:"tpm"`
		} `json:"registrationState"`
	}
	body := `{"registrationId":"` + p.Attestation.RegistrationID + `"}`
	if c.byTPM() {
		if err := proveTPM(base+"/register"+version, p.Attestation.RegistrationID); err != nil {
			return saved{}, err
		}
	}
	if err := call(http.MethodPut, base+"/register"+version, body, http.StatusAccepted, auth, "", &answer); err != nil {
		return saved{}, err
	}
	for range 50 {
		time.Sleep(100 * time.Millisecond)
		if err := call(http.MethodGet, base+"/operations/"+answer.OperationID+version, "", 0, auth, "", &answer); err != nil {
			return saved{}, err
		}
		if answer.RegistrationState == nil {
			return saved{}, errors.New("operation status without registrationState")
		}
		if answer.Status == "assigned" && c.byTPM() {
			if err := takeKey(answer.RegistrationState.TPM.AuthenticationKey); err != nil {
				return saved{}, err
			}
		}
		if answer.Status == "assigned" {
			return saved{answer.RegistrationState.AssignedHub, answer.RegistrationState.DeviceID}, nil
		}
	}
	return saved{}, errors.New("not assigned in time: " + answer.Status)
}

// modules does what the identity daemon does at the hub: list, then set the
// keys of $edgeAgent; each answer must be exactly 200.
func modules(d saved, byCertificate bool) error {
	base := "https://" + d.Hub + "/devices/" + url.PathEscape(d.Device) + "/modules"
	auth := func() (string, error) { return token(d.Hub+"/devices/"+d.Device, "") }
	derive := sign
	if signsInTPM {
		derive = func(id string) (string, error) {
			raw, err := askTPM("tpmd-sign", []byte(id))
			return base64.StdEncoding.EncodeToString(raw), err
		}
	}
	if byCertificate {
		auth = func() (string, error) { return "", nil }
		derive = func(id string) (string, error) {
			return base64.StdEncoding.EncodeToString([]byte("a key of module " + id)), nil
		}
	}
	const version = "?api-version=2017-11-08-preview"
	var list []struct {
		ModuleID     string `json:"moduleId"`
		GenerationID string `json:"generationId"`
	}
	if err := call(http.MethodGet, base+version, "", http.StatusOK, auth, "", &list); err != nil {
		return err
	}
	for _, module := range list {
		if module.ModuleID != "$edgeAgent" {
			continue
		}
		key, err := derive(module.GenerationID)
		if err != nil {
			return err
		}
		body := fmt.Sprintf(`{"moduleId":"$edgeAgent","deviceId":%q,"managedBy":"iotEdge","authentication":{"type":"sas","symmetricKey":{"primaryKey":%q,"secondaryKey":%q}}}`, d.Device, key, key)
		return call(http.MethodPut, base+"/%24edgeAgent"+version, body, http.StatusOK, auth, "*", nil)
	}
	return errors.New("the hub has no $edgeAgent: not an edge device")
}

// shown is the certificate that the identity daemon shows, nil for none.
var shown *tls.Certificate

// call makes one request. The device's own store decides about the server.
func call(method, address, body string, want int, auth func() (string, error), match string, into any) error {
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	authorization, err := auth()
	if err != nil {
		return err
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	request.Header.Set("Content-Type", "application/json")
	if match != "" {
		request.Header.Set("If-Match", match)
	}
	client := http.Client{Timeout: 20 * time.Second}
	if shown != nil {
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{*shown}}}
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if want != 0 && response.StatusCode != want || response.StatusCode > 299 {
		return fmt.Errorf("%s %s: %s: %s", method, address, response.Status, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}
