package command

import (
	"errors"
	"strings"
	"time"

	"edgewright/app"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// certFlags are the flags of all cert commands.
type certFlags struct {
	profile, name, organization, ca, names, algorithm string
	key, from, bootstrap, trust                       string
	to, cloud, code                                   string
	days, keyFD                                       int
	csr, out, format, reason, search, purpose         string
	withKey, newKey, yes, expiring, all, disable      bool
	mintFlags
}

// certVerbs are the commands under cert, with the number of arguments that they
// take; -1 is one or more, -2 none or two.
var certVerbs = map[string]struct {
	args int
	run  func(*session, *app.App, certFlags, []string) error
}{
	"list":     {0, (*session).certList},
	"profiles": {-2, (*session).certProfiles},
	"show":     {1, (*session).certShow},
	"inspect":  {-1, (*session).certInspect},
	"verify":   {-1, (*session).certVerify},
	"import":   {-1, (*session).certImport},
	"export":   {1, (*session).certExport},
	"new":      {0, (*session).certNew},
	"sign":     {0, (*session).certSign},
	"renew":    {1, (*session).certRenew},
	"revoke":   {1, (*session).certRevoke},
	"requests": {0, (*session).certRequests},
	"forget":   {1, (*session).certForget},
	"mint":     {0, (*session).certMint},
	"batches":  {0, (*session).certBatches},
	"ca":       {2, (*session).certCA},
}

func cert(s *session, args []string) error {
	var f certFlags
	set := s.flags("cert")
	for name, into := range map[string]*string{"profile": &f.profile, "name": &f.name, "organization": &f.organization, "ca": &f.ca, "names": &f.names,
		"algorithm": &f.algorithm, "key": &f.key, "from": &f.from, "bootstrap": &f.bootstrap, "trust": &f.trust, "csr": &f.csr, "out": &f.out, "format": &f.format, "reason": &f.reason, "search": &f.search, "purpose": &f.purpose,
		"to": &f.to, "cloud": &f.cloud, "code": &f.code} {
		set.StringVar(into, name, "", "")
	}
	set.IntVar(&f.days, "days", 0, "")
	set.IntVar(&f.keyFD, "key-passphrase-fd", 0, "")
	set.BoolVar(&f.withKey, "with-key", false, "")
	set.BoolVar(&f.newKey, "new-key", false, "")
	set.BoolVar(&f.yes, "yes", false, "")
	f.mintFlags.add(set)
	set.BoolVar(&f.expiring, "expiring", false, "")
	set.BoolVar(&f.all, "all", false, "")
	set.BoolVar(&f.disable, "disable", false, "")
	rest, err := s.parse(set, args)
	if err != nil {
		return err
	}
	name, rest, err := only(rest, "list", "profiles", "show", "inspect", "verify", "import", "export", "new", "sign", "renew", "revoke", "requests", "forget", "mint", "batches", "ca")
	if err != nil {
		return err
	}
	verb := certVerbs[name]
	if !fits(verb.args, len(rest)) {
		return wrongUse("cert %s takes %s", name, map[int]string{0: "no names", 1: "one certificate", 2: "upload or verify, and a CA", -1: "files", -2: "nothing, or add FILE, or remove NAME"}[verb.args])
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	return verb.run(s, a, f, rest)
}

// fits tells whether a number of arguments is what a command takes.
func fits(takes, n int) bool {
	switch takes {
	case -1:
		return n > 0
	case -2:
		return n == 0 || n == 2
	}
	return n == takes
}

func (s *session) certList(a *app.App, f certFlags, _ []string) error {
	if f.expiring {
		return s.certExpiring(a, f)
	}
	list, err := a.Certificates(s.ctx, f.search)
	if err != nil {
		return err
	}
	if s.json {
		s.print(list)
		return nil
	}
	rows := [][]string{}
	for _, c := range list {
		rows = append(rows, []string{c.ID[:8], c.Subject, c.Profile, c.State, c.NotAfter.Local().Format(time.DateOnly), c.Key.Place})
	}
	s.table([]string{"ID", "subject", "profile", "state", "ends", "key"}, rows)
	return nil
}

// certificate prints one certificate.
func (s *session) certificate(c app.CertificateView) {
	if s.json {
		s.print(c)
		return
	}
	s.certificateLines(c)
}

func (s *session) certificateLines(c app.CertificateView) {
	s.line("%s is %s", c.Subject, strings.ReplaceAll(c.State, "-", " "))
	for _, row := range [][2]string{{"ID", c.ID}, {"profile", c.Profile}, {"role", c.Role}, {"serial", c.Serial},
		{"holds", c.NotBefore.Local().Format(time.DateOnly) + " to " + c.NotAfter.Local().Format(time.DateOnly)},
		{"key", c.Key.Algorithm + ", " + c.Key.Place}, {"SHA-1", c.SHA1}, {"SHA-256", c.SHA256}} {
		if row[1] != "" {
			s.line("  %-8s %s", row[0], row[1])
		}
	}
	s.certificateFindings(c.Findings)
}

func (s *session) certificateFindings(findings finding.List) {
	for _, f := range findings {
		s.line("  %-5s %s: %s", f.Level, f.Field, f.Problem)
		s.line("        %s", f.Fix)
	}
}

func (s *session) certShow(a *app.App, _ certFlags, args []string) error {
	view, err := a.Certificate(s.ctx, args[0])
	if err != nil {
		return err
	}
	s.certificate(view)
	return nil
}

// filePassphrase reads the passphrase of files from the descriptor that the
// command names; without one it is empty.
func (f certFlags) filePassphrase() (secret.Value, error) {
	value, err := readFD(f.keyFD)
	if err != nil {
		return value, wrongUse("--key-passphrase-fd: %v", err)
	}
	return value, nil
}

// opened calls read with the given passphrase, and where a person sits at the
// terminal once more with one that is asked for.
func (s *session) opened(f certFlags, read func(secret.Value) error) error {
	given, err := f.filePassphrase()
	if err != nil {
		return err
	}
	err = read(given)
	if errors.Is(err, pki.ErrPassphrase) && given.IsEmpty() && s.Terminal {
		if given, err = s.askSecret("Passphrase of the file: "); err != nil {
			return err
		}
		return read(given)
	}
	return err
}

func (s *session) certInspect(a *app.App, f certFlags, files []string) error {
	for _, file := range files {
		err := s.opened(f, func(passphrase secret.Value) error {
			seen, err := a.InspectFile(file, passphrase)
			if err != nil {
				return err
			}
			s.inspected(file, seen)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *session) inspected(file string, seen app.Inspected) {
	if s.json {
		s.print(seen)
		return
	}
	s.line("%s: %s", file, seen.Kind)
	for _, c := range seen.Certificates {
		s.certificateLines(c)
	}
	for _, request := range seen.Requests {
		s.line("a request of %s", request)
	}
	for _, list := range seen.Lists {
		s.line("revocation list %s of %s with %d certificates, next one by %s", list.Number, list.Issuer, list.Revoked, list.Next.Local().Format(time.DateOnly))
	}
	if seen.Keys > 0 {
		s.line("%d private keys", seen.Keys)
	}
	if seen.Locked > 0 {
		s.line("%d encrypted private keys", seen.Locked)
	}
	if seen.KeyMatches != nil && !*seen.KeyMatches {
		s.line("the key belongs to none of the certificates")
	}
}

func (s *session) certVerify(a *app.App, f certFlags, files []string) error {
	verdict, err := a.VerifyFiles(s.ctx, files, pki.Purpose(f.purpose))
	if err != nil {
		return err
	}
	if s.json {
		s.print(verdict)
	} else {
		s.line("%s", strings.Join(verdict.Chain, " <- "))
		s.certificateFindings(verdict.Findings)
		s.line("%s", map[bool]string{true: "it is good for that", false: "it is not good for that"}[verdict.OK])
	}
	if !verdict.OK {
		return exitError(ExitFailed)
	}
	return nil
}

func (s *session) certImport(a *app.App, f certFlags, files []string) error {
	if strings.HasPrefix(files[0], estPrefix) {
		return s.certImportEST(a, f, files)
	}
	passphrase, err := f.filePassphrase()
	if err != nil {
		return err
	}
	result, err := a.ImportCertificates(s.ctx, files, passphrase)
	if err != nil {
		return err
	}
	return s.imported(result)
}

// imported prints what an import did.
func (s *session) imported(result app.Imported) error {
	if s.json {
		s.print(result)
	} else {
		for _, c := range result.Added {
			s.line("added %s  %s, key: %s", c.ID[:8], c.Subject, c.Key.Place)
		}
		if result.Known > 0 {
			s.line("%d known already", result.Known)
		}
		for _, refused := range result.Refused {
			s.note("%s", refused.Problem)
		}
	}
	if len(result.Refused) > 0 {
		return exitError(ExitFailed)
	}
	return nil
}

func (s *session) certExport(a *app.App, f certFlags, args []string) error {
	if f.out == "" || f.format == "" {
		return wrongUse("say --format pem|der|pfx|pfx-3des|chain and --out FILE")
	}
	passphrase, err := f.filePassphrase()
	if err != nil {
		return err
	}
	if (f.withKey || app.ExportHasKey(f.format)) && passphrase.IsEmpty() && s.Terminal {
		if passphrase, err = s.askSecret("New passphrase of the key: "); err != nil {
			return err
		}
	}
	data, err := a.ExportCertificate(s.ctx, args[0], f.format, f.withKey, passphrase)
	if err != nil {
		return err
	}
	if err := app.WriteNew(f.out, data); err != nil {
		return err
	}
	if s.json {
		s.print(map[string]any{"file": f.out, "bytes": len(data)})
		return nil
	}
	s.line("%s is written", f.out)
	return nil
}

func (f certFlags) request() app.NewCertificate {
	request := app.NewCertificate{Profile: f.profile, CommonName: f.name, Organization: f.organization, CA: f.ca, Key: f.key, Algorithm: pki.Algorithm(f.algorithm), Days: f.days}
	for name := range strings.SplitSeq(f.names, ",") {
		if name = strings.TrimSpace(name); name != "" {
			request.Names = append(request.Names, name)
		}
	}
	return request
}

func (s *session) certNew(a *app.App, f certFlags, _ []string) error {
	if f.profile == "" || f.name == "" {
		return wrongUse("say --profile and --name")
	}
	if server, ok, err := f.estServer(); err != nil || ok {
		if err != nil {
			return err
		}
		return s.certEnroll(a, f, server)
	}
	switch {
	case f.key == "none" && f.out != "":
		return wrongUse("--key none has no key that a request could be signed with; leave out --out")
	case f.key == "none":
		view, err := a.ForeignCA(s.ctx, f.from, f.request())
		if err != nil {
			return err
		}
		s.certificate(view)
		return nil
	case f.from != "":
		return wrongUse("--from goes with --key none")
	case f.out != "":
		return s.certAsk(a, f)
	}
	view, err := a.MakeCertificate(s.ctx, f.request())
	if err != nil {
		return err
	}
	s.certificate(view)
	return nil
}

func (s *session) certSign(a *app.App, f certFlags, _ []string) error {
	if f.csr == "" || f.profile == "" || f.ca == "" || f.out == "" {
		return wrongUse("say --csr, --profile, --ca and --out")
	}
	view, err := a.SignRequest(s.ctx, f.csr, f.request())
	if err != nil {
		return err
	}
	data, err := a.ExportCertificate(s.ctx, view.ID, app.ExportChain, false, secret.Value{})
	if err != nil {
		return err
	}
	if err := app.WriteNew(f.out, data); err != nil {
		return err
	}
	s.certificate(view)
	return nil
}

func (s *session) certRenew(a *app.App, f certFlags, args []string) error {
	server, byEST, err := f.estServer()
	if err != nil {
		return err
	}
	var view app.CertificateView
	if byEST {
		view, err = a.RenewByEST(s.ctx, args[0], f.newKey, server)
	} else {
		view, err = a.RenewCertificate(s.ctx, args[0], f.newKey)
	}
	if err != nil {
		return err
	}
	s.certificate(view)
	return nil
}

func (s *session) certRevoke(a *app.App, f certFlags, args []string) error {
	if f.reason == "" {
		f.reason = "unspecified"
	}
	if f.disable {
		_, found, err := a.CloudStopOf(s.ctx, args[0])
		if err != nil {
			return err
		}
		if !found {
			return app.ErrNoDevice
		}
	}
	if err := s.agreed(f.yes, "Revoke "+args[0]); err != nil {
		return err
	}
	result, err := a.RevokeCertificate(s.ctx, args[0], pki.Reason(f.reason))
	if err != nil {
		return err
	}
	if s.json {
		s.print(result)
		return s.disable(a, f, result.ID)
	}
	s.line("%s is revoked", result.Subject)
	if result.CRL != "" {
		s.line("revocation list %d:", result.Number)
		s.line("%s", strings.TrimSpace(result.CRL))
	}
	return s.disable(a, f, result.ID)
}
