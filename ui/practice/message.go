package practice

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// messageCard sends cloud-to-device messages: a text and properties, queued
// until the device fetches them.
type messageCard struct {
	d          *devicePage
	text       *widgets.Entry
	properties *widgets.Entry
	field      *widgets.Field
	said       *widgets.Text
	send       *widgets.Button
	card       fyne.CanvasObject
	task       frame.Task
}

func newMessageCard(d *devicePage) *messageCard {
	m := &messageCard{d: d, said: widgets.NewText("", widgets.StyleSmall)}
	submit := func(string) { m.do() }
	m.text, m.properties = widgets.NewEntry(submit), widgets.NewEntry(submit)
	m.properties.SetPlaceHolder("line=7, urgent=yes")
	m.properties.OnChanged = func(string) { m.field.SetError("") }
	m.field = widgets.NewField(lang.X("practice.message.properties", "Properties"), lang.X("practice.message.properties.hint", "name=value, separated by commas; may be empty"), m.properties)
	m.send = widgets.NewButton(widgets.Secondary, lang.X("practice.message.send", "Send"), fynetheme.MailSendIcon(), m.do)
	space := fynetheme.Size(theme.SizeNameSpace2)
	m.card = widgets.NewTitledCard(lang.X("practice.message", "Message to the device"),
		layout.Column(space, widgets.NewField(lang.X("practice.message.text", "Text"), lang.X("practice.message.text.hint", "it waits in the hub until the device fetches it"), m.text),
			m.field, layout.Row(space, layout.Middle, m.send, layout.Grow(m.said))))
	return m
}

// readProperties reads name=value pairs; wrong is the first that is none.
func readProperties(text string) (properties map[string]string, wrong string) {
	for pair := range strings.SplitSeq(text, ",") {
		pair = strings.TrimSpace(pair)
		if pair == "" {
			continue
		}
		name, value, found := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); !found || name == "" {
			return nil, pair
		}
		if properties == nil {
			properties = map[string]string{}
		}
		properties[name] = strings.TrimSpace(value)
	}
	return properties, ""
}

func (m *messageCard) do() {
	properties, wrong := readProperties(m.properties.Text)
	if wrong != "" {
		m.field.SetError(lang.X("practice.message.wrong", "{{.Pair}} is no property. Write name=value.", map[string]any{"Pair": wrong}))
		return
	}
	body := []byte(m.text.Text)
	frame.Do(m.d.v.c, &m.task, func(ctx context.Context) (string, error) {
		return m.d.v.c.App.SendPracticeMessage(ctx, m.d.hub, m.d.id, body, properties)
	}, func(id string, err error) {
		m.d.fail(err)
		if err == nil {
			m.said.SetText(lang.X("practice.message.queued", "Queued as {{.ID}}", map[string]any{"ID": id}))
		}
	})
}
