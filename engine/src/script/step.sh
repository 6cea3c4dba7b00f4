# shellcheck shell=sh
# Steps: what changes something.
# shellcheck disable=SC2034,SC2154,SC2015,SC2174  # set by the text around this file; `ek_sick` ends all

# A private directory for what steps print. Of what is done under the lock a record is kept, until
# the next script comes: the answer may be lost with the connection. Who makes the record first, this
# script or one that recalls it, says whether it is carried out.
ek_open_spool() {
  if [ -n "$ek_lock" ]; then
    ek_spool=$ek_dir/spool/x.$ek_nonce
    mkdir -p -m 0700 -- "$ek_spool" || ek_sick 'no directory can be made in it'
    ek_started "$$"
    if ! (set -C; printf '%s %s %s %s\n' "$ek_boot" "$$" "$ek_start" "$ek_parent" >"$ek_dir/spool/r.$ek_nonce") 2>/dev/null; then
      ek_close_spool
      [ -e "$ek_dir/spool/r.$ek_nonce" ] || ek_sick 'no file can be made in it (disk full?)'
      [ -z "$ek_new" ] || ek_unlock
      exit 0
    fi
    ek_rec=$ek_dir/spool/r.$ek_nonce
    for ek_x in "$ek_dir"/spool/x.* "$ek_dir"/spool/r.*; do
      case $ek_x in
        *".$ek_nonce" | *'.*') continue ;;
      esac
      # An empty record keeps a script that may still be on its way from being carried out.
      if [ -d "$ek_x" ] || [ -s "$ek_x" ]; then rm -rf -- "$ek_x"; fi
    done
  else
    ek_scratch || return 1
    ek_spool=$ek_text
  fi
}

ek_close_spool() {
  [ -z "$ek_rec" ] || ek_note end
  [ -z "${ek_spool-}" ] || rm -rf -- "$ek_spool"
}

# ek_noted ek_section WRAPPER OFFSET LENGTH SCRIPT: what the section prints is noted.
ek_noted() {
  [ -n "$ek_rec" ] || { "$@"; return; }
  ek_seek "$3" || return 19
  {
    "$@"
    printf '%s\n' "$?" >"$ek_spool/s"
  } | ek_tee
  ek_pos=$(($3 + $4))
  ek_line "$ek_spool/s"
  return "${ek_text:-19}"
}

# Begins a step, unless nobody listens any more.
ek_begin() {
  ek_say "step $ek_op"
  if [ -n "$ek_gone" ]; then
    ek_next=$ek_end
    return 1
  fi
  ek_note "step $ek_op"
  ek_now
  ek_begun=$ek_time
}

# ek_did HOW STATUS: ends a step with what it printed.
ek_did() {
  ek_now
  ek_x="did $ek_op $1 $2 $((ek_time - ek_begun))0"
  # First what it printed: who finds its end finds that too.
  for ek_k in o e; do
    [ -s "$ek_spool/$ek_k" ] || continue
    case $ek_k in o) ek_y="out $ek_op" ;; *) ek_y="err $ek_op" ;; esac
    ek_both "$ek_y"
    if [ -n "$ek_rec" ]; then ek_clip <"$ek_spool/$ek_k" | ek_tee; else ek_clip <"$ek_spool/$ek_k"; fi
  done
  ek_both "$ek_x"
  case $1 in
    ok) ;;
    edited) ek_next=$ek_end ;;
    *) ek_next=$ek_else ;;
  esac
}

# Beginning and end of what is too long.
ek_clip() {
  head -c "$ek_half"
  tail -c "$ek_half"
}

# ek_act FUNCTION…: a step on files. 3: a file is not what it was.
ek_act() {
  ek_begin || return 0
  "$@" >"$ek_spool/o" 2>"$ek_spool/e"
  ek_s=$?
  case $ek_s in
    0) ek_did ok 0 ;;
    3) ek_did edited 0 ;;
    *)
      ek_mute
      ek_did failed "$ek_s"
      ;;
  esac
}

