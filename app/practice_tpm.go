package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/hostdetect"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/target"
	"edgewright/provisioning/tpm"
	"edgewright/provisioning/tpm/softtpm"
)

// A practice device has at most one software TPM. Its folder stands beside the
// disk; it holds the state, which swtpm encrypts with a key of the vault, and a
// file that says that it is on. Off hides the TPM and keeps its keys, as the
// switch of a firmware does.

// softwareTPMOn is the file that says so.
const softwareTPMOn = "on"

func (a *App) softwareTPMDir(name string) string { return a.practiceDisk(name) + ".tpm" }

func softwareTPMKey(name string) string { return "practice-tpm/" + name }

// SoftwareTPMAvailable is nil where practice devices can have software TPMs,
// else it says what is missing and names the package.
func SoftwareTPMAvailable() error {
	err := softtpm.Available()
	if err == nil {
		return nil
	}
	return &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: "There is no software TPM: " + err.Error() + ".",
		Hint: "Install the package swtpm (Debian, Ubuntu, Fedora), or take another way.", Err: err}
}

// HasSoftwareTPM tells whether the software TPM of a practice device is on.
func (a *App) HasSoftwareTPM(name string) bool {
	_, err := os.Stat(filepath.Join(a.softwareTPMDir(name), softwareTPMOn))
	return err == nil
}

// SwitchSoftwareTPM switches the software TPM of a practice device on or off,
// and makes device and TPM if they are not there yet.
func (a *App) SwitchSoftwareTPM(ctx context.Context, name string, on bool) error {
	if err := target.CheckPracticeName(name); err != nil {
		return noPracticeDevice(name, err)
	}
	if on == a.HasSoftwareTPM(name) {
		return nil
	}
	leave, err := a.turnOfTPM(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	file := filepath.Join(a.softwareTPMDir(name), softwareTPMOn)
	if !on {
		return os.Remove(file)
	}
	if err := SoftwareTPMAvailable(); err != nil {
		return err
	}
	if err := a.makeDevice(PracticeTarget(name)); err != nil {
		return err
	}
	if err := a.makeTPMKey(ctx, name); err != nil {
		return err
	}
	if err := os.MkdirAll(a.softwareTPMDir(name), 0o700); err != nil {
		return fmt.Errorf("make the software TPM: %w", err)
	}
	return os.WriteFile(file, nil, 0o600)
}

// makeTPMKey stores a key for the state of a new TPM. A key that is there stays.
func (a *App) makeTPMKey(ctx context.Context, name string) error {
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	if _, err := v.Get(ctx, softwareTPMKey(name)); !errors.Is(err, vault.ErrNotFound) {
		return translate(err)
	}
	return translate(v.Put(ctx, softwareTPMKey(name), vault.Practice, secret.New(randomBytes(softtpm.KeySize))))
}

// turnOfTPM waits until nobody else, here or in another process, has the TPM of
// a practice device: it serves one at a time.
func (a *App) turnOfTPM(ctx context.Context, name string) (leave func(), err error) {
	return locks{a}.Wait(ctx, "software TPM of "+PracticeTarget(name), catalog.ThisProcess(), func() {})
}

// softwareTPM is an open software TPM with its process.
type softwareTPM struct {
	tpm.Transport
	process *softtpm.Process
	leave   func()
	closed  sync.Once
}

func (s *softwareTPM) Close() error {
	var err error
	s.closed.Do(func() {
		err = errors.Join(s.Transport.Close(), s.process.Close())
		s.leave()
	})
	return err
}

// openSoftwareTPM starts the software TPM of a practice device. Its process lives
// until the transport is closed, and no longer than this process.
func (a *App) openSoftwareTPM(ctx context.Context, name string) (tpm.Transport, error) {
	if !a.HasSoftwareTPM(name) {
		return nil, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "The practice device " + name + " has no TPM.",
			Hint: "Switch its software TPM on with `edgewright practice tpm " + name + " on`."}
	}
	if err := SoftwareTPMAvailable(); err != nil {
		return nil, err
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return nil, err
	}
	key, err := v.Get(ctx, softwareTPMKey(name))
	if errors.Is(err, vault.ErrNotFound) {
		return nil, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "The vault does not have the key to the software TPM of " + name + ".",
			Hint: "Restore the catalog that was there when the TPM was made, or remove the practice device.", Err: err}
	}
	if err != nil {
		return nil, translate(err)
	}
	leave, err := a.turnOfTPM(ctx, name)
	if err != nil {
		return nil, err
	}
	process, err := softtpm.Start(ctx, filepath.Join(a.softwareTPMDir(name), "state"), key)
	if errors.Is(err, softtpm.ErrInUse) {
		leave()
		return nil, &provisioning.Error{Kind: provisioning.ErrBusy, Message: "Another program has the software TPM of " + name + ".",
			Hint: "End it: it is an swtpm over the folder " + a.softwareTPMDir(name) + ".", Err: err}
	}
	if err != nil {
		leave()
		return nil, &provisioning.Error{Kind: provisioning.ErrUnreachable, Message: "The software TPM of " + name + " does not start.",
			Hint: "The details have what swtpm says; a state that is damaged goes with the practice device.", Err: err}
	}
	transport, err := tpm.Open(ctx, process.Address)
	if err != nil {
		_ = process.Close()
		leave()
		return nil, err
	}
	return &softwareTPM{Transport: transport, process: process, leave: leave}, nil
}

// removeSoftwareTPM removes the TPM of a practice device with its keys, and
// tells whether there was one.
func (a *App) removeSoftwareTPM(ctx context.Context, name string) (removed bool, err error) {
	dir := a.softwareTPMDir(name)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	leave, err := a.turnOfTPM(ctx, name)
	if err != nil {
		return false, err
	}
	defer leave()
	if err := os.RemoveAll(dir); err != nil {
		return false, fmt.Errorf("remove the software TPM: %w", err)
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return false, err
	}
	if err := v.Delete(ctx, softwareTPMKey(name)); err != nil && !errors.Is(err, vault.ErrNotFound) {
		return false, translate(err)
	}
	return true, nil
}

// chipOf is the TPM that the look shows of a practice device, nil for any other
// target. The node is as the packages of IoT Edge leave it.
func (a *App) chipOf(device target.Target) *hostdetect.TPM {
	if device.Kind() != target.KindPractice {
		return nil
	}
	if !a.HasSoftwareTPM(device.Spec().Name) {
		return &hostdetect.TPM{State: hostdetect.Absent}
	}
	return &hostdetect.TPM{State: hostdetect.Found, Version: "2.0", Vendor: "swtpm",
		Nodes: []hostdetect.TPMNode{{Path: "/dev/tpmrm0", Owner: "aziottpm", Group: "aziottpm", Mode: "600"}}}
}
