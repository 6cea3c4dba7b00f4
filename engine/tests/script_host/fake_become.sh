#!/bin/sh
# Stands in for sudo, su, doas and id, by the name it is called with. $FAKE holds:
#   NAME.pw      the password it wants; none: it asks for nothing
#   requiretty   sudo wants a terminal
#   lecture      sudo says something first
# It notes what it was called with in `argv`, and each password that was refused in `refused`.
name=${0##*/}
me=${FAKE_ME:-dep}
if [ "$name" = id ]; then
  case "$*" in
    -un) echo "$me" ;;
    -u) if [ "$me" = root ]; then echo 0; else echo 4711; fi ;;
    *) exec /usr/bin/id "$@" ;;
  esac
  exit
fi
printf '%s' "$name" >>"$FAKE/argv"
printf ' [%s]' "$@" >>"$FAKE/argv"
echo >>"$FAKE/argv"

silent='' stdin='' user=root
while [ $# -gt 0 ]; do
  case $1 in
    -n) silent=1 ;;
    -S) stdin=1 ;;
    -H) ;;
    -p) shift ;;
    -s) shift ;;
    -c) command=$2; shift ;;
    -u) user=$2; shift ;;
    --) shift; break ;;
    *) echo "$name: what is $1" >&2; exit 1 ;;
  esac
  shift
done
if [ "$name" = su ]; then user=$1; shift; fi
case $user in
  app* | root) ;;
  *)
    if [ "$name" = su ]; then echo "su: user $user does not exist" >&2
    else echo "$name: unknown user $user" >&2; fi
    exit 1
    ;;
esac
if [ "$name" = sudo ]; then
  read -r a b c d e f tty rest </proc/$$/stat
  if [ -e "$FAKE/requiretty" ] && [ "$tty" = 0 ]; then
    echo 'sudo: sorry, you must have a tty to run sudo' >&2
    exit 1
  fi
  [ ! -e "$FAKE/lecture" ] || printf '\nWe trust you have received the usual lecture\n\n' >&2
fi
want=$FAKE/$name.pw
[ "$name" != su ] || want=$FAKE/su.$user.pw
if [ -e "$want" ]; then
  if [ -n "$silent" ]; then
    case $name in sudo) echo 'sudo: a password is required' ;; *) echo 'doas: Authentication required' ;; esac >&2
    exit 1
  fi
  IFS= read -r want <"$want"
  tries=1
  [ "$name" != sudo ] || tries=3
  while :; do
    if [ "$name" = doas ]; then
      # As readpassphrase does: what was typed ahead is lost.
      stty -echo </dev/tty 2>/dev/null || { echo 'doas: no tty' >&2; exit 1; }
      printf '\rdoas (dep@here) password: ' >/dev/tty
      IFS= read -r got </dev/tty
      printf '\n' >/dev/tty
    elif ! IFS= read -r got; then
      case $name in
        sudo) printf 'sudo: no password was provided\nsudo: 1 incorrect password attempt\n' >&2 ;;
        *) echo "$name: Authentication failure" >&2 ;;
      esac
      exit 1
    fi
    [ "$got" != "$want" ] || break
    echo refused >>"$FAKE/refused"
    tries=$((tries - 1))
    case $name in
      sudo) echo 'Sorry, try again.' >&2 ;;
      doas) echo 'doas: Authentication failed' >&2 ;;
      su) echo 'su: Authentication failure' >&2 ;;
    esac
    [ "$tries" -gt 0 ] || exit 1
  done
fi
FAKE_ME=$user
export FAKE_ME
if [ "$name" = su ]; then exec /bin/sh -c "$command" "$@"; fi
exec env -i PATH="$PATH" FAKE="$FAKE" FAKE_ME="$user" HOME=/nonexistent "$@"
