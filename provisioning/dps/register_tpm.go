package dps

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

// TPM is what registering with a TPM takes.
type TPM struct {
	// EndorsementKey and StorageRootKey are TPM2B_PUBLIC with their size.
	EndorsementKey, StorageRootKey []byte
	// Activate takes the key that DPS sealed for the TPM into it. sign is
	// HMAC-SHA256 with that key, inside the TPM, until release.
	Activate func(ctx context.Context, sealed []byte) (sign func(message []byte) ([]byte, error), release func(), err error)
}

func (r Registration) sas() rest.SAS {
	return rest.SAS{Resource: r.IDScope + "/registrations/" + r.RegistrationID, Policy: "registration"}
}

// body is that of the register call; it shows a TPM's keys in both of them.
func (r Registration) body() wire.DeviceRegistration {
	body := wire.DeviceRegistration{RegistrationID: r.RegistrationID, Payload: r.Payload}
	if r.TPM != nil {
		body.TPM = &wire.TPMAttestation{EndorsementKey: base64.StdEncoding.EncodeToString(r.TPM.EndorsementKey),
			StorageRootKey: base64.StdEncoding.EncodeToString(r.TPM.StorageRootKey)}
	}
	return body
}

// challenge makes the first register call of a device with a TPM, which DPS
// answers with 401 and a key that only that TPM can take.
//
// https://learn.microsoft.com/azure/iot-dps/concepts-tpm-attestation
func (r Registration) challenge(ctx context.Context, params rest.Params) (sign func([]byte) ([]byte, error), release func(), err error) {
	client, err := rest.New(params)
	if err != nil {
		return nil, nil, err
	}
	if r.Options.Transport == nil {
		defer client.Close()
	}
	// A refusal has the same status.
	var asked struct {
		wire.TPMChallenge
		wire.DPSErrorBody
	}
	answer, err := client.Do(ctx, rest.Call{Operation: "ask for the TPM's challenge", Subject: r.RegistrationID, Method: http.MethodPut,
		Path: "/" + wire.EscapeSegment(r.IDScope) + registrationPath(r.RegistrationID) + "/register", Body: r.body(), Expect: []int{http.StatusUnauthorized}}, &asked)
	if err != nil {
		return nil, nil, err
	}
	failed := &wire.Error{Service: wire.ServiceDPSDevice, Operation: "answer the TPM's challenge", Subject: r.RegistrationID, CorrelationID: answer.CorrelationID}
	if asked.AuthenticationKey == "" {
		failed.Operation, failed.Status, failed.Code = "ask for the TPM's challenge", answer.Status, asked.ErrorCode
		failed.Message = wire.CleanMessage(asked.Message)
		return nil, nil, failed
	}
	sealed, err := base64.StdEncoding.DecodeString(asked.AuthenticationKey)
	if err != nil {
		failed.Status, failed.Err = answer.Status, errors.New("the key for the TPM is not base64")
		return nil, nil, failed
	}
	return r.TPM.Activate(ctx, sealed)
}
