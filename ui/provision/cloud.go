package provision

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// cloudStep asks which cloud, and with DPS whether by a group.
type cloudStep struct {
	p      *Page
	clouds []app.CloudRow
	choice *widgets.ChoiceGroup
	by     *widgets.ChoiceGroup
	group  *widgets.Entry
	field  *widgets.Field
}

func (s *cloudStep) name() string { return lang.X("step.cloud", "Cloud") }
func (s *cloudStep) next() string { return lang.X("action.next", "Next") }

func (s *cloudStep) summary() string {
	cloud := s.p.draft.Plan.Cloud
	if cloud.Group != "" {
		return cloud.Name + ", " + cloud.Group
	}
	return cloud.Name
}

func (s *cloudStep) content() fyne.CanvasObject {
	clouds, err := s.p.c.App.Clouds(s.p.c.Ctx)
	if err != nil {
		return frame.Failure(err, "", s.p.show)
	}
	s.clouds = clouds
	plan := s.p.draft.Plan
	s.choice = widgets.NewChoiceGroup(func(name string) { s.p.draft.Plan.Cloud.Name = name }, s.choices(plan.Cell.Provisioning)...)
	s.choice.OnSubmitted = func(name string) { s.p.draft.Plan.Cloud.Name = name; s.p.Primary() }
	s.choice.Choose(plan.Cloud.Name)
	add := widgets.NewButton(widgets.Secondary, lang.X("cloud.add", "Add an IoT Hub or DPS ..."), fynetheme.ContentAddIcon(), func() {
		s.p.c.Open(frame.Place{Page: frame.Clouds})
	})
	column := layout.Column(fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewStepHead(lang.X("cloud.question", "Which cloud?"), lang.X("cloud.line", "The practice cloud runs on this computer and costs nothing.")),
		s.choice, layout.Flow(0, add))
	switch {
	case plan.Cell.Authentication == provisioning.TPM:
		// Each TPM is known by its own key: there are no groups.
		s.by, s.p.draft.Plan.Cloud.Enrollment, s.p.draft.Plan.Cloud.Group = nil, provisioning.Individual, ""
	case plan.Cell.Provisioning == provisioning.DPS:
		column.Add(s.enrollment(plan))
	}
	return column
}

func (s *cloudStep) choices(method provisioning.Method) []widgets.Choice {
	var choices []widgets.Choice
	for _, cloud := range s.clouds {
		choice := widgets.Choice{ID: cloud.Name, Icon: theme.IconCloud(), Title: cloud.Name, Line: joinHosts(cloud)}
		if cloud.Practice {
			choice.Icon, choice.Title = theme.IconPractice(), lang.X("cloud.practice", "Practice cloud")
			choice.Status = widgets.Status{State: widgets.Good, Word: lang.X("cloud.carried", "carried along")}
		}
		if method == provisioning.DPS && cloud.DPSHost == "" {
			choice.Muted, choice.Line = true, lang.X("cloud.nodps", "no Device Provisioning Service")
		}
		if method == provisioning.Manual && cloud.HubHost == "" {
			choice.Muted, choice.Line = true, lang.X("cloud.nohub", "no IoT Hub")
		}
		choices = append(choices, choice)
	}
	return choices
}

func joinHosts(c app.CloudRow) string {
	if c.HubHost != "" && c.DPSHost != "" {
		return c.HubHost + ", " + c.DPSHost
	}
	return c.HubHost + c.DPSHost
}

// enrollment asks for individual or group.
func (s *cloudStep) enrollment(plan provisioning.Plan) fyne.CanvasObject {
	if s.group == nil {
		s.group = widgets.NewEntry(func(string) { s.p.Primary() })
		s.group.SetPlaceHolder("line-7")
	}
	s.group.SetText(plan.Cloud.Group)
	s.group.OnChanged = func(text string) {
		s.p.draft.Plan.Cloud.Group = text
		s.field.SetError("")
	}
	s.field = widgets.NewField(lang.X("cloud.group.label", "Enrollment group"), lang.X("cloud.group.hint", "it is made if it does not exist; each device gets a key derived from the group's"), s.group)
	s.by = widgets.NewChoiceGroup(func(by string) {
		s.p.draft.Plan.Cloud.Enrollment = by
		if by == provisioning.Individual {
			s.p.draft.Plan.Cloud.Group = ""
			s.group.SetText("")
		}
		s.p.arrange()
	}, widgets.Choice{ID: provisioning.Individual, Icon: theme.IconKey(), Title: lang.X("cloud.individual", "Individual enrollment"), Line: lang.X("cloud.individual.line", "one entry for this device, with a key of its own")},
		widgets.Choice{ID: provisioning.GroupWord, Icon: theme.IconList(), Title: lang.X("cloud.bygroup", "Enrollment group"), Line: lang.X("cloud.bygroup.line", "one entry for all devices of a line"), Content: s.field})
	s.by.OnSubmitted = func(by string) {
		if by == provisioning.GroupWord && s.group.Text == "" {
			s.p.focusOn(s.group)
			return
		}
		s.p.Primary()
	}
	s.by.Choose(plan.WithDefaults().Cloud.Enrollment)
	return layout.Column(fynetheme.Size(theme.SizeNameSpace2), widgets.SectionTitle(lang.X("cloud.enrollment", "Enrollment")), s.by)
}

func (s *cloudStep) focus() fyne.Focusable {
	if s.choice == nil {
		return nil
	}
	return s.choice
}

func (s *cloudStep) leave(on func()) {
	if s.by != nil && s.by.Chosen() == provisioning.GroupWord {
		s.p.draft.Plan.Cloud.Enrollment = provisioning.GroupWord
	}
	if f := s.p.draft.Finding("cloud.group", "cloud.enrollment"); f != nil && s.field != nil {
		s.field.SetError(frame.Finding(*f))
		s.p.arrange()
		s.p.focusOn(s.group)
		return
	}
	on()
}
