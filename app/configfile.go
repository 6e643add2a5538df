package app

import (
	"context"

	"edgewright/provisioning"
	"edgewright/provisioning/edgeconfig"
)

// LintConfig finds what the runtime's own parser swallows in a config.toml.
// runtime is major.minor.
func LintConfig(text []byte, runtime string) []edgeconfig.Finding {
	return edgeconfig.Lint(text, runtime)
}

// ShowConfig gives the config.toml that a plan makes on a device that has none,
// with its secrets masked. It looks nothing up that the plan does not need and
// writes nothing.
func (a *App) ShowConfig(ctx context.Context, plan provisioning.Plan) ([]byte, error) {
	cloud, release, err := a.cloudOf(ctx, plan, nil)
	if err != nil {
		return nil, err
	}
	defer release()
	text, err := provisioning.ConfigOf(plan, cloud)
	if err != nil {
		return nil, err
	}
	return edgeconfig.Mask(text), nil
}
