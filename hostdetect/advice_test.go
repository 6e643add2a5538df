package hostdetect

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var today = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// keysOnly is what the first version can run.
func keysOnly(c Cell) (bool, string) {
	if c.Platform == Linux && c.Authentication == SymmetricKey {
		return true, ""
	}
	return false, "comes later"
}

func everyMend(string) bool { return true }

// healthy is a host with nothing in its way and a TPM.
func healthy(t testing.TB) Report {
	t.Helper()
	r := Report{
		Taken: today, Hostname: "bench-07",
		OS: OS{Family: "linux", ID: "ubuntu", Version: "24.04", Pretty: "Ubuntu 24.04"}, Arch: Arch{"amd64", "amd64"},
		Virt: Virt{Kind: BareMetal}, Memory: Memory{Total: 8 << 30},
		Disks:   []Disk{{"/", "/", 64 << 30, 40 << 30}, {"/var", "/", 64 << 30, 40 << 30}},
		Systemd: Systemd{Found, Found, "255"}, Engines: []Engine{{EngineMoby, "27.5", Found}},
		Runtime:      Runtime{RuntimeEdge, "1.6.0-1", "1.6.0-1", Found},
		Provisioning: Provisioning{Config: Absent},
		Users:        Users{Known: true, Names: serviceUsers},
		TPM:          TPM{State: Found, Version: "2.0", Nodes: []TPMNode{{"/dev/tpmrm0", "aziottpm", "root", "660", false}}},
		Clock:        Clock{Known: true, Service: "chrony", Running: Found, Synchronized: Found},
	}
	r.found(FactEngine, "moby", "test")
	r.found(FactHostname, r.Hostname, "test")
	r.absent(FactProxy, "test")
	return r
}

func TestAdviceSuggests(t *testing.T) {
	all := func(Cell) (bool, string) { return true, "" }
	for _, c := range []struct {
		name      string
		devices   int
		purpose   Purpose
		tpm       State
		available func(Cell) (bool, string)
		want      Cell
		reason    string
	}{
		{"first steps", 1, Try, Found, all, Cell{Linux, Manual, SymmetricKey}, "advice.reason.try"},
		{"try many", 40, Try, Absent, all, Cell{Linux, DPS, SymmetricKey}, "advice.reason.try"},
		{"one in production", 1, Production, Absent, all, Cell{Linux, Manual, X509}, "advice.reason.x509"},
		{"many in production", 40, Production, Absent, all, Cell{Linux, DPS, X509}, "advice.reason.x509"},
		{"production with a TPM", 1, Production, Found, all, Cell{Linux, DPS, TPMAttestation}, "advice.reason.tpm"},
		{"this version, production", 1, Production, Found, keysOnly, Cell{Linux, Manual, SymmetricKey}, "advice.reason.key-only"},
		{"this version, many", 40, Production, Found, keysOnly, Cell{Linux, DPS, SymmetricKey}, "advice.reason.key-only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := healthy(t)
			r.TPM.State = c.tpm
			a := Advise(r, Question{Devices: c.devices, Purpose: c.purpose, Support: table(t), Now: today, Available: c.available})
			if !a.Possible || !a.Ready || a.Suggested != c.want || a.Reason.ID != c.reason || a.Reasons[0].ID != c.reason {
				t.Errorf("%+v", a)
			}
			if a.Title.ID != "advice.title.yes.host" || !strings.HasPrefix(a.Title.English, "bench-07 can") {
				t.Errorf("title %+v", a.Title)
			}
			if len(a.Obstacles) != 0 || a.Passed < 15 {
				t.Errorf("%d passed, obstacles %+v", a.Passed, a.Obstacles)
			}
			if len(a.Ways) != 15 {
				t.Fatalf("%d ways", len(a.Ways))
			}
			for _, w := range a.Ways {
				if ok, _ := c.available(w.Cell); !ok && w.Possible || w.Suggested != (w.Cell == c.want) || w.Reason.English == "" {
					t.Errorf("way %+v", w)
				}
			}
		})
	}
}

func TestAdviceTellsWhatComesLater(t *testing.T) {
	a := Advise(healthy(t), Question{Devices: 1, Purpose: Production, Support: table(t), Now: today, Available: keysOnly})
	last := a.Reasons[len(a.Reasons)-1]
	if last.ID != "advice.reason.later.dps.tpm" || last.English != "DPS with the TPM would suit better. Comes later." {
		t.Errorf("%+v", a.Reasons)
	}
	ways := map[string]string{}
	for _, w := range a.Ways {
		ways[w.String()] = w.Reason.English
	}
	for cell, want := range map[string]string{"linux/dps/x509": "comes later", "eflow/manual/x509": "needs Windows", "linux/manual/symmetric-key": "suggested"} {
		if ways[cell] != want {
			t.Errorf("%s: %q", cell, ways[cell])
		}
	}
	r := healthy(t)
	r.TPM = TPM{State: Absent}
	a = Advise(r, Question{Support: table(t), Now: today})
	if w := a.Ways[4]; w.Possible || w.Reason.English != "no TPM on this device" {
		t.Errorf("%+v", w)
	}
}

