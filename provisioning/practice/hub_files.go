package practice

// The practice hub has no storage account, and answers a device that wants to
// upload a file as a hub that was given none. That the notice of an end looks
// alike is assumed.
//
// https://learn.microsoft.com/azure/iot-hub/troubleshoot-error-codes, 400014
func (x *exchange) uploadFile() answer {
	d, _, refused := x.allowClient()
	if refused != nil {
		return *refused
	}
	x.touch(d, nil)
	return x.hubError("DefaultStorageEndpointNotConfigured", "The hub has no storage account for files; the practice cloud offers none.")
}
