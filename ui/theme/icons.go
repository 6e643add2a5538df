package theme

import (
	"bytes"
	"fmt"
	"image/color"

	"edgewright/resources"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Icon is a drawing that takes one colour of the theme. Stroked drawings of our
// own are repainted here, because the toolkit repaints fills only; give an Icon
// to the widgets of ui/widgets rather than to the toolkit's Button, which would
// leave the stroke in the text colour.
type Icon struct {
	name   string
	stroke []byte        // own SVG, #000 where the colour goes
	filled fyne.Resource // a toolkit icon
	color  fyne.ThemeColorName
}

var _ fyne.ThemedResource = (*Icon)(nil)

// Name implements fyne.Resource. It names the colour's value, so that the
// toolkit's cache of rendered drawings never shows a colour of another variant.
func (i *Icon) Name() string {
	return i.hex() + "_" + i.name
}

// Content implements fyne.Resource with the repainted SVG.
func (i *Icon) Content() []byte {
	if i.filled != nil {
		return fynetheme.NewColoredResource(i.filled, i.color).Content()
	}
	return bytes.ReplaceAll(i.stroke, []byte(`"#000"`), []byte(`"`+i.hex()+`"`))
}

// ThemeColorName implements fyne.ThemedResource.
func (i *Icon) ThemeColorName() fyne.ThemeColorName { return i.color }

func (i *Icon) hex() string {
	c := color.NRGBAModel.Convert(fynetheme.Color(i.color)).(color.NRGBA)
	return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
}

// Tint returns source in a colour of the theme: an Icon of ours or an icon of
// the toolkit. Other pictures come back as they are.
func Tint(source fyne.Resource, name fyne.ThemeColorName) fyne.Resource {
	switch s := source.(type) {
	case *Icon:
		tinted := *s
		tinted.color = name
		return &tinted
	case fyne.ThemedResource:
		return &Icon{name: s.Name(), filled: s, color: name}
	default:
		return source
	}
}

// own loads a drawing of ours; a missing file is a fault of the build.
func own(name string) *Icon {
	content, err := resources.Icons.ReadFile("icons/" + name + ".svg")
	if err != nil {
		panic(fmt.Sprintf("theme: icon %s: %v", name, err))
	}
	return &Icon{name: name + ".svg", stroke: content, color: fynetheme.ColorNameForeground}
}

var ownIcons = map[string]*Icon{}

func init() {
	for _, name := range []string{
		"board", "card", "certificate", "chip", "circle", "cloud", "columns", "device", "differ", "disk", "drop", "eflow",
		"key", "label", "link", "linux", "list", "lock", "mark", "now", "plug", "practice", "provision", "ssh", "wait", "windows",
	} {
		ownIcons[name] = own(name)
	}
}

// AppIcon is the program's icon in its own colours, 256 by 256.
func AppIcon() fyne.Resource {
	content, err := resources.Icons.ReadFile("icons/edgewright.png")
	if err != nil {
		panic(fmt.Sprintf("theme: app icon: %v", err))
	}
	return fyne.NewStaticResource("edgewright.png", content)
}

// Drawings of our own, in the text colour until tinted.

func IconMark() *Icon        { return ownIcons["mark"] }        // the program
func IconProvision() *Icon   { return ownIcons["provision"] }   // into a frame
func IconBoard() *Icon       { return ownIcons["board"] }       // the board of cells
func IconDevice() *Icon      { return ownIcons["device"] }      // a box with an antenna
func IconCloud() *Icon       { return ownIcons["cloud"] }       // a cloud of the user
func IconPractice() *Icon    { return ownIcons["practice"] }    // the practice cloud
func IconLinux() *Icon       { return ownIcons["linux"] }       // Linux on the device
func IconEFLOW() *Icon       { return ownIcons["eflow"] }       // Linux on Windows
func IconWindows() *Icon     { return ownIcons["windows"] }     // Windows containers
func IconChip() *Icon        { return ownIcons["chip"] }        // a TPM
func IconKey() *Icon         { return ownIcons["key"] }         // a symmetric key
func IconCertificate() *Icon { return ownIcons["certificate"] } // X.509
func IconSSH() *Icon         { return ownIcons["ssh"] }         // another machine
func IconPlug() *Icon        { return ownIcons["plug"] }        // connect
func IconCard() *Icon        { return ownIcons["card"] }        // a memory card
func IconDisk() *Icon        { return ownIcons["disk"] }        // a disk
func IconList() *Icon        { return ownIcons["list"] }        // many, from a list
func IconLabel() *Icon       { return ownIcons["label"] }       // label and QR
func IconLock() *Icon        { return ownIcons["lock"] }        // the vault
func IconLink() *Icon        { return ownIcons["link"] }        // both ends agree
func IconDiffer() *Icon      { return ownIcons["differ"] }      // the ends differ
func IconWait() *Icon        { return ownIcons["wait"] }        // what the wait is
func IconDrop() *Icon        { return ownIcons["drop"] }        // drop a file here
func IconColumns() *Icon     { return ownIcons["columns"] }     // choose columns
func IconToCome() *Icon      { return ownIcons["circle"] }      // a step to come
func IconNow() *Icon         { return ownIcons["now"] }         // the step now
