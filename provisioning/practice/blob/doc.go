// Package blob reads and writes block blobs of a container of Azure Storage, or
// of a stand-in for it, by a container URI with a shared access signature:
//
//	http://127.0.0.1:10000/devstoreaccount1/jobs?sv=…&sp=rwd&sig=…
//
// Errors name status and code of the service, never the URI, whose signature
// is a secret.
//
// https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
package blob
