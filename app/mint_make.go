package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"edgewright/app/catalog"
	"edgewright/provisioning/bundle"
	"edgewright/provisioning/pki"
)

// split gives the PEM of what stands above a leaf: the CAs, and the root for the
// trust bundle if it is known. An issuer that is the root itself is both.
func split(issuer pki.Issuer) (above, trust []byte) {
	chain := append([]*x509.Certificate{issuer.Certificate}, issuer.Chain...)
	last := chain[len(chain)-1]
	if pki.IsSelfSigned(last) {
		return pki.PEM(chain[:len(chain)-1]...), pki.PEM(last)
	}
	return pki.PEM(chain...), nil
}

// makeRows makes keys, certificates and bundles of rows, on all cores. Nothing is
// written; the keys are in the bundles alone.
func (m *minter) makeRows(ctx context.Context, rows []catalog.BatchRow) ([]catalog.SealedRow, error) {
	for _, row := range rows { // a map is filled by one goroutine
		if _, known := m.recipients[row.Recipient]; !known {
			recipient, err := bundle.ParseRecipient(row.Recipient)
			if err != nil {
				return nil, fmt.Errorf("recipient of %s: %w", row.DeviceID, err)
			}
			m.recipients[row.Recipient] = recipient
		}
	}
	sealed := make([]catalog.SealedRow, len(rows))
	group, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		group.Go(func() error {
			for i := worker; i < len(rows); i += workers {
				if err := ctx.Err(); err != nil {
					return err
				}
				var err error
				if sealed[i], err = m.makeRow(rows[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return sealed, group.Wait()
}

// makeRow makes one device.
func (m *minter) makeRow(row catalog.BatchRow) (catalog.SealedRow, error) {
	plan, err := mintPlan(MintRow{ID: row.DeviceID, Hostname: row.Hostname, Group: row.Group, EdgeCA: row.EdgeCA}, m.batch.Cloud, len(m.trust) > 0).TOML()
	if err != nil {
		return catalog.SealedRow{}, err
	}
	identity, err := m.makePair(row, m.identity, row.DeviceID)
	if err != nil {
		return catalog.SealedRow{}, err
	}
	made := catalog.SealedRow{Seq: row.Seq, Certificates: []catalog.Certificate{identity.row}}
	packed := bundle.Bundle{Batch: m.batch.ID, Device: row.DeviceID, Made: m.app.now(), Plan: plan, Identity: identity.pair, Trust: m.trust}
	defer identity.pair.Key.Wipe()
	if row.EdgeCA {
		edge, err := m.makePair(row, m.edge, row.DeviceID+".ca")
		if err != nil {
			return catalog.SealedRow{}, err
		}
		defer edge.pair.Key.Wipe()
		packed.EdgeCA = &edge.pair
		made.Certificates = append(made.Certificates, edge.row)
	}
	made.Sealed, err = bundle.Seal(packed, m.recipients[row.Recipient])
	return made, err
}

// mintedPair is a pair that was just made and its row in the catalog.
type mintedPair struct {
	pair bundle.Pair
	row  catalog.Certificate
}

func (m *minter) makePair(row catalog.BatchRow, profile pki.Profile, commonName string) (mintedPair, error) {
	key, err := pki.GenerateKey(rand.Reader, profile.Algorithm)
	if err != nil {
		return mintedPair{}, err
	}
	cert, err := pki.Issue(rand.Reader, m.app.now(), m.issuer, pki.Order{Profile: profile, Subject: pkix.Name{CommonName: commonName}, Public: key.Public(), Key: key, Days: row.Days})
	if err != nil {
		return mintedPair{}, translate(fmt.Errorf("%s: %w", row.DeviceID, err))
	}
	text, err := pki.DeviceKeyPEM(key)
	if err != nil {
		return mintedPair{}, err
	}
	made := mintedPair{pair: bundle.Pair{Chain: slices.Concat(pki.PEM(cert), m.above), Key: text}}
	made.row = m.app.certificateRow(cert, catalog.Certificate{Profile: profile.Name, Role: string(profile.Role), IssuerID: m.batch.CA, DeviceID: row.DeviceID})
	return made, nil
}
