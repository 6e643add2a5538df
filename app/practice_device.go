package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"edgewright/provisioning"
	"edgewright/provisioning/target"
)

// practiceDevices is the folder under which folders stand for the disks of
// practice devices.
func (a *App) practiceDevices() string { return filepath.Join(a.config.DataDir, "practice-devices") }

// PracticeRequest is the request that makes a practice device: symmetric key
// through DPS, in a folder of the data folder that stands for the device's
// disk. The folder is made.
func (a *App) PracticeRequest(name string) (Request, error) {
	folder := filepath.Join(a.practiceDevices(), name)
	if err := furnish(folder); err != nil {
		return Request{}, fmt.Errorf("make the practice device's folder: %w", err)
	}
	plan := provisioning.Plan{Device: provisioning.DevicePlan{ID: name},
		Cell: provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.SymmetricKey}}
	return Request{Plan: plan.WithDefaults(), Target: FolderTarget(folder)}, nil
}

// FolderTarget is the target for a folder of this computer that stands for a
// device's disk.
func FolderTarget(folder string) string {
	return target.Spec{Kind: target.KindRootfs, Path: filepath.ToSlash(folder)}.String()
}

// MachineTarget reads what a person types for another machine, such as
// pi@10.20.4.31, as a target.
func MachineTarget(text string) (string, error) {
	spec, err := target.ParseShorthand(text)
	if err != nil {
		return "", &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The machine does not read: " + err.Error() + ".", Hint: "Write user@host or user@address."}
	}
	return spec.String(), nil
}

// isPracticeFolder tells whether a target is the folder of a practice device.
func (a *App) isPracticeFolder(text string) bool {
	return strings.HasPrefix(text, FolderTarget(a.practiceDevices()))
}

func (a *App) practiceFolderExists(name string) bool {
	_, err := os.Stat(filepath.Join(a.practiceDevices(), name, filepath.FromSlash(provisioning.ConfigPath)))
	return err == nil
}

// practiceDisk is what lies on the disk of a practice device before it is
// provisioned: a small Debian with the packages of IoT Edge.
var practiceDisk = map[string]string{
	"etc/os-release": "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n",
	"etc/hostname":   "practice-device\n",
	"etc/passwd": "root:x:0:0:root:/root:/bin/sh\naziotks:x:901:901::/:/usr/sbin/nologin\naziotcs:x:902:902::/:/usr/sbin/nologin\n" +
		"aziotid:x:903:903::/:/usr/sbin/nologin\naziottpm:x:904:904::/:/usr/sbin/nologin\niotedge:x:905:905::/:/usr/sbin/nologin\n",
	"etc/group":               "root:x:0:\naziotks:x:901:\naziotcs:x:902:\naziotid:x:903:\naziottpm:x:904:\niotedge:x:905:\ndocker:x:906:\n",
	"usr/lib/systemd/systemd": "",
	// The first bytes of a program for amd64 (ELF header), as the look reads them.
	"bin/sh":              "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x03\x00\x3e\x00",
	"var/lib/dpkg/status": practicePackage("aziot-edge") + practicePackage("aziot-identity-service") + practicePackage("moby-engine") + practicePackage("systemd"),
}

func practicePackage(name string) string {
	version := "1.6.0-1"
	switch name {
	case "moby-engine":
		version = "26.1-1"
	case "systemd":
		version = "252.1-1"
	}
	return "Package: " + name + "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " + version + "\n\n"
}

// furnish makes the folder of a practice device; what lies there already stays.
func furnish(folder string) error {
	for name, text := range practiceDisk {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = file.WriteString(text)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return nil
}
