package token

import (
	"os"
	"path/filepath"
	"runtime"
)

// libraryFolders are where systems keep modules, as patterns.
func libraryFolders() []string {
	if runtime.GOOS == "windows" {
		return []string{filepath.Join(os.Getenv("SystemRoot"), "System32"), filepath.Join(os.Getenv("ProgramFiles"), "*", "lib"),
			filepath.Join(os.Getenv("ProgramFiles"), "*", "*", "pkcs11")}
	}
	return []string{"/usr/lib/*/pkcs11", "/usr/lib64/pkcs11", "/usr/lib/pkcs11", "/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/local/lib/softhsm",
		"/usr/local/lib", "/usr/lib/*", "/usr/lib64", "/usr/lib"}
}

// module is the file of the module that the address names: the path itself, or
// the name with "lib" before and the system's extension behind it in the folders
// where systems keep modules.
func (u URI) module() (string, error) {
	if u.modulePath != "" {
		if info, err := os.Stat(u.modulePath); err != nil || !info.Mode().IsRegular() {
			return "", fail(ErrModule, "the module %s is no file of this computer", u.modulePath)
		}
		return u.modulePath, nil
	}
	if u.moduleName == "" {
		return "", fail(ErrURI, "the address names no module; add ?module-path= with the file of the token's maker, such as /usr/lib/softhsm/libsofthsm2.so")
	}
	extension := map[bool]string{true: ".dll", false: ".so"}[runtime.GOOS == "windows"]
	for _, folder := range libraryFolders() {
		for _, name := range []string{u.moduleName + extension, "lib" + u.moduleName + extension} {
			found, err := filepath.Glob(filepath.Join(folder, name))
			if err == nil && len(found) > 0 {
				return found[0], nil
			}
		}
	}
	return "", fail(ErrModule, "no module named %s is in the folders of this system; give its file with ?module-path=", u.moduleName)
}
