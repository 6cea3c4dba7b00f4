command -v psql >/dev/null 2>&1 || {
  echo 'there is no `psql` (the package `postgresql-client` or `postgresql`)' >&2
  exit 127
}
PGCLIENTENCODING=UTF8 PGCONNECT_TIMEOUT=20 PGAPPNAME=evenkeel
export PGCLIENTENCODING PGCONNECT_TIMEOUT PGAPPNAME
[ -n "$PGHOST" ] || unset PGHOST
[ -n "$PGPORT" ] || unset PGPORT
[ -n "$PGPASSWORD" ] || unset PGPASSWORD
unset PGOPTIONS PGSERVICE PGHOSTADDR PSQL_PAGER
set -- psql -X -q -A -t -w -F '	' -v ON_ERROR_STOP=1 -f -
case ${PGHOST-/} in
  /*)
    if [ -z "${PGPASSWORD-}" ] && [ "$(id -u)" = 0 ] && [ "$PGUSER" != root ] &&
      id -u -- "$PGUSER" >/dev/null 2>&1; then
      if command -v setpriv >/dev/null 2>&1; then
        set -- setpriv --reuid "$PGUSER" --regid "$(id -g -- "$PGUSER")" --init-groups -- "$@"
      else
        set -- runuser -u "$PGUSER" -- "$@"
      fi
    fi
    ;;
esac
"$@" || exit
[ -z "$EK_SAID" ] || printf '%s\n' "$EK_SAID"
