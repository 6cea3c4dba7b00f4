# What members are now: `fast` tells a file by its size and the time of its last change, `sure` does not.
ek_list() {
  tr '\n' '\0' <"$2" | LC_ALL=C xargs -0 -r sh -c '
    ek_l=$1 ek_f="%y %m %U %G %s %p\n"
    case $ek_l in fast) ek_f="%y %m %U %G %s %C@ %p\n" ;; loose) ek_f="%y %m %U %G %p\n" ;; esac
    shift
    find "$@" -maxdepth 0 \( -type f -printf "$ek_f" -o -printf "%y %m %U %G %p -> %l\n" \) 2>/dev/null
    exit 0' sh "$1"
}
