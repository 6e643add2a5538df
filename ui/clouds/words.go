package clouds

import (
	"fyne.io/fyne/v2/lang"

	"edgewright/app"
)

// explain says what is wrong with a field, and what to do.
func explain(wrong app.CloudWrong) string {
	switch wrong {
	case app.WrongNameTaken:
		return lang.X("clouds.wrong.practice", "The practice cloud has this name. Choose another name.")
	case app.WrongName:
		return lang.X("clouds.wrong.name", "The name cannot be used. Use 1 to 64 letters, digits, spaces, dots, dashes.")
	case app.WrongMissing:
		return lang.X("clouds.wrong.missing", "The connection string is missing. Copy it whole from the portal, from Shared access policies.")
	case app.WrongUnreadable:
		return lang.X("clouds.wrong.unreadable", "The connection string does not read. Copy it whole from the portal: HostName=...;SharedAccessKeyName=...;SharedAccessKey=...")
	case app.WrongDevice:
		return lang.X("clouds.wrong.device", "This is the connection string of a device, not of a service. Copy one of a shared access policy.")
	case app.WrongDPS:
		return lang.X("clouds.wrong.isdps", "This is the connection string of a DPS. Choose DPS above, or copy that of the hub.")
	case app.WrongHub:
		return lang.X("clouds.wrong.ishub", "This is the connection string of an IoT Hub. Choose IoT Hub above, or copy that of the DPS.")
	case app.WrongNoScope:
		return lang.X("clouds.wrong.noscope", "The ID scope is missing. The portal shows it on the overview of the DPS.")
	case app.WrongScope:
		return lang.X("clouds.wrong.scope", "This is no ID scope. It begins with 0ne, such as 0ne00A1B2C3.")
	case app.WrongEndpoint:
		return lang.X("clouds.wrong.global", "The global endpoint is no address. Write {{.Default}}, or leave it empty.", map[string]any{"Default": app.DefaultGlobalEndpoint})
	}
	return ""
}
