package hostdetect

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

const storeHow = "part of Windows"

// credentialStore: Credential Manager is always there.
func credentialStore(context.Context) Store {
	return Store{State: Found, Name: "Credential Manager"}
}

// detectLocal asks Windows itself, without PowerShell and without rights.
func detectLocal(_ context.Context, o Options) (Report, error) {
	r := Report{Taken: o.now(), Local: true, Root: windows.GetCurrentProcessToken().IsElevated()}
	r.readWindows()
	r.readWindowsArch()
	r.readWindowsMachine()
	r.readWindowsMemory()
	r.readWindowsDisks()
	r.Systemd = Systemd{Installed: Absent, Running: Absent}
	r.readEFLOW()
	r.readWindowsTPM()
	r.readWindowsTime()
	(&gathering{}).readClock(&r, o)
	r.readWindowsNames()
	r.readWindowsInterfaces()
	r.readWindowsProxy()
	return r, nil
}

const currentVersion = `SOFTWARE\Microsoft\Windows NT\CurrentVersion`

func registryString(root registry.Key, path, name string) string {
	k, err := registry.OpenKey(root, path, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return ""
	}
	defer k.Close()
	s, _, err := k.GetStringValue(name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// readWindows: RtlGetVersion tells the version whatever the manifest says. The
// registry keeps calling Windows 11 "Windows 10"; builds from 22000 on are 11.
func (r *Report) readWindows() {
	v := windows.RtlGetVersion()
	r.OS = OS{
		Family: "windows", ID: "windows",
		Version: fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber),
		Edition: registryString(registry.LOCAL_MACHINE, currentVersion, "EditionID"),
	}
	name := registryString(registry.LOCAL_MACHINE, currentVersion, "ProductName")
	if name == "" {
		name = "Windows"
	}
	const workstation = 1 // VER_NT_WORKSTATION
	if v.ProductType == workstation && v.BuildNumber >= 22000 {
		name = strings.Replace(name, "Windows 10", "Windows 11", 1)
	}
	if release := registryString(registry.LOCAL_MACHINE, currentVersion, "DisplayVersion"); release != "" {
		name += " " + release
	}
	r.OS.Pretty = fmt.Sprintf("%s (build %d)", name, v.BuildNumber)
	r.Kernel = r.OS.Version
	r.found(FactOS, r.OS.Pretty, "RtlGetVersion")
}

func (r *Report) readWindowsArch() {
	r.Arch.Userland = map[string]string{"386": "i386", "arm": "armhf"}[runtime.GOARCH]
	if r.Arch.Userland == "" {
		r.Arch.Userland = runtime.GOARCH
	}
	var process, native uint16
	// Older systems lack the call; then the process's own kind has to do.
	if windows.NewLazySystemDLL("kernel32.dll").NewProc("IsWow64Process2").Find() == nil &&
		windows.IsWow64Process2(windows.CurrentProcess(), &process, &native) == nil {
		r.Arch.Kernel = map[uint16]string{0x8664: "amd64", 0xAA64: "arm64", 0x14c: "i386"}[native]
	}
	if r.Arch.Kernel != "" {
		// Packages and virtual machines go by the machine, not by the process.
		r.Arch.Userland = r.Arch.Kernel
	}
	r.found(FactArch, r.Arch.Userland, "IsWow64Process2")
}

const biosKey = `HARDWARE\DESCRIPTION\System\BIOS`

func (r *Report) readWindowsMachine() {
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		r.Virt = Virt{Kind: Container, Name: "wine"}
		r.addVirtFact("ntdll")
	} else {
		board := registryString(registry.LOCAL_MACHINE, biosKey, "SystemManufacturer") + " " + registryString(registry.LOCAL_MACHINE, biosKey, "SystemProductName")
		r.CPU.Board = strings.TrimSpace(board)
		g := gathering{sections: map[string]string{"file /sys/class/dmi/id/product_name": board}}
		kind, name, _ := g.virtByFiles()
		r.Virt = Virt{Kind: kind, Name: name}
		if kind == "" {
			r.unknown(FactVirt, "registry "+biosKey, "the firmware gives no name")
		} else {
			r.addVirtFact("registry " + biosKey)
		}
	}
	r.CPU.Count = runtime.NumCPU()
	r.CPU.Model = registryString(registry.LOCAL_MACHINE, `HARDWARE\DESCRIPTION\System\CentralProcessor\0`, "ProcessorNameString")
	r.found(FactCPU, strings.TrimSpace(fmt.Sprintf("%d x %s", r.CPU.Count, r.CPU.Model)), "registry")
}

