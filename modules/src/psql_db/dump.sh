
# dump.sh PACK TARGET WORDS…: what `pg_dump` writes, packed, in the place of TARGET once it is whole.
ek_pack=$2 ek_target=$3
shift 3
for ek_v in pg_dump ${ek_pack#dir}; do
  command -v "$ek_v" >/dev/null 2>&1 || {
    echo "there is no \`$ek_v\` on the host" >&2
    exit 127
  }
done
# It holds what the database does: nobody else reads it.
umask 077
if [ -d "$ek_target" ] && [ ! -f "$ek_target/toc.dat" ]; then
  echo "\`$ek_target\` is a directory, and no dump" >&2
  exit 1
fi
ek_new=$(mktemp -d -- "${ek_target%/*}/.evenkeel-dump.XXXXXXXX") || exit 1
trap 'rm -rf -- "$ek_new"' EXIT
trap 'exit 143' HUP INT TERM
if [ "$ek_pack" = dir ]; then
  # The program writes by itself, as whom the server expects.
  ek_who=$(ek_login id -u) || exit 1
  [ "$ek_who" = "$(id -u)" ] || chown -- "$ek_who" "$ek_new" || exit 1
  ek_login pg_dump "$@" --file="$ek_new/dump" || exit
  [ "$ek_who" = "$(id -u)" ] || chown -R -- "$(id -u):$(id -g)" "$ek_new" || exit 1
else
  # A pipe tells how its last program ended; here both must have ended well.
  ek_ended=$(
    {
      {
        ek_login pg_dump "$@"
        echo "$?" >&3
      } | "$ek_pack" >"$ek_new/dump"
      echo "$?" >&3
    } 3>&1
  )
  case $ek_ended in *[!0[:space:]]*) exit 1 ;; esac
fi
[ ! -d "$ek_target" ] || mv -T -- "$ek_target" "$ek_new/old" || exit 1
mv -f -T -- "$ek_new/dump" "$ek_target" || exit 1
printf '%s\n' "pg_dump $*"
