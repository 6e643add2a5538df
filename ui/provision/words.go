package provision

import "fyne.io/fyne/v2/lang"

// phrases are the fixed words of the domain, which speaks English, with the
// names of their translations. What it says with names and figures in it is
// shown as it is.
var phrases = map[string]string{
	"was there already; nothing changed":                       "there",
	"is not there yet":                                         "absent",
	"is not in the hub yet":                                    "nothub",
	"made by DPS when the device registers":                    "bydps",
	"registered already":                                       "registered",
	"made":                                                     "made",
	"made, edge device":                                        "madeedge",
	"to be placed":                                             "toplace",
	"tags are missing":                                         "tags",
	"the runtime has an older configuration":                   "older",
	"applied already":                                          "applied",
	"configuration taken, services restarted":                  "restarted",
	"registered anew":                                          "anew",
	"not needed":                                               "needless",
	"the device and the cloud have to agree":                   "agree",
	"both ends agree":                                          "agreed",
	"the files from before are back":                           "filesback",
	"removed from the hub":                                     "removed",
	"enrollment, registration and device removed":              "enrollmentremoved",
	"the device restarting its services":                       "restarting",
	"the device stopping its services":                         "stopping",
	"the device registering anew":                              "registering",
	"the device checking itself":                               "checking",
	"an IoT Hub that may create device identities":             "needshub",
	"a Device Provisioning Service that may write enrollments": "needsdps",
	"a TPM 2.0 on the device":                                  "needstpm",
	"a certificate for the device":                             "needscert",
	"a certificate for the device, from a CA that the enrollment knows": "needsca",
	"nothing runs on a root file system":                                "norun",
	"it has no openssl":                                                 "noopenssl",
	"its openssl does not run":                                          "badopenssl",
	"the device obtains them itself":                                    "itself",
	"the device signs its identity itself when it first starts; until then nobody can connect as it": "localca",
	"nothing had to change, and only the device holds the key that could call the cloud":             "unchanged",
}

// say gives a phrase of the domain in the user's language.
func say(text string) string {
	if id, ok := phrases[text]; ok {
		return lang.X("said."+id, text)
	}
	return text
}

func said(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = say(text)
	}
	return out
}
