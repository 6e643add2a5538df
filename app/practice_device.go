package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/target"
)

// practiceDevices is the folder with the disks of the practice devices, NAME,
// and their software TPMs, NAME.tpm.
func (a *App) practiceDevices() string { return filepath.Join(a.config.DataDir, "practice-devices") }

func (a *App) practiceDisk(name string) string { return filepath.Join(a.practiceDevices(), name) }

// PracticeRequest is the request that makes a practice device and provisions it
// with a symmetric key through DPS.
func (a *App) PracticeRequest(name string) (Request, error) {
	if err := target.CheckPracticeName(name); err != nil {
		return Request{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The name does not do: " + err.Error() + ".", Hint: "Choose another name."}
	}
	plan := provisioning.Plan{Device: provisioning.DevicePlan{ID: name},
		Cell: provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.SymmetricKey}}
	return Request{Plan: plan.WithDefaults(), Target: PracticeTarget(name)}, nil
}

// PracticeTarget is the target for a practice device.
func PracticeTarget(name string) string {
	return target.Spec{Kind: target.KindPractice, Name: name}.String()
}

// PracticeName gives the name of the practice device that a target means; ok is
// false where it means something else. Rows of older catalogs name its folder.
func (a *App) PracticeName(text string) (name string, ok bool) {
	if folder, found := strings.CutPrefix(text, FolderTarget(a.practiceDevices())+"/"); found {
		text = PracticeTarget(folder)
	}
	spec, err := target.ParseSpec(text)
	return spec.Name, err == nil && spec.Kind == target.KindPractice
}

// IsFolder tells whether a target is a folder, in which nothing runs.
func IsFolder(text string) bool {
	spec, err := target.ParseSpec(text)
	return err == nil && (spec.Kind == target.KindRootfs || spec.Kind == target.KindPractice)
}

// makeDevice makes the practice device that a target means, if it does; what is
// there stays.
func (a *App) makeDevice(text string) error {
	name, ok := a.PracticeName(text)
	if !ok {
		return nil
	}
	if err := furnish(a.practiceDisk(name)); err != nil {
		return fmt.Errorf("make the practice device: %w", err)
	}
	return nil
}

// openPracticeDevice opens a practice device. One that is not made yet is seen
// as it will be, on a disk that goes when it is closed: looking makes nothing.
func (a *App) openPracticeDevice(ctx context.Context, spec target.Spec, options target.Options) (target.Target, error) {
	options.PracticeDir = a.practiceDevices()
	opened, err := target.Open(ctx, spec, options)
	if !errors.Is(err, fs.ErrNotExist) {
		return opened, err
	}
	dir, err := os.MkdirTemp("", "edgewright-practice-")
	if err != nil {
		return nil, err
	}
	if err = furnish(filepath.Join(dir, spec.Name)); err == nil {
		options.PracticeDir = dir
		opened, err = target.Open(ctx, spec, options)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return unmade{opened, dir}, nil
}

// unmade is a practice device that nobody has made yet.
type unmade struct {
	target.Target
	dir string
}

func (u unmade) Close() error { return errors.Join(u.Target.Close(), os.RemoveAll(u.dir)) }

// RemovePracticeDevice removes a practice device for good: its disk, its
// software TPM with its keys, and its rows of the catalog. In the practice cloud
// everything stays, as for a device that burnt.
func (a *App) RemovePracticeDevice(ctx context.Context, name string) error {
	if err := target.CheckPracticeName(name); err != nil {
		return noPracticeDevice(name, err)
	}
	going, err := a.catalog.Runs(ctx, catalog.RunQuery{Target: PracticeTarget(name), Unfinished: true})
	if err != nil {
		return translate(err)
	}
	for _, run := range going {
		if catalog.HolderAlive(run.Holder) {
			return &provisioning.Error{Kind: provisioning.ErrBusy, Message: fmt.Sprintf("Run %s is working on %s.", run.ID, PracticeTarget(name)), Hint: "Wait for it, or cancel it first."}
		}
	}
	removed, err := a.removeSoftwareTPM(ctx, name)
	if err != nil {
		return err
	}
	for _, path := range []string{a.practiceDisk(name), target.ManifestFile(a.practiceDisk(name))} {
		if _, err := os.Lstat(path); err == nil {
			removed = true
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove the practice device %s: %w", name, err)
		}
	}
	rows, err := a.catalog.Search(ctx, catalog.Query{Text: PracticeTarget(name), Limit: 500})
	if err != nil {
		return translate(err)
	}
	for _, row := range rows {
		if found, ok := a.PracticeName(row.Target); ok && found == name {
			removed = true
			if err := a.ForgetDevice(ctx, row.UUID); err != nil {
				return err
			}
		}
	}
	if !removed {
		return noPracticeDevice(name, nil)
	}
	return nil
}

func noPracticeDevice(name string, err error) error {
	return &provisioning.Error{Kind: provisioning.ErrNotFound, Message: fmt.Sprintf("There is no practice device %q.", name),
		Hint: "`edgewright devices list --search practice:` shows them.", Err: err}
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

// practiceInUse tells that a practice device of that name has been provisioned.
func (a *App) practiceInUse(name string) bool {
	_, err := os.Stat(filepath.Join(a.practiceDisk(name), filepath.FromSlash(provisioning.ConfigPath)))
	return err == nil
}

// practiceFiles are what lies on the disk of a practice device before it is
// provisioned: a small Debian with the packages of IoT Edge.
var practiceFiles = map[string]string{
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
	for name, text := range practiceFiles {
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
