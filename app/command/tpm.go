package command

import (
	"flag"
	"slices"
	"strings"

	"edgewright/app"
)

const tpmUsage = "tpm show --target T [--tpm ADDR] [--roots F]   ek --target T [--tpm ADDR] [--format base64|pem]\n" +
	"       tpm collect --target T... [--tpm ADDR...] [--id ID...] [--roots F] [--parallel N]\n" +
	"       tpm list [--search S] [--limit N] [--after ID] | show ID | forget ID\n" +
	"       tpm export F --format csv|json [--sign] [--search S] | import F [--station-key SHA256:...] | station\n" +
	"       tpm enroll (--target T [--tpm ADDR] [--id ID] | --list F [--station-key SHA256:...] [--resume RUN]) --cloud N\n" +
	"       tpm enroll --resume RUN | runs      (runs undo RUN takes an enrollment of a list back)\n" +
	"       where a TPM is read: [--endorsement-auth vault:NAME] [--owner-auth vault:NAME]; ADDR is target, local, unix:/path or tcp:host:port"

// tpmFlags are the flags of all tpm commands.
type tpmFlags struct {
	targets, addresses, ids texts
	endorsement, owner      string
	roots, format           string
	search, after           string
	stationKey              string
	list, resume, cloud     string
	sign                    bool
	parallel, limit         int
	accessFlags
}

// texts is a flag that may be given several times.
type texts []string

func (t *texts) String() string { return strings.Join(*t, " ") }

func (t *texts) Set(value string) error {
	*t = append(*t, value)
	return nil
}

// readFlags are those of commands that read a TPM.
var readFlags = []string{"target", "tpm", "endorsement-auth", "owner-auth", "roots", "identity", "host-key", "ssh-password-fd", "sudo-password-fd"}

// tpmCommands are the commands under tpm, with their own flags.
var tpmCommands = []struct {
	name  string
	flags []string
	run   func(*session, tpmFlags, []string) error
}{
	{"show", readFlags, (*session).tpmShow},
	{"ek", append([]string{"format"}, readFlags...), (*session).tpmEK},
	{"collect", append([]string{"id", "parallel"}, readFlags...), (*session).tpmCollect},
	{"list", []string{"search", "limit", "after"}, (*session).tpmList},
	{"forget", nil, (*session).tpmForget},
	{"export", []string{"format", "sign", "search"}, (*session).tpmExport},
	{"import", []string{"station-key"}, (*session).tpmImport},
	{"station", nil, (*session).tpmStation},
	{"enroll", append([]string{"id", "list", "station-key", "resume", "cloud"}, readFlags...), (*session).tpmEnroll},
	{"runs", nil, (*session).tpmRuns},
}

func tpm(s *session, args []string) error {
	var f tpmFlags
	common := map[string]bool{}
	s.flags("tpm").VisitAll(func(f *flag.Flag) { common[f.Name] = true })
	set := s.flags("tpm")
	for name, into := range map[string]*texts{"target": &f.targets, "tpm": &f.addresses, "id": &f.ids} {
		set.Var(into, name, "")
	}
	for name, into := range map[string]*string{"endorsement-auth": &f.endorsement, "owner-auth": &f.owner, "roots": &f.roots, "format": &f.format,
		"search": &f.search, "after": &f.after, "station-key": &f.stationKey, "list": &f.list, "resume": &f.resume, "cloud": &f.cloud} {
		set.StringVar(into, name, "", "")
	}
	set.IntVar(&f.parallel, "parallel", 0, "")
	set.IntVar(&f.limit, "limit", 0, "")
	set.BoolVar(&f.sign, "sign", false, "")
	addAccess(set, &f.accessFlags)
	rest, err := s.parse(set, args)
	if err != nil {
		return err
	}
	var names []string
	for _, c := range tpmCommands {
		names = append(names, c.name)
	}
	name, rest, err := only(rest, names...)
	if err != nil {
		return err
	}
	command := tpmCommands[slices.Index(names, name)]
	set.Visit(func(f *flag.Flag) {
		if err == nil && !common[f.Name] && !slices.Contains(command.flags, f.Name) {
			err = wrongUse("--%s does not go with tpm %s", f.Name, name)
		}
	})
	if err != nil {
		return err
	}
	return command.run(s, f, rest)
}

