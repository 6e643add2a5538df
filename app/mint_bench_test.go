//go:build unix

package app

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"edgewright/provisioning"
	"edgewright/provisioning/bundle"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// spent is processor time and wall time.
type spent struct{ cpu, wall time.Duration }

// each is the time of one of n, in microseconds.
func (s spent) each(n int) (cpu, wall float64) {
	return float64(s.cpu.Nanoseconds()) / 1000 / float64(n), float64(s.wall.Nanoseconds()) / 1000 / float64(n)
}

// timed measures do. Processor time counts, because other programs share the
// machine; of the children's it is theirs.
func timed(b *testing.B, who int, do func()) spent {
	b.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	cpu, wall := used(), time.Now()
	do()
	return spent{used() - cpu, time.Since(wall)}
}

// The sizes of the comparison: the three take turns, so that all see the same
// load, and the median of the rounds counts, so that a burst of it does not.
const (
	mintRounds      = 10
	mintPerRound    = 250
	opensslPerRound = 5
)

// BenchmarkMinting sets minting identities (key, certificate under two CAs, sealed
// bundle, everything recorded and on the disk) against a bare loop of key
// generation, x509.CreateCertificate and age over the same bytes, and against the
// openssl command line, each on one core. Off the clock every bundle is opened.
func BenchmarkMinting(b *testing.B) {
	if _, err := exec.LookPath("openssl"); err != nil {
		b.Skip("needs openssl")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	dir := inMemory(b)
	word := filepath.Join(dir, "word")
	if err := os.WriteFile(word, []byte("correct horse battery staple"), 0o600); err != nil {
		b.Fatal(err)
	}
	a, err := New(b.Context(), Config{DataDir: filepath.Join(dir, "data"), StateDir: filepath.Join(dir, "state"), PassphraseFile: word})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	for _, n := range []NewCertificate{{Profile: "root CA", CommonName: "Plant Root"}, {Profile: "intermediate CA", CommonName: "Line 7 issuing", CA: "Plant Root"}} {
		n.Algorithm = pki.P256
		if _, err := a.MakeCertificate(b.Context(), n); err != nil {
			b.Fatal(err)
		}
	}
	row, err := a.findCA(b.Context(), "Line 7 issuing")
	if err != nil {
		b.Fatal(err)
	}
	issuer, err := a.issuerOf(b.Context(), row)
	if err != nil {
		b.Fatal(err)
	}
	to, err := age.GenerateX25519Identity()
	if err != nil {
		b.Fatal(err)
	}
	openssl := newOpenSSL(b, issuer)
	figures := map[string][]float64{}
	note := func(name string, cpu, wall float64) {
		figures[name+"-cpu"], figures[name+"-wall"] = append(figures[name+"-cpu"], cpu), append(figures[name+"-wall"], wall)
	}
	keys := map[string]bool{}
	rounds := 0
	for b.Loop() {
		for range mintRounds {
			rounds++
			folder := filepath.Join(dir, fmt.Sprint("bundles", rounds))
			rows, err := ReadMintRange(fmt.Sprintf("r%d-{001..%03d}", rounds, mintPerRound), MintRow{})
			if err != nil {
				b.Fatal(err)
			}
			minted := timed(b, syscall.RUSAGE_SELF, func() {
				out, err := a.Mint(b.Context(), MintRequest{Rows: rows, CA: row.ID, Recipient: to.Recipient().String(), Folder: folder}, nil)
				if err != nil || out.Outcome != provisioning.RunSucceeded || out.Made != mintPerRound {
					b.Fatal(out, err)
				}
			})
			b.StopTimer()
			plain := openAll(b, folder, to, keys)
			b.StartTimer()
			bare := timed(b, syscall.RUSAGE_SELF, func() { bareLoop(b, issuer, to.Recipient(), plain) })
			tool := timed(b, syscall.RUSAGE_CHILDREN, openssl)
			cpu, wall := minted.each(mintPerRound)
			bareCPU, bareWall := bare.each(mintPerRound)
			toolCPU, toolWall := tool.each(opensslPerRound)
			note("minting-µs", cpu, wall)
			note("bare-µs", bareCPU, bareWall)
			note("openssl-µs", toolCPU, toolWall)
			note("of-bare", cpu/bareCPU, wall/bareWall)
			note("quicker-than-openssl", toolCPU/cpu, toolWall/wall)
		}
	}
	b.StopTimer()
	if len(keys) != rounds*mintPerRound {
		b.Errorf("%d keys of %d devices", len(keys), rounds*mintPerRound)
	}
	for name, values := range figures {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], name)
	}
}

