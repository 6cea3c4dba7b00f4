
# Runs its arguments with the environment of a login, as the user whom the server expects.
ek_login() {
  LC_ALL=C PGCLIENTENCODING=UTF8 PGCONNECT_TIMEOUT=20 PGAPPNAME=evenkeel
  export LC_ALL PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGCLIENTENCODING PGCONNECT_TIMEOUT PGAPPNAME
  for ek_v in PGSSLMODE PGSSLROOTCERT PGSSLCERT PGSSLKEY; do
    eval "[ -z \"\${$ek_v-}\" ] || export $ek_v"
  done
  [ -n "$PGHOST" ] || unset PGHOST
  [ -n "$PGPORT" ] || unset PGPORT
  [ -n "$PGPASSWORD" ] || unset PGPASSWORD
  unset PGOPTIONS PGSERVICE PGHOSTADDR PSQL_PAGER
  # Root has no role of its own: by the socket it comes as the user of that name.
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
  "$@"
}
