package app

import (
	"edgewright/provisioning"
)

// BatchOutcome is the result of a list of targets, as commands print it.
type BatchOutcome struct {
	Outcome   provisioning.RunState  `json:"outcome"`
	Batch     string                 `json:"batch"`
	Succeeded int                    `json:"succeeded"`
	Failed    int                    `json:"failed"`
	Runs      []provisioning.Outcome `json:"runs"`
}

// batchOutcome sums up: succeeded only if all did, else configured if nothing
// worse happened.
func batchOutcome(batch string, runs []provisioning.Outcome) BatchOutcome {
	out := BatchOutcome{Outcome: provisioning.RunSucceeded, Batch: batch, Runs: runs}
	for _, run := range runs {
		switch run.Outcome {
		case provisioning.RunSucceeded, provisioning.RunUndone:
			out.Succeeded++
		case provisioning.RunConfigured:
			out.Succeeded++
			if out.Outcome == provisioning.RunSucceeded {
				out.Outcome = provisioning.RunConfigured
			}
		default:
			out.Failed++
			out.Outcome = provisioning.RunFailed
		}
	}
	return out
}
