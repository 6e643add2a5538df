package hostdetect

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

//go:embed gather.sh
var gatherScript string

// The most that is read of a host's answer, in bytes. The script's own output
// is some ten kilobytes; more is not an answer.
const answerLimit = 4 << 20

// gathering is the raw material of a report: named sections, as the script
// prints them or as they were read from files. It never leaves the package,
// because sections may hold what a report masks.
type gathering struct {
	offline bool
	// sections by name: "uname", "file /etc/os-release", "absent PATH",
	// "denied PATH", "outline PATH" ...
	sections map[string]string
	// clocks are the host's own times, first and last of the look; sent and
	// answered are ours around it.
	clocks         []time.Time
	sent, answered time.Time
}

// gatherByShell runs the script. An answer without a single section is an
// error; a cut one is used as far as it goes.
func gatherByShell(ctx context.Context, h Host, o Options) (*gathering, error) {
	mark, err := newMark()
	if err != nil {
		return nil, err
	}
	sent := o.now()
	out, exit, err := h.Output(ctx, "sh", "-c", gatherScript, "edgewright", mark)
	answered := o.now()
	if err != nil {
		return nil, fmt.Errorf("run the look: %w", err)
	}
	g := parseSections(out, mark)
	if len(g.sections) == 0 {
		return nil, fmt.Errorf("run the look: no answer from sh, exit %d", exit)
	}
	g.sent, g.answered = sent, answered
	return g, nil
}

// newMark gives a word that no file of the host can hold by accident or intent.
func newMark() (string, error) {
	var b [12]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make a mark: %w", err)
	}
	return "ew-" + hex.EncodeToString(b[:]), nil
}

// parseSections reads the script's output: each section starts with a line
// "mark name". The empty line that the script puts before it is dropped.
func parseSections(out []byte, mark string) *gathering {
	g := &gathering{sections: map[string]string{}}
	if len(out) > answerLimit {
		out = out[:answerLimit]
	}
	out = bytes.ReplaceAll(out, []byte("\r\n"), []byte("\n"))
	name, start := "", -1
	end := func(at int) {
		if start < 0 {
			return
		}
		body := strings.ToValidUTF8(string(out[start:max(start, at)]), "\uFFFD")
		body = strings.TrimSuffix(body, "\n")
		body = strings.ReplaceAll(body, "\x00", "")
		if name == "now" {
			if t, ok := parseStamp(body); ok {
				g.clocks = append(g.clocks, t)
			}
			return
		}
		if _, again := g.sections[name]; !again {
			g.sections[name] = body
		}
	}
	for at := 0; at < len(out); {
		next := len(out)
		if i := bytes.IndexByte(out[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		if rest, ok := strings.CutPrefix(strings.TrimRight(string(out[at:next]), "\n"), mark+" "); ok {
			end(at)
			name, start = rest, next
		}
		at = next
	}
	end(len(out))
	return g
}

// has says whether a section came, be it empty.
func (g *gathering) has(section string) bool {
	_, ok := g.sections[section]
	return ok
}

// lines gives a section's lines that are not blank, trimmed.
func (g *gathering) lines(section string) []string {
	var out []string
	for line := range strings.Lines(g.sections[section]) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// first gives a section's first line that is not blank.
func (g *gathering) first(section string) string {
	for line := range strings.Lines(g.sections[section]) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

// file gives the content of a file and whether it is there: Unknown means that
// it could not be read or was not asked for.
func (g *gathering) file(path string) (string, State) {
	if body, ok := g.sections["file "+path]; ok {
		return body, Found
	}
	if g.has("absent " + path) {
		return "", Absent
	}
	return "", Unknown
}

// line gives a one-line file's content, trimmed; empty where there is none.
func (g *gathering) line(path string) string {
	return g.first("file " + path)
}

// exists says whether a path was seen by the script's own list.
func (g *gathering) exists(path string) bool {
	for _, line := range g.lines("exists") {
		if line == path {
			return true
		}
	}
	return false
}

// why names the reason for which a path could not be told.
func (g *gathering) why(path string) string {
	if g.has("denied "+path) || g.has("hidden "+path) {
		return "reading " + path + " needs more rights"
	}
	if why, ok := g.sections["failed "+path]; ok {
		return why
	}
	if g.offline {
		return "only files can be read"
	}
	return "the host did not say"
}

// report turns the material into facts, in the order of the keys.
func (g *gathering) report(o Options) Report {
	r := Report{Taken: o.now(), Local: o.Local, Offline: g.offline}
	r.Root = g.first("id") == "0"
	g.readOS(&r)
	g.readArch(&r)
	g.readKernel(&r)
	g.readVirt(&r)
	g.readCPU(&r)
	g.readMemory(&r)
	g.readDisks(&r)
	g.readSystemd(&r)
	units := parseUnits(g.lines("units"))
	g.readPackages(&r)
	g.readEngines(&r, units)
	g.readRuntime(&r, units)
	g.readProvisioning(&r)
	g.readUsers(&r)
	if o.TPM != nil {
		r.giveTPM(*o.TPM)
	} else {
		g.readTPM(&r)
	}
	g.readTimeSync(&r, units)
	g.readClock(&r, o)
	g.readNames(&r)
	g.readInterfaces(&r)
	g.readProxies(&r, units)
	return r
}
