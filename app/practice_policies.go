package app

import (
	"context"

	"edgewright/provisioning/practice"
	"edgewright/provisioning/secret"
)

// PracticePolicy is a shared access policy of a practice hub, or of DPS where
// Hub is empty.
type PracticePolicy struct {
	Hub, Policy string
	Text        secret.Value // connection string
	Masked      string       // the same without its key
}

// PracticePolicies gives the policies of all practice hubs and of DPS.
func (a *App) PracticePolicies(ctx context.Context) ([]PracticePolicy, error) {
	a.practice.mu.Lock()
	defer a.practice.mu.Unlock()
	if a.practice.cloud != nil {
		return policiesOf(a.practice.cloud), nil
	}
	cloud, err := a.practice.open(ctx, PracticeOptions{})
	if err != nil {
		return nil, err
	}
	return policiesOf(cloud), cloud.Close()
}

func policiesOf(cloud *practice.Cloud) []PracticePolicy {
	var all []PracticePolicy
	for _, p := range cloud.PolicyStrings() {
		all = append(all, PracticePolicy{Hub: p.Hub, Policy: p.Policy, Text: p.Text, Masked: maskKey(p.Text.RevealString())})
	}
	return all
}
