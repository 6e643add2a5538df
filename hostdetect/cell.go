package hostdetect

// The words of a [Cell], as plans write them.
const (
	Linux   = "linux"
	EFLOW   = "eflow"
	Windows = "windows"

	Manual = "manual"
	DPS    = "dps"

	SymmetricKey   = "symmetric-key"
	X509           = "x509"
	TPMAttestation = "tpm"
)

// Cell is one of the fifteen ways: platform, provisioning, authentication.
type Cell struct {
	Platform       string `json:"platform"`
	Provisioning   string `json:"provisioning"`
	Authentication string `json:"authentication"`
}

// String gives "linux/dps/x509".
func (c Cell) String() string {
	return c.Platform + "/" + c.Provisioning + "/" + c.Authentication
}

// Cells gives all fifteen in the order of the product's documentation.
func Cells() []Cell {
	var cells []Cell
	for _, platform := range []string{Linux, EFLOW, Windows} {
		cells = append(cells,
			Cell{platform, Manual, SymmetricKey}, Cell{platform, Manual, X509},
			Cell{platform, DPS, SymmetricKey}, Cell{platform, DPS, X509}, Cell{platform, DPS, TPMAttestation})
	}
	return cells
}
