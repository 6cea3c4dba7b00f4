
command -v psql >/dev/null 2>&1 || { printf '%s\0' -; return 0; }
while [ $# -ge 3 ]; do
  printf '%s\0' "${2#?}"
  (
    eval "${1#?}"
    {
      ek_said=$(
        {
          printf '%s\n' "${3#?}" |
            ek_login timeout -k 5 120 psql -X -q -A -t -w -v ON_ERROR_STOP=1 -f - |
            head -c 1000000 >&3
        } 2>&1
      )
    } 3>&1
    printf '\0'
    printf '%s' "$ek_said" | head -c 4000
    printf '\0'
  )
  shift 3
done
