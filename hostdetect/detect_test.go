package hostdetect

import (
	"encoding/json"
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDetectRecordedHosts(t *testing.T) {
	engine := func(r Report) string {
		if len(r.Engines) == 0 {
			return ""
		}
		return r.Engines[0].Kind
	}
	for _, c := range []struct {
		name, id, version, userland, kernel string
		virt                                Virt
		engine, runtime, runtimeVersion     string
		systemd                             State
		config                              State
		service                             string
	}{
		{"debian12", "debian", "12", "amd64", "amd64", Virt{BareMetal, ""}, EngineMoby, RuntimeEdge, "1.6.0-1", Found, Absent, "systemd-timesyncd"},
		{"debian13", "debian", "13", "amd64", "amd64", Virt{VM, "kvm"}, EngineDistro, RuntimeNone, "", Found, Absent, "systemd-timesyncd"},
		{"ubuntu2204", "ubuntu", "22.04", "arm64", "arm64", Virt{VM, "vmware"}, EngineDocker, RuntimeEdge, "1.5.21-1", Found, Found, "chrony"},
		{"ubuntu2404", "ubuntu", "24.04", "amd64", "amd64", Virt{VM, "microsoft"}, EngineMoby, RuntimeEdge, "1.6.0-1", Found, Found, "systemd-timesyncd"},
		{"raspios32", "raspbian", "12", "armhf", "arm64", Virt{BareMetal, ""}, "", RuntimeNone, "", Found, Absent, "systemd-timesyncd"},
		{"rhel9", "rhel", "9.4", "amd64", "amd64", Virt{BareMetal, ""}, EnginePodman, RuntimeNone, "", Found, Absent, "chrony"},
		{"wsl2", "ubuntu", "22.04", "amd64", "amd64", Virt{WSL, "wsl"}, "", RuntimeNone, "", Absent, Absent, ""},
		{"container", "debian", "12", "amd64", "amd64", Virt{Container, "docker"}, "", RuntimeNone, "", Absent, Absent, ""},
		{"ubuntucore", "ubuntu-core", "24", "amd64", "amd64", Virt{BareMetal, ""}, EngineSnap, RuntimeSnap, "1.5.21", Found, Absent, "systemd-timesyncd"},
		{"alpine", "alpine", "3.20.3", "amd64", "amd64", Virt{VM, "qemu"}, "", RuntimeNone, "", Absent, Absent, "ntp"},
		{"debian10-iotedge11", "debian", "10", "amd64", "amd64", Virt{BareMetal, ""}, EngineMoby, Runtime11, "1.1.15-1", Found, Found, "systemd-timesyncd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := detectFixture(t, c.name)
			if r.OS.Family != "linux" || r.OS.ID != c.id || r.OS.Version != c.version || r.OS.Pretty == "" {
				t.Errorf("OS = %+v", r.OS)
			}
			if r.Arch != (Arch{c.userland, c.kernel}) {
				t.Errorf("Arch = %+v", r.Arch)
			}
			if r.Virt != c.virt {
				t.Errorf("Virt = %+v, want %+v", r.Virt, c.virt)
			}
			if engine(r) != c.engine {
				t.Errorf("Engines = %+v", r.Engines)
			}
			if r.Runtime.Kind != c.runtime || r.Runtime.Version != c.runtimeVersion {
				t.Errorf("Runtime = %+v", r.Runtime)
			}
			if r.Systemd.Running != c.systemd {
				t.Errorf("Systemd = %+v", r.Systemd)
			}
			if r.Provisioning.Config != c.config {
				t.Errorf("Provisioning = %+v", r.Provisioning)
			}
			if r.Clock.Service != c.service {
				t.Errorf("Clock = %+v", r.Clock)
			}
			if len(r.Interfaces) == 0 || r.Memory.Total == 0 || r.CPU.Count == 0 || len(r.Disks) != 3 {
				t.Errorf("hardware: %+v %+v %+v %+v", r.Interfaces, r.Memory, r.CPU, r.Disks)
			}
			seen := map[string]bool{}
			for _, f := range r.Facts {
				seen[f.Key] = true
				if f.How == "" || f.Found == Unknown && f.Why == "" || f.Found == Found && f.Value == "" {
					t.Errorf("fact without its story: %+v", f)
				}
			}
			for key := range english {
				key, ok := strings.CutPrefix(key, "fact.")
				if ok && key != FactStore && key != FactReach && !seen[key] {
					t.Errorf("no fact %q", key)
				}
			}
		})
	}
}

