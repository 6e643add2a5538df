package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// Where the TPM service looks for keys and keeps the one of DPS.
const (
	ekHandle  = tpm2.TPMHandle(0x81010001)
	srkHandle = tpm2.TPMHandle(0x81000001)
	authBase  = 0x81000000
)

// tpmConfig is the section [tpm].
type tpmConfig struct {
	TCTI     *string `toml:"tcti"`
	KeyIndex *uint32 `toml:"auth_key_index"`
	Auth     struct {
		Endorsement string `toml:"endorsement"`
		Owner       string `toml:"owner"`
	} `toml:"hierarchy_authorization"`
}

// byTPM tells whether the device attests with its TPM.
func (c config) byTPM() bool {
	return c.Provisioning.Source == "dps" && c.Provisioning.Attestation.Method == "tpm"
}

func (c tpmConfig) endorsement() tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: tpm2.TPMRHEndorsement, Auth: tpm2.PasswordAuth([]byte(c.Auth.Endorsement))}
}

func (c tpmConfig) owner() tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth([]byte(c.Auth.Owner))}
}

func (c tpmConfig) keyHandle() tpm2.TPMHandle {
	if c.KeyIndex != nil {
		return tpm2.TPMHandle(authBase + *c.KeyIndex)
	}
	return authBase + 0x100
}

// socket is a software TPM by its data port: a stream of commands and responses.
type socket struct{ net.Conn }

func (s socket) Send(command []byte) ([]byte, error) {
	if err := s.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := s.Write(command); err != nil {
		return nil, err
	}
	head := make([]byte, 10)
	if _, err := io.ReadFull(s, head); err != nil {
		return nil, err
	}
	rest := make([]byte, max(int(binary.BigEndian.Uint32(head[2:]))-len(head), 0))
	_, err := io.ReadFull(s, rest)
	return append(head, rest...), err
}

// openTPM follows the loader string: of those that the runtime knows, a software
// TPM over TCP and a device node.
func openTPM(c tpmConfig) (transport.TPMCloser, error) {
	tcti := "device"
	if c.TCTI != nil {
		tcti = *c.TCTI
	}
	name, rest, _ := strings.Cut(tcti, ":")
	switch name {
	case "swtpm":
		host, port := "localhost", "2321"
		for part := range strings.SplitSeq(rest, ",") {
			key, value, _ := strings.Cut(part, "=")
			switch key {
			case "host":
				host = value
			case "port":
				port = value
			}
		}
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), 10*time.Second)
		return socket{conn}, err
	case "device":
		node, err := os.OpenFile("/dev/tpmrm0", os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		return transport.FromReadWriteCloser(node), nil
	}
	return nil, fmt.Errorf("no TCTI %q", tcti)
}

// tpmd runs as aziottpm: it does one thing with the TPM and answers in base64.
func tpmd(act func(tpmConfig, transport.TPM, []byte) ([]byte, error)) error {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var c struct {
		TPM tpmConfig `toml:"tpm"`
	}
	if _, err := toml.DecodeFile(superOf("tpmd"), &c); err != nil {
		return err
	}
	chip, err := openTPM(c.TPM)
	if err != nil {
		return fmt.Errorf("could not open the TPM: %w", err)
	}
	defer func() { _ = chip.Close() }()
	answer, err := act(c.TPM, chip, input)
	if err == nil {
		_, err = fmt.Print(base64.StdEncoding.EncodeToString(answer))
	}
	return err
}

// object is a key that is loaded, and how it is let go.
type object struct {
	handle tpm2.AuthHandle
	public []byte // TPM2B_PUBLIC
	flush  func()
}

// primary takes a kept key, or makes it from its template.
func primary(chip transport.TPM, at tpm2.TPMHandle, hierarchy tpm2.AuthHandle, template tpm2.TPMTPublic) (object, error) {
	if kept, err := (tpm2.ReadPublic{ObjectHandle: at}).Execute(chip); err == nil {
		return object{tpm2.AuthHandle{Handle: at, Name: kept.Name, Auth: tpm2.PasswordAuth(nil)}, tpm2.Marshal(kept.OutPublic), func() {}}, nil
	}
	made, err := (tpm2.CreatePrimary{PrimaryHandle: hierarchy, InPublic: tpm2.New2B(template)}).Execute(chip)
	if err != nil {
		return object{}, err
	}
	flush := func() { _, _ = (tpm2.FlushContext{FlushHandle: made.ObjectHandle}).Execute(chip) }
	return object{tpm2.AuthHandle{Handle: made.ObjectHandle, Name: made.Name, Auth: tpm2.PasswordAuth(nil)}, tpm2.Marshal(made.OutPublic), flush}, nil
}

// tpmKeys are what the identity daemon shows DPS.
type tpmKeys struct {
	EndorsementKey string `json:"endorsementKey"`
	StorageRootKey string `json:"storageRootKey"`
}

func readKeys(c tpmConfig, chip transport.TPM, _ []byte) ([]byte, error) {
	ek, err := primary(chip, ekHandle, c.endorsement(), tpm2.RSAEKTemplate)
	if err != nil {
		return nil, err
	}
	defer ek.flush()
	srk, err := primary(chip, srkHandle, c.owner(), tpm2.RSASRKTemplate)
	if err != nil {
		return nil, err
	}
	defer srk.flush()
	return json.Marshal(tpmKeys{base64.StdEncoding.EncodeToString(ek.public), base64.StdEncoding.EncodeToString(srk.public)})
}