// reading is what commands that read one TPM ask for.
func (f tpmFlags) reading(s *session) (request app.TPMRequest, err error) {
	switch {
	case len(f.targets) == 0:
		return request, wrongUse("--target is missing; this computer is local:")
	case len(f.targets) > 1 || len(f.addresses) > 1:
		return request, wrongUse("say --target and --tpm once; tpm collect takes several")
	}
	request = app.TPMRequest{Target: f.targets[0], EndorsementAuth: f.endorsement, OwnerAuth: f.owner}
	if len(f.addresses) == 1 {
		request.Address = f.addresses[0]
	}
	if request.Roots, err = f.makerRoots(); err != nil {
		return request, err
	}
	request.Access, err = s.access(f.accessFlags)
	return request, err
}

// maxRoots is how large the file with the roots of TPM makers may be, in bytes.
const maxRoots = 4 << 20

func (f tpmFlags) makerRoots() ([]byte, error) {
	if f.roots == "" {
		return nil, nil
	}
	return app.ReadFile(f.roots, maxRoots)
}

// readTPM reads the one TPM that flags name.
func (s *session) readTPM(f tpmFlags) (app.TPMView, error) {
	request, err := f.reading(s)
	if err != nil {
		return app.TPMView{}, err
	}
	a, err := s.open()
	if err != nil {
		return app.TPMView{}, err
	}
	return a.ShowTPM(s.ctx, request)
}

// tpmShow shows a TPM, or a collected key.
func (s *session) tpmShow(f tpmFlags, rest []string) error {
	if len(rest) == 1 && len(f.targets) == 0 {
		return s.showCollected(rest[0])
	}
	if len(rest) > 0 {
		return extra(rest, nil)
	}
	view, err := s.readTPM(f)
	if err != nil {
		return err
	}
	if s.json {
		s.print(view)
		return nil
	}
	s.showTPM(view)
	return nil
}

func (s *session) tpmEK(f tpmFlags, rest []string) error {
	switch {
	case len(rest) > 0:
		return extra(rest, nil)
	case f.format == "":
		f.format = "base64"
	case f.format != "base64" && f.format != "pem":
		return wrongUse("--format is base64 or pem")
	}
	view, err := s.readTPM(f)
	if err != nil {
		return err
	}
	return s.endorsementKey(view, f.format)
}

func (s *session) endorsementKey(view app.TPMView, format string) error {
	public := view.EK.Public
	if format == "pem" {
		public = strings.TrimSuffix(view.PEM(), "\n")
	}
	if s.json {
		s.print(map[string]string{"public": public, "srk": view.SRK, "registration_id": view.RegistrationIDs.Base32})
		return nil
	}
	s.line("%s", public)
	return nil
}

// templateWords say what a template means for an enrollment.
var templateWords = map[string]string{
	"tcg-l1":       "TCG template L-1: the key that the maker's certificate is for",
	"empty-unique": "a variant with an empty unique field, which some programs keep; no maker's certificate is for it",
	"other":        "of another origin than the known templates: it changes if it is ever removed",
	"unknown":      "not to be told without the password of the endorsement hierarchy",
}

var chainWords = map[string]string{
	"none": "none stored", "unreadable": "does not read", "other-key": "is for another key", "unchecked": "is for this key; no roots were given (--roots F)",
	"untrusted": "leads to none of the given roots", "trusted": "leads to a given root and is for this key",
}

func (s *session) showTPM(v app.TPMView) {
	yes := func(set bool) string {
		if set {
			return "set"
		}
		return "not set"
	}
	lockout := "not active"
	if v.Lockout.Active {
		lockout = "ACTIVE"
	}
	kept := "not kept; made from its template each time"
	if v.EK.Handle != "" {
		kept = v.EK.Handle
	}
	s.line("TPM %s of %s, firmware %s (%s)", v.Family, v.Manufacturer, v.Firmware, v.TPM)
	s.line("  lockout            %s, %d of %d wrong tries, one forgiven every %d s", lockout, v.Lockout.Count, v.Lockout.Max, v.Lockout.Interval)
	s.line("  passwords          owner %s, endorsement %s", yes(v.Auth.Owner), yes(v.Auth.Endorsement))
	s.line("  endorsement key    %s", kept)
	s.line("                     %s", templateWords[v.EK.Template])
	s.line("  EK certificate     %s", chainWords[v.EKCertificate.State])
	if v.EKCertificate.Problem != "" {
		s.line("                     %s", v.EKCertificate.Problem)
	}
	s.line("  registration IDs   %s", v.RegistrationIDs.Base32)
	s.line("                     %s", v.RegistrationIDs.Hex)
	s.line("  EK for DPS         %s", v.EK.Public)
	s.line("  SRK for DPS        %s", v.SRK)
}
