// Package target is the machines that steps act on: this computer, another
// machine over SSH, and a mounted root file system.
//
// [ParseSpec] reads the text of a target, [Open] gives the [Target]. A Target
// looks without rights: it runs a command, reads a file, lists a folder. What
// needs rights goes through a [Root], which has a closed list of verbs and an
// allow list of paths and takes no shell text from outside:
//
//   - placing a set of files, atomic as a set, and putting back what was there
//     ([Root.Place], [Root.PutBack]);
//   - the commands of the runtime as a closed enumeration ([Root.Act]);
//   - a lock on the device ([Root.Lock]).
//
// There is one algorithm for files (place.go, putback.go) over a small layer
// of file operations. The layer is an [os.Root] on this computer, in the
// elevated helper and on a mounted root, and one root shell over SSH. As each
// operation is idempotent and the journal on the device is written before
// anything is touched, a call that was killed is completed by calling it, or
// PutBack, again.
//
// The package decides nothing about devices: which files, which owners and in
// which order steps run is the business of its callers. It opens no catalog
// and no vault; passwords come through [Options].
package target