// memoryStatus is MEMORYSTATUSEX of sysinfoapi.h.
type memoryStatus struct {
	length, load                                     uint32
	total, available                                 uint64
	pageTotal, pageAvailable, virtual, virtualUnused uint64
	extended                                         uint64
}

func (r *Report) readWindowsMemory() {
	m := memoryStatus{}
	m.length = uint32(unsafe.Sizeof(m))
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")
	if ok, _, _ := call.Call(uintptr(unsafe.Pointer(&m))); ok == 0 {
		r.unknown(FactMemory, "GlobalMemoryStatusEx", "the call failed")
		return
	}
	r.Memory = Memory{Total: m.total, Available: m.available}
	r.found(FactMemory, Size(m.total)+", "+Size(m.available)+" free", "GlobalMemoryStatusEx")
}

func (r *Report) readWindowsDisks() {
	drive := os.Getenv("SystemDrive")
	if drive == "" {
		drive = "C:"
	}
	path, err := windows.UTF16PtrFromString(drive + `\`)
	if err == nil {
		var free, total uint64
		if windows.GetDiskFreeSpaceEx(path, &free, &total, nil) == nil {
			r.Disks = []Disk{{Path: drive + `\`, Mount: drive + `\`, Total: total, Free: free}}
		}
	}
	r.addDiskFact("GetDiskFreeSpaceEx", "the call failed")
}

const uninstallKey = `SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`

// readEFLOW finds the EFLOW product by its uninstall entry, as its own script
// does, and IoT Edge 1.1 for Windows containers by its configuration.
func (r *Report) readEFLOW() {
	r.Runtime = Runtime{Kind: RuntimeNone, Running: Unknown}
	if k, err := registry.OpenKey(registry.LOCAL_MACHINE, uninstallKey, registry.ENUMERATE_SUB_KEYS|registry.WOW64_64KEY); err == nil {
		defer k.Close()
		names, _ := k.ReadSubKeyNames(-1)
		for _, name := range names {
			switch registryString(registry.LOCAL_MACHINE, uninstallKey+`\`+name, "DisplayName") {
			case "Azure IoT Edge LTS", "Azure IoT Edge":
				r.Runtime.Kind = RuntimeEFLOW
				r.Runtime.Version = registryString(registry.LOCAL_MACHINE, uninstallKey+`\`+name, "DisplayVersion")
				r.found(FactRuntime, strings.TrimSpace("EFLOW "+r.Runtime.Version), "registry "+uninstallKey)
				return
			}
		}
	}
	config := os.Getenv("ProgramData") + `\iotedge\config.yaml`
	if _, err := os.Stat(config); err == nil {
		r.Runtime.Kind = Runtime11
		r.Provisioning = Provisioning{Config: Found, Path: config}
		r.found(FactRuntime, "iotedge 1.1 for Windows containers", "file "+config)
		r.found(FactProvisioning, "configured", "file "+config)
		return
	}
	r.Provisioning.Config = Absent
	r.absent(FactRuntime, "registry "+uninstallKey)
	r.absent(FactProvisioning, "file "+config)
}

// tpmDeviceInfo is TPM_DEVICE_INFO of tbs.h; version 2 means TPM 2.0.
type tpmDeviceInfo struct{ structVersion, tpmVersion, interfaceType, revision uint32 }

const tbsNotFound = 0x8028400F // TBS_E_TPM_NOT_FOUND

func (r *Report) readWindowsTPM() {
	const how = "Tbsi_GetDeviceInfo"
	r.TPM.State = Unknown
	call := windows.NewLazySystemDLL("tbs.dll").NewProc(how)
	if call.Find() != nil {
		r.unknown(FactTPM, how, "this Windows has no TPM base services")
		return
	}
	info := tpmDeviceInfo{structVersion: 1}
	code, _, _ := call.Call(unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)))
	switch {
	case uint32(code) == tbsNotFound:
		r.TPM.State = Absent
		r.absent(FactTPM, how)
	case code != 0 || info.tpmVersion != 1 && info.tpmVersion != 2:
		r.unknown(FactTPM, how, fmt.Sprintf("TPM base services answered 0x%08X", uint32(code)))
	default:
		r.TPM.State = Found
		r.TPM.Version = map[uint32]string{1: "1.2", 2: "2.0"}[info.tpmVersion]
		r.found(FactTPM, r.TPM.Version, how)
	}
}

// readWindowsTime asks for the state of the Windows Time service.
func (r *Report) readWindowsTime() {
	const how = "service W32Time"
	r.Clock.Running, r.Clock.Synchronized = Unknown, Unknown
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		r.unknown(FactTimeSync, how, "services cannot be listed")
		return
	}
	defer windows.CloseServiceHandle(manager)
	name, err := windows.UTF16PtrFromString("W32Time")
	if err != nil {
		return
	}
	service, err := windows.OpenService(manager, name, windows.SERVICE_QUERY_STATUS)
	if err != nil {
		r.Clock.Running = Absent
		r.absent(FactTimeSync, how)
		return
	}
	defer windows.CloseServiceHandle(service)
	r.Clock.Service = "Windows Time"
	var status windows.SERVICE_STATUS
	if windows.QueryServiceStatus(service, &status) == nil {
		r.Clock.Running = Absent
		if status.CurrentState == windows.SERVICE_RUNNING {
			r.Clock.Running = Found
		}
	}
	value := r.Clock.Service
	if r.Clock.Running == Absent {
		value += ", not running"
	}
	r.found(FactTimeSync, value, how)
}

func (r *Report) readWindowsNames() {
	if name, err := os.Hostname(); err == nil {
		r.Hostname = name
		r.found(FactHostname, name, "computer name")
	} else {
		r.unknown(FactHostname, "computer name", "the call failed")
	}
	r.MachineID = strings.ToLower(registryString(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Cryptography`, "MachineGuid"))
	if r.MachineID == "" {
		r.absent(FactMachineID, "registry MachineGuid")
		return
	}
	r.found(FactMachineID, r.MachineID, "registry MachineGuid")
}