func TestAdviceObstacles(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*Report)
		want  string // ID of the first obstacle's problem
		level Level
		mend  string
		ready bool
	}{
		{"no runtime", func(r *Report) { r.Runtime = Runtime{Kind: RuntimeNone} }, "obstacle.runtime.absent", Error, "", false},
		{"no runtime on a card", func(r *Report) { r.Runtime = Runtime{Kind: RuntimeNone}; r.Offline = true }, "obstacle.runtime.absent", Care, "", true},
		{"1.1", func(r *Report) { r.Runtime = Runtime{Kind: Runtime11, Version: "1.1.15-1"} }, "obstacle.runtime.old", Error, "", false},
		{"snap", func(r *Report) { r.Runtime = Runtime{Kind: RuntimeSnap, Version: "1.6.0"} }, "obstacle.runtime.snap", Error, "", false},
		{"runtime out of support", func(r *Report) { r.Runtime.Version = "1.5.21-1" }, "obstacle.runtime.ended", Care, "", true},
		{"runtime of tomorrow", func(r *Report) { r.Runtime.Version = "1.9.0-1" }, "obstacle.runtime.unlisted", Note, "", true},
		{"no identity service", func(r *Report) { r.Runtime.Identity = "" }, "obstacle.identity.absent", Error, "", false},
		{"no users", func(r *Report) { r.Users.Names = []string{"aziotks"} }, "obstacle.users.missing", Error, "", false},
		{"no engine", func(r *Report) { r.Engines = nil }, "obstacle.engine.absent", Error, "", false},
		{"podman", func(r *Report) { r.Engines[0].Kind = EnginePodman }, "obstacle.engine.podman", Error, "", false},
		{"snap docker", func(r *Report) { r.Engines[0].Kind = EngineSnap }, "obstacle.engine.snap", Error, "", false},
		{"docker.io", func(r *Report) { r.Engines[0].Kind = EngineDistro }, "obstacle.engine.distro", Note, "", true},
		{"engine stopped", func(r *Report) { r.Engines[0].Running = Absent }, "obstacle.engine.stopped", Error, MendEngine, false},
		{"systemd stopped", func(r *Report) { r.Systemd.Running = Absent }, "obstacle.systemd.stopped", Error, "", false},
		{"clock far off", func(r *Report) { r.Clock.Offset = -301 * time.Second }, "obstacle.clock.behind", Error, "", false},
		{"clock off, sync stopped", func(r *Report) { r.Clock.Offset, r.Clock.Running = -252*time.Second, Absent }, "obstacle.clock.behind", Care, MendTimeSync, true},
		{"clock ahead", func(r *Report) { r.Clock.Offset = 11 * time.Second }, "obstacle.clock.ahead", Care, "", true},
		{"sync stopped", func(r *Report) { r.Clock.Running, r.Clock.Synchronized = Absent, Absent }, "obstacle.timesync.stopped", Care, MendTimeSync, true},
		{"disk full", func(r *Report) { r.Disks[1].Free, r.Disks[0].Free = 100<<20, 100<<20 }, "obstacle.disk.full", Error, "", false},
		{"disk low", func(r *Report) { r.Disks[1].Free, r.Disks[0].Free = 900<<20, 900<<20 }, "obstacle.disk.low", Care, "", true},
		{"memory", func(r *Report) { r.Memory.Total = 256 << 20 }, "obstacle.memory.low", Care, "", true},
		{"host name", func(r *Report) { r.Hostname = "gw_22" }, "obstacle.hostname.rule", Care, "", true},
		{"long host name", func(r *Report) { r.Hostname = strings.Repeat("a", 65) }, "obstacle.hostname.long", Care, "", true},
		{"provisioned", func(r *Report) { r.Provisioning = Provisioning{Config: Found, Source: "dps", Authentication: "x509"} }, "obstacle.provisioned.known", Note, "", true},
		{"TPM closed", func(r *Report) { r.TPM.Nodes[0].Owner = "tss" }, "obstacle.tpm.closed", Note, MendTPM, true},
		{"container", func(r *Report) { r.Virt = Virt{Container, "docker"} }, "obstacle.virt.container", Care, "", true},
		{"unlisted system", func(r *Report) { r.OS.Version = "25.10" }, "obstacle.os.unlisted", Care, "", true},
		{"old system", func(r *Report) { r.OS.ID, r.OS.Version = "debian", "11" }, "obstacle.os.ended", Care, "", true},
		{"port", func(r *Report) {
			r.Reach = []Reachability{{Endpoint: Endpoint{Host: "h", Port: 443}, Resolved: Found, Open: Absent}}
		}, "obstacle.reach.port", Error, "", false},
		{"name", func(r *Report) {
			r.Reach = []Reachability{{Endpoint: Endpoint{Host: "h", Port: 443}, Resolved: Absent, Open: Absent}}
		}, "obstacle.reach.name", Error, "", false},
		{"proxy of one", func(r *Report) { r.Proxies = []Proxy{{"docker", "https_proxy", "http://p:1"}} }, "obstacle.proxy.missing", Care, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := healthy(t)
			c.spoil(&r)
			q := Question{Support: table(t), Now: today, Available: keysOnly, CanMend: everyMend}
			a := Advise(r, q)
			if len(a.Obstacles) != 1 {
				t.Fatalf("obstacles %+v", a.Obstacles)
			}
			o := a.Obstacles[0]
			if o.Problem.ID != c.want || o.Level != c.level || o.Mend != c.mend || o.Fix.English == "" || a.Ready != c.ready || !a.Possible {
				t.Errorf("ready %v, possible %v, %+v", a.Ready, a.Possible, o)
			}
			if strings.ContainsAny(o.Problem.English+o.Fix.English, "{}!") {
				t.Errorf("unfilled: %q, %q", o.Problem, o.Fix)
			}
			q.CanMend = nil
			if a := Advise(r, q); a.Obstacles[0].Mend != "" {
				t.Error("a remedy is offered that the caller cannot carry out")
			}
		})
	}
}

