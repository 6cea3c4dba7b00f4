
command -v psql >/dev/null 2>&1 || {
  echo 'there is no `psql` (the package `postgresql-client` or `postgresql`)' >&2
  exit 127
}
ek_login psql -X -q -A -t -w -F '	' -v ON_ERROR_STOP=1 -f - || exit
[ -z "$EK_SAID" ] || printf '%s\n' "$EK_SAID"