# Where no message could be written, why not is the message: most likely it is why the step failed, too.
ek_mute() {
  [ ! -s "$ek_spool/e" ] || return 0
  ek_text=$({ head -c 8192 /dev/zero >"$ek_spool/mute"; } 2>&1)
  rm -f -- "$ek_spool/mute"
  [ -z "$ek_text" ] || { ek_say "err $ek_op"; printf '%s\n' "${ek_text##*: }"; }
}

# ek_fail TEXT: the message of a step that failed.
ek_fail() {
  printf '%s\n' "$1" >&2
  return 1
}

# ek_receive LENGTH: from the stream into the file that is open as 8. What is large is summed up while it comes:
# on a long line that costs nothing, and to read it again would.
ek_receive() {
  if [ "$1" -gt 4000000 ] && [ -e /dev/fd/8 ]; then
    # If the file does not take all, the sum is another one.
    ek_come=$(head -c "$1" | { tee -a /dev/fd/8 || echo; } | sha256sum)
  else
    head -c "$1" >&8
  fi
}

# ek_fetch TEMP OFFSET LENGTH: the data of a file. Nobody else can read or has made the file.
# ek_come is its sum, if that was taken.
ek_fetch() {
  ek_seek "$2" || { ek_fail 'its data did not arrive'; return 1; }
  umask 077
  set -C
  ek_come=
  { ek_receive "$3"; } 8>"$1"
  ek_s=$?
  set +C
  umask 022
  if [ "$ek_s" = 0 ]; then
    ek_pos=$(($2 + $3))
  elif [ -e "$1" ]; then
    # How much was read cannot be known: what comes later in the stream is lost.
    ek_broken=1
  fi
  return "$ek_s"
}

# ek_batch STAGES…: many small files at once, by the functions ek_prepare and ek_commit, which stand
# before this call. After it ek_all is set if all is done; else ek_ok lists what is.
ek_batch() {
  if ek_prepare 2>/dev/null; then
    set +C
    umask 022
    ek_all=1
    ek_commit 2>/dev/null
  fi
  set +C
  umask 022
  rm -rf -- "$@"
}

# ek_absent PATHS…: whether nothing is there.
ek_absent() {
  for ek_x in "$@"; do
    [ ! -e "$ek_x" ] && [ ! -L "$ek_x" ] || return 1
  done
}

# ek_files PATHS…: whether each is a file itself.
ek_files() {
  for ek_x in "$@"; do
    [ -f "$ek_x" ] && [ ! -L "$ek_x" ] || return 1
  done
}

# ek_keep TEMP OWNER GROUP MODE, then user, group and mode of the old file, and of TEMP.
ek_keep() {
  if [ -n "$2$3" ] || [ "$5 $6" != "$8 $9" ]; then
    chown -h -- "${2:-$5}:${3:-$6}" "$1" || return 1
  fi
  chmod -- "${4:-0$7}" "$1"
}

# ek_landed INDEX TEMP: whether a file is in its place.
ek_landed() {
  if [ -e "$2" ] || [ -L "$2" ]; then
    ek_all=
    return
  fi
  ek_both "step $1"
  ek_both "did $1 ok 0 0"
  ek_ok="$ek_ok $1"
}

# ek_write PATH TEMP OFFSET LENGTH SHA WAS OWNER GROUP MODE NEW_MODE VALIDATE…
# WAS: empty (anything), `-` (nothing is there) or a SHA.
ek_write() {
  ek_path=$1 ek_tmp=$2 ek_off=$3 ek_len=$4 ek_sha=$5 ek_was=$6 ek_owner=$7 ek_group=$8 ek_mode=$9
  shift 9
  ek_new_mode=$1
  shift
  ek_judged=
  if ek_put "$@"; then return 0; else ek_s=$?; fi
  [ ! -e "$ek_tmp" ] || rm -f -- "$ek_tmp"
  # The validator's status must not be taken for one of ours, nor ours for one of its.
  case $ek_judged:$ek_s in
    3:* | 125:*) return 1 ;;
    ?*:*) return "$ek_judged" ;;
    :3) return 3 ;;
    *) return 125 ;;
  esac
}

