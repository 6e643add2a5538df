package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"edgewright/app/catalog"
	"edgewright/provisioning"
)

// IssuingCAs lists the CAs that can sign here, those whose keys lie in the vault
// or in a token: by their names, or by their SHA-256 where several have a name and
// keys of their own. With the practice cloud its own comes first, as "": it is made
// when it is needed.
func (a *App) IssuingCAs(ctx context.Context, cloud string) ([]string, error) {
	rows, err := a.issuing(ctx, catalog.CertificateQuery{Limit: maxListed})
	if err != nil {
		return nil, err
	}
	var names []string
	if cloud == Practice {
		names = append(names, "")
	}
	for _, row := range rows {
		own := row.Subject == practiceIssuingCA || row.Subject == practiceRootCA
		if name := issuingName(row, rows); canSign(row) && !own && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// IssuingName is what IssuingCAs calls a CA, given by name, ID or thumbprint, or
// what took its place; "" for one that does not sign here.
func (a *App) IssuingName(ctx context.Context, name string) (string, error) {
	row, err := a.findCA(ctx, name)
	if err == nil {
		name, err = a.newest(ctx, row.ID)
	}
	if err == nil {
		row, err = a.findCA(ctx, name)
	}
	if errors.Is(err, provisioning.ErrNotFound) || errors.Is(err, provisioning.ErrInvalid) || errors.Is(err, provisioning.ErrRefused) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	rows, err := a.issuing(ctx, catalog.CertificateQuery{Subject: row.Subject})
	if err != nil || !canSign(row) || !slices.ContainsFunc(rows, func(other catalog.Certificate) bool { return other.ID == row.ID }) {
		return "", err
	}
	return issuingName(row, rows), nil
}

// issuing finds the CAs that count.
func (a *App) issuing(ctx context.Context, q catalog.CertificateQuery) ([]catalog.Certificate, error) {
	q.Roles, q.State = caRoles, catalog.CertificateValid
	rows, err := a.catalog.Certificates(ctx, q)
	return rows, translate(err)
}

// issuingName is the name of a CA, or its SHA-256 where another of the rows has
// that name and another key.
func issuingName(row catalog.Certificate, rows []catalog.Certificate) string {
	var named []catalog.Certificate
	for _, other := range rows {
		if strings.EqualFold(other.Subject, row.Subject) {
			named = append(named, other)
		}
	}
	if sameKeys(named) {
		return row.Subject
	}
	return row.SHA256
}
