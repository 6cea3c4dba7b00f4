# shellcheck shell=sh
# Sections of other identities.
#
# Each identity has a wrapper, a function that is called with the length of a script and its
# arguments, and runs that script, which the stream holds, as somebody. A password travels in the
# stream only, before the script; whether sudo or su reads it or not (a cached timestamp, NOPASSWD),
# lines are dropped up to a mark that nobody can foresee.
# shellcheck disable=SC2034,SC2154,SC2015,SC2174  # set by the text around this file; `ek_sick` ends all

# What a wrapper's command starts with: `ek_launch` for long steps.
ek_pre=
# How many seconds what a wrapper runs may take; 0: any number.
ek_limit=0
# The wrappers that need a terminal.
ek_ttys=

# What runs at the other side: LENGTH MARK ARGUMENTS…; the mark is `-` where there is none.
# shellcheck disable=SC2016  # another shell expands it
ek_inside='n=$1 m=$2; shift 2; [ "$n" != 0 ] || exit 0; while [ "$m" != - ] && IFS= read -r x; do [ "$x" != "$m" ] || m=-; done; unset m x; eval "$(head -c "$n")"'
# The same for `sudo -i` and `sudo -s`, which let a login shell read it and leave each `$` to that.
ek_inside_shell='eval "`printf %b '"'"'n=\00441 m=\00442; shift 2; [ \0042\0044n\0042 != 0 ] || exit 0; while [ \0042\0044m\0042 != - ] && IFS= read -r x; do [ \0042\0044x\0042 != \0042\0044m\0042 ] || m=-; done; unset m x; eval \0042\0044(head -c \0042\0044n\0042)\0042'"'"'`"'

# ek_self LENGTH ARGUMENTS…: the wrapper of who runs this script.
ek_self() {
  ek_n=$1
  shift
  set -- "$ek_shell" -c "$ek_inside" sh "$ek_n" - "$@"
  [ "$ek_limit" = 0 ] || set -- timeout -k 10 "$ek_limit" "$@"
  $ek_pre "$@"
}

# ek_choose METHOD: by what ek_u is become, in ek_m. Root needs no method and no password: it takes
# what there is, and doas last, as its rules seldom name root.
ek_choose() {
  ek_m=$1
  if [ "$ek_me" = "$ek_u" ]; then
    ek_m=own ek_pw=
  elif [ "$ek_me" = root ]; then
    ek_pw=
    case $1 in doas) set -- su sudo doas ;; *) set -- "$1" sudo su ;; esac
    for ek_m in "$@"; do ! command -v "$ek_m" >/dev/null || break; done
  fi
  ek_feed=$ek_pw ek_tty='' ek_in=$ek_inside
  # doas reads from the terminal only.
  [ "$ek_m" != doas ] || { ek_feed='' ek_tty=$ek_pw; }
  ek_until_mark=-
  [ -z "$ek_feed" ] || [ -z "$ek_mark" ] || ek_until_mark=$ek_mark
}

# ek_enter ARGV…: runs what becomes somebody, with the password before all else that it may read.
ek_enter() {
  if [ -n "$ek_feed" ]; then
    {
      printf '%s\n%s' "$ek_pw" "${ek_mark:+$ek_mark$ek_nl}" 2>/dev/null
      exec cat 2>/dev/null
    } | ek_entry "$@"
  else
    ek_entry "$@"
  fi
}

ek_entry() {
  if [ -n "$ek_tty" ]; then ek_on_terminal "$@"; else $ek_pre "$@"; fi
}

# ek_quoted WORDS…: the words quoted for a shell, in ek_q.
ek_quoted() {
  ek_q=
  for ek_word in "$@"; do
    ek_w=
    while :; do
      case $ek_word in
        *\'*) ek_w="$ek_w${ek_word%%\'*}'\\''" ek_word=${ek_word#*\'} ;;
        *) break ;;
      esac
    done
    ek_q="$ek_q '$ek_w$ek_word'"
  done
}

# What gives a program a terminal to be content with, and leaves its streams as they are: COMMAND DIR.
# shellcheck disable=SC2016  # another shell expands it
ek_terminal='exec script -qec "$1" /dev/null 6<&0 7>&1 8>&2 <"$2/in" >"$2/out" 2>&1'

# ek_on_terminal ARGV…: what the program asks on its terminal is answered with the password, once it
# has asked: what comes earlier is dropped.
ek_on_terminal() {
  command -v script >/dev/null || { printf 'no terminal: script: not found\n' >&2; return 127; }
  ek_scratch && mkfifo -m 0600 "$ek_text/in" "$ek_text/out" || {
    printf 'no place for a fifo\n' >&2
    return 1
  }
  ek_tmp=$ek_text
  {
    if [ "$ek_m" = doas ]; then
      ek_x=$(dd bs=1024 count=1 2>/dev/null)
      [ -z "$ek_x" ] || printf '%s\n' "$ek_pw"
    fi
    cat >/dev/null
  } >"$ek_tmp/in" <"$ek_tmp/out" 2>/dev/null &
  ek_x=$!
  ek_quoted "$@"
  $ek_pre env SHELL=/bin/sh sh -c "$ek_terminal" sh "exec$ek_q <&6 >&7 2>&8" "$ek_tmp"
  ek_st=$?
  kill "$ek_x" 2>/dev/null
  wait "$ek_x" 2>/dev/null
  rm -rf -- "$ek_tmp"
  return "$ek_st"
}

# ek_try WRAPPER: one attempt, with nothing to read but the password.
ek_try() {
  ek_why=$(
    ek_mark=
    "$1" 0 </dev/null 2>&1
  )
}

# ek_become WRAPPER: whether the identity can be become; says why not in ek_why and ek_s.
ek_become() {
  [ -n "${ek_me-}" ] || ek_me=$(id -un)
  case " ${ek_became-} " in *" $1 "*) return 0 ;; esac
  ek_try "$1"
  ek_s=$?
  if [ "$ek_s" != 0 ]; then
    case $ek_why in
      *'must have a tty'*) ;;
      *) return 1 ;;
    esac
    command -v script >/dev/null || return 1
    ek_ttys="$ek_ttys $1"
    ek_try "$1"
    ek_s=$?
    [ "$ek_s" = 0 ] || return 1
  fi
  ek_became="${ek_became-} $1"
}

# ek_section WRAPPER OFFSET LENGTH SCRIPT: runs what the stream holds as somebody else. Whatever
# becomes of it, exactly LENGTH bytes are read.
ek_section() {
  ek_seek "$2" || return 19
  ek_pos=$(($2 + $3))
  head -c "$3" | {
    "$1" "$4" "$ek_next"
    ek_st=$?
    [ "$ek_st" = 0 ] || cat >/dev/null
    exit "$ek_st"
  }
}

# ek_barred LAST INDEX:TARGET…: the section up to LAST cannot be begun. Its questions stay open; the
# first of the steps and guards listed fails.
ek_barred() {
  ek_last=$1 ek_go=$(($1 + 1))
  shift
  for ek_pair in "$@"; do
    if [ "${ek_pair%:*}" -ge "$ek_next" ]; then
      ek_last=${ek_pair%:*} ek_go=${ek_pair#*:}
      break
    fi
  done
  ek_say "barred $ek_next $ek_last $ek_s"
  printf '%s' "$ek_why"
  ek_next=$ek_go
}