ek_put() {
  ek_fetch "$ek_tmp" "$ek_off" "$ek_len" || return 1
  # The probe of digests knows a file again that has just come.
  if [ -n "$ek_come" ]; then
    ek_sealed=$ek_path ek_sealed_sum=${ek_come%% *}
    ek_seal=$(stat -c '%d %i %s %y' -- "$ek_tmp") || return 1
  fi
  ek_there=
  if [ -e "$ek_path" ] || [ -L "$ek_path" ]; then ek_there=1; fi
  case $ek_was in
    '') ;;
    -) [ -z "$ek_there" ] || return 3 ;;
    *) [ -f "$ek_path" ] || return 3 ;;
  esac
  case $ek_was:$ek_come in
    : | -:) ek_sums=$(sha256sum -- "$ek_tmp") ;;
    :* | -:*) ek_sums=$ek_come ;;
    *:?*) ek_sums=$ek_come$ek_nl$(sha256sum -- "$ek_path") ;;
    *) ek_sums=$(sha256sum -- "$ek_tmp" "$ek_path") ;;
  esac
  # A line begins with `\` if the name in it needed escapes.
  ek_got=${ek_sums%%"$ek_nl"*} ek_now_is=${ek_sums##*"$ek_nl"}
  ek_got=${ek_got#\\} ek_now_is=${ek_now_is#\\}
  [ "${ek_got%% *}" = "$ek_sha" ] || { ek_fail 'its content did not arrive whole'; return 1; }
  case $ek_was in
    '' | -) ;;
    *) [ "${ek_now_is%% *}" = "$ek_was" ] || return 3 ;;
  esac
  ek_dress || return 1
  if [ $# -gt 0 ]; then
    (trap - PIPE HUP; exec timeout -k 5 300 "$@") </dev/null || { ek_judged=$?; return 1; }
  fi
  sync -- "$ek_tmp" && mv -T -f -- "$ek_tmp" "$ek_path"
}

