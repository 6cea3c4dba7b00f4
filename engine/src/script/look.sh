# shellcheck shell=sh
# What every script starts with: an even environment, and how answers are printed.
# shellcheck disable=SC2034,SC2154,SC2015,SC2174  # set by the text around this file; `ek_sick` ends all

LC_ALL=C
PATH=${PATH:-/usr/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
unset CDPATH ENV BASH_ENV POSIXLY_CORRECT QUOTING_STYLE
umask 022
cd /
# A script whose controller has gone must end its step and write its journal: no signal ends it.
trap '' PIPE HUP

ek_end=999999999
ek_next=0 ek_op=0 ek_else=$ek_end
ek_pos=0 ek_broken='' ek_gone='' ek_lock='' ek_dir='' ek_serial=0 ek_rec=''
ek_nl='
'

# ek_say WORDS: begins a part of the answer.
ek_say() {
  printf '\n%s %s\n' "$ek_nonce" "$1" 2>/dev/null || ek_gone=1
}

# ek_note WORDS: the same in the record, if one is kept: the answer may be lost with its connection.
ek_note() {
  [ -z "$ek_rec" ] || printf '\n%s %s\n' "$ek_nonce" "$1" >>"$ek_rec" 2>/dev/null || :
}

ek_both() {
  ek_say "$1"
  ek_note "$1"
}

# Passes on what it reads, and notes it in the record.
ek_tee() {
  if [ -n "$ek_rec" ]; then tee -a -- "$ek_rec" 2>/dev/null; else cat; fi
}

# Time since the boot, in hundredths of a second.
ek_now() {
  IFS=' ' read -r ek_time ek_rest </proc/uptime
  ek_time=${ek_time%.*}${ek_time#*.}
}

# Whether somebody wants the list to end, or nobody listens any more.
ek_stopping() {
  [ -n "$ek_gone" ] || { [ -n "$ek_lock" ] && [ -e "$ek_lock/stop.$$" ]; }
}

# ek_at INDEX [stop]: whether this operation is to be done; with `stop`, it may be stopped before.
ek_at() {
  [ "$ek_next" -le "$1" ] || return 1
  ek_op=$1
  if [ -n "${2-}" ] && ek_stopping; then
    ek_next=$ek_end
    return 1
  fi
}

# ek_seek OFFSET: drops data up to there.
ek_seek() {
  [ -z "$ek_broken" ] || return 1
  if [ "$ek_pos" -lt "$1" ]; then
    head -c "$(($1 - ek_pos))" >/dev/null || { ek_broken=1; return 1; }
  fi
  ek_pos=$1
}

# ek_ask GROUP FUNCTION OPERANDS…: one call of a probe's function.
ek_ask() {
  ek_both "obs $ek_op $1"
  shift
  if [ -n "$ek_rec" ]; then
    {
      (trap - PIPE HUP; "$@") </dev/null
      printf '%s\n' "$?" >"$ek_spool/s"
    } | ek_tee
    ek_line "$ek_spool/s"
    ek_both "end $ek_op ${ek_text:-1}"
  else
    (trap - PIPE HUP; "$@") </dev/null
    ek_say "end $ek_op $?"
  fi
}

# ek_sum FUNCTION…: SHA-256 of what it prints.
ek_sum() {
  ek_got=$( (trap - PIPE HUP; "$@") </dev/null 2>/dev/null | sha256sum)
  ek_got=${ek_got%% *}
}

# ek_guard ALL FUNCTION EACH…: whether the function prints what has the sum ALL. If not, each
# question is asked alone (FUNCTION 0, FUNCTION 1 …), as some kinds print a batch in another order.
ek_guard() {
  ek_all=$1 ek_fn=$2
  shift 2
  ek_sum "$ek_fn" all
  if [ "$ek_got" != "$ek_all" ]; then
    ek_i=0
    for ek_want in "$@"; do
      ek_sum "$ek_fn" "$ek_i"
      if [ "$ek_got" != "$ek_want" ]; then
        ek_both "guard $ek_op $ek_i"
        ek_next=$ek_end
        return
      fi
      ek_i=$((ek_i + 1))
    done
  fi
  ek_both "guard $ek_op yes"
}

# ek_scratch: a private directory, in ek_text. Where there is no other place, one in memory.
ek_scratch() {
  for ek_text in "${TMPDIR:-/tmp}" /tmp /var/tmp /dev/shm "${HOME:-/tmp}"; do
    ek_text=$(mktemp -d "$ek_text/evenkeel.XXXXXX" 2>/dev/null) && return
  done
  ek_text=
  return 1
}

# The first line of a file, if it can be read.
ek_line() {
  ek_text=
  if [ -r "$1" ]; then IFS= read -r ek_text <"$1" || :; fi
}

ek_boot_id() {
  ek_line /proc/sys/kernel/random/boot_id
  ek_boot=$ek_text
}

# ek_place DIR: where the ledger is. Nobody else may have made it.
ek_place() {
  ek_dir=$1
  ek_boot_id
  if [ -e "$ek_dir" ] || [ -L "$ek_dir" ]; then
    if [ -L "$ek_dir" ] || [ ! -d "$ek_dir" ] || [ ! -O "$ek_dir" ]; then
      ek_sick 'it is not a directory of the user who keeps it'
    fi
  fi
  ek_line "$ek_dir/serial"
  case $ek_text in
    '' | *[!0-9]*) ek_serial=0 ;;
    *) ek_serial=$ek_text ;;
  esac
}

# ek_sick WHY: the ledger cannot be kept; nothing more is done.
ek_sick() {
  ek_say "sick"
  printf '%s\n%s\n' "$ek_dir" "$1"
  exit 1
}

ek_ledger() {
  for ek_f in /etc/machine-id /var/lib/dbus/machine-id /proc/sys/kernel/hostname; do
    ek_line "$ek_f"
    [ -z "$ek_text" ] || break
  done
  ek_say "led $ek_op machine"
  printf '%s' "$ek_text"
  ek_say "led $ek_op dir"
  printf '%s' "$ek_dir"
  ek_say "led $ek_op boot"
  printf '%s' "$ek_boot"
  # The serial comes before the text: who writes in between makes this run look again.
  ek_line "$ek_dir/serial"
  ek_say "led $ek_op serial"
  printf '%s' "$ek_text"
  ek_say "led $ek_op text"
  [ ! -s "$ek_dir/ledger" ] || cat -- "$ek_dir/ledger"
  ek_say "led $ek_op end"
}