// importKey takes a key of DPS in and keeps it where the configuration says; one
// that was there goes.
func importKey(c tpmConfig, chip transport.TPM, blob []byte) ([]byte, error) {
	var parts [5][]byte
	for i := range parts {
		if len(blob) < 2 || len(blob)-2 < int(binary.BigEndian.Uint16(blob)) {
			return nil, errors.New("the authentication key is cut off")
		}
		size := int(binary.BigEndian.Uint16(blob))
		parts[i], blob = blob[2:2+size], blob[2+size:]
	}
	ek, err := primary(chip, ekHandle, c.endorsement(), tpm2.RSAEKTemplate)
	if err != nil {
		return nil, err
	}
	srk, err := primary(chip, srkHandle, c.owner(), tpm2.RSASRKTemplate)
	if err != nil {
		ek.flush()
		return nil, err
	}
	defer srk.flush()
	inner, err := activate(c, chip, ek, srk, parts[0], parts[1])
	ek.flush() // a TPM has room for three, and reading a kept one takes one, too
	if err != nil {
		return nil, err
	}
	public := tpm2.BytesAs2B[tpm2.TPMTPublic](parts[4])
	imported, err := (tpm2.Import{ParentHandle: srk.handle, EncryptionKey: tpm2.TPM2BData{Buffer: inner}, ObjectPublic: public,
		Duplicate: tpm2.TPM2BPrivate{Buffer: parts[2]}, InSymSeed: tpm2.TPM2BEncryptedSecret{Buffer: parts[3]},
		Symmetric: tpm2.TPMTSymDef{Algorithm: tpm2.TPMAlgAES, KeyBits: tpm2.NewTPMUSymKeyBits(tpm2.TPMAlgAES, tpm2.TPMKeyBits(128)), Mode: tpm2.NewTPMUSymMode(tpm2.TPMAlgAES, tpm2.TPMAlgCFB)}}).Execute(chip)
	if err != nil {
		return nil, err
	}
	loaded, err := (tpm2.Load{ParentHandle: srk.handle, InPrivate: imported.OutPrivate, InPublic: public}).Execute(chip)
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = (tpm2.FlushContext{FlushHandle: loaded.ObjectHandle}).Execute(chip) }()
	keep := c.keyHandle()
	if kept, err := (tpm2.ReadPublic{ObjectHandle: keep}).Execute(chip); err == nil {
		if _, err := (tpm2.EvictControl{Auth: c.owner(), ObjectHandle: &tpm2.NamedHandle{Handle: keep, Name: kept.Name}, PersistentHandle: keep}).Execute(chip); err != nil {
			return nil, err
		}
	}
	_, err = tpm2.EvictControl{Auth: c.owner(), ObjectHandle: &tpm2.NamedHandle{Handle: loaded.ObjectHandle, Name: loaded.Name}, PersistentHandle: keep}.Execute(chip)
	return []byte("imported"), err
}

// activate opens the credential, which names the storage root key.
func activate(c tpmConfig, chip transport.TPM, ek, srk object, credential, secret []byte) ([]byte, error) {
	session, done, err := tpm2.PolicySession(chip, tpm2.TPMAlgSHA256, 16)
	if err != nil {
		return nil, err
	}
	defer func() { _ = done() }()
	if _, err := (tpm2.PolicySecret{AuthHandle: c.endorsement(), PolicySession: session.Handle(), NonceTPM: session.NonceTPM()}).Execute(chip); err != nil {
		return nil, err
	}
	unlock := ek.handle
	unlock.Auth = session
	opened, err := (tpm2.ActivateCredential{ActivateHandle: srk.handle, KeyHandle: unlock, CredentialBlob: tpm2.TPM2BIDObject{Buffer: credential},
		Secret: tpm2.TPM2BEncryptedSecret{Buffer: secret}}).Execute(chip)
	if err != nil {
		return nil, err
	}
	return opened.CertInfo.Buffer, nil
}

// signKept signs with the key that is kept.
func signKept(c tpmConfig, chip transport.TPM, message []byte) ([]byte, error) {
	kept, err := (tpm2.ReadPublic{ObjectHandle: c.keyHandle()}).Execute(chip)
	if err != nil {
		return nil, err
	}
	signed, err := (tpm2.Hmac{Handle: tpm2.AuthHandle{Handle: c.keyHandle(), Name: kept.Name, Auth: tpm2.PasswordAuth(nil)},
		Buffer: tpm2.TPM2BMaxBuffer{Buffer: message}, HashAlg: tpm2.TPMAlgSHA256}).Execute(chip)
	if err != nil {
		return nil, err
	}
	return signed.OutHMAC.Buffer, nil
}

// The parts of the TPM service, as requests over the daemons' socket.
var tpmParts = map[string]func(tpmConfig, transport.TPM, []byte) ([]byte, error){"tpmd-keys": readKeys, "tpmd-import": importKey, "tpmd-sign": signKept}

const tpmMark = "\x00tpm "

// askTPM asks the TPM service.
func askTPM(part string, input []byte) ([]byte, error) {
	answer, err := sign(tpmMark + part + " " + string(input))
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(answer)
}

// proveTPM makes the first register call, which DPS answers with 401 and a key
// for the TPM that it was shown.
func proveTPM(address, registrationID string) error {
	keys, err := askTPM("tpmd-keys", nil)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPut, address, strings.NewReader(`{"registrationId":"`+registrationID+`","tpm":`+string(keys)+`}`))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 20 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var challenge struct {
		AuthenticationKey string `json:"authenticationKey"`
	}
	if response.StatusCode != http.StatusUnauthorized || json.Unmarshal(text, &challenge) != nil || challenge.AuthenticationKey == "" {
		return fmt.Errorf("register: %s instead of a key for the TPM: %s", response.Status, text)
	}
	return takeKey(challenge.AuthenticationKey)
}

func takeKey(text string) error {
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) == 0 {
		return errors.New("the authentication key is not base64")
	}
	_, err = askTPM("tpmd-import", key)
	return err
}
