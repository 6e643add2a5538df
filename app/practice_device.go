package app

import (
	"fmt"
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
	if err := os.MkdirAll(folder, 0o700); err != nil {
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