func TestDetectDetails(t *testing.T) {
	r := detectFixture(t, "debian12")
	if r.Clock.Offset.Round(time.Second) != -252*time.Second || r.Clock.Against != "computer" {
		t.Errorf("clock = %+v", r.Clock)
	}
	if got := r.Fact(FactClock).Value; got != "4 min 12 s behind" {
		t.Errorf("clock fact = %q", got)
	}
	if r.TPM.Version != "2.0" || r.TPM.Vendor != "Infineon" || len(r.TPM.Nodes) != 2 || r.TPM.Nodes[1] != (TPMNode{"/dev/tpmrm0", "tss", "tss", "660", false}) {
		t.Errorf("TPM = %+v", r.TPM)
	}
	if r.MayOpen("aziottpm") || !r.MayOpen("tss") {
		t.Error("who may open the TPM")
	}
	if r.Hostname != "bench-07.plant.example" || r.MachineID == "" || r.Runtime.Identity != "1.6.0-1" {
		t.Errorf("names: %q %q %q", r.Hostname, r.MachineID, r.Runtime.Identity)
	}
	// The removed package that left its files behind does not count.
	if _, ok := r.pkg("iotedge", ""); ok {
		t.Error("a package in state config-files counts as installed")
	}
	want := []Proxy{{"docker", "https_proxy", "http://***@proxy.plant.example:3128"}, {"host", "no_proxy", "localhost,10.0.0.0/8"}}
	if !slices.Equal(r.Proxies, want) {
		t.Errorf("proxies = %+v", r.Proxies)
	}
	all, err := json.Marshal(r)
	if err != nil || strings.Contains(string(all), "pa%40ss") {
		t.Errorf("the report shows a proxy's password (%v)", err)
	}

	if r := detectFixture(t, "ubuntu2404"); r.Provisioning.Source != "dps" || r.Provisioning.Authentication != "x509" || !r.Provisioning.Readable || !r.Root {
		t.Errorf("provisioning = %+v", r.Provisioning)
	}
	if r := detectFixture(t, "ubuntu2204"); r.Provisioning.Readable || r.Provisioning.Source != "" || r.CPU.Model != "Neoverse-N1" {
		t.Errorf("provisioning = %+v, CPU = %+v", r.Provisioning, r.CPU)
	}
	if r := detectFixture(t, "raspios32"); r.CPU.Board != "Raspberry Pi 4 Model B Rev 1.4" || r.CPU.Model != "Cortex-A72" {
		t.Errorf("CPU = %+v", r.CPU)
	}
	if r := detectFixture(t, "alpine"); !reflect.DeepEqual(r.Interfaces, []Interface{{"eth0", []string{"10.0.2.15/24", "fe80::5054:ff:fe12:3456/64"}}}) || r.Clock.Error < coarse {
		t.Errorf("interfaces = %+v, clock = %+v", r.Interfaces, r.Clock)
	}
	if r := detectFixture(t, "debian10-iotedge11"); r.Provisioning.Source != "manual" || r.Provisioning.Authentication != "x509" || r.Provisioning.Path != configYAML {
		t.Errorf("provisioning = %+v", r.Provisioning)
	}
}

func TestDetectMountedRoot(t *testing.T) {
	h := writeTree(t, map[string]string{
		"etc/os-release":             "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian GNU/Linux 12'\n",
		"etc/hostname":               "line-7\n",
		"etc/machine-id":             "uninitialized\n",
		"etc/passwd":                 "root:x:0:0::/:/bin/sh\naziotks:x:998:998::/:/bin/false\naziotcs:x:997:997::/:/bin/false\n",
		"etc/group":                  "aziotks:x:998:\n",
		"etc/environment":            "https_proxy=http://u:geheim@p:3128\n",
		"etc/docker/daemon.json":     `{"proxies": {"https-proxy": "http://u:geheim@q:3128"}}`,
		"var/lib/dpkg/status":        "Package: dpkg\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1.21.22\n\nPackage: aziot-edge\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1.6.0-1\nDescription: x\n a line: with a colon\n\nPackage: moby-engine\nStatus: deinstall ok config-files\nArchitecture: arm64\nVersion: 1\n",
		"etc/aziot/config.toml":      "# source = \"dps\"\n[provisioning]\nsource = \"manual\"\nconnection_string = \"HostName=h;DeviceId=d;SharedAccessKey=Z2VoZWlt\"\n[edge_ca]\nmethod = \"est\"\n",
		"usr/lib/systemd/systemd":    "",
		"lib/modules/6.1.0-28/x":     "",
		"usr/bin/podman":             "",
		"var/lib/snapd/snaps/x.snap": "",
	})
	r, err := Detect(t.Context(), h, Options{Reach: []Endpoint{{Host: "h.example", Port: 443}}})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Offline || r.OS.ID != "debian" || r.Arch.Userland != "arm64" || r.Hostname != "line-7" || r.MachineID != "" {
		t.Errorf("%+v", r)
	}
	if r.Runtime.Kind != RuntimeEdge || r.Runtime.Running != Unknown || len(r.Engines) != 1 || r.Engines[0].Kind != EnginePodman {
		t.Errorf("runtime %+v, engines %+v", r.Runtime, r.Engines)
	}
	if p := r.Provisioning; p.Source != "manual" || p.Authentication != "symmetric-key" {
		t.Errorf("provisioning = %+v", p)
	}
	if r.Systemd.Installed != Found || r.Systemd.Running != Unknown || !r.Users.Has("aziotcs") || r.Users.Has("aziotid") {
		t.Errorf("systemd %+v, users %+v", r.Systemd, r.Users)
	}
	for _, key := range []string{FactClock, FactTPM, FactMemory, FactVirt} {
		if f := r.Fact(key); f.Found != Unknown || f.Why != "only files can be read" {
			t.Errorf("%+v", f)
		}
	}
	if len(r.Reach) != 1 || r.Reach[0].Open != Unknown || len(r.Proxies) != 2 {
		t.Errorf("reach %+v, proxies %+v", r.Reach, r.Proxies)
	}
	all, _ := json.Marshal(r)
	for _, secret := range []string{"geheim", "Z2VoZWlt"} {
		if strings.Contains(string(all), secret) {
			t.Errorf("the report shows %q", secret)
		}
	}
}

