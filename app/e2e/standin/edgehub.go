package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/BurntSushi/toml"
)

// A device whose root has deploymentPath has a deployment with edgeHub.
const (
	deploymentPath = "/opt/standin-deployment"
	edgeHubPID     = "/run/aziot-standin-edgehub"
)

// edgeHubPorts are those of edgeHub for AMQP and HTTPS. The one for MQTT the
// practice cloud has, where a device is attached to it.
var edgeHubPorts = []string{"5671", "443"}

// serverPair is what the workload API gives edgeHub: DER, the key as PKCS #8.
type serverPair struct {
	Chain [][]byte
	Key   []byte
}

// startEdgeHub starts the module edgeHub anew, if the device has it: the one of
// before ends, edged lets the Edge CA sign a server certificate, and edgeHub, a
// process of its own without any other file, serves TLS with the chain.
func startEdgeHub() error {
	stopEdgeHub()
	if _, err := os.Stat(deploymentPath); err != nil {
		return nil
	}
	pair, err := serverCertificate()
	if err != nil {
		return fmt.Errorf("edgeHub: %w", err)
	}
	text, err := json.Marshal(pair)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	hub := exec.Command(self, "daemon", "edgehub")
	hub.Args[0] = "iotedge"
	hub.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	input, err := hub.StdinPipe()
	if err != nil {
		return err
	}
	output, err := hub.StdoutPipe()
	if err != nil {
		return err
	}
	if err := hub.Start(); err != nil {
		return err
	}
	_, err = input.Write(text)
	err = errors.Join(err, input.Close(), os.WriteFile(edgeHubPID, []byte(strconv.Itoa(hub.Process.Pid)), 0o644))
	if err != nil {
		return err
	}
	// It is up once it has said so.
	if _, err := output.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("edgeHub does not start: %w", err)
	}
	return nil
}

// edgeHub is the process of the module that runs, nil for none.
func edgeHub() *os.Process {
	text, err := os.ReadFile(edgeHubPID)
	if err != nil {
		return nil
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return nil
	}
	process, err := os.FindProcess(pid)
	if err != nil || process.Signal(syscall.Signal(0)) != nil {
		return nil
	}
	return process
}

func stopEdgeHub() {
	if process := edgeHub(); process != nil {
		_ = process.Kill()
	}
	_ = os.Remove(edgeHubPID)
}

// serverCertificate is signed by the Edge CA that the configuration names, whose
// key the key daemon uses.
func serverCertificate() (serverPair, error) {
	var c config
	if _, err := toml.DecodeFile(superPath, &c); err != nil {
		return serverPair{}, err
	}
	if c.named(edge) == (pair{}) {
		return serverPair{}, errors.New("there is no Edge CA in the configuration")
	}
	ca, err := certificate(edge)
	if err != nil {
		return serverPair{}, err
	}
	parent, err := x509.ParseCertificate(ca.Certificate[0])
	if err != nil {
		return serverPair{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return serverPair{}, err
	}
	name, err := os.Hostname()
	if err != nil {
		return serverPair{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), ca.PrivateKey)
	if err != nil {
		return serverPair{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	return serverPair{append([][]byte{der}, ca.Certificate...), private}, err
}

// edgeHubServe is edgeHub: it shakes hands with whoever comes.
func edgeHubServe() error {
	var given serverPair
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		return err
	}
	key, err := x509.ParsePKCS8PrivateKey(given.Key)
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: given.Chain, PrivateKey: key}}}
	ended := make(chan error)
	for _, port := range edgeHubPorts {
		listener, err := tls.Listen("tcp", net.JoinHostPort("", port), config)
		for try := 0; errors.Is(err, syscall.EADDRINUSE) && try < 100; try++ {
			time.Sleep(50 * time.Millisecond) // the one of before is on its way out
			listener, err = tls.Listen("tcp", net.JoinHostPort("", port), config)
		}
		if err != nil {
			return err
		}
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					ended <- err
					return
				}
				go func() {
					_ = conn.(*tls.Conn).Handshake()
					_ = conn.Close()
				}()
			}
		}()
	}
	fmt.Print("up")
	_ = os.Stdout.Close()
	return <-ended
}

// listedModules are the rows of `iotedge list`.
func listedModules() string {
	rows := []string{"NAME             STATUS           DESCRIPTION      Config",
		"edgeAgent        running          Up a second      mcr.microsoft.com/azureiotedge-agent:1.6"}
	if edgeHub() != nil {
		rows = append(rows, "edgeHub          running          Up a second      mcr.microsoft.com/azureiotedge-hub:1.6")
	}
	return strings.Join(rows, "\n")
}
