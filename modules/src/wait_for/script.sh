# Looks once (`wf_reached`) or waits (`wf_wait`). Both take a kind and five operands; what is
# reached prints the line that was looked for, if one was.

wf_clock() {
  # Seconds of a clock that nobody sets, where there is one.
  if { read -r wf_t wf_x </proc/uptime; } 2>/dev/null; then wf_t=${wf_t%%.*}; else wf_t=$(date +%s); fi
}

# A connection to HOST PORT within so many seconds. 0: open, 1: not, 2: nothing here can connect.
wf_connect() {
  if command -v bash >/dev/null 2>&1; then
    timeout "$3" bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$1" "$2" </dev/null >/dev/null 2>&1 || return 1
  elif command -v nc >/dev/null 2>&1; then
    timeout "$3" nc -z "$1" "$2" </dev/null >/dev/null 2>&1 || return 1
  elif command -v python3 >/dev/null 2>&1; then
    timeout "$3" python3 -c 'import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])))' "$1" "$2" </dev/null >/dev/null 2>&1 || return 1
  else
    return 2
  fi
}

# Whether there is a socket of PORT in one of STATES whose own address is one of LOCALS (none: any)
# and whose other end is none of OTHERS.
wf_sockets() {
  wf_p=$(printf ':%04X' "$1")
  (
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r wf_n wf_l wf_r wf_s wf_x; do
      case $wf_l in *"$wf_p") ;; *) continue ;; esac
      case " $2 " in *" $wf_s "*) ;; *) continue ;; esac
      case " $3 " in '  ') ;; *" ${wf_l%:*} "*) ;; *) continue ;; esac
      case " $4 " in *" ${wf_r%:*} "*) continue ;; esac
      exit 7
    done
  )
  [ $? = 7 ]
}

# What listens at HOST PORT; LOCALS are the addresses that answer for this host, none if it is
# another. A server of this machine does not notice that it is looked for.
wf_open() {
  if [ -n "$4" ] && wf_sockets "$2" 0A "$4" ''; then return 0; fi
  wf_connect "$1" "$2" "$3"
  wf_s=$?
  # Of this machine the kernel's own list is enough.
  if [ $wf_s = 2 ] && [ -n "$4" ] && [ -r /proc/net/tcp ]; then return 1; fi
  return $wf_s
}

# 0: reached, 1: not yet, 2: this host cannot tell.
wf_reached() {
  case $1 in
    open) wf_open "$2" "$3" "$4" "$5" ;;
    shut)
      wf_open "$2" "$3" "$4" "$5"
      case $? in 0) return 1 ;; 1) return 0 ;; *) return 2 ;; esac ;;
    drained)
      [ -r /proc/net/tcp ] || return 2
      if wf_sockets "$2" "$3" "$4" "$5"; then return 1; fi ;;
    there) [ -e "$2" ] || return 1 ;;
    gone) if [ -e "$2" ]; then return 1; fi ;;
    line)
      wf_l=$(LC_ALL=C grep -a -E -m 1 -e "$(printf '%b' "$3")" -- "$2" 2>/dev/null </dev/null)
      case $? in
        0) printf '%s\n' "$wf_l" | cut -b 1-4096 ;;
        126 | 127) return 2 ;;
        *) return 1 ;;
      esac ;;
    says)
      command -v bash >/dev/null 2>&1 || return 2
      wf_connect "$2" "$3" "$4" || return 1
      wf_clock
      wf_left=$((wf_end - wf_t))
      [ $wf_left -gt 0 ] || wf_left=1
      LC_ALL=C timeout "$wf_left" bash -c '
        exec 3<>"/dev/tcp/$1/$2" || exit 1
        got=
        while :; do
          IFS= read -r -t 1 part <&3
          status=$?
          got=$got$part
          if [[ $got =~ $3 ]]; then printf "%s\n" "$got"; exit 0; fi
          if [ $status = 0 ]; then got=; elif [ $status -le 128 ]; then exit 1; fi
          [ ${#got} -le 65536 ] || got=${got: -4096}
        done' bash "$2" "$3" "$(printf '%b' "$5")" 2>/dev/null </dev/null || return 1 ;;
    *) return 1 ;;
  esac
}

# LIMIT DELAY SLEEP, then what is waited for. 0: it came, 1: it did not, 3: this host cannot tell.
wf_wait() {
  wf_clock
  wf_end=$((wf_t + $1)) wf_delay=$2 wf_sleep=$3
  shift 3
  [ "$wf_delay" = 0 ] || sleep "$wf_delay"
  while :; do
    wf_reached "$@"
    case $? in 0) return 0 ;; 2) return 3 ;; esac
    wf_clock
    wf_left=$((wf_end - wf_t))
    [ $wf_left -gt 0 ] || return 1
    if [ $wf_left -gt "$wf_sleep" ]; then wf_left=$wf_sleep; fi
    sleep "$wf_left"
  done
}
