ek_v() { printf '%s\0%s\0%s\0%s\0' "$ek_s" "$ek_d" "$1" "$2"; }
# The first line of a file.
ek_l() {
  [ -f "$2" ] || return 0
  ek_t=
  { IFS= read -r ek_t <"$2"; } 2>/dev/null || [ -n "$ek_t" ] || return 0
  ek_v "$1" "$ek_t"
}
# A file.
ek_f() {
  [ -f "$2" ] && [ -r "$2" ] || return 0
  printf '%s\0%s\0%s\0' "$ek_s" "$ek_d" "$1"
  head -c 65536 "$2" 2>/dev/null | tr -d '\000'
  printf '\0'
}
# What a program prints, if there is one.
ek_c() {
  ek_k=$1; shift
  command -v "$1" >/dev/null 2>&1 || return 0
  printf '%s\0%s\0%s\0' "$ek_s" "$ek_d" "$ek_k"
  LC_ALL=C timeout 20 "$@" 2>/dev/null </dev/null | head -c 262144 | tr -d '\000'
  printf '\0'
}
# Which of these paths exist.
ek_e() { for ek_p in "$@"; do [ ! -e "$ek_p" ] || ek_v "$ek_p" there; done; }
ek_dmi=/sys/devices/virtual/dmi/id
while [ $# -gt 0 ]; do
  ek_s=$1 ek_d=$2; shift 2
  ek_v '' ''
  case $ek_s in
    apparmor) ek_e /sys/kernel/security/apparmor ;;
    chroot)
      ek_v name "${debian_chroot-}"
      ek_c roots stat -c '%d:%i' / /proc/1/root/.
      ek_c type stat -f -c %T /
      ;;
    cmdline) ek_f cmdline /proc/cmdline ;;
    date_time)
      ek_c date date '+%Y|%m|%A|%w|%W|%d|%H|%M|%S|%s|%N|%Z|%z'
      ;;
    distribution)
      for ek_p in /etc/altlinux-release /etc/oracle-release /etc/slackware-version \
        /etc/centos-release /etc/redhat-release /etc/vmware-release /etc/openwrt_release \
        /etc/os-release /etc/system-release /etc/alpine-release /etc/arch-release \
        /etc/SuSE-release /etc/gentoo-release /etc/lsb-release /etc/sourcemage-release \
        /usr/lib/os-release /etc/coreos/update.conf /etc/debian_version; do
        ek_f "$ek_p" "$ek_p"
      done
      ek_c product readlink -f /etc/products.d/baseproduct
      ;;
    dmi)
      ek_e "$ek_dmi/product_name"
      for ek_p in bios_date bios_vendor bios_version board_asset_tag board_name board_serial \
        board_vendor board_version chassis_asset_tag chassis_serial chassis_vendor \
        chassis_version chassis_type product_name product_serial product_uuid \
        product_version sys_vendor; do
        ek_l "$ek_p" "$ek_dmi/$ek_p"
      done
      ;;
    dns) ek_f resolv /etc/resolv.conf ;;
    env)
      printf '%s\0%s\0env\0' "$ek_s" "$ek_d"
      env -0 2>/dev/null | head -c 262144 | tr '\000' '\001'
      printf '\0'
      ;;
    fips) ek_l enabled /proc/sys/crypto/fips_enabled ;;
    fqdn)
      ek_n=$(uname -n)
      ek_v node "$ek_n"
      if command -v getent >/dev/null 2>&1; then
        ek_a=$(timeout 10 getent ahosts "$ek_n" 2>/dev/null </dev/null | head -n 1)
        ek_a=${ek_a%%[ 	]*}
        [ -z "$ek_a" ] || ek_c reverse getent hosts "$ek_a"
      else
        ek_c full hostname -f
      fi
      ;;
    loadavg) ek_l loadavg /proc/loadavg ;;
    local)
      for ek_p in "$ek_d"/*.fact; do
        [ -f "$ek_p" ] || continue
        ek_n=${ek_p##*/}
        if [ -x "$ek_p" ]; then
          ek_v "run/${ek_n%.fact}" "$(
            { timeout 60 "$ek_p" 2>/dev/null </dev/null; printf '|%s' "$?"; } |
              head -c 65536 | tr -d '\000'
          )"
        else
          ek_f "file/${ek_n%.fact}" "$ek_p"
        fi
      done
      ;;
    lsb)
      ek_c program lsb_release -a
      ek_f file /etc/lsb-release
      ;;
    memory) ek_f meminfo /proc/meminfo ;;
    mounts)
      for ek_p in /dev/disk/by-uuid/*; do
        [ ! -e "$ek_p" ] || ek_v "uuid/${ek_p##*/}" "$(readlink -f -- "$ek_p")"
      done
      ek_i=10000
      [ ! -r /proc/self/mounts ] || while read -r ek_a ek_m ek_t ek_o ek_x; do
        case $ek_a in /* | *:/*) ;; *) continue ;; esac
        [ "$ek_t" != none ] || continue
        ek_i=$((ek_i + 1))
        ek_v "mount/$ek_i" "$ek_a $ek_m $ek_t $ek_o $ek_x"
        ek_m=$(printf %b "$ek_m")
        ek_v "size/$ek_i" \
          "$(timeout 5 stat -f -c '%S %s %b %f %a %c %d' -- "$ek_m" 2>/dev/null </dev/null)"
      done </proc/self/mounts
      ;;
    network)
      ek_c route4 ip -4 route get 8.8.8.8
      ek_c route6 ip -6 route get 2404:6800:400a:800::1012
      ek_c addresses ip addr show
      ek_c local4 ip -4 route show table local
      ek_c local6 ip -6 route show table local
      for ek_p in /sys/class/net/*; do
        [ -d "$ek_p" ] || continue
        ek_n=${ek_p##*/}
        ek_v "if/$ek_n" ''
        for ek_a in address mtu operstate type speed flags bridge/bridge_id bridge/stp_state \
          bonding/slaves bonding/mode bonding/miimon bonding/lacp_rate bonding/primary \
          bonding/all_slaves_active bonding_slave/perm_hwaddr; do
          ek_l "if/$ek_n/$ek_a" "$ek_p/$ek_a"
        done
        if [ -d "$ek_p/bridge" ]; then
          ek_t=
          for ek_a in "$ek_p"/brif/*; do [ ! -e "$ek_a" ] || ek_t="$ek_t ${ek_a##*/}"; done
          ek_v "if/$ek_n/ports" "$ek_t"
        fi
        [ ! -e "$ek_p/device" ] || ek_v "if/$ek_n/device" "$(readlink "$ek_p/device")"
        [ ! -e "$ek_p/device/driver/module" ] ||
          ek_v "if/$ek_n/module" "$(readlink -f "$ek_p/device/driver/module")"
      done
      ;;
    pkg_mgr)
      ek_e /usr/bin/rpm-ostree /usr/bin/yum /usr/bin/dnf-3 /usr/bin/dnf5 /usr/bin/apt-get \
        /usr/bin/zypper /usr/sbin/urpmi /usr/bin/pacman /bin/opkg /usr/pkg/bin/pkgin \
        /sbin/apk /usr/bin/emerge /usr/bin/pkg /usr/bin/xbps-install /usr/bin/swupd \
        /usr/sbin/sorcery /run/ostree-booted /usr/bin/dnf /usr/bin/microdnf
      for ek_p in /usr/bin/dnf /usr/bin/microdnf; do
        [ ! -e "$ek_p" ] || ek_v "to$ek_p" "$(readlink -f "$ek_p")"
      done
      if [ -e /usr/bin/rpm ] && [ -e /usr/bin/apt-get ] &&
        timeout 20 /usr/bin/rpm -q --whatprovides /usr/bin/apt-get >/dev/null 2>&1 </dev/null; then
        ek_v apt_rpm there
      fi
      ;;
    platform)
      ek_c uname uname -s -n -r -v -m
      ek_c bits getconf LONG_BIT
      ek_l dbus /var/lib/dbus/machine-id
      ek_l etc /etc/machine-id
      ;;
    processor)
      ek_e /proc/xen
      ek_l hypervisor /sys/hypervisor/type
      ek_c nproc nproc
      ek_v machine "$(uname -m)"
      if [ -r /proc/cpuinfo ]; then
        printf '%s\0%s\0cpuinfo\0' "$ek_s" "$ek_d"
        ek_x=
        while IFS= read -r ek_t; do
          case $ek_t in
            flags*) [ -n "$ek_x" ] || printf '%s\n' "$ek_t"; ek_x=1 ;;
            'model name'* | [Pp]rocessor* | vendor_id* | [Vv]endor* | cpu* | 'physical id'* | \
              'core id'* | siblings* | '# processors'* | 'max thread id'* | *'ncpus active'*)
              printf '%s\n' "$ek_t" ;;
          esac
        done </proc/cpuinfo
        printf '\0'
      fi
      ;;
    python)
      for ek_p in python3 python /usr/libexec/platform-python; do
        command -v "$ek_p" >/dev/null 2>&1 || continue
        ek_c python "$ek_p" -c 'import sys