# Owner and mode of the new file: as asked, else as the old file has them.
ek_dress() {
  if [ -f "$ek_path" ] && [ ! -L "$ek_path" ]; then
    ek_both=$(stat -c '%u %g %a' -- "$ek_path" "$ek_tmp") || return 1
    ek_old=${ek_both%%"$ek_nl"*} ek_fresh=${ek_both##*"$ek_nl"}
    ek_mode=${ek_mode:-0${ek_old##* }}
    if [ -n "$ek_owner$ek_group" ] || [ "${ek_old% *}" != "${ek_fresh% *}" ]; then
      ek_ug=${ek_old% *}
      chown -- "${ek_owner:-${ek_ug% *}}:${ek_group:-${ek_ug#* }}" "$ek_tmp" || return 1
    fi
  elif [ -n "$ek_owner$ek_group" ]; then
    chown -- "$ek_owner${ek_group:+:$ek_group}" "$ek_tmp" || return 1
  fi
  chmod -- "${ek_mode:-$ek_new_mode}" "$ek_tmp"
}

# ek_attrs PATH FOLLOW RECURSE OWNER GROUP MODE MTIME ATIME; FOLLOW and RECURSE: 1 or empty.
ek_attrs() {
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then ek_fail "\`$1\` does not exist"; return 1; fi
  ek_link=
  if [ -z "$2" ] && [ -L "$1" ]; then ek_link=1; fi
  if [ -n "$4$5" ]; then
    if [ -n "$3" ]; then
      # Links below it are changed themselves, not what they lead to.
      if [ -n "$2" ]; then set -- "$@" -R -H -h; else set -- "$@" -R -P -h; fi
    elif [ -z "$2" ]; then
      set -- "$@" -h
    fi
    ek_p=$1 ek_ug=$4${5:+:$5} ek_m=$6 ek_mt=$7 ek_at_=$8 ek_rec=$3
    shift 8
    chown "$@" -- "$ek_ug" "$ek_p" || return 1
  else
    ek_p=$1 ek_m=$6 ek_mt=$7 ek_at_=$8 ek_rec=$3
  fi
  if [ -n "$ek_m" ] && [ -z "$ek_link" ]; then
    chmod ${ek_rec:+-R} -- "$ek_m" "$ek_p" || return 1
  fi
  if [ -n "$ek_mt" ]; then touch -c ${ek_link:+-h} -m -d "$ek_mt" -- "$ek_p" || return 1; fi
  if [ -n "$ek_at_" ]; then touch -c ${ek_link:+-h} -a -d "$ek_at_" -- "$ek_p" || return 1; fi
}

# ek_directory PATH OWNER GROUP MODE MTIME ATIME
ek_directory() {
  if [ ! -d "$1" ]; then
    if [ -n "$2$3$4" ]; then mkdir -m 0700 -- "$1"; else mkdir -- "$1"; fi || return 1
    [ -z "$2$3" ] || [ -n "$4" ] || set -- "$1" "$2" "$3" 00755 "$5" "$6"
  fi
  [ -z "$2$3$4$5$6" ] || ek_attrs "$1" 1 '' "$2" "$3" "$4" "$5" "$6"
}

# ek_place_at TEMP PATH: renames, or cleans up.
ek_place_at() {
  mv -T -f -- "$1" "$2" || { rm -rf -- "$1"; return 1; }
}

# ek_symlink PATH TEMP TARGET
ek_symlink() { ln -s -T -- "$3" "$2" && ek_place_at "$2" "$1"; }

# ek_hardlink PATH TEMP TARGET
ek_hardlink() {
  # `mv` refuses two names of one file.
  # shellcheck disable=SC3013  # dash and bash have it
  if [ ! -L "$1" ] && [ "$1" -ef "$3" ]; then return 0; fi
  ln -T -- "$3" "$2" && ek_place_at "$2" "$1"
}

# ek_copy TO TEMP FROM
ek_copy() {
  if cp -a -T -- "$3" "$2"; then ek_place_at "$2" "$1"; else rm -rf -- "$2"; return 1; fi
}

# ek_remove PATH
ek_remove() {
  case $1 in
    /*[!/.]*) rm -rf -- "$1" ;;
    *) ek_fail "\`$1\` is not removed: it is no path below the root" ;;
  esac
}

# ek_settle HUNDREDTHS SUM FUNCTION…: waits until the function prints what has the sum.
ek_settle() {
  ek_now
  ek_until=$((ek_time + $1)) ek_want=$2 ek_naps=0
  shift 2
  while :; do
    ek_sum "$@"
    [ "$ek_got" != "$ek_want" ] || return 0
    ek_now
    if [ "$ek_time" -ge "$ek_until" ] || ek_stopping; then
      ek_fail 'it did not come about in time'
      return 1
    fi
    if [ "$ek_naps" -lt 5 ]; then sleep 0.1; else sleep 0.5; fi
    ek_naps=$((ek_naps + 1))
  done
}

# ek_input OFFSET LENGTH: base64 from the stream, into ek_in.
ek_input() {
  ek_in=
  [ "$2" -gt 0 ] || return 0
  ek_seek "$1" || return 1
  ek_in=$(head -c "$2")
  ek_pos=$(($1 + $2))
  [ "${#ek_in}" -eq "$2" ] || { ek_broken=1; return 1; }
}

# ek_run SECONDS ACCEPTED OFFSET LENGTH FUNCTION
ek_run() {
  ek_begin || return 0
  ek_secs=$1
  : >"$ek_spool/o"
  if ! ek_input "$3" "$4"; then
    printf 'its input did not arrive\n' >"$ek_spool/e"
    ek_did failed 1
    return
  fi
  if [ -n "$ek_in" ]; then
    printf '%s' "$ek_in" 2>/dev/null | base64 -d 2>/dev/null |
      (trap - PIPE HUP; "$5") >"$ek_spool/o" 2>"$ek_spool/e"
    ek_s=$?
    ek_in=
  else
    (trap - PIPE HUP; "$5") </dev/null >"$ek_spool/o" 2>"$ek_spool/e"
    ek_s=$?
  fi
  ek_now
  case $ek_s in
    124 | 137)
      if [ "$1" -gt 0 ] && [ $((ek_time - ek_begun)) -ge $(($1 * 100 - 2)) ]; then
        ek_did timedout "$ek_s"
        return
      fi
      ;;
  esac
  case " $2 " in
    '  ' | *" $ek_s "*) ek_did ok "$ek_s" ;;
    *) ek_did failed "$ek_s" ;;
  esac
}

# ek_go ARGV…: becomes the program; at the end of a function that made its environment.
ek_go() {
  if [ "$ek_secs" -gt 0 ]; then exec timeout -k 10 "$ek_secs" "$@"; fi
  command -v -- "$1" >/dev/null 2>&1 || { printf '%s: no such program\n' "$1" >&2; exit 127; }
  exec "$@"
}

# What runs a long step: notes itself, waits for it, leaves its status by rename.
# shellcheck disable=SC2016  # another shell expands it
ek_watch='
ek_d=$1 ek_l=$2 ek_s=$3
shift 3
IFS= read -r ek_t </proc/$$/stat
IFS= read -r ek_b </proc/sys/kernel/random/boot_id
ek_p=$$
ek_start() { shift 19; ek_t=$1; }
ek_start ${ek_t##*) }
[ ! -d "$ek_l" ] || printf "long %s %s %s\n" "$ek_b" "$ek_p" "$ek_t" >>"$ek_l/procs"
printf "%s %s %s\n" "$ek_b" "$ek_p" "$ek_t" >"$ek_d/pid.new"
mv -f -- "$ek_d/pid.new" "$ek_d/pid" || exit
read -r ek_from ek_r </proc/uptime
"$@" >"$ek_d/o" 2>"$ek_d/e"
ek_r=$?
read -r ek_to ek_x </proc/uptime
ek_ms=$(( ${ek_to%.*}${ek_to#*.} - ${ek_from%.*}${ek_from#*.} ))
ek_out=0
case $ek_r in
  124|137) [ "$ek_s" -eq 0 ] || [ "$ek_ms" -lt $((ek_s * 100 - 2)) ] || ek_out=1 ;;
esac
printf "%s %s0 %s\n" "$ek_r" "$ek_ms" "$ek_out" >"$ek_d/status.new"
sync -- "$ek_d/status.new"
mv -f -- "$ek_d/status.new" "$ek_d/status"
'

# `timeout 0` gives a long step a process group of its own.
ek_launch() {
  timeout 0 "$ek_shell" -c "$ek_watch" sh "$ek_ld" "$ek_lock" "$ek_secs" "$@"
}

# ek_long NAME SECONDS ACCEPTED OFFSET LENGTH WRAPPER SCRIPT: starts a long step; its script and its
# input are in the stream.
ek_long() {
  ek_begin || return 0
  ek_ld=$ek_dir/spool/$1 ek_secs=$2
  : >"$ek_spool/o"
  if [ -e "$ek_ld" ]; then
    printf 'a long step of this name was started before\n' >"$ek_spool/e"
    ek_did failed 1
    return
  fi
  if ! { mkdir -p -m 0700 -- "$ek_ld" && printf '%s\n' "$3" >"$ek_ld/ok"; } 2>"$ek_spool/e"; then
    ek_did failed 1
    return
  fi
  if ! ek_input "$4" "$5"; then
    printf 'its script did not arrive\n' >"$ek_spool/e"
    rm -rf -- "$ek_ld"
    ek_did failed 1
    return
  fi
  shift 5
  printf '%s' "$ek_in" 2>/dev/null | base64 -d 2>/dev/null |
    (
      # Not by a redirection of the whole: the shell would keep the old stdout open beside it.
      exec >/dev/null 2>&1
      ek_pre=ek_launch ek_limit=$ek_secs
      "$@"
    ) &
  ek_in=
  ek_naps=0
  while [ ! -e "$ek_ld/pid" ] && [ "$ek_naps" -lt 500 ]; do
    sleep 0.01
    ek_naps=$((ek_naps + 1))
  done
  ek_did ok 0
}

# ek_standing NAME: how a long step stands, in ek_stands.
ek_standing() {
  ek_ld=$ek_dir/spool/$1 ek_stands=lost
  if [ -e "$ek_ld/pid" ]; then
    IFS=' ' read -r ek_b ek_p ek_st <"$ek_ld/pid"
    ek_started "$ek_p"
    if [ "$ek_b" = "$ek_boot" ] && [ -n "$ek_start" ] && [ "$ek_start" = "$ek_st" ]; then
      ek_stands=running
    fi
  fi
  # Looked at last: it may have ended while this looked.
  [ ! -e "$ek_ld/status" ] || ek_stands=ended
}

# ek_await HUNDREDTHS NAMES…
ek_await() {
  ek_now
  ek_until=$((ek_time + $1)) ek_nap=0.02
  shift
  while :; do
    ek_some=
    for ek_n in "$@"; do
      ek_standing "$ek_n"
      [ "$ek_stands" = running ] || ek_some=1
    done
    ek_now
    if [ -n "$ek_some" ] || [ "$ek_time" -ge "$ek_until" ] || ek_stopping; then break; fi
    sleep "$ek_nap"
    case $ek_nap in 0.02) ek_nap=0.05 ;; *) ek_nap=0.2 ;; esac
  done
  ek_say "awaited $ek_op"
  for ek_n in "$@"; do
    ek_standing "$ek_n"
    case $ek_stands in
      ended)
        ek_line "$ek_ld/status"
        ek_st=$ek_text
        ek_line "$ek_ld/ok"
        ek_say "long $ek_op $ek_n $ek_stands $ek_st $ek_text"
        if [ -s "$ek_ld/o" ]; then ek_say "lout $ek_op $ek_n"; ek_clip <"$ek_ld/o"; fi
        if [ -s "$ek_ld/e" ]; then ek_say "lerr $ek_op $ek_n"; ek_clip <"$ek_ld/e"; fi
        ;;
      *) ek_say "long $ek_op $ek_n $ek_stands" ;;
    esac
  done
}

# ek_drop NAMES…: removes the spools of long steps whose end is known.
ek_drop() {
  for ek_n in "$@"; do
    ek_standing "$ek_n"
    [ "$ek_stands" = running ] || [ ! -e "$ek_ld" ] || rm -rf -- "$ek_ld"
  done
  ek_say "wrote $ek_op"
}

# ek_recall NONCE HUNDREDTHS: what became of the script with this nonce; waits so long for its end.
ek_recall() {
  ek_d=$ek_dir/spool ek_r=$ek_dir/spool/r.$1 ek_rec=
  [ -d "$ek_d" ] || mkdir -p -m 0700 -- "$ek_d" 2>/dev/null || ek_sick 'no directory can be made in it'
  if (set -C; : >"$ek_r") 2>/dev/null; then
    # It cannot begin any more.
    ek_say never
    ek_say fin
    return
  fi
  [ -e "$ek_r" ] || ek_sick 'no file can be made in it (disk full?)'
  ek_now
  ek_until=$((ek_time + $2)) ek_hung=
  while :; do
    ek_line "$ek_r"
    # An empty one was made by a recall before this one.
    [ -n "$ek_text" ] || { ek_say never; ek_say fin; return; }
    IFS=' ' read -r ek_b ek_p ek_st ek_c <"$ek_r"
    [ "$ek_b" = "$ek_boot" ] || break
    ek_started "$ek_p"
    [ -n "$ek_start" ] && [ "$ek_start" = "$ek_st" ] || break
    ek_hang_up "$ek_c"
    ek_now
    if [ "$ek_time" -ge "$ek_until" ]; then
      ek_say going
      ek_say fin
      return
    fi
    sleep 0.1
  done
  ek_same=1
  [ "$ek_b" = "$ek_boot" ] || ek_same=0
  ek_say "over $ek_same"
  ek_say fin
  cat -- "$ek_r"
}

# ek_hang_up PID: a lost connection may live on at this end, and its script with it, which waits for
# data that never come. Only a server's own process for that connection is ended.
ek_hang_up() {
  [ -z "$ek_hung" ] && [ "$1" != "$ek_parent" ] || return 0
  ek_hung=1
  ek_line "/proc/$1/comm"
  case $ek_text in sshd*) kill -TERM "$1" 2>/dev/null || : ;; esac
}
