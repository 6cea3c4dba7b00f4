
ek_far() {
  ek_tab=$(printf '\t')
  case $ek_version in
    HEAD) set -- HEAD ;;
    refs/*) set -- "$ek_version" "$ek_version^{}" ;;
    *) set -- "refs/heads/$ek_version" "refs/tags/$ek_version" "refs/tags/$ek_version^{}" ;;
  esac
  if ! ek_l=$(timeout 60 "$ek_git" ls-remote --symref -- "$ek_repo" "$@" 2>&1); then
    ek_l=$(printf '%s\n' "$ek_l" | sed -n '/^Please make sure/d;/^and the repository exists/d;/Could not read from remote/d;s/^fatal: //;s/^ERROR: //;/./p' | head -n 3 | tr '\n' ' ')
    ek_far=failed ek_name=${ek_l% }
    [ -n "$ek_name" ] || ek_name='no answer within a minute'
    return
  fi
  ek_far=unknown ek_tag= ek_peeled=
  while IFS=$ek_tab read -r ek_s ek_r; do
    case $ek_s in 'ref: refs/heads/'*) [ "$ek_r" != HEAD ] || ek_name=${ek_s#ref: refs/heads/}; continue ;; esac
    case $ek_r in
      "refs/heads/$ek_version") ek_far=branch ek_commit=$ek_s ek_name=$ek_version; return ;;
      HEAD | "$ek_version") ek_tag=$ek_s ;;
      "refs/tags/$ek_version") ek_tag=$ek_s ;;
      "$ek_version^{}" | "refs/tags/$ek_version^{}") ek_peeled=$ek_s ;;
    esac
  done <<EK
$ek_l
EK
  ek_commit=${ek_peeled:-$ek_tag}
  [ -n "$ek_commit" ] || return
  ek_far=commit
  [ -z "$ek_name" ] || ek_far=branch
}
ek_in() { "$ek_git" -C "$ek_dest" "$@" 2>/dev/null; }
ek_look() {
  ek_kind= ek_head= ek_url= ek_dirty=0 ek_stale= ek_far= ek_commit= ek_name= ek_near=
  if ! command -v -- "$ek_git" >/dev/null 2>&1; then ek_kind=nogit; return; fi
  if [ -e "$ek_dest/.git" ]; then ek_kind=copy
  elif [ -f "$ek_dest/HEAD" ] && [ -d "$ek_dest/objects" ]; then ek_kind=bare
  elif [ -L "$ek_dest" ] && [ ! -e "$ek_dest" ]; then ek_kind=other; return
  elif [ ! -e "$ek_dest" ] || { [ -d "$ek_dest" ] && [ -z "$(ls -A -- "$ek_dest")" ]; }; then ek_kind=missing
  else ek_kind=other; return
  fi
  if [ "$ek_kind" = missing ]; then
    [ -n "$ek_clone" ] || return
  else
    if ! ek_w=$("$ek_git" -C "$ek_dest" rev-parse --git-dir 2>&1); then
      ek_kind=refused ek_url=$(printf '%s\n' "$ek_w" | sed -n '1s/^fatal: //;1p')
      return
    fi
    if [ "$ek_kind" = bare ] && [ "$ek_version" != HEAD ]; then
      for ek_r in "refs/heads/$ek_version" "refs/tags/$ek_version" "$ek_version"; do
        ek_head=$(ek_in rev-parse -q --verify "$ek_r^{commit}") && break
      done
    else
      ek_head=$(ek_in rev-parse -q --verify 'HEAD^{commit}')
    fi
    ek_url=$(ek_in config --get "remote.$ek_remote.url")
    if [ "$ek_kind" = copy ]; then
      ek_dirty=$(ek_in status --porcelain --untracked-files=no ${ek_mods:+--ignore-submodules=all} | wc -l | tr -d ' ')
      if [ -n "$ek_mods" ] && [ -e "$ek_dest/.gitmodules" ] &&
        ek_in submodule status --recursive | grep -q '^[-+U]'; then
        ek_stale=1
      fi
    fi
    [ -n "$ek_update" ] || return
    # A tag that is checked out stays what it is.
    if [ "$ek_version" != HEAD ] && [ -n "$ek_head" ] &&
      ! ek_in show-ref -q --verify "refs/remotes/$ek_remote/$ek_version" &&
      ! { [ "$ek_kind" = bare ] && ek_in show-ref -q --verify "refs/heads/$ek_version"; } &&
      [ "$(ek_in rev-parse -q --verify "refs/tags/$ek_version^{commit}")" = "$ek_head" ]; then
      [ "$ek_url" != "$ek_repo" ] || return
    fi
  fi
  [ -n "$ek_whole" ] || ek_far
}
LC_ALL=C GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0
export LC_ALL GIT_OPTIONAL_LOCKS GIT_TERMINAL_PROMPT GIT_SSH_COMMAND
while [ $# -ge 11 ]; do
  ek_id=$1 ek_dest=$2 ek_repo=$3 ek_remote=$4 ek_version=$5 ek_git=$6 GIT_SSH_COMMAND=$7
  ek_update=$8 ek_clone=$9
  shift 9
  ek_mods=$1 ek_whole=$2
  shift 2
  ek_look </dev/null
  for ek_f in "$ek_id" "$ek_kind" "$ek_head" "$ek_url" "$ek_dirty" "$ek_stale" "$ek_far" "$ek_commit" "$ek_name"; do
    printf '%s\0' "$ek_f"
  done
done
