package hostdetect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Files that tell of a host which runs no command.
var wantedFiles = []string{
	"/etc/os-release", "/etc/hostname", "/etc/machine-id", "/etc/passwd", "/etc/group",
	"/etc/environment", "/etc/docker/daemon.json",
	"/var/lib/dpkg/status", "/var/lib/dpkg/arch", "/etc/apk/arch",
	"/etc/aziot/config.toml", "/etc/iotedge/config.yaml",
}

// Folders whose entries tell something by being there.
var wantedFolders = []string{"/usr/bin", "/usr/lib/systemd", "/lib/systemd", "/lib/modules", "/usr/lib/modules", "/var/lib/snapd/snaps", "/var/lib/rpm", "/usr/lib/sysimage/rpm"}

// Units whose drop-ins may set a proxy.
var proxyUnits = []string{"docker", "aziot-edged", "aziot-identityd", "aziot-certd", "iotedge"}

// gatherByFiles reads what files alone can tell, into the sections that the
// script would have printed. It fails where not one file or folder could be
// read, with the first failure.
func gatherByFiles(ctx context.Context, h Host) (*gathering, error) {
	f := &fileGatherer{ctx: ctx, host: h, g: &gathering{offline: true, sections: map[string]string{}}}
	for _, p := range wantedFiles {
		f.read(p)
	}
	if !f.g.has("file /etc/os-release") {
		f.read("/usr/lib/os-release")
	}
	for _, p := range wantedFolders {
		f.list(p)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f.readable == 0 {
		if f.failure == nil {
			f.failure = errors.New("it holds no system")
		}
		return nil, fmt.Errorf("read files: %w", f.failure)
	}
	f.elf()
	f.outlines()
	f.dropIns()
	f.packages()
	return f.g, ctx.Err()
}

type fileGatherer struct {
	ctx      context.Context
	host     Host
	g        *gathering
	readable int
	failure  error
}

// read puts a file into its section, or notes why not.
func (f *fileGatherer) read(p string) bool {
	body, err := f.host.ReadFile(f.ctx, p)
	switch {
	case err == nil:
		f.g.sections["file "+p] = strings.ToValidUTF8(string(body), "\uFFFD")
		f.readable++
		return true
	case errors.Is(err, fs.ErrNotExist):
		f.g.sections["absent "+p] = ""
	case errors.Is(err, fs.ErrPermission):
		f.g.sections["denied "+p] = ""
	default:
		f.g.sections["failed "+p] = "reading " + p + " failed"
	}
	if err != nil && f.failure == nil {
		f.failure = err
	}
	return false
}

func (f *fileGatherer) list(p string) {
	names, err := f.host.ReadDir(f.ctx, p)
	if err != nil {
		return
	}
	f.readable++
	slices.Sort(names)
	f.g.sections["folder "+p] = strings.Join(names, "\n")
}

// elf reads the header of the shell, which tells the userland's architecture
// where no package manager does.
func (f *fileGatherer) elf() {
	for _, p := range []string{"/bin/sh", "/usr/bin/env", "/bin/busybox"} {
		body, err := f.host.ReadFile(f.ctx, p)
		if err == nil && len(body) >= 20 {
			f.g.sections["elf"] = fmt.Sprintf("% x", body[:20])
			return
		}
	}
}

// outlines replaces the configurations by their outlines, so that no secret
// stays in the material.
func (f *fileGatherer) outlines() {
	for p, outline := range map[string]func(string) string{configTOML: outlineTOML, configYAML: outlineYAML} {
		if body, ok := f.g.sections["file "+p]; ok {
			f.g.sections["outline "+p] = outline(body)
			delete(f.g.sections, "file "+p)
		}
		// A refusal may come from the file or from its folder, which then hides
		// whether the file is there.
		if f.g.has("denied " + p) {
			names, err := f.host.ReadDir(f.ctx, path.Dir(p))
			if err != nil || !slices.Contains(names, path.Base(p)) {
				delete(f.g.sections, "denied "+p)
				f.g.sections["hidden "+p] = ""
			}
		}
	}
}

func (f *fileGatherer) dropIns() {
	var lines []string
	for _, unit := range proxyUnits {
		folder := "/etc/systemd/system/" + unit + ".service.d"
		names, err := f.host.ReadDir(f.ctx, folder)
		if err != nil {
			continue
		}
		for _, name := range names {
			if !strings.HasSuffix(name, ".conf") {
				continue
			}
			body, err := f.host.ReadFile(f.ctx, path.Join(folder, name))
			if err != nil {
				continue
			}
			lines = append(lines, proxyLines(unit, string(body))...)
		}
	}
	lines = append(lines, proxyLines("environment", f.g.sections["file /etc/environment"])...)
	for _, m := range daemonProxy.FindAllString(f.g.sections["file /etc/docker/daemon.json"], -1) {
		lines = append(lines, "daemon "+m)
	}
	f.g.sections["proxies"] = strings.Join(lines, "\n")
	delete(f.g.sections, "file /etc/environment")
}

// packages turns the package manager's own files into the sections that its
// query would have given.
func (f *fileGatherer) packages() {
	if status, ok := f.g.sections["file /var/lib/dpkg/status"]; ok {
		f.g.sections["dpkg"] = strings.Join(parseDpkgStatus(status), "\n")
		delete(f.g.sections, "file /var/lib/dpkg/status")
	}
	var snaps []string
	for _, name := range f.g.lines("folder /var/lib/snapd/snaps") {
		// azure-iot-edge_42.snap: the revision is all that the name tells.
		base, ok := strings.CutSuffix(name, ".snap")
		if !ok {
			continue
		}
		if snap, _, ok := strings.Cut(base, "_"); ok && slices.Contains(wantedSnaps, snap) {
			snaps = append(snaps, snap)
		}
	}
	f.g.sections["snaps"] = strings.Join(slices.Compact(snaps), "\n")
}
