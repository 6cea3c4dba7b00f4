# shellcheck shell=sh
# Sections of other identities.
# shellcheck disable=SC2034,SC2154,SC2015,SC2174  # set by the text around this file; `ek_sick` ends all

# A wrapper is a function that runs its arguments as somebody, by way of the command in ek_pre.
ek_pre=

# ek_self: the wrapper of who runs this script.
ek_self() { $ek_pre "$@"; }

# ek_become WRAPPER: whether the identity can be become; says why not in ek_why.
ek_become() {
  [ -n "${ek_me-}" ] || ek_me=$(id -un)
  case " ${ek_became-} " in *" $1 "*) return 0 ;; esac
  ek_why=$("$1" true </dev/null 2>&1) || return 1
  ek_became="${ek_became-} $1"
}

# ek_section WRAPPER OFFSET LENGTH SCRIPT: runs what the stream holds as somebody else. Whatever
# becomes of it, exactly LENGTH bytes are read.
ek_section() {
  ek_seek "$2" || return 19
  ek_pos=$(($2 + $3))
  head -c "$3" | {
    "$1" "$ek_shell" -c "eval \"\$(head -c $4)\"" sh "$ek_next"
    ek_s=$?
    [ "$ek_s" = 0 ] || cat >/dev/null
    exit "$ek_s"
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
  ek_say "barred $ek_next $ek_last"
  printf '%s' "$ek_why"
  ek_next=$ek_go
}
