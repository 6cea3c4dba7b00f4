# shellcheck shell=sh
# check MODULES…: whether what they are compiled with is there, before anything is fetched.
exec </dev/null
shift
ek_cc=$(command -v cc || command -v gcc) || { echo 'there is no C compiler (gcc)' >&2; exit 1; }
ek_missing=
for ek_m in make tar flock; do
  command -v "$ek_m" >/dev/null || ek_missing="$ek_missing
  the program $ek_m"
done
ek_has() {
  printf '#include <%s>\n' "$1" | "$ek_cc" -E -x c - >/dev/null 2>&1
}
ek_need() {
  ek_has "$2" || ek_missing="$ek_missing
  $1: $2 (Debian: $3; Red Hat: $4)"
}
ek_need 'the C library' stdio.h libc6-dev glibc-devel
for ek_m in "$@"; do
  case $ek_m in
    ssl | _ssl | hashlib) ek_need "$ek_m" openssl/ssl.h libssl-dev openssl-devel ;;
    sqlite3) ek_need "$ek_m" sqlite3.h libsqlite3-dev sqlite-devel ;;
    bz2) ek_need "$ek_m" bzlib.h libbz2-dev bzip2-devel ;;
    zlib) ek_need "$ek_m" zlib.h zlib1g-dev zlib-devel ;;
    ctypes) ek_need "$ek_m" ffi.h libffi-dev libffi-devel ;;
    lzma) ek_need "$ek_m" lzma.h liblzma-dev xz-devel ;;
    readline) ek_need "$ek_m" readline/readline.h libreadline-dev readline-devel ;;
    curses) ek_need "$ek_m" curses.h libncurses-dev ncurses-devel ;;
    tkinter) ek_need "$ek_m" tk.h tk-dev tk-devel ;;
    dbm.gnu) ek_need "$ek_m" gdbm.h libgdbm-dev gdbm-devel ;;
  esac
done
[ -z "$ek_missing" ] || {
  printf 'these are missing:%s\n' "$ek_missing" >&2
  exit 1
}
