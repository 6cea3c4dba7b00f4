# Unpacks into a private directory inside of the destination, looks at what came, and only then puts it in its place.
shift
ek_state=$1 ek_id=$2 ek_dest=$3 ek_archive=$4 ek_shown=$5 ek_key=$6 ek_ours=$7 ek_mode=$8 ek_owner=$9
shift 9
ek_newer=$1 ek_opts=$2 ek_tar_ex=$3 ek_inc=$4 ek_zip_ex=$5
exec </dev/null
umask 022
ek_nl='
'
ek_rec=$ek_state/$ek_id ek_stage=$ek_dest/.evenkeel-unpack-$ek_id
ek_fail() { printf '`%s`: %s\n' "$ek_shown" "$1" >&2; exit 1; }
ek_end() {
  rm -rf -- "$ek_stage"
  rm -f -- "$ek_rec/list" "$ek_rec/said"
  [ -z "$ek_ours" ] || rm -f -- "$ek_archive"
}
trap ek_end EXIT
trap 'exit 1' HUP INT TERM
ek_need() {
  command -v "$1" >/dev/null 2>&1 || ek_fail "\`$1\` is not on the host, nothing was changed; install the package \`$2\`"
}
ek_broken() {
  ek_s=$(head -n 3 "$ek_rec/said" | tr '\n' ' ')
  case $ek_s in
    *'No space left'* | *'write error'* | *'Disk quota'*) ek_fail "the disk is full, nothing was changed: $ek_s" ;;
    *'Unexpected EOF'* | *'unexpected end'* | *'nexpected EOF'* | *'ends unexpectedly'* | *'premature end'* | *'End-of-central'*)
      ek_fail "it is truncated, nothing was changed: $ek_s" ;;
  esac
  ek_fail "it cannot be unpacked, nothing was changed: $ek_s"
}
[ -f "$ek_archive" ] || ek_fail 'it is not there (or no file)'
[ -s "$ek_archive" ] || ek_fail 'it is an empty file, nothing was changed'
mkdir -p -m 0700 -- "$ek_rec" || exit 1
ek_prog= ek_zip=
case $(head -c 6 <"$ek_archive" | od -An -tx1 | tr -d ' \n') in
  1f8b*) ek_prog=gzip; ek_need gzip gzip ;;
  425a68*) ek_prog=bzip2; ek_need bzip2 bzip2 ;;
  fd377a585a00) ek_prog=xz; ek_need xz 'xz-utils` (Red Hat: `xz`)`' ;;
  28b52ffd*) ek_prog=zstd; ek_need zstd zstd ;;
  504b0304* | 504b0506*) ek_zip=1; ek_need unzip unzip ;;
  *)
    [ "$(head -c 262 <"$ek_archive" | tail -c 5 | tr -d '\0')" = ustar ] ||
      ek_fail 'it is not an archive, nothing was changed; known are tar (also with gzip, bzip2, xz, zstd) and zip' ;;
