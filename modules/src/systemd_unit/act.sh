# Starts, restarts or reloads a unit, and sees whether it comes up, stays up and answers.
# SCOPE VERB UNIT BLOCK STEADY LIMIT HEALTH A B PATIENCE
# shellcheck shell=sh
# shellcheck disable=SC1007,SC2016,SC2034  # texts are emptied; bash gets its own `$1`
LC_ALL=C; export LC_ALL
scope=$1 verb=$2 unit=$3 block=$4 steady=$5 limit=$6 health=$7 a=$8 b=$9
shift 9
patience=$1
if [ "$scope" = user ]; then
  XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; export XDG_RUNTIME_DIR
fi

sc() { systemctl "--$scope" --no-pager "$@"; }

look() {
  load= error= active= sub= result= code= status= restarts= stale= type= remain= files=
  while IFS= read -r line; do
    case $line in
      LoadState=*) load=${line#*=} ;;
      LoadError=*) error=${line#*=} ;;
      ActiveState=*) active=${line#*=} ;;
      SubState=*) sub=${line#*=} ;;
      Result=*) result=${line#*=} ;;
      ExecMainCode=*) code=${line#*=} ;;
      ExecMainStatus=*) status=${line#*=} ;;
      NRestarts=*) restarts=${line#*=} ;;
      NeedDaemonReload=*) stale=${line#*=} ;;
      Type=*) type=${line#*=} ;;
      RemainAfterExit=*) remain=${line#*=} ;;
      EnvironmentFiles=*' (ignore_errors=no)') line=${line#*=} files="$files${line% (*}
" ;;
    esac
  done <<EOF
$(sc show -p LoadState,LoadError,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus \
  -p NRestarts,NeedDaemonReload,Type,RemainAfterExit,EnvironmentFiles -- "$unit" 2>/dev/null </dev/null)
EOF
}

# Hundredths of a second, of a clock that nobody sets.
clock() {
  read -r now now_idle </proc/uptime
  now=$((${now%%.*} * 100 + 1${now#*.} - 100))
}

nap() { sleep 0.2 2>/dev/null || sleep 1; }

# report WHAT STATUS: what is the matter, and what was written about it.
report() {
  clock
  printf '%s\n' "what=$1" "load=$load" "error=$error" "active=$active" "sub=$sub" "result=$result" \
    "code=$code" "status=$status" "restarts=${restarts:-0}" "type=$type" "after=$((now - begun))"
  [ -z "$answer" ] || printf 'answer=%s\n' "$answer"
  printf '%s' "$files" | while IFS= read -r file; do
    [ -e "$file" ] || printf 'missing=%s\n' "$file"
  done
  [ -z "$said" ] || printf '%s\n' "$said" | sed 's/^/said=/'
  printf '\n'
  journalctl --sync >/dev/null 2>&1
  case $scope in user) by=--user-unit ;; *) by=--unit ;; esac
  for host in --no-hostname -q; do
    journalctl "$by=$unit" -q --no-pager "$host" -n 20 --since "@$since" 2>/dev/null </dev/null && break
  done
  exit "$2"
}

# What the unit's health check says now; 0: it answers.
healthy() {
  case $health in
    url | url_of_anybody)
      # Options of curl and of wget.
      case $health in *anybody) set -- --insecure --no-check-certificate ;; *) set -- '' '' ;; esac
      if command -v curl >/dev/null 2>&1; then
        answer=$(curl ${1:+"$1"} -sS -m 5 -o /dev/null -w '%{http_code}' -- "$a" 2>&1 </dev/null)
        case ",$b," in
          *",$answer,"*) return 0 ;;
          ,,) case $answer in 2?? | 3??) return 0 ;; esac ;;
        esac
        case $answer in [1-5]??) answer="HTTP status $answer" ;; *) answer=${answer%000} ;; esac
        return 1
      fi
      command -v wget >/dev/null 2>&1 || { answer='neither curl nor wget is there'; return 1; }
      answer=$(wget ${2:+"$2"} -q -S -T 5 -t 1 -O /dev/null -- "$a" 2>&1 </dev/null) && return 0
      answer=$(printf '%s\n' "$answer" | head -n 1)
      return 1 ;;
    port)
      if command -v bash >/dev/null 2>&1; then
        timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$a" "$b" >/dev/null 2>&1 </dev/null && return 0
      else
        nc -z -w 5 "$a" "$b" >/dev/null 2>&1 </dev/null && return 0
      fi
      answer="nothing accepts a connection at $a:$b"
      return 1 ;;
    command)
      answer=$(timeout 30 sh -c "$a" 2>&1 </dev/null) && { answer=; return 0; }
      answer="status $?: $(printf '%s\n' "$answer" | tail -n 1)"
      return 1 ;;
  esac
}

said= answer=
if [ "$verb" = ask ]; then
  [ -z "$unit" ] || sc is-active --quiet -- "$unit" </dev/null || exit 3
  healthy
  exit
fi
clock
begun=$now
if [ "$verb" = check ]; then
  look
else
  since=$(date +%s)
  look
  # The files as they are now, whoever wrote them.
  if [ "$stale" = yes ] || [ "$load" != loaded ]; then sc daemon-reload </dev/null || exit 1; look; fi
  # A new attempt is not refused because earlier ones came too fast.
  case $active in failed) sc reset-failed -- "$unit" >/dev/null 2>&1 ;; esac
  # Else it would wait until systemd tries again by itself.
  case $verb/$sub in start/auto-restart*) verb=restart ;; esac
  before=${restarts:-0}
  if [ "$block" = no ]; then exec systemctl "--$scope" "$verb" --no-block -- "$unit"; fi
  said=$(timeout "$limit" systemctl "--$scope" --no-pager "$verb" -- "$unit" 2>&1 </dev/null)
  ended=$?
  look
  # The counter begins anew with an attempt of ours, unless this systemd is an old one.
  [ "${restarts:-0}" -ge "$before" ] || before=0
  if [ "$ended" = 124 ]; then report late 21; fi
  if [ "$ended" != 0 ]; then report start 21; fi
  said=
  if [ "$verb" = reload ] || { [ "$type" = oneshot ] && [ "$remain" = no ]; }; then steady=0; fi
  case $unit in *.service) ;; *) steady=0 ;; esac
  clock
  up=$now
  while [ "$steady" -gt 0 ]; do
    case $active/$sub in
      active/* | reloading/* | refreshing/* | activating/start* | activating/reload*) ;;
      *) report died 21 ;;
    esac
    [ "${restarts:-0}" -le "$before" ] || report died 21
    clock
    [ "$((now - up))" -lt "$((steady * 100))" ] || break
    nap
    look
  done
fi
[ "$health" != none ] || exit 0
clock
first=$now
until healthy; do
  clock
  [ "$((now - first))" -lt "$((patience * 100))" ] || { since=${since:-$(($(date +%s) - 60))}; report sick 22; }
  nap
  look
  case $active in
    active | reloading | refreshing | activating) ;;
    *) since=${since:-$(($(date +%s) - 60))}; report died 21 ;;
  esac
done