func (r *Report) readWindowsInterfaces() {
	list, err := net.Interfaces()
	if err == nil {
		for _, i := range list {
			addresses, err := i.Addrs()
			if err != nil {
				continue
			}
			for _, a := range addresses {
				if p, err := netip.ParsePrefix(a.String()); err == nil {
					r.Interfaces = addAddress(r.Interfaces, i.Name, p)
				}
			}
		}
	}
	r.addInterfaceFact("GetAdaptersAddresses", "the call failed")
}

const internetKey = `Software\Microsoft\Windows\CurrentVersion\Internet Settings`

func (r *Report) readWindowsProxy() {
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"} {
		if v := os.Getenv(name); v != "" {
			r.Proxies = append(r.Proxies, Proxy{Where: "session", Name: strings.ToLower(name), URL: maskProxy(v)})
		}
	}
	if k, err := registry.OpenKey(registry.CURRENT_USER, internetKey, registry.QUERY_VALUE); err == nil {
		defer k.Close()
		on, _, err := k.GetIntegerValue("ProxyEnable")
		if server := registryString(registry.CURRENT_USER, internetKey, "ProxyServer"); err == nil && on == 1 && server != "" {
			r.Proxies = append(r.Proxies, Proxy{Where: "host", Name: "https_proxy", URL: maskProxy(server)})
		}
	}
	r.addProxyFact("environment, Internet Settings", true, "")
}
