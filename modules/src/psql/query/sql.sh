
# Runs the statements that it reads; EK_BOUND is nothing, or a program that runs its arguments within a time.
ek_sql() (
  command -v psql >/dev/null 2>&1 || exit 127
  # What was read must not be told if the whole fails: then only where it was.
  ek_out=$(
    ek_login $EK_BOUND psql -X -q -A -t -w -v ON_ERROR_STOP=1 -f -
    ek_rc=$?
    echo .
    exit "$ek_rc"
  )
  ek_rc=$?
  ek_out=${ek_out%.}
  ek_word=${ek_out%%[!0-9a-f]*}
  ek_lines() { printf '%s\n' "$ek_out" | LC_ALL=C sed -n "s/^${ek_word:-none} $1//p"; }
  if [ "$ek_rc" -ne 0 ]; then
    ek_lines '' | grep -v '^rows' | tail -n 1
    exit "$ek_rc"
  fi
  printf '%s' "$ek_out"
  [ -n "$EK_IDLE" ] || exit 0
  case $(ek_lines 'did ' | tr -d '0\n') in '') exit 4 ;; esac
)
