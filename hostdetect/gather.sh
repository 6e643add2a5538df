# Gathers everything that hostdetect wants to know of a POSIX host, in one go:
#   sh -c "$(this text)" edgewright MARK
# It looks only: nothing is written, nothing is asked of the network, no rights
# are needed. Each section begins with a line "MARK name"; the mark is chosen
# anew for each call, so that no file's content can pass for a section. Values
# of configuration files are left where they are: only the outline is printed.
# Must run under dash, bash, ksh and busybox sh.
mark=$1
exec 2>/dev/null
LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
unset POSIXLY_CORRECT

have() { command -v "$1" >/dev/null; }
section() { printf '\n%s %s\n' "$mark" "$*"; }

section now
date +%s.%N

# A command that asks a daemon may hang with it; older busybox spells timeout
# otherwise and then goes without.
brief=
timeout 1 true && brief='timeout 4'

show() {
	for p in "$@"; do
		if [ -r "$p" ] && [ ! -d "$p" ]; then
			section "file $p"
			head -c 65536 "$p"
		elif [ -e "$p" ]; then
			section "denied $p"
		else
			section "absent $p"
		fi
	done
}

# Without a fork, for files of the kernel that hold one short line.
line() {
	for p in "$@"; do
		if [ -r "$p" ]; then
			v=
			IFS= read -r v <"$p"
			section "file $p"
			printf '%s\n' "$v"
		elif [ -e "$p" ]; then
			section "denied $p"
		else
			section "absent $p"
		fi
	done
}

section uname
uname -snrm
section id
id -u
id -Gn
show /etc/os-release
[ -r /etc/os-release ] || show /usr/lib/os-release
line /etc/hostname /etc/machine-id /proc/version /proc/1/comm /run/systemd/container
show /proc/1/cgroup
line /proc/device-tree/model /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name

section exists
for p in /.dockerenv /run/.containerenv /run/systemd/system /run/docker.sock /var/run/docker.sock \
	/run/podman/podman.sock /proc/device-tree/hypervisor /usr/bin/iotedge /usr/bin/aziotctl \
	/sys/class/tpm /etc/aziot /etc/iotedge /lib/systemd/systemd /usr/lib/systemd/systemd /run/WSL \
	/var/lib/docker /usr/lib/systemd/systemd-timesyncd /lib/systemd/systemd-timesyncd; do
	[ -e "$p" ] && printf '%s\n' "$p"
done

section cpu
grep -oE '^processor|^(model name|CPU part|Model).*|^flags.* hypervisor( |$)' /proc/cpuinfo | {
	count=0 named='|'
	while IFS= read -r v; do
		case $v in
		processor) count=$((count + 1)) && continue ;;
		flags*) v=hypervisor ;;
		esac
		case $named in
		*"|${v%%[	:]*}|"*) continue ;;
		esac
		named="$named${v%%[	:]*}|"
		printf '%s\n' "$v"
	done
	printf 'count %s\n' "$count"
}

section memory
grep -E '^(MemTotal|MemAvailable):' /proc/meminfo

section disk
set -- /
for p in /var /etc /var/lib/docker; do
	[ -d "$p" ] && set -- "$@" "$p"
done
# A line for each path, in their order, unless one of them fails.
if v=$(df -Pk "$@"); then
	printf '%s\n' "$v" | {
		IFS= read -r v
		for p in "$@"; do
			IFS= read -r v && printf '%s %s\n' "$p" "$v"
		done
	}
else
	for p in "$@"; do
		printf '%s %s\n' "$p" "$(df -Pk "$p" | tail -n 1)"
	done
fi

section elf
head -c 20 /proc/self/exe | od -An -v -tx1

if have dpkg-query; then
	section dpkg-arch
	dpkg --print-architecture
	section dpkg
	dpkg-query -W -f='${Package} ${Architecture} ${db:Status-Status} ${Version}\n' \
		aziot-edge aziot-identity-service iotedge libiothsm-std \
		moby-engine docker-ce docker.io podman podman-docker chrony ntp ntpsec systemd-timesyncd
elif have rpm; then
	section rpm
	rpm -q --qf '%{NAME} %{ARCH} installed %{VERSION}-%{RELEASE}\n' \
		aziot-edge aziot-identity-service iotedge libiothsm-std \
		moby-engine docker-ce podman podman-docker chrony ntp ntpsec
fi

