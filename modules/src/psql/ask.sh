
command -v psql >/dev/null 2>&1 || { printf '%s\n' -; return 0; }
# All questions of one login go to one psql, those of others wait behind them.
while [ $# -gt 0 ]; do
  ek_login=$1 ek_left=$(($# / 3)) ek_sql='' ek_tokens=''
  while [ "$ek_left" -gt 0 ]; do
    if [ "$1" = "$ek_login" ]; then
      ek_tokens="$ek_tokens ${2#?}"
      ek_sql="$ek_sql${3#?}
"
    else
      set -- "$@" "$1" "$2" "$3"
    fi
    shift 3
    ek_left=$((ek_left - 1))
  done
  (
    eval "${ek_login#?}"
    {
      ek_said=$(
        {
          printf '%s\n' 'SET default_transaction_read_only = on;' \
            'SET search_path = pg_catalog; SET client_min_messages = error;' \
            "SET standard_conforming_strings = on; SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC';" \
            "SET statement_timeout = '60s'; SET lock_timeout = '10s';" "$ek_role" \
            '\set ON_ERROR_STOP 0' "$ek_sql"
        } | ek_login timeout -k 5 120 psql -X -q -A -t -w -F '	' -v ON_ERROR_STOP=1 -f - 2>&1 >&3 3>&-
      )
    } 3>&1
    if [ -n "$ek_said" ]; then
      ek_said=$(printf '%s' "$ek_said" | head -c 4000 | tr '\n\t' '\001 ')
      for ek_v in $ek_tokens; do printf '!%s\t%s\n' "$ek_v" "$ek_said"; done
    fi
  )
done