func TestAdviceImpossible(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(*Report)
		reason string
	}{
		"windows": {func(r *Report) {
			r.OS = OS{Family: "windows", ID: "windows", Version: "10.0.19045", Pretty: "Windows 10"}
		}, "advice.reason.windows"},
		"arch":   {func(r *Report) { r.Arch = Arch{"riscv64", "riscv64"} }, "obstacle.arch.none"},
		"openrc": {func(r *Report) { r.Systemd = Systemd{Installed: Absent, Running: Absent} }, "obstacle.systemd.absent"},
	} {
		r := healthy(t)
		c.spoil(&r)
		r.Local = true
		a := Advise(r, Question{Support: table(t), Now: today, Available: keysOnly})
		if a.Possible || a.Ready || a.Suggested != (Cell{}) || a.Title.ID != "advice.title.no.local" || a.Reason.ID != c.reason {
			t.Errorf("%s: %+v", name, a)
		}
		for _, w := range a.Ways {
			if w.Possible {
				t.Errorf("%s: %+v", name, w)
			}
		}
	}
}

func TestAdviceOnRecordedHosts(t *testing.T) {
	for name, want := range map[string][]string{
		"debian12":           {"obstacle.clock.behind", "obstacle.proxy.missing", "obstacle.tpm.closed"},
		"debian13":           {"obstacle.runtime.absent", "obstacle.os.unlisted", "obstacle.engine.distro"},
		"ubuntu2204":         {"obstacle.runtime.ended", "obstacle.hostname.rule", "obstacle.provisioned.other"},
		"ubuntu2404":         {"obstacle.engine.stopped", "obstacle.provisioned.known"},
		"raspios32":          {"obstacle.engine.absent", "obstacle.runtime.absent", "obstacle.disk.full", "obstacle.arch.mixed"},
		"rhel9":              {"obstacle.engine.podman", "obstacle.runtime.absent"},
		"wsl2":               {"obstacle.systemd.stopped", "obstacle.engine.absent", "obstacle.runtime.absent", "obstacle.virt.wsl"},
		"ubuntucore":         {"obstacle.runtime.snap", "obstacle.runtime.ended"},
		"debian10-iotedge11": {"obstacle.runtime.old", "obstacle.os.unlisted", "obstacle.provisioned.known"},
	} {
		a := Advise(detectFixture(t, name), Question{Support: table(t), Now: today, Available: keysOnly})
		var got []string
		for _, o := range a.Obstacles {
			got = append(got, o.Problem.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if a := Advise(detectFixture(t, "alpine"), Question{Support: table(t), Now: today}); a.Possible {
		t.Errorf("alpine: %+v", a)
	}
}

// Every ID in the code has a text, every text is used, and the keys of a
// template are names.
func TestTexts(t *testing.T) {
	place := regexp.MustCompile(`\{[a-z]+\}`)
	for id, text := range Texts() {
		if strings.ContainsAny(place.ReplaceAllString(text, ""), "{}!") || text == "" || strings.Contains(strings.ToLower(text), "please") {
			t.Errorf("%s: %q", id, text)
		}
	}
	for id := range Texts() {
		if problem, ok := strings.CutSuffix(id, ".fix"); ok && problem != "obstacle.provisioned" && english[problem] == "" {
			t.Errorf("%s fixes nothing", id)
		}
	}
	for _, c := range Cells() {
		for _, id := range []string{"way.reason.", "advice.reason.later."} {
			if english[id+c.Provisioning+"."+c.Authentication] == "" {
				t.Errorf("no text %s%s.%s", id, c.Provisioning, c.Authentication)
			}
		}
	}
	known := slices.Collect(maps.Keys(english))
	for _, id := range sourceIDs(t) {
		if !slices.ContainsFunc(known, func(k string) bool { return k == id || strings.HasPrefix(k, id) && strings.HasSuffix(id, ".") }) {
			t.Errorf("no text for %q", id)
		}
	}
	if got := say("obstacle.os.other", "os", "{os} {arch}").English; got != "IoT Edge does not run on {os} {arch}" {
		t.Errorf("%q", got)
	}
}
