package app

import (
	"context"

	"edgewright/app/catalog"
)

// Counts are the numbers that a window shows beside its pages.
type Counts struct {
	Devices, NeedCare, LiveRuns int
	// Certificates are all, CertificatesEndSoon those that want care and still
	// hold, CertificatesEnded those that hold no longer and were not replaced.
	Certificates, CertificatesEndSoon, CertificatesEnded int
}

// Counts counts the devices and certificates of the catalog and the runs of this
// process.
func (a *App) Counts(ctx context.Context) (Counts, error) {
	found, err := a.catalog.Count(ctx)
	if err != nil {
		return Counts{}, translate(err)
	}
	certs, err := a.catalog.CountCertificates(ctx, a.now())
	return Counts{Devices: found.Devices, NeedCare: found.NeedCare, LiveRuns: a.LiveRuns(),
		Certificates: certs.All, CertificatesEndSoon: certs.EndSoon, CertificatesEnded: certs.Ended}, translate(err)
}

// Watch calls changed after each write of this process to the catalog, on the
// writer's goroutine, until stop is called. It must return soon.
func (a *App) Watch(changed func()) (stop func()) {
	return a.catalog.Watch(func(catalog.Change) { changed() })
}
