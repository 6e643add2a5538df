package station

import (
	"strings"

	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/ui/runs"
	"edgewright/ui/widgets"
)

// short is how much of a hash tells keys apart in a list, brief where room is scarce.
const (
	short = 12
	brief = 8
)

// where is a target with the address of its software TPM, which suffices on this
// computer.
func where(target, address string) string {
	switch {
	case strings.HasPrefix(target, "practice:"):
		return strings.TrimSpace(target + " " + address)
	case address == "":
		return runs.Where(target)
	case target == "local:":
		return address
	}
	return runs.Where(target) + ", " + address
}

// templateName is a template in a few words.
func templateName(template string) string {
	switch template {
	case "tcg-l1":
		return lang.X("tpm.template.standard", "standard")
	case "empty-unique":
		return lang.X("tpm.template.empty", "empty unique")
	case "other":
		return lang.X("tpm.template.other", "other origin")
	}
	return lang.X("tpm.template.unknown", "not known")
}

// templateMeaning says what a template means for an enrollment.
func templateMeaning(template string) string {
	switch template {
	case "tcg-l1":
		return lang.X("tpm.template.standard.line", "TCG template L-1: the key that the maker's certificate is for and that IoT Edge makes. It comes back whenever it is made anew.")
	case "empty-unique":
		return lang.X("tpm.template.empty.line", "A variant with an empty unique field that some programs keep in the TPM. No maker's certificate is for it; while it is kept there, IoT Edge uses it.")
	case "other":
		return lang.X("tpm.template.other.line", "From neither of the known templates: it is another one if it is ever removed from the TPM.")
	}
	return lang.X("tpm.template.unknown.line", "Which one cannot be told: the endorsement hierarchy has a password, or the list does not say.")
}

// certificate is the pill of an EK certificate, and what its state means.
func certificate(state string) (widgets.Status, string) {
	switch state {
	case "trusted":
		return widgets.Status{State: widgets.Good, Word: lang.X("tpm.cert.trusted", "trusted")}, lang.X("tpm.cert.trusted.line", "It leads to a root that you gave, and is for this key.")
	case "unchecked":
		return widgets.Status{State: widgets.Good, Word: lang.X("tpm.cert.unchecked", "for this key")}, lang.X("tpm.cert.unchecked.line", "It is for this key. No roots of makers were given, so its chain was not checked.")
	case "untrusted":
		return widgets.Status{State: widgets.Care, Word: lang.X("tpm.cert.untrusted", "not trusted")}, lang.X("tpm.cert.untrusted.line", "It is for this key and leads to none of the roots that were given.")
	case "other-key":
		return widgets.Status{State: widgets.Care, Word: lang.X("tpm.cert.other", "other key")}, lang.X("tpm.cert.other.line", "It is for another key of this TPM, or of another one.")
	case "unreadable":
		return widgets.Status{State: widgets.Care, Word: lang.X("tpm.cert.unreadable", "unreadable")}, lang.X("tpm.cert.unreadable.line", "What the TPM stores is no certificate.")
	}
	return widgets.Status{State: widgets.Neutral, Word: lang.X("tpm.cert.none", "none")}, lang.X("tpm.cert.none.line", "The TPM stores none. Some makers publish it by the hash of the key.")
}

// origin is the pill of where a key is from.
func origin(k app.CollectedKey) widgets.Status {
	switch {
	case k.ReplacedBy != "":
		return widgets.Status{State: widgets.Neutral, Word: lang.X("ek.replaced", "replaced")}
	case k.Origin == "read":
		return widgets.Status{State: widgets.Good, Word: lang.X("ek.read", "read")}
	case k.Origin == "signed":
		return widgets.Status{State: widgets.Good, Word: lang.X("ek.signed", "signed list")}
	}
	return widgets.Status{State: widgets.Care, Word: lang.X("ek.unsigned", "unsigned list")}
}

// changeMeaning says why a key is not the one that was read before.
func changeMeaning(why string) string {
	switch why {
	case app.ChangeTemplate:
		return lang.X("ek.change.template", "The TPM and its seed are the same; a program keeps a key of another template at 0x81010001.")
	case app.ChangeRemoved:
		return lang.X("ek.change.removed", "The TPM and its seed are the same; the key that was kept at 0x81010001 is gone: the TPM was cleared, or a program removed it.")
	case app.ChangeSeed:
		return lang.X("ek.change.seed", "The TPM is the same by its EK certificate; its endorsement seed was made anew, and the old key does not come back.")
	case app.ChangeChip:
		return lang.X("ek.change.chip", "Another TPM answers there: the board or the TPM was changed, or the address belongs to another device now.")
	case app.ChangeSeedOrChip:
		return lang.X("ek.change.either", "The endorsement seed is another: it was made anew, or another TPM answers there.")
	case app.ChangeStorage:
		return lang.X("ek.change.storage", "The storage root key is another: the TPM was cleared, or a program keeps another key at 0x81000001. The device has to register again.")
	}
	return lang.X("ek.change.unknown", "Why cannot be told without the password of the endorsement hierarchy.")
}

// collectStatus is the pill of a device of the station.
func collectStatus(state string) widgets.Status {
	switch state {
	case app.CollectWaiting:
		return widgets.Status{State: widgets.Neutral, Word: lang.X("station.waiting", "waiting")}
	case app.CollectReading:
		return widgets.Status{State: widgets.Advice, Word: lang.X("station.reading", "reading")}
	case app.CollectCollected:
		return widgets.Status{State: widgets.Good, Word: lang.X("station.collected", "collected")}
	case app.CollectFailed:
		return widgets.Status{State: widgets.Bad, Word: lang.X("station.failed", "failed")}
	}
	return widgets.Status{State: widgets.Neutral, Word: lang.X("station.notyet", "not read yet")}
}
