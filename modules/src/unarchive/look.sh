ek_state=$HOME/.evenkeel-unarchive
[ "$(id -u)" -ne 0 ] || ek_state=/var/lib/evenkeel-unarchive
while [ $# -ge 4 ]; do
  ek_rec=$ek_state/$2
  ek_k=
  [ ! -f "$ek_rec/key" ] || IFS= read -r ek_k <"$ek_rec/key"
  printf '%s\0%s\0' "$1" "$ek_k"
  [ -z "$ek_k" ] || (
    cd -- "$3" 2>/dev/null || { echo "$3"; exit; }
    ek_sure=sure ek_fast=fast
    [ -z "$4" ] || ek_sure=loose ek_fast=loose
    # Files whose size and last change are as they were left are not read.
    ek_list "$ek_fast" "$ek_rec/names" | cmp -s - "$ek_rec/fast" || {
      ek_list "$ek_sure" "$ek_rec/names" |
        awk 'NR == FNR { now[$0]; next } !($0 in now) { print substr($0, index($0, " ./") + 1) }' - "$ek_rec/sure"
      LC_ALL=C sha256sum -c --quiet "$ek_rec/sums" 2>/dev/null </dev/null | sed 's/: FAILED.*$//'
    } | sed 's/ -> .*$//' | LC_ALL=C sort -u | head -n 5
  )
  printf '\0'
  shift 4
done