esac
[ -n "$ek_zip" ] || ek_need tar tar
ek_tar() {
  eval "LC_ALL=C tar ${ek_prog:+-I $ek_prog} $1 --force-local -f \"\$ek_archive\" --wildcards $ek_opts $ek_tar_ex -- $ek_inc" 2>"$ek_rec/said"
}
# Names in UTF-8 are not for the C locale.
ek_utf=$(locale -a 2>/dev/null | grep -i 'utf-*8$' | head -n 1)
ek_unzip() {
  eval "LC_ALL=\${ek_utf:-C} unzip $1 \"\$ek_archive\" $ek_inc $ek_zip_ex" 2>"$ek_rec/said"
}
# What it says it holds is judged before a byte of it is written.
ek_judge='
function bad(why) { printf "!the member `%s` %s", name, why; found = 1; exit }
{
  kind = substr($0, 1, 1); name = $0; target = ""
  if (zip) {
    if (!sub(/^[^ ]+ +[0-9.]+ +[a-zA-Z0-9]+ +[0-9]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ /, "", name)) next
    if (kind != "d") sum += $4
  } else {
    sub(/^[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ /, "", name)
    if (kind == "-") sum += $3
    if (kind == "l" && (at = index(name, " -> "))) name = substr(name, 1, at - 1)
    if (kind == "h" && (at = index(name, " link to "))) { target = substr(name, at + 9); name = substr(name, 1, at - 1) }
  }
  if (name ~ /(^|\/)\.\.(\/|$)/) bad("leads out of the directory by `..`")
  if (target ~ /(^|\/)\.\.(\/|$)/ || target ~ /^\//) bad("is a hard link to `" target "`, out of the directory")
  if (kind == "b" || kind == "c") bad("is a device")
  if (kind == "p" || kind == "s") bad("is a named pipe or a socket")
  if (kind != "d" && substr($1, 2) ~ /[sS]/) bad("is setuid or setgid")
  plain = name; gsub(/\\\\/, "", plain)
  if (plain ~ /\\n/ || (zip && plain ~ /\^J/)) bad("has a line end in its name")
}
END { if (!found) printf "%.0f", sum / 1024 }'
if [ -n "$ek_zip" ]; then
  ek_unzip '-Z -s' >"$ek_rec/list" || ek_broken
else
  ek_tar '-tv --numeric-owner --quoting-style=escape' >"$ek_rec/list" || ek_broken
fi
ek_sum=$(LC_ALL=C awk -v zip="$ek_zip" "$ek_judge" "$ek_rec/list")
case $ek_sum in
  !*) ek_fail "${ek_sum#!}: nothing was changed; leave it out by \`exclude\` if the rest is wanted" ;;
esac
ek_free=$(df -P -k -- "$ek_dest" | awk 'NR == 2 { print $4 }')
[ "${ek_sum:-0}" -le "${ek_free:-0}" ] ||
  ek_fail "it unpacks to $ek_sum KiB, but \`$ek_dest\` has only $ek_free KiB free: nothing was changed"
rm -rf -- "$ek_stage" && mkdir -m 0700 -- "$ek_stage" && cd -- "$ek_stage" || exit 1
if [ -n "$ek_zip" ]; then
  ek_unzip "-q -o $ek_opts"
  # 1 is a warning: a name was made relative.
  [ $? -le 1 ] || ek_broken
else
  ek_tar -x || ek_broken
fi
ek_bad=$(find . -mindepth 1 \( ! -type f ! -type d ! -type l -o -type f -perm /6000 -o -name "*$ek_nl*" \) -print | head -n 1)
[ -z "$ek_bad" ] || ek_fail "the member \`$ek_bad\` is setuid, no file, or has a line end in its name: nothing was changed"
[ -z "$ek_owner" ] || find . -mindepth 1 -exec chown -h -- "$ek_owner" {} + || exit 1
[ -z "$ek_mode" ] || find . -depth -mindepth 1 ! -type l -exec chmod -- "$ek_mode" {} + || exit 1
find . -mindepth 1 -print | LC_ALL=C sort >"$ek_rec/list" || exit 1
while IFS= read -r ek_e; do
  ek_t=$ek_dest/${ek_e#./}
  if [ -d "$ek_e" ] && [ ! -L "$ek_e" ]; then
    [ ! -L "$ek_t" ] || ek_fail "the member \`$ek_e\` would be written through the link \`$ek_t\`: nothing was changed"
    [ ! -e "$ek_t" ] || [ -d "$ek_t" ] || ek_fail "\`$ek_t\` is no directory, but the member \`$ek_e\` is: nothing was changed"
  elif [ -d "$ek_t" ] && [ ! -L "$ek_t" ]; then
    ek_fail "\`$ek_t\` is a directory, but the member \`$ek_e\` is not: nothing was changed"
  fi
done <"$ek_rec/list"
rm -f -- "$ek_rec/key"
mv -f -- "$ek_rec/list" "$ek_rec/names"
ek_like() {
  [ "$(stat -c '%a %u %g' -- "$1")" = "$(stat -c '%a %u %g' -- "$2")" ] || {
    chown --reference="$1" -- "$2" && chmod --reference="$1" -- "$2"
  } || exit 1
}
ek_merge() {
  for ek_e in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    [ -e "$ek_e" ] || [ -L "$ek_e" ] || continue
    ek_t=$ek_dest/${ek_e#./}
    if [ ! -e "$ek_t" ] && [ ! -L "$ek_t" ]; then
      mv -T -- "$ek_e" "$ek_t" || exit 1
    elif [ -d "$ek_e" ] && [ ! -L "$ek_e" ]; then
      ek_merge "$ek_e"
    elif [ -n "$ek_newer" ] && [ "$ek_t" -nt "$ek_e" ]; then
      :
    elif [ -f "$ek_e" ] && [ ! -L "$ek_e" ] && [ ! -L "$ek_t" ] && cmp -s -- "$ek_e" "$ek_t"; then
      ek_like "$ek_e" "$ek_t"
    else
      mv -T -f -- "$ek_e" "$ek_t" || exit 1
    fi
  done
  [ "$1" = . ] || ek_like "$1" "$ek_dest/${1#./}"
}
ek_merge .
cd -- "$ek_dest" || exit 1
ek_sure=sure ek_fast=fast
[ -z "$ek_newer" ] || ek_sure=loose ek_fast=loose
: >"$ek_rec/sums"
[ -n "$ek_newer" ] || while IFS= read -r ek_e; do
  [ ! -f "$ek_e" ] || [ -L "$ek_e" ] || printf '%s\n' "$ek_e"
done <"$ek_rec/names" | tr '\n' '\0' | xargs -0 -r sha256sum -- >"$ek_rec/sums" || exit 1
ek_list "$ek_sure" "$ek_rec/names" >"$ek_rec/sure" || exit 1
ek_list "$ek_fast" "$ek_rec/names" >"$ek_rec/fast" || exit 1
printf '%s\n' "$ek_key" >"$ek_rec/new" && mv -f -- "$ek_rec/new" "$ek_rec/key"
