package target

import (
	"fmt"
	"strings"
)

// writable are the folders and files that a Root may change, and nothing
// else: the runtime's configuration, certificates and keys (its own ones among them), trust anchors, the
// names of the practice cloud, and our own state. A name that ends in / stands
// for everything below it.
var writable = []string{
	"/etc/aziot/",
	"/etc/iotedge/",
	"/etc/hosts",
	"/usr/local/share/ca-certificates/",
	"/etc/pki/ca-trust/source/anchors/",
	"/var/aziot/",
	"/var/secrets/",
	"/var/lib/aziot/certd/certs/", // what the services made for themselves
	"/var/lib/aziot/keyd/keys/",
	"/etc/systemd/system/aziot-", // drop-ins with proxy settings, one folder per unit
	"/etc/systemd/system/docker.service.d/",
	"/etc/docker/daemon.json",
}

// readable are the places that a Root may read besides the writable ones.
var readable = []string{
	"/var/lib/aziot/",
	"/var/lib/iotedge/",
	"/var/lib/edgewright/",
	"/etc/machine-id",
	"/etc/hostname",
	"/etc/os-release",
	"/usr/lib/os-release",
	"/etc/passwd",
	"/etc/group",
	"/etc/ssl/certs/",
	"/run/aziot/",
	"/run/iotedge/",
}

func inList(list []string, p string) bool {
	for _, entry := range list {
		switch {
		case p == entry:
			return true
		case strings.HasSuffix(entry, "/") && strings.HasPrefix(p, entry):
			return true
		case strings.HasSuffix(entry, "-") && strings.HasPrefix(p, entry) && strings.Count(p[len(entry):], "/") == 1:
			return true
		}
	}
	return false
}

// Writable tells whether a Root may place a file at p: nil, or an error that
// is ErrPath.
func Writable(p string) error { return checkWritable(p) }

func checkWritable(p string) error {
	if err := checkPath(p); err != nil {
		return err
	}
	if !inList(writable, p) {
		return fmt.Errorf("write %s: %w", p, ErrPath)
	}
	return nil
}

// checkWritableDir also takes the listed folders themselves and the way to
// them: a missing /etc/aziot or /var/aziot is made.
func checkWritableDir(p string) error {
	if err := checkPath(p); err != nil {
		return err
	}
	if inList(writable, p) || leadsTo(writable, p) {
		return nil
	}
	return fmt.Errorf("make folder %s: %w", p, ErrPath)
}

func checkReadable(p string) error {
	if err := checkPath(p); err != nil {
		return err
	}
	for _, list := range [][]string{writable, readable} {
		if inList(list, p) || inList(list, p+"/") {
			return nil
		}
	}
	return fmt.Errorf("read %s: %w", p, ErrPath)
}

func leadsTo(list []string, p string) bool {
	for _, entry := range list {
		if strings.HasPrefix(entry, strings.TrimSuffix(p, "/")+"/") {
			return true
		}
	}
	return false
}
