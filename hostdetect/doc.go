// Package hostdetect finds out what a machine is and says what can be made of
// it: facts about a host, local or reached through a target, and the advice
// drawn from them.
//
// It looks and never acts. Nothing is written, no rights are needed, and the
// network is left alone unless [Options.Reach] names endpoints to try. A host
// that runs commands is asked once, by one constant shell script (gather.sh);
// a folder that stands for a device's disk is read file by file. Each [Fact]
// knows how it was found and, where it was not, whether the thing is absent or
// could not be found out. Secrets never enter a report: of a device's
// configuration only its outline is read, and passwords in proxy addresses are
// masked.
//
// Entry points: [Detect] for a host behind a [Host], [DetectLocal] for this
// computer (also on Windows), [Advise] for the advice, [ParseTable] for the
// support table that resources carries as data.
//
// The package changes nothing on a host: remedies are named ([Obstacle.Mend])
// and carried out elsewhere. It imports no other room of the program.
package hostdetect
