package provision

import (
	"fyne.io/fyne/v2/lang"

	"edgewright/provisioning"
)

// PlatformName is a platform as people say it.
func PlatformName(p provisioning.Platform) string {
	switch p {
	case provisioning.EFLOW:
		return lang.X("platform.eflow", "Linux on Windows")
	case provisioning.Windows:
		return lang.X("platform.windows", "Windows containers")
	}
	return "Linux"
}

// MethodName is a way of provisioning as lists show it.
func MethodName(m provisioning.Method) string {
	if m == provisioning.DPS {
		return "DPS"
	}
	return lang.X("method.manual", "by hand")
}

// AuthenticationName is a way of authentication as lists show it.
func AuthenticationName(a provisioning.Authentication) string {
	switch a {
	case provisioning.SymmetricKey:
		return lang.X("auth.short.key", "key")
	case provisioning.X509:
		return "X.509"
	}
	return "TPM"
}

// StepName is a step of a run as people say it.
func StepName(step string) string {
	switch step {
	case provisioning.StepLook:
		return lang.X("run.look", "Look at the device")
	case provisioning.StepTPM:
		return lang.X("run.tpm", "Read the TPM")
	case provisioning.StepCertificate:
		return lang.X("run.certificate", "Certificates and keys")
	case provisioning.StepOnboard:
		return lang.X("run.onboard", "CA in the cloud")
	case provisioning.StepIdentity:
		return lang.X("run.identity", "Device in the hub")
	case provisioning.StepEnrollment:
		return lang.X("run.enrollment", "Enrollment in DPS")
	case provisioning.StepFiles:
		return lang.X("run.files", "Files placed as one set")
	case provisioning.StepApply:
		return "iotedge config apply"
	case provisioning.StepReprovision:
		return "iotedge system reprovision"
	case provisioning.StepProof:
		return lang.X("run.proof", "Proof")
	case provisioning.StepSecondary:
		return lang.X("run.secondary", "New certificate known as secondary")
	case provisioning.StepRetire:
		return lang.X("run.retire", "Old pair taken away")
	}
	return step
}

// RunStateName is the state of a run, or of a step, in a word.
func RunStateName(state string) string {
	switch provisioning.RunState(state) {
	case provisioning.RunRunning:
		return lang.X("state.running", "running")
	case provisioning.RunCancelling:
		return lang.X("state.cancelling", "cancelling")
	case provisioning.RunUndoing:
		return lang.X("state.undoing", "putting back")
	case provisioning.RunSucceeded:
		return lang.X("state.succeeded", "proven")
	case provisioning.RunConfigured:
		return lang.X("state.configured", "configured")
	case provisioning.RunFailed:
		return lang.X("state.failed", "failed")
	case provisioning.RunCancelled:
		return lang.X("state.cancelled", "cancelled")
	case provisioning.RunUndone:
		return lang.X("state.undone", "put back")
	case provisioning.RunPartlyUndone:
		return lang.X("state.partly", "partly put back")
	}
	return state
}
