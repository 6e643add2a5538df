package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"edgewright/provisioning"
)

// AreBundles tells whether there are files and all of them are called like
// bundles.
func AreBundles(files []string) bool {
	return len(files) > 0 && !slices.ContainsFunc(files, func(name string) bool { return !IsBundle(name) })
}

// BundleRow is one of several bundles: what is inside, or why it is left out.
type BundleRow struct {
	File string
	View BundleView
	Err  error // nil for one that can be provisioned
}

// OpenBundles opens several bundles as OpenBundle does, in their order. One that
// does not open, or is for a device that a bundle before it is for, is left out
// with the reason; the error is for a key that opens nothing at all.
func (a *App) OpenBundles(ctx context.Context, files []string, key BundleKey) ([]BundleRow, error) {
	with, err := a.openers(ctx, key)
	if err != nil {
		return nil, err
	}
	rows := make([]BundleRow, len(files))
	first := map[string]string{} // files by device ID
	for i, file := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row := BundleRow{File: file}
		row.View, row.Err = a.openBundle(ctx, file, with)
		if before, twice := first[row.View.Device]; row.Err == nil && twice {
			row.Err = &provisioning.Error{Kind: provisioning.ErrConflict, Message: fmt.Sprintf("The bundle %s is for %s, and so is %s.", filepath.Base(file), row.View.Device, filepath.Base(before)),
				Hint: "Leave one of them out."}
		}
		if row.Err == nil {
			first[row.View.Device] = file
		}
		rows[i] = row
	}
	return rows, nil
}

// BundlesIn lists the bundles that lie in a folder, not below it, by their names.
func BundlesIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The folder %s does not read.", folder), Hint: "Name another folder.", Err: err}
	}
	var files []string
	for _, entry := range entries {
		if entry.Type().IsRegular() && IsBundle(entry.Name()) {
			files = append(files, filepath.Join(folder, entry.Name()))
		}
	}
	if len(files) == 0 {
		return nil, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: fmt.Sprintf("The folder %s has no bundles.", folder), Hint: "Name the folder with the files that end in .edgewright."}
	}
	slices.Sort(files)
	return files, nil
}
