package practice

// notOffered names the operations of the OpenAPI files that the practice cloud
// does not have, and why.
var notOffered = map[string]string{
	"GET /digitaltwins/{id}":                                                    modelsNeeded,
	"PATCH /digitaltwins/{id}":                                                  modelsNeeded,
	"POST /digitaltwins/{id}/commands/{commandName}":                            modelsNeeded,
	"POST /digitaltwins/{id}/components/{componentPath}/commands/{commandName}": modelsNeeded,
	"GET /messages/serviceBound/feedback":                                       feedbackNeeded,
	"DELETE /messages/serviceBound/feedback/{lockToken}":                        feedbackNeeded,
	"POST /messages/serviceBound/feedback/{lockToken}/abandon":                  feedbackNeeded,
}

const (
	modelsNeeded   = "a view of the twin by its IoT Plug and Play model, which would have to be fetched; no edge runtime has one"
	feedbackNeeded = "feedback on cloud-to-device messages is asked for by AMQP in every SDK"
)

// membersNotOffered names members of requests that the practice cloud refuses,
// and why.
var membersNotOffered = map[string]string{
	"csr":                  issuanceNeeded,
	"credentialPolicyName": issuanceNeeded,
}

const issuanceNeeded = "certificates are not issued here; it is a preview that neither the identity daemon nor a released client uses"
