
shift
ek_curl=$1 ek_wget=$2 ek_url=$3 ek_size=$4 ek_shown=$5 ek_ok=$6 ek_all=$7 ek_max=$8
shift 8
ek_socket=$1 ek_dest=$2 ek_name=$3 ek_owner=$4 ek_group=$5 ek_mode=$6 ek_method=$7 ek_data=$8
umask 077
ek_t=$(mktemp -d) && cd "$ek_t" || exit 1
trap 'cd /; rm -rf -- "$ek_t"' EXIT
trap 'exit 130' HUP INT TERM
head -c "$ek_curl" >curl
head -c "$ek_wget" >wget
head -c "$ek_url" >url
head -c "$ek_size" >data
exec </dev/null
: >head
: >out
ek_code=-1 ek_redirects=0 ek_at=$ek_shown ek_x=0
if command -v curl >/dev/null 2>&1; then
  curl -q -sS -K curl -D head -o out -w '%{http_code}\n%{num_redirects}\n%{url_effective}\n' >said 2>why || ek_x=$?
  if [ "$ek_x" = 0 ]; then
    { IFS= read -r ek_code; IFS= read -r ek_redirects; IFS= read -r ek_at; } <said
    ek_at=$(printf '%s\n' "$ek_at" | sed 's/:\/\/[^/?#]*@/:\/\/***@/')
  fi
elif command -v wget >/dev/null 2>&1; then
  [ -z "$ek_socket" ] || { printf '`%s`: `wget` cannot use a `unix_socket`: install `curl`\n' "$ek_shown" >&2; exit 1; }
  # What it reads with `--no-config` is not even a file that `--config` names.
  set --
  [ "$ek_method$ek_data" = GET ] || set -- --method="$ek_method"
  [ -z "$ek_data" ] || set -- "$@" --body-file="$ek_data"
  wget "$@" --config=wget -nv -S --content-on-error --tries=1 --max-redirect="$ek_max" -O out -i url 2>why ||
    ek_x=$?
  # Its log holds the headers, each behind two spaces.
  sed -n 's/^  \(HTTP\/\)/\1/p;t;s/^  \([A-Za-z0-9-]*:\)/\1/p' why >head
  ek_code=$(sed -n 's/^HTTP\/[0-9.]* \([0-9]*\).*/\1/p' head | tail -n 1)
  ek_redirects=$(($(grep -c '^HTTP/[0-9.]* [0-9]' head) - 1))
  [ "$ek_max" != 0 ] || ek_redirects=0
  case $ek_x:$ek_code in
    # It fails for each answer that is none of success; here that is for the user to say.
    *:) ek_code=-1 ek_redirects=0 ;;
    0:* | 6:* | 8:*) ek_x=0 ;;
    *) ek_code=-1 ;;
  esac
else
  echo 'neither `curl` nor `wget` is there: install one of them' >&2
  exit 1
fi
ek_good=
for ek_c in $ek_ok; do
  [ "$ek_c" != "$ek_code" ] || ek_good=1
done
if [ -n "$ek_dest" ] && [ "$ek_code" = 304 ]; then ek_good=1; fi
ek_n=$(wc -c <out | tr -d ' ') ek_h=$(wc -c <head | tr -d ' ') ek_send=
if [ -z "$ek_dest" ] || [ -n "$ek_all" ]; then
  if [ -n "$ek_all" ] || [ -z "$ek_good" ] || grep -qi '^content-type:.*json' head; then
    [ "$ek_n" -gt 700000 ] || ek_send=1
  fi
fi
printf '%s %s %s %s %s\n%s\n' "$ek_code" "$ek_redirects" "$ek_h" "$ek_n" "${ek_send:-0}" "$ek_at"
cat head
[ -z "$ek_send" ] || cat out
ek_fail() {
  printf '`%s`: %s\n' "$ek_shown" "$1" >&2
  exit 1
}
if [ -z "$ek_good" ]; then
  if [ "$ek_code" = -1 ]; then
    ek_w=$(sed -n '/^  /d;s/^curl: ([0-9]*) //;s/^wget: //;/./p' why | head -n 3 | tr '\n' ' ')
    ek_fail "${ek_w% }"
  fi
  ek_w=$(sed -n 's/^HTTP\/[0-9.]* //p' head | tail -n 1 | tr -d '\r')
  ek_fail "the server answers \`${ek_w% }\`, not \`$(echo $ek_ok | sed 's/ /`, `/g')\`"
fi
if [ -n "$ek_all" ] && [ -z "$ek_send" ]; then
  ek_fail "the answer has $ek_n bytes, more than a result can hold (700000): use \`dest\`"
fi
[ -n "$ek_dest" ] || exit 0
[ ! -d "$ek_dest" ] || ek_dest=${ek_dest%/}/$ek_name
if [ -L "$ek_dest" ]; then ek_dest=$(readlink -f -- "$ek_dest") || ek_fail '`dest` is a link that leads nowhere'; fi
ek_state() { stat -c '%a %u %g %i' -- "$ek_dest" 2>/dev/null; }
ek_was=$(ek_state)
ek_sum() { sha256sum <"$1"; }
if [ "$ek_code" != 304 ] && { [ ! -f "$ek_dest" ] || [ "$(ek_sum out)" != "$(ek_sum "$ek_dest")" ]; }; then
  [ ! -e "$ek_dest" ] || [ -f "$ek_dest" ] || ek_fail "\`$ek_dest\` is not a file"
  ek_dir=${ek_dest%/*}
  [ -d "${ek_dir:-/}" ] || ek_fail "the directory \`$ek_dir\` of \`dest\` is not there"
  ek_new=$ek_dir/.${ek_dest##*/}.evenkeel
  rm -f -- "$ek_new"
  cat out >"$ek_new" || { rm -f -- "$ek_new"; ek_fail "\`$ek_dest\` cannot be written"; }
  if [ -n "$ek_was" ]; then
    set -- $ek_was
    chown -- "$2:$3" "$ek_new" 2>/dev/null
    chmod -- "$1" "$ek_new"
  elif [ -z "$ek_mode" ]; then
    chmod 0644 "$ek_new"
  fi
  sync -- "$ek_new" && mv -T -f -- "$ek_new" "$ek_dest" || { rm -f -- "$ek_new"; ek_fail "\`$ek_dest\` cannot be written"; }
fi
if [ -e "$ek_dest" ]; then
  [ -z "$ek_owner$ek_group" ] || chown -- "$ek_owner${ek_group:+:$ek_group}" "$ek_dest" || exit 1
  [ -z "$ek_mode" ] || chmod -- "$ek_mode" "$ek_dest" || exit 1
fi
[ "$(ek_state)" != "$ek_was" ] || exit 3
