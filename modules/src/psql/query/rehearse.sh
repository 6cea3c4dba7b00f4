
while [ $# -ge 4 ]; do
  printf '%s\0' "${2#?}"
  (
    eval "${1#?}"
    EK_IDLE=${4#?} EK_BOUND='timeout -k 5 30'
    {
      ek_said=$(
        {
          ek_got=$(printf '%s\n' "${3#?}" | ek_sql)
          ek_rc=$?
          # One byte more than is told says that there is more.
          { printf '%s' "$ek_got" | head -c 1000001; printf '\0%s\0' "$ek_rc"; } >&3
        } 2>&1
      )
    } 3>&1
    printf '%s\0' "$(printf '%s' "$ek_said" | head -c 4000)"
  )
  shift 4
done
