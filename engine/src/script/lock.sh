# shellcheck shell=sh
# The lock and the writing of the ledger.
#
# `lock/` holds one directory, named RUN.NONCE: its `holder` is a text, its `procs` lists the
# processes that hold it, and `taker/`, of the same form as `lock/`, appears when all of them are
# dead and somebody takes over. It comes into being whole, by rename; so does `taker/`. Only who has
# the deepest `taker/` may remove the dead ones above it.
# shellcheck disable=SC2034,SC2154,SC2015,SC2174  # set by the text around this file; `ek_sick` ends all

# ek_started PID: when the process started, in ek_start; empty if it is dead.
ek_started() {
  ek_start=
  { IFS= read -r ek_text <"/proc/$1/stat"; } 2>/dev/null || return 0
  # shellcheck disable=SC2086  # split into fields; what stands before them may hold blanks
  set -- ${ek_text##*) }
  [ "${1-Z}" = Z ] || [ $# -lt 20 ] || { shift 19; ek_start=$1; }
}

# ek_join WHAT PID: notes a process as one that holds the lock.
ek_join() {
  ek_started "$2"
  [ -z "$ek_start" ] || printf '%s %s %s %s\n' "$1" "$ek_boot" "$2" "$ek_start" >>"$3/procs"
}

# ek_held DIR: whether anybody who holds it lives. Of this run only scripts count, but not this one.
ek_held() {
  case ${1##*/} in "$ek_run".*) ek_own=1 ;; *) ek_own= ;; esac
  ek_live=1
  # Gone while this looked: nobody can be said to be dead.
  [ -r "$1/procs" ] || return 0
  while IFS=' ' read -r ek_what ek_b ek_p ek_st; do
    [ "$ek_b" = "$ek_boot" ] || continue
    if [ -n "$ek_own" ]; then
      [ "$ek_what" = script ] && [ "$ek_p" != "$$" ] || continue
    fi
    ek_started "$ek_p"
    if [ -n "$ek_start" ] && [ "$ek_start" = "$ek_st" ]; then
      ek_live=0
      break
    fi
  done <"$1/procs"
  return "$ek_live"
}

# Tries to get the lock: 0 if it is got (ek_lock), 1 if somebody holds it (ek_holder).
ek_grab() {
  ek_take=$ek_dir/take.$ek_nonce ek_d=$ek_dir/lock ek_tries=0
  for ek_t in "$ek_d/$ek_run".*; do
    [ -d "$ek_t" ] || continue
    ek_line "$ek_t/holder"
    ek_holder=$ek_text
    ek_held "$ek_t" && return 1
    if [ ! -e "$ek_t/taker" ]; then
      ek_lock=$ek_t
      return 0
    fi
  done
  while :; do
    if [ ! -e "$ek_d" ]; then
      if [ ! -d "$ek_take" ]; then
        mkdir -p -- "$ek_take/$ek_run.$ek_nonce" || ek_sick 'no directory can be made in it'
        printf '%s\n' "$ek_mine" >"$ek_take/$ek_run.$ek_nonce/holder"
        ek_join script "$$" "$ek_take/$ek_run.$ek_nonce"
        ek_join connection "$ek_parent" "$ek_take/$ek_run.$ek_nonce"
      fi
      mv -T -- "$ek_take" "$ek_d" 2>/dev/null && break
      ek_tries=$((ek_tries + 1))
      [ "$ek_tries" -lt 20 ] || ek_sick 'the lock cannot be made'
      # The dead may have been removed by who took over: from the top again.
      ek_d=$ek_dir/lock
      continue
    fi
    ek_t=
    for ek_x in "$ek_d"/*; do ek_t=$ek_x; done
    ek_line "$ek_t/holder"
    ek_holder=$ek_text
    if [ ! -r "$ek_t/procs" ]; then
      ek_tries=$((ek_tries + 1))
      [ "$ek_tries" -lt 20 ] || return 1
      ek_d=$ek_dir/lock
      continue
    fi
    ek_held "$ek_t" && return 1
    ek_d=$ek_t/taker
  done
  ek_new=1
  if [ "$ek_d" != "$ek_dir/lock" ]; then
    ek_took=1
    ek_dead=$ek_dir/dead.$ek_nonce
    mv -T -- "$ek_dir/lock" "$ek_dead" || return 1
    mv -T -- "$ek_dead${ek_d#"$ek_dir/lock"}" "$ek_dir/lock" 2>/dev/null || ek_new=
    rm -rf -- "$ek_dead"
    [ -n "$ek_new" ] || return 1
  fi
  ek_lock=$ek_dir/lock/$ek_run.$ek_nonce
}

# ek_acquire SERIAL WAIT HOLDER: takes the lock, or says who has it or that the ledger is newer.
ek_acquire() {
  ek_mine=$3 ek_new='' ek_took=''
  if [ ! -d "$ek_dir" ]; then
    mkdir -p -- "${ek_dir%/*}" && mkdir -m 0700 -- "$ek_dir" || ek_sick 'it cannot be made'
  fi
  ek_now
  ek_until=$((ek_time + $2))
  until ek_grab; do
    ek_lock=
    ek_now
    if [ "$ek_time" -ge "$ek_until" ] || [ -n "$ek_gone" ]; then
      [ ! -e "$ek_take" ] || rm -rf -- "$ek_take"
      ek_say held
      printf '%s' "$ek_holder"
      exit 0
    fi
    sleep 0.1
  done
  # Read again: somebody may have written while this waited.
  ek_place "$ek_dir"
  if [ -z "$ek_new" ]; then
    ek_join script "$$" "$ek_lock"
    ek_join connection "$ek_parent" "$ek_lock"
    [ ! -e "$ek_lock/stop.$$" ] || rm -f -- "$ek_lock/stop.$$"
    return
  fi
  # Who died with the lock may have written after this run looked, without a new serial.
  if [ "$ek_serial" != "$1" ] || [ -n "$ek_took" ]; then
    ek_unlock
    ek_say stale
    exit 0
  fi
}

# Gives the lock back.
ek_unlock() {
  [ -z "$ek_lock" ] || [ ! -d "$ek_lock" ] || {
    mv -T -- "$ek_dir/lock" "$ek_dir/dead.$ek_nonce" && rm -rf -- "$ek_dir/dead.$ek_nonce"
  }
  ek_lock=
}

ek_release() {
  # Whoever gives the lock back has heard how everything went.
  for ek_x in "$ek_dir"/spool/r.*; do
    [ ! -e "$ek_x" ] || [ "$ek_x" = "$ek_rec" ] || rm -f -- "$ek_x"
  done
  ek_unlock
  ek_say "wrote $ek_op"
}

# The serial grows before the first line is written: who has read the ledger before reads it again.
ek_bump() {
  [ -z "${ek_bumped-}" ] || return 0
  [ -n "$ek_lock" ] || ek_sick 'it is written without the lock'
  ek_serial=$((ek_serial + 1))
  { printf '%s\n' "$ek_serial" >"$ek_dir/serial.new"; } 2>/dev/null &&
    mv -f -- "$ek_dir/serial.new" "$ek_dir/serial" || ek_sick 'the serial cannot be written (disk full?)'
  ek_bumped=1
}

# ek_journal SYNC LINES…
ek_journal() {
  ek_sync=$1
  shift
  [ $# -gt 0 ] || { ek_say "wrote $ek_op"; return; }
  if [ -z "${ek_bumped-}" ]; then
    ek_bump
    # A script that was killed may have left half a line.
    { printf '\n' >>"$ek_dir/ledger"; } 2>/dev/null
  fi
  { printf '%s\n' "$@" >>"$ek_dir/ledger"; } 2>/dev/null || ek_sick 'no line can be added (disk full?)'
  [ "$ek_sync" = 0 ] || sync -- "$ek_dir/ledger" || ek_sick 'it cannot be synced'
  ek_say "wrote $ek_op"
}

# ek_snapshot LINES…: snapshot and journal are one file, so that one rename replaces both.
ek_snapshot() {
  ek_bump
  { printf '%s\n' "$@" = >"$ek_dir/ledger.new"; } 2>/dev/null &&
    sync -- "$ek_dir/ledger.new" &&
    mv -f -- "$ek_dir/ledger.new" "$ek_dir/ledger" || ek_sick 'the snapshot cannot be written (disk full?)'
  ek_say "wrote $ek_op"
}

# ek_halt DIR RUN: asks the scripts of a run to stop before their next step.
ek_halt() {
  for ek_t in "$1/lock/$2".*; do
    [ -r "$ek_t/procs" ] || continue
    while IFS=' ' read -r ek_what ek_b ek_p ek_st; do
      [ "$ek_what" != script ] || : >"$ek_t/stop.$ek_p"
    done <"$ek_t/procs"
  done
}