func TestDetectMountedRootWithoutPackages(t *testing.T) {
	h := writeTree(t, map[string]string{
		"usr/lib/os-release": "ID=yocto\nNAME=Yocto\n",
		"bin/sh":             "\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00more",
		"usr/bin/iotedge":    "",
	})
	r, err := Detect(t.Context(), h, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.OS.Pretty != "Yocto" || r.Arch.Userland != "armhf" || r.Runtime.Kind != RuntimeFiles {
		t.Errorf("%+v %+v %+v", r.OS, r.Arch, r.Runtime)
	}
}

func TestDetectNothing(t *testing.T) {
	_, err := Detect(t.Context(), rootFolder{t.TempDir()}, Options{})
	if !errors.Is(err, ErrNoAnswer) || !errors.Is(err, errNoCommands) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty folder: %v", err)
	}
	_, err = Detect(t.Context(), recorded{[]byte("'sh' is not recognized as an internal or external command\r\n")}, Options{})
	if !errors.Is(err, ErrNoAnswer) {
		t.Errorf("a host without sh: %v", err)
	}
}

// A file of the host cannot open a section of its own, and a cut answer is used
// as far as it goes.
func TestDetectForgedAndCut(t *testing.T) {
	g := parseSections([]byte("banner\nm1 uname\nLinux a 1 x86_64\n\nm1 file /etc/os-release\nID=debian\nm2 uname\nmark uname\n\nm1 cpu\ncount 2"), "m1")
	if g.first("uname") != "Linux a 1 x86_64" || !strings.Contains(g.sections["file /etc/os-release"], "m2 uname") || g.first("cpu") != "count 2" {
		t.Errorf("%q", g.sections)
	}
}

func TestConfigOutline(t *testing.T) {
	for _, c := range []struct{ toml, source, authentication string }{
		{"[provisioning]\nsource = \"dps\"\nattestation = { method = \"x509\", identity_cert = { method = \"est\" } }", "dps", "x509"},
		{"[provisioning]\nsource = 'dps'\nattestation.method = 'tpm'", "dps", "tpm"},
		{"[provisioning]\nsource = \"dps\"\n[provisioning.attestation]\nmethod = \"symmetric_key\"\nsymmetric_key = { value = \"AAAA\" }", "dps", "symmetric-key"},
		{"[provisioning]\nsource = \"manual\"\n[provisioning.authentication]\nmethod = \"sas\"", "manual", "symmetric-key"},
		{"provisioning.source = \"manual\"\nprovisioning.authentication.method = \"x509\"", "manual", "x509"},
		{"[edge_ca]\nmethod = \"est\"\n", "", ""},
		{"[provisioning]\nsource = \"geheimwort\"", "", ""},
	} {
		source, authentication, _ := kindOfTOML(strings.Split(outlineTOML(c.toml), "\n"))
		if source != c.source || authentication != c.authentication {
			t.Errorf("%q: %q %q", c.toml, source, authentication)
		}
	}
	_, _, template := kindOfYAML(strings.Split(outlineYAML("provisioning:\n  source: \"manual\"\n  device_connection_string: \"<ADD DEVICE CONNECTION STRING HERE>\"\n"), "\n"))
	if !template {
		t.Error("the template counts as provisioned")
	}
}

