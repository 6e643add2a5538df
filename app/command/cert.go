package command

import (
	"flag"
	"slices"
	"strings"
	"time"

	"edgewright/app"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

const certUsage = `cert list [--search S | --expiring [--all] [--format ics|csv [--out F]]] | profiles [add F | remove NAME] | show ID
       cert inspect F... | verify F... --purpose identity|edge-ca|server|ca | import F...   (PFX and encrypted keys: --key-passphrase-fd N)
       cert export ID --format pem|der|pfx|pfx-3des|chain [--with-key] [--key-passphrase-fd N] --out F
       cert new --profile P --name CN [--organization O] [--names HOST,ADDRESS] [--ca C] [--key vault|token:URI] [--algorithm A] [--days N] [--out REQUEST]
       cert new --profile P --name CN --key none --from F | requests | forget ID [--yes]
       cert new --profile P --name CN --ca est:URL [--bootstrap B] [--trust C] | renew ID --ca est:URL [--trust C] | import est:URL [--trust C]
       cert sign --csr F --profile P --ca C [--days N] --out F | renew ID [--new-key] | revoke ID [--reason R] [--disable] [--yes]
       cert mint (--csv F | --range 'line-7-{0001..0500}' [--group G] [--edge-ca] [--days N]) --ca C --recipient R --out DIR [--enroll CLOUD] [--profile P] [--algorithm A]
       cert mint --resume BATCH | batches
       cert ca upload ID --to hub|dps --cloud N --name X [--out F] | ca verify ID --to hub|dps --cloud N --name X [--code C --out F]`

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
// take, -1 for one or more and -2 for none or two, and the flags that they know.
var certVerbs = map[string]struct {
	args  int
	flags string
	run   func(*session, *app.App, certFlags, []string) error
}{
	"list":     {0, "search expiring all format out", (*session).certList},
	"profiles": {-2, "", (*session).certProfiles},
	"show":     {1, "", (*session).certShow},
	"inspect":  {-1, "key-passphrase-fd", (*session).certInspect},
	"verify":   {-1, "purpose key-passphrase-fd", (*session).certVerify},
	"import":   {-1, "key-passphrase-fd bootstrap trust", (*session).certImport},
	"export":   {1, "format with-key out key-passphrase-fd", (*session).certExport},
	"new":      {0, "profile name organization names ca key algorithm days from out bootstrap trust", (*session).certNew},
	"sign":     {0, "csr profile ca days out", (*session).certSign},
	"renew":    {1, "new-key ca bootstrap trust", (*session).certRenew},
	"revoke":   {1, "reason disable yes", (*session).certRevoke},
	"requests": {0, "", (*session).certRequests},
	"forget":   {1, "yes", (*session).certForget},
	"mint":     {0, "csv range group edge-ca days ca profile algorithm recipient out enroll resume", (*session).certMint},
	"batches":  {0, "", (*session).certBatches},
	"ca":       {2, "to cloud name code out", (*session).certCA},
}

// strange names the first flag that was given and that a command does not know; a
// flag that is passed over would promise what does not happen.
func strange(set *flag.FlagSet, known string) (name string) {
	allowed := append(strings.Fields(known), "json", "data", "passphrase-fd", "passphrase-file", "pin-fd")
	set.Visit(func(given *flag.Flag) {
		if name == "" && !slices.Contains(allowed, given.Name) {
			name = given.Name
		}
	})
	return name
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
	if flag := strange(set, verb.flags); flag != "" {
		return wrongUse("cert %s has no --%s", name, flag)
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
	switch {
	case f.expiring && f.search != "":
		return wrongUse("--search does not go with --expiring")
	case f.expiring:
		return s.certExpiring(a, f)
	case f.all || f.format != "" || f.out != "":
		return wrongUse("--all, --format and --out go with --expiring")
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
	s.line("%s is %s", oneLine(c.Subject), strings.ReplaceAll(c.State, "-", " "))
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
		s.line("  %-5s %s: %s", f.Level, f.Field, oneLine(f.Problem))
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
	out, err := app.CreateNew(f.out) // before anything is signed that it would not hold
	if err != nil {
		return err
	}
	view, err := a.SignRequest(s.ctx, f.csr, f.request())
	if err != nil {
		out.Drop()
		return err
	}
	data, err := a.ExportCertificate(s.ctx, view.ID, app.ExportChain, false, secret.Value{})
	if err != nil {
		out.Drop()
		return err
	}
	if err := out.Write(data); err != nil {
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
	if f.ca != "" && !byEST {
		return wrongUse("the CA that signed it renews it, or --ca est:URL; another CA makes a new certificate")
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
