package hostdetect

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// readInterfaces reads "ip -o addr show" or, where there is no ip, ifconfig.
// Loopback is left out.
func (g *gathering) readInterfaces(r *Report) {
	r.Interfaces = parseAddresses(g.lines("addresses"))
	if len(r.Interfaces) == 0 && g.has("addresses") {
		r.Interfaces = parseIfconfig(g.sections["addresses"])
	}
	r.addInterfaceFact("command ip", g.why("addresses"))
}

func (r *Report) addInterfaceFact(how, why string) {
	var parts []string
	for _, i := range r.Interfaces {
		for _, a := range i.Addresses {
			p, err := netip.ParsePrefix(a)
			if err == nil && !p.Addr().IsLinkLocalUnicast() {
				parts = append(parts, p.Addr().String()+" ("+i.Name+")")
			}
		}
	}
	if len(parts) == 0 {
		if len(r.Interfaces) > 0 {
			r.absent(FactInterfaces, how)
			return
		}
		r.unknown(FactInterfaces, how, why)
		return
	}
	r.found(FactInterfaces, strings.Join(parts, ", "), how)
}

// parseAddresses reads lines such as
// "2: enp3s0    inet 10.20.4.17/24 brd ... scope global enp3s0".
func parseAddresses(lines []string) []Interface {
	var out []Interface
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasSuffix(f[0], ":") || f[2] != "inet" && f[2] != "inet6" {
			continue
		}
		// Tunnels and containers' ends are named "eth0@if5".
		name, _, _ := strings.Cut(strings.TrimSuffix(f[1], ":"), "@")
		p, err := netip.ParsePrefix(f[3])
		if err != nil {
			// A point-to-point link shows its own address without a length.
			a, err := netip.ParseAddr(f[3])
			if err != nil {
				continue
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = addAddress(out, name, p)
	}
	return out
}

func addAddress(list []Interface, name string, p netip.Prefix) []Interface {
	if p.Addr().IsLoopback() || name == "" {
		return list
	}
	at := slices.IndexFunc(list, func(i Interface) bool { return i.Name == name })
	if at < 0 {
		list = append(list, Interface{Name: name})
		at = len(list) - 1
	}
	list[at].Addresses = append(list[at].Addresses, p.String())
	return list
}

var (
	ifconfigName = regexp.MustCompile(`^([A-Za-z0-9_.:-]+?):?\s`)
	ifconfigInet = regexp.MustCompile(`inet (?:addr:)?([0-9.]+)`)
	ifconfigMask = regexp.MustCompile(`(?:netmask |Mask:)([0-9.]+)`)
	ifconfigSix  = regexp.MustCompile(`inet6 (?:addr: ?)?([0-9A-Fa-f:]+)(?:/| +prefixlen )([0-9]+)`)
)

// parseIfconfig reads both shapes of ifconfig: of net-tools and of busybox.
func parseIfconfig(text string) []Interface {
	var out []Interface
	name := ""
	for line := range strings.Lines(text) {
		if m := ifconfigName.FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		if m := ifconfigInet.FindStringSubmatch(line); m != nil {
			if a, err := netip.ParseAddr(m[1]); err == nil {
				out = addAddress(out, name, netip.PrefixFrom(a, maskLength(line)))
			}
		}
		if m := ifconfigSix.FindStringSubmatch(line); m != nil {
			if p, err := netip.ParsePrefix(m[1] + "/" + m[2]); err == nil {
				out = addAddress(out, name, p)
			}
		}
	}
	return out
}

func maskLength(line string) int {
	m := ifconfigMask.FindStringSubmatch(line)
	if m == nil {
		return 32
	}
	mask, err := netip.ParseAddr(m[1])
	if err != nil || !mask.Is4() {
		return 32
	}
	n := 0
	for _, b := range mask.As4() {
		for ; b&0x80 != 0; b <<= 1 {
			n++
		}
	}
	return n
}

var (
	// NAME=VALUE, where the value may be quoted; a drop-in may hold several.
	proxySetting = regexp.MustCompile(`(?i)\b((?:https?|ftp|all|no)_proxy)=("[^"]*"|'[^']*'|\S+)`)
	// daemon.json's "proxies" of Docker 23 and later.
	daemonProxy = regexp.MustCompile(`"(http|https|no)-proxy"\s*:\s*"([^"]*)"`)
	// The user information of an address: everything up to the last @, because
	// a password may hold what it should not.
	userinfo = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*://)?.*@`)
	// An address of a proxy without user information.
	plainProxy = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*://)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(/.*)?$`)
)

// proxyLines gives the lines of a file that set a proxy, with where in front.
func proxyLines(where, body string) []string {
	var out []string
	for line := range strings.Lines(body) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && line[0] != ';' && proxySetting.MatchString(line) {
			out = append(out, where+" "+line)
		}
	}
	return out
}

// readProxies collects the settings of the session, the host, the engine and
// the services. The same setting of one place is listed once.
func (g *gathering) readProxies(r *Report, units map[string]unit) {
	add := func(where, name, value string) {
		p := Proxy{Where: where, Name: strings.ToLower(name), URL: strings.Trim(unquote(value), `"'`)}
		if p.Name != "no_proxy" {
			p.URL = maskProxy(p.URL)
		}
		if p.URL != "" && !slices.Contains(r.Proxies, p) {
			r.Proxies = append(r.Proxies, p)
		}
	}
	for _, line := range g.lines("proxies") {
		where, setting, _ := strings.Cut(line, " ")
		switch where {
		case "environment":
			where = "host"
		case "daemon":
			for _, m := range daemonProxy.FindAllStringSubmatch(setting, -1) {
				add("dockerd", m[1]+"_proxy", m[2])
			}
			continue
		}
		if where != "session" && where != "host" && !slices.Contains(proxyUnits, where) {
			continue
		}
		for _, m := range proxySetting.FindAllStringSubmatch(setting, -1) {
			add(where, m[1], m[2])
		}
	}
	for _, name := range proxyUnits {
		for _, setting := range units[name+".service"].proxies {
			if m := proxySetting.FindStringSubmatch(strings.Trim(setting, `"'`)); m != nil {
				add(name, m[1], m[2])
			}
		}
	}
	r.addProxyFact("environment, /etc/environment, drop-ins of the services", g.has("proxies"), g.why("proxies"))
}

func (r *Report) addProxyFact(how string, looked bool, why string) {
	var parts []string
	for _, p := range r.Proxies {
		if p.Name != "no_proxy" {
			parts = append(parts, p.URL+" ("+p.Where+")")
		}
	}
	switch {
	case len(parts) > 0:
		r.found(FactProxy, strings.Join(slices.Compact(parts), ", "), how)
	case looked:
		r.absent(FactProxy, how)
	default:
		r.unknown(FactProxy, how, why)
	}
}

// maskProxy replaces user and password. An address of no known shape may be
// one whose password was cut in two; of that nothing is shown.
func maskProxy(url string) string {
	if masked := userinfo.ReplaceAllString(url, "${1}***@"); masked != url {
		return masked
	}
	if url != "" && !plainProxy.MatchString(url) {
		return "***"
	}
	return url
}