func TestMaskProxy(t *testing.T) {
	for in, want := range map[string]string{
		"http://proxy:3128":         "http://proxy:3128",
		"proxy.example:3128/":       "proxy.example:3128/",
		"http://[fe80::1]:3128":     "http://[fe80::1]:3128",
		"http://u:p@h:1":            "http://***@h:1",
		"http://u:p/w@h:1":          "http://***@h:1",
		"u:p@ss@h":                  "***@h",
		"http://user:pass":          "***",
		"":                          "",
		"http://user:half of a key": "***",
	} {
		if got := maskProxy(in); got != want {
			t.Errorf("maskProxy(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestClockOffset(t *testing.T) {
	at := func(s float64) time.Time { return fixtureNow.Add(time.Duration(s * float64(time.Second))) }
	g := gathering{sections: map[string]string{}, sent: at(0), answered: at(1), clocks: []time.Time{at(20.25), at(20.75)}}
	var r Report
	g.readClock(&r, Options{})
	if r.Clock.Offset != 20*time.Second || r.Clock.Error != 250*time.Millisecond {
		t.Errorf("%+v", r.Clock)
	}
	// Our own clock is 5 s behind the server: the host is 15 s ahead of it.
	g.readClock(&r, Options{ServerDate: at(5), ServerDateAt: at(0)})
	if r.Clock.Offset != 15*time.Second || r.Clock.Against != "server" {
		t.Errorf("%+v", r.Clock)
	}
	g.readClock(&r, Options{Local: true, ServerDate: at(5), ServerDateAt: at(0)})
	if r.Clock.Offset != -5*time.Second {
		t.Errorf("%+v", r.Clock)
	}
	for d, want := range map[time.Duration]string{252 * time.Second: "4 min 12 s", 60 * time.Second: "1 min", 7265 * time.Second: "2 h 1 min", 49 * time.Hour: "2 d 1 h", 9 * time.Second: "9 s"} {
		if got := Span(d); got != want {
			t.Errorf("Span(%v) = %q", d, got)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1 << 10: "1 KiB", 1536: "1.5 KiB", 8 << 30: "8 GiB", 41 << 30: "41 GiB", 1<<64 - 1: "16 EiB"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestTPMVendor(t *testing.T) {
	for alias, want := range map[string]string{
		"of:NtpmT(null)Cinfineon,slb9670": "Infineon SLB9670", "acpi:IFX1522:MSFT0101:": "Infineon",
		"acpi:MSFT0101:MSFT0101:": "", "acpi:STM0125:": "STMicroelectronics", "": "",
	} {
		if got := tpmVendor(alias); got != want {
			t.Errorf("%q: %q, want %q", alias, got, want)
		}
	}
}

// What the caller knows of the chip of a folder decides about the way by TPM; a
// folder by itself tells nothing of one, and its device may have one all the same.
func TestTPMThatTheCallerKnows(t *testing.T) {
	root := writeTree(t, map[string]string{"etc/os-release": "ID=debian\nVERSION_ID=\"12\"\n", "usr/lib/systemd/systemd": ""})
	way := func(chip *TPM) (Report, Way) {
		t.Helper()
		r, err := Detect(t.Context(), root, Options{TPM: chip})
		if err != nil {
			t.Fatal(err)
		}
		advice := Advise(r, Question{Devices: 1, Support: table(t), Now: fixtureNow, Available: func(Cell) (bool, string) { return true, "" }})
		for _, w := range advice.Ways {
			if (w.Cell == Cell{Linux, DPS, TPMAttestation}) {
				return r, w
			}
		}
		t.Fatal("there is no way by TPM")
		return r, Way{}
	}
	for _, c := range []struct {
		chip     *TPM
		fact     State
		possible bool
		reason   string
	}{
		{nil, Unknown, true, ""},
		{&TPM{State: Absent}, Absent, false, "way.reason.no-tpm"},
		{&TPM{State: Found, Version: "2.0", Nodes: []TPMNode{{Path: "/dev/tpmrm0", Owner: "aziottpm", Group: "aziottpm", Mode: "600"}}}, Found, true, ""},
	} {
		r, w := way(c.chip)
		if r.Fact(FactTPM).Found != c.fact || r.TPM.State != c.fact || w.Possible != c.possible || !c.possible && w.Reason.ID != c.reason {
			t.Errorf("%+v: fact %v, way %v %v", c.chip, r.Fact(FactTPM).Found, w.Possible, w.Reason)
		}
	}
}
