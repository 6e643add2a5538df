package command

import (
	"flag"
	"slices"
	"strings"

	"edgewright/app"
)

// practiceCommand is a sub-command of practice.
type practiceCommand struct {
	name  string
	usage string // without the name
	flags []string
	args  int // -1 where run looks
	run   func(p *practiceCall, args []string) error
}

// practiceCommands in the order of the usage.
func practiceCommands() []practiceCommand {
	return []practiceCommand{
		{"serve", "[--https ADDR] [--mqtt ADDR] [--names N,...] [--sku S [--units N]] [--listen-anywhere] [--show-secrets]",
			[]string{"https", "mqtt", "names", "sku", "units", "listen-anywhere", "show-secrets"}, 0, (*practiceCall).serve},
		{"show", "[--show-secrets]", []string{"show-secrets"}, 0, (*practiceCall).show},
		{"devices", "[--search S] [--hub H] [--limit N]", []string{"search", "hub", "limit"}, 0, (*practiceCall).devices},
		{"device", "ID [--hub H] [--module M] [--show-secrets]", []string{"hub", "module", "show-secrets"}, 1, (*practiceCall).device},
		{"send", "DEVICE [--hub H] [--property NAME=VALUE ...] [--text T]   (the message on standard input otherwise)",
			[]string{"hub", "property", "text"}, 1, (*practiceCall).send},
		{"log", "[--follow] [--failed] [--limit N]", []string{"follow", "failed", "limit"}, 0, (*practiceCall).log},
		{"ca", "list [--hub H] | upload NAME FILE [--replace] | code NAME | verify NAME FILE | remove NAME   (of DPS, or of --hub H)",
			[]string{"hub", "replace"}, -1, (*practiceCall).ca},
		{"faults", "[throttle N/OF [--retry-after D] | fail N/OF [--status S] | delay D | skew D | offline HUB,... | clear]",
			[]string{"retry-after", "status"}, -1, (*practiceCall).faults},
		{"limits", "[SKU | none] [--units N]", []string{"units"}, -1, (*practiceCall).limits},
		{"tpm", "NAME [on | off]   (the software TPM of the practice device practice:NAME)", nil, -1, (*practiceCall).tpm},
		{"remove", "NAME [--yes]   (the practice device practice:NAME)", []string{"yes"}, 1, (*practiceCall).remove},
		{"reset", "[--yes]", []string{"yes"}, 0, (*practiceCall).reset},
	}
}

// practiceUsage is the usage of all of them.
func practiceUsage() string {
	var lines []string
	for _, c := range practiceCommands() {
		lines = append(lines, strings.TrimSpace("practice "+c.name+" "+c.usage))
	}
	return strings.Join(lines, "\n  edgewright ")
}

// practiceCall is one call of a sub-command.
type practiceCall struct {
	*session
	app         *app.App
	options     app.PracticeOptions
	names, sku  string
	units       int
	showSecrets bool
	yes         bool

	search, hub, module string
	limit               int
	follow, failed      bool
	replace             bool
	text                string
	properties          properties
	retryAfter          string
	status              int
}

func (p *practiceCall) flagSet() *flag.FlagSet {
	set := p.flags("practice")
	set.StringVar(&p.options.HTTPS, "https", "", "")
	set.StringVar(&p.options.MQTT, "mqtt", "", "")
	set.StringVar(&p.names, "names", "", "")
	set.StringVar(&p.sku, "sku", "", "")
	set.IntVar(&p.units, "units", 1, "")
	set.BoolVar(&p.options.ListenAnywhere, "listen-anywhere", false, "")
	set.BoolVar(&p.showSecrets, "show-secrets", false, "")
	set.BoolVar(&p.yes, "yes", false, "")
	set.StringVar(&p.search, "search", "", "")
	set.StringVar(&p.hub, "hub", "", "")
	set.StringVar(&p.module, "module", "", "")
	set.IntVar(&p.limit, "limit", 0, "")
	set.BoolVar(&p.follow, "follow", false, "")
	set.BoolVar(&p.failed, "failed", false, "")
	set.StringVar(&p.text, "text", "", "")
	set.Var(p.properties, "property", "")
	set.BoolVar(&p.replace, "replace", false, "")
	set.StringVar(&p.retryAfter, "retry-after", "", "")
	set.IntVar(&p.status, "status", 503, "")
	return set
}

func practice(s *session, args []string) error {
	p := &practiceCall{session: s, properties: properties{}}
	set := p.flagSet()
	common := map[string]bool{}
	s.flags("").VisitAll(func(f *flag.Flag) { common[f.Name] = true })
	rest, err := s.parse(set, args)
	if err != nil {
		return err
	}
	var names []string
	for _, c := range practiceCommands() {
		names = append(names, c.name)
	}
	name, rest, err := only(rest, names...)
	if err != nil {
		return err
	}
	command := practiceCommands()[slices.Index(names, name)]
	set.Visit(func(f *flag.Flag) {
		if err == nil && !common[f.Name] && !slices.Contains(command.flags, f.Name) {
			err = wrongUse("--%s does not go with practice %s", f.Name, name)
		}
	})
	switch {
	case err != nil:
		return err
	case command.args == 1 && len(rest) == 0:
		return wrongUse("name one device")
	case command.args >= 0 && len(rest) > command.args:
		return wrongUse("unexpected argument %q", rest[command.args])
	}
	if p.app, err = s.open(); err != nil {
		return err
	}
	return command.run(p, rest)
}

func (p *practiceCall) reset([]string) error {
	if err := p.agreed(p.yes, "Forget every device, enrollment and key of the practice cloud"); err != nil {
		return err
	}
	if err := p.app.ResetPractice(p.ctx); err != nil {
		return err
	}
	return p.told("reset", "practice")
}

func (p *practiceCall) show([]string) error {
	info, err := p.app.PracticeInfo(p.ctx)
	if err != nil {
		return err
	}
	if p.json {
		p.print(p.view(info))
		return nil
	}
	p.showInfo(info)
	return nil
}

// view is what opens the practice cloud, as it may be shown.
func (p *practiceCall) view(info app.PracticeInfo) app.PracticeView {
	if p.showSecrets {
		return info.Revealed()
	}
	return info.Masked()
}

func (p *practiceCall) showInfo(info app.PracticeInfo) {
	shown := p.view(info)
	for _, row := range [][2]string{{"https", shown.HTTPS}, {"mqtt", shown.MQTT}, {"CA file", shown.CAFile}, {"ID scope", shown.IDScope}, {"hub", shown.HubHost}, {"DPS", shown.DPSHost},
		{"global endpoint", shown.GlobalHost}, {"hub connection string", shown.HubConnectionString}, {"DPS connection string", shown.DPSConnectionString},
		{"Resource Manager token", shown.ARMToken}} {
		p.line("%-22s %s", row[0], row[1])
	}
}
