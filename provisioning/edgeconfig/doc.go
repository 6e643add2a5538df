// Package edgeconfig knows /etc/aziot/config.toml, the one file that a person
// edits on an IoT Edge device of version 1.2 to 1.6, also called the super
// config.
//
// It holds the model of the file as data ([Schema]), reads it ([Read]),
// changes it without touching a byte outside the keys it sets ([Apply]), finds
// what the runtime's own parser swallows or explains badly ([Lint]), and makes
// it fit to be shown ([Mask], [Diff]).
//
// It works on bytes only: it reads no disk, runs no command, and does not look
// at the certificates and keys that a file names. The YAML file of 1.1 is
// another format and is not read here.
//
// What the runtime makes of the file is taken from the sources of
// Azure/iotedge and Azure/iot-identity-service, named in the schema beside each
// table; the public description is learn.microsoft.com, "Configure IoT Edge
// device settings".
package edgeconfig
