package widgets

import (
	"image"
	"image/color"

	"edgewright/ui/theme"

	qr "github.com/piglig/go-qr"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// qrQuiet is the white margin around a code, in modules (ISO/IEC 18004, 6.3.8).
const qrQuiet = 4

// QRCode shows a text as a QR code, black on white in every theme: scanners want
// dark on light. It has the same size whatever the text.
type QRCode struct {
	widget.BaseWidget
	text, label string
	image       *canvas.Image
}

var _ fyne.Accessible = (*QRCode)(nil)

// NewQRCode makes a QRCode; label says what the code holds.
func NewQRCode(label, text string) *QRCode {
	q := &QRCode{image: &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScalePixels}}
	q.ExtendBaseWidget(q)
	q.Set(label, text)
	return q
}

// Set changes the text. One that no code has room for (2,953 bytes) leaves it
// empty.
func (q *QRCode) Set(label, text string) {
	q.label, q.text = label, text
	q.image.Image = drawQR(text)
	q.image.Refresh()
}

// AccessibilityLabel implements fyne.Accessible.
func (q *QRCode) AccessibilityLabel() string { return q.label + ": " + q.text }

// AccessibilityRole implements fyne.Accessible.
func (q *QRCode) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer implements fyne.Widget.
func (q *QRCode) CreateRenderer() fyne.WidgetRenderer {
	return newComposite(q, &fyne.Container{Layout: square{}, Objects: []fyne.CanvasObject{q.image}}, func() {})
}

// drawQR draws a text with one pixel a module.
func drawQR(text string) image.Image {
	code, err := qr.EncodeText(text, qr.Medium)
	if err != nil {
		return image.NewUniform(color.White)
	}
	size := code.Size() + 2*qrQuiet
	picture := image.NewGray(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			if !code.Module(x-qrQuiet, y-qrQuiet) {
				picture.SetGray(x, y, color.Gray{Y: 0xFF})
			}
		}
	}
	return picture
}

// qrSide is the side of a code at 100 % text.
const qrSide = 184

// square gives its object the same side both ways.
type square struct{}

func (square) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSquareSize(qrSide * theme.TextFactor())
}

func (square) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	side := min(size.Width, size.Height, qrSide*theme.TextFactor())
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(fyne.NewSquareSize(side))
	}
}
