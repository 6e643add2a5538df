package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// Next is what there is to do about a certificate that ends.
type Next string

// What can be next.
const (
	// NextRotate puts a new pair onto the device while the old one still works.
	NextRotate Next = "rotate"
	// NextRenew makes the certificate again here; its key is here or may stay
	// where it is.
	NextRenew Next = "renew"
	// NextReissue provisions the device again, which gives it a new certificate.
	NextReissue Next = "reissue"
	// NextReplace makes a new CA and moves what it signed under that, while both
	// hold.
	NextReplace Next = "replace"
	// NextImport asks its issuer, who is elsewhere, for a new one.
	NextImport Next = "import"
)

// Expiry is a certificate that ends, and what to do about it.
type Expiry struct {
	CertificateView
	Device     string    `json:"device"`
	DeviceUUID string    `json:"device_uuid"`
	Target     string    `json:"target"`
	CareFrom   time.Time `json:"care_from"`
	Next       Next      `json:"next"`
}

// Expiring lists what ends when, the soonest first: every certificate of the
// catalog that is neither revoked nor superseded, and those of devices of which
// only the end is known. caring leaves those that want care now, ended ones
// among them. limit bounds the list; more tells that it was reached.
func (a *App) Expiring(ctx context.Context, caring bool, limit int) (list []Expiry, more bool, err error) {
	q := catalog.CertificateQuery{State: catalog.CertificateValid, ByEnd: true, Limit: limit + 1}
	if caring {
		q.CareBy = a.now()
	}
	rows, err := a.catalog.Certificates(ctx, q)
	if err != nil {
		return nil, false, translate(err)
	}
	for _, row := range rows {
		e, err := a.expiry(ctx, row)
		if err != nil {
			return nil, false, err
		}
		list = append(list, e)
	}
	told, err := a.toldEnds(ctx, caring, limit)
	if err != nil {
		return nil, false, err
	}
	list = append(list, told...)
	slices.SortStableFunc(list, func(x, y Expiry) int {
		return cmp.Or(x.NotAfter.Compare(y.NotAfter), cmp.Compare(x.Subject, y.Subject))
	})
	if len(list) > limit {
		return list[:limit], true, nil
	}
	return list, false, nil
}

func (a *App) expiry(ctx context.Context, row catalog.Certificate) (Expiry, error) {
	view, err := a.certificateView(row)
	if err != nil {
		return Expiry{}, err
	}
	e := Expiry{CertificateView: view, Device: row.DeviceID, CareFrom: row.CareFrom}
	if row.DeviceID != "" {
		if device, err := a.catalog.Device(ctx, row.DeviceID); err == nil {
			e.DeviceUUID, e.Target = device.UUID, device.Target
		}
	}
	e.Next, err = a.next(ctx, row, e.DeviceUUID)
	return e, err
}

// next says what to do about a certificate.
func (a *App) next(ctx context.Context, row catalog.Certificate, deviceUUID string) (Next, error) {
	if deviceUUID != "" {
		device, err := a.Device(ctx, deviceUUID)
		if err != nil {
			return "", err
		}
		identity, edgeCA := CanRotate(device)
		if pki.Role(row.Role) == pki.RoleIdentity && identity || pki.Role(row.Role) == pki.RoleEdgeCA && edgeCA {
			return NextRotate, nil
		}
		return NextReissue, nil
	}
	can, err := a.renewable(ctx, row)
	switch role := pki.Role(row.Role); {
	case err != nil:
		return "", err
	case !can:
		return NextImport, nil
	case role == pki.RoleRoot || role == pki.RoleIntermediate:
		return NextReplace, nil
	}
	return NextRenew, nil
}

// toldEnds are the ends that devices of the catalog are known to have, without a
// certificate: those that were imported.
func (a *App) toldEnds(ctx context.Context, caring bool, limit int) ([]Expiry, error) {
	devices, err := a.catalog.Search(ctx, catalog.Query{SortBy: "certificate", Limit: limit + 1})
	if err != nil {
		return nil, translate(err)
	}
	var list []Expiry
	for _, device := range devices {
		if device.CertificateEnds == nil || device.State == StateReplaced {
			continue
		}
		known, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Device: device.DeviceID, Limit: 1})
		if err != nil {
			return nil, translate(err)
		}
		e := Expiry{Device: device.DeviceID, DeviceUUID: device.UUID, Target: device.Target, Next: NextReissue, CareFrom: device.CertificateEnds.Add(-pki.CareBefore)}
		if len(known) > 0 || caring && e.CareFrom.After(a.now()) {
			continue
		}
		e.Subject, e.NotAfter, e.Findings = device.DeviceID, *device.CertificateEnds, finding.List{}
		e.State = string(pki.StateOfEnd(e.NotAfter, a.now()))
		e.Role = string(pki.RoleIdentity)
		list = append(list, e)
	}
	return list, nil
}

// refuseFormat is the error of a format that nobody knows.
func refuseFormat(format, use string) error {
	return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "format: " + format + " is unknown.", Hint: "Use " + use + "."}
}