section snaps
for n in azure-iot-edge azure-iot-identity docker; do
	for d in /snap /var/lib/snapd/snap; do
		y=$d/$n/current/meta/snap.yaml
		if [ -r "$y" ]; then
			printf '%s %s\n' "$n" "$(sed -n 's/^version: *//p' "$y" | head -n 1)"
			break
		fi
	done
done

section engines
for c in docker podman; do
	have "$c" && printf '%s %s\n' "$c" "$($brief "$c" --version | head -n 1)"
done

if [ -d /run/systemd/system ]; then
	section virt
	have systemd-detect-virt && systemd-detect-virt
	section systemd
	systemctl --version | head -n 1
	section units
	set -f
	$brief systemctl show -p Id -p LoadState -p ActiveState -p Environment \
		docker.service podman.socket snap.docker.dockerd.service \
		aziot-edged.service aziot-identityd.service aziot-certd.service iotedge.service \
		systemd-timesyncd.service chrony.service chronyd.service ntp.service ntpd.service ntpsec.service |
		while IFS= read -r v; do
			case $v in
			Environment=*)
				for w in ${v#Environment=}; do
					case $w in
					*_[pP][rR][oO][xX][yY]=*) printf 'Proxy=%s\n' "$w" ;;
					esac
				done
				;;
			*) printf '%s\n' "$v" ;;
			esac
		done
	set +f
	section timedatectl
	have timedatectl && $brief timedatectl show
else
	section virt
	have systemd-detect-virt && systemd-detect-virt
	section running
	for n in chronyd ntpd openntpd dockerd; do
		pidof "$n" >/dev/null && printf '%s\n' "$n"
	done
fi

# The outline of a configuration: which tables, which way. Never a value that
# could be a secret.
outline() {
	if [ -r "$1" ]; then
		section "outline $1"
		grep -v '^[[:space:]]*#' "$1" | grep -oE "$2" | head -n 400
	elif [ -e "$1" ]; then
		section "denied $1"
	elif [ -d "${1%/*}" ] && [ ! -x "${1%/*}" ]; then
		section "hidden $1"
	else
		section "absent $1"
	fi
}
outline /etc/aziot/config.toml '^[[:space:]]*\[[A-Za-z0-9_.-]+\]|([a-z_]+\.)*(source|method)[[:space:]]*=[[:space:]]*["'\''][a-z0-9_]+["'\'']|^[[:space:]]*(connection_string|authentication|attestation)[[:space:]]*='
outline /etc/iotedge/config.yaml '^[[:space:]]*(source|method):[[:space:]]*["'\'']?[a-z0-9_]+["'\'']?|<ADD DEVICE CONNECTION STRING HERE>|^provisioning:'

section passwd
grep -E '^(aziotks|aziotcs|aziotid|aziottpm|iotedge):' /etc/passwd
section group
grep -E '^(aziotks|aziotcs|aziotid|aziottpm|aziot|iotedge|docker|tss|tpm):' /etc/group

section tpm
for d in /sys/class/tpm/tpm[0-9]*; do
	[ -e "$d" ] || continue
	printf 'chip %s\n' "${d##*/}"
	for n in tpm_version_major device/description device/modalias; do
		v=
		[ -r "$d/$n" ] && IFS= read -r v <"$d/$n" && printf '%s %s\n' "${n##*/}" "$v"
	done
done
for p in /dev/tpm[0-9]* /dev/tpmrm[0-9]*; do
	[ -e "$p" ] || continue
	v=no
	[ -r "$p" ] && [ -w "$p" ] && v=yes
	printf 'node %s %s %s\n' "$p" "$v" "$(stat -c '%U %G %a' "$p")"
done

section addresses
if have ip; then ip -o addr show; else ifconfig -a; fi

# Lines that set a proxy: of this session, of the host, of the services.
section proxies
env | sed -n 's/^[A-Za-z]*_[Pp][Rr][Oo][Xx][Yy]=/session &/p'
sed -n 's/^[^#]*_[Pp][Rr][Oo][Xx][Yy]=/environment &/p' /etc/environment
for u in docker aziot-edged aziot-identityd aziot-certd iotedge; do
	for p in /etc/systemd/system/"$u".service.d/*.conf; do
		[ -r "$p" ] && grep -i '^[[:space:]]*Environment=.*_proxy=' "$p" | sed "s/^/$u /"
	done
done
[ -r /etc/docker/daemon.json ] && tr -d '\n' </etc/docker/daemon.json |
	grep -oE '"(http|https|no)-proxy"[[:space:]]*:[[:space:]]*"[^"]*"' | sed 's/^/daemon /'

section now
date +%s.%N
section end