v = list(sys.version_info)
print(sys.executable)
print(" ".join(str(x) for x in v))
print(getattr(getattr(sys, "implementation", None), "name", ""))
try:
    from ssl import create_default_context, SSLContext
    print("ssl")
except ImportError:
    print("no")'
        break
      done
      ;;
    selinux)
      ek_l enforce /sys/fs/selinux/enforce
      ek_l policyvers /sys/fs/selinux/policyvers
      ek_f config /etc/selinux/config
      ;;
    service_mgr)
      ek_l comm /proc/1/comm
      [ ! -L /sbin/init ] || ek_v init "$(readlink /sbin/init)"
      ek_e /run/systemd/system/ /dev/.run/systemd/ /dev/.systemd/ /etc/init/ /sbin/openrc \
        /etc/init.d/ /etc/dinit.d/
      for ek_p in systemctl initctl; do
        ! command -v "$ek_p" >/dev/null 2>&1 || ek_v "$ek_p" there
      done
      ;;
    ssh_pub_keys)
      for ek_a in /etc/ssh /etc/openssh /etc; do
        for ek_p in dsa rsa ecdsa ed25519; do
          ek_l "$ek_a/$ek_p" "$ek_a/ssh_host_${ek_p}_key.pub"
        done
      done
      ;;
    systemd)
      [ ! -e /run/systemd/system/ ] || ek_c version systemctl --version
      ;;
    uptime) ek_l uptime /proc/uptime ;;
    user)
      ek_n=$(id -un)
      ek_v id "$(id -ru) $(id -u) $(id -rg) $ek_n"
      if command -v getent >/dev/null 2>&1; then
        ek_c passwd getent passwd "$ek_n"
      else
        while IFS= read -r ek_t; do
          case $ek_t in "$ek_n":*) ek_v passwd "$ek_t"; break ;; esac
        done </etc/passwd
      fi
      ;;
    virtual)
      ek_f cgroup /proc/1/cgroup
      if [ -r /proc/1/environ ]; then
        printf '%s\0%s\0environ\0' "$ek_s" "$ek_d"
        { head -c 65536 /proc/1/environ | tr '\000' '\n'; } 2>/dev/null
        printf '\0'
      fi
      ek_e /proc/1/cgroup /proc/vz /proc/lve /proc/bc /.dockerenv /.dockerinit /proc/xen \
        /rhev/ /dev/kvm
      ek_l container /run/systemd/container
      ek_f xen /proc/xen/capabilities
      for ek_p in product_name sys_vendor product_family bios_vendor; do
        ek_l "$ek_p" "$ek_dmi/$ek_p"
      done
      if [ -r /proc/cpuinfo ]; then
        while IFS= read -r ek_t; do
          case $ek_t in
            'model name'*) ek_v model "$ek_t"; break ;;
            vendor_id*) ek_v vendor "$ek_t" ;;
            machine*) ek_v machine "$ek_t" ;;
          esac
        done </proc/cpuinfo
      fi
      ek_x=
      [ ! -r /proc/modules ] || while read -r ek_t ek_o; do
        case $ek_t in kvm | vboxdrv | virtio) ek_x="$ek_x $ek_t" ;; esac
      done </proc/modules
      ek_v modules "$ek_x"
      ek_c dmidecode dmidecode -s system-product-name
      ;;
  esac
done
