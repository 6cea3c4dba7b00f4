
# restore.sh PACK TARGET PROGRAM WORDS…: PROGRAM reads what stands unpacked in TARGET.
ek_pack=$2 ek_target=$3
shift 3
for ek_v in "$1" ${ek_pack#dir}; do
  command -v "$ek_v" >/dev/null 2>&1 || {
    echo "there is no \`$ek_v\` on the host" >&2
    exit 127
  }
done
case $ek_pack in
  dir) ek_login "$@" "$ek_target" >/dev/null || exit ;;
  cat) ek_login "$@" <"$ek_target" >/dev/null || exit ;;
  *)
    # Half an archive is half a database: it is looked at before a line of it is read.
    "$ek_pack" -t <"$ek_target" || exit 1
    "$ek_pack" -d -c <"$ek_target" | ek_login "$@" >/dev/null || exit
    ;;
esac
printf '%s\n' "$*"