// inMemory is a folder of a file system in memory, where there is one: how long a
// disk takes to make a file is none of the comparison's business.
func inMemory(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "edgewright-bench-")
	if err != nil {
		return b.TempDir()
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// bareLoop is the least that each device takes, over as many bytes.
func bareLoop(b *testing.B, issuer pki.Issuer, to age.Recipient, plain [][]byte) {
	b.Helper()
	template := &x509.Certificate{SerialNumber: issuer.Certificate.SerialNumber, NotBefore: issuer.Certificate.NotBefore, NotAfter: issuer.Certificate.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true, SubjectKeyId: make([]byte, 20)}
	for i, text := range plain {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		template.Subject.CommonName = fmt.Sprintf("r-%03d", i)
		if _, err := x509.CreateCertificate(rand.Reader, template, issuer.Certificate, key.Public(), issuer.Signer); err != nil {
			b.Fatal(err)
		}
		var sealed bytes.Buffer
		w, err := age.Encrypt(&sealed, to)
		if err != nil {
			b.Fatal(err)
		}
		_, err = w.Write(text)
		if err = errors.Join(err, w.Close()); err != nil {
			b.Fatal(err)
		}
	}
}

// openAll opens the bundles of a folder, notes their keys, lets openssl verify
// all chains, and gives as many bytes for each as were sealed.
func openAll(b *testing.B, folder string, to *age.X25519Identity, keys map[string]bool) (plain [][]byte) {
	b.Helper()
	names, _ := filepath.Glob(filepath.Join(folder, "*"+bundle.Extension))
	args := []string{"verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", filepath.Join(folder, "root"), "-untrusted", filepath.Join(folder, "above")}
	for _, name := range names {
		sealed, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		opened, err := bundle.Open(sealed, to)
		if err != nil {
			b.Fatal(err)
		}
		content, err := pki.Read(opened.Identity.Chain, secret.Value{})
		if err != nil || len(content.Certificates) != 2 {
			b.Fatal(len(content.Certificates), err)
		}
		keys[opened.Identity.Key.RevealString()] = true
		err = errors.Join(os.WriteFile(name+".pem", pki.PEM(content.Certificates[0]), 0o600), os.WriteFile(filepath.Join(folder, "above"), pki.PEM(content.Certificates[1]), 0o600),
			os.WriteFile(filepath.Join(folder, "root"), opened.Trust, 0o600))
		if err != nil {
			b.Fatal(err)
		}
		args = append(args, name+".pem")
		const ageAround = 200 // header, nonce and tag
		plain = append(plain, make([]byte, len(sealed)-ageAround))
	}
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return plain
}

// newOpenSSL gives the loop that makes the same with three commands a device, as
// scripts do, and prepares what it needs.
func newOpenSSL(b *testing.B, issuer pki.Issuer) (loop func()) {
	b.Helper()
	dir := inMemory(b)
	key, err := pki.DeviceKeyPEM(issuer.Signer)
	if err != nil {
		b.Fatal(err)
	}
	err = errors.Join(os.WriteFile(filepath.Join(dir, "ca.pem"), pki.PEM(issuer.Certificate), 0o600), os.WriteFile(filepath.Join(dir, "ca.key"), key.Reveal(), 0o600))
	if err != nil {
		b.Fatal(err)
	}
	run := func(args ...string) {
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("openssl %s: %v: %s", args[0], err, out)
		}
	}
	run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "to.key", "-subj", "/CN=bench", "-out", "to.pem")
	return func() {
		for i := range opensslPerRound {
			run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "d.key", "-subj", fmt.Sprintf("/CN=line-7-%04d", i), "-out", "d.csr")
			run("x509", "-req", "-in", "d.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "365", "-out", "d.pem")
			run("cms", "-encrypt", "-binary", "-aes-256-gcm", "-in", "d.key", "-out", "d.cms", "-outform", "DER", "to.pem")
		}
	}
}
