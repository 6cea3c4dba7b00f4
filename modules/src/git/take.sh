
shift
exec </dev/null
ek_dest=$1 ek_repo=$2 ek_remote=$3 ek_git=$4 ek_kind=$5 ek_name=$6 ek_commit=$7 ek_depth=$8 ek_narrow=$9
shift 9
ek_force=$1 ek_bare=$2 ek_mods=$3 ek_refspec=$4
ek_in() { "$ek_git" -c advice.detachedHead=false -C "$ek_dest" "$@"; }
ek_has() { ek_in cat-file -e "$ek_commit^{commit}" 2>/dev/null; }
mkdir -p -- "$ek_dest" || exit 1
if [ ! -e "$ek_dest/.git" ] && ! { [ -f "$ek_dest/HEAD" ] && [ -d "$ek_dest/objects" ]; }; then
  "$ek_git" init -q ${ek_bare:+--bare} -- "$ek_dest" || exit 1
fi
ek_in rev-parse -q --verify 'HEAD^{commit}' 2>/dev/null || echo
ek_in config "remote.$ek_remote.url" "$ek_repo" || exit 1
ek_d=${ek_depth:+--depth=$ek_depth}
if [ -n "$ek_bare" ]; then
  ek_all=+refs/heads/*:refs/heads/* ek_one=+refs/heads/$ek_name:refs/heads/$ek_name
else
  ek_all=+refs/heads/*:refs/remotes/$ek_remote/* ek_one=+refs/heads/$ek_name:refs/remotes/$ek_remote/$ek_name
  if ! ek_in config --get "remote.$ek_remote.fetch" >/dev/null; then
    case $ek_narrow:$ek_kind in
      1:branch) ek_in config "remote.$ek_remote.fetch" "$ek_one" ;;
      1:*) ;;
      *) ek_in config "remote.$ek_remote.fetch" "$ek_all" ;;
    esac || exit 1
  fi
fi
if [ -n "$ek_refspec" ]; then
  ek_in fetch -q $ek_d --force "$ek_remote" "$ek_refspec" || exit 1
fi
case $ek_narrow:$ek_kind in
  1:branch) ek_in fetch -q $ek_d --force --no-tags "$ek_remote" "$ek_one" ;;
  1:tag) ek_in fetch -q $ek_d --force --no-tags "$ek_remote" "+refs/tags/$ek_name:refs/tags/$ek_name" ;;
  *:ref) ek_in fetch -q $ek_d --force "$ek_remote" "$ek_name" ;;
  1:commit) ek_has || ek_in fetch -q $ek_d "$ek_remote" "$ek_commit" ;;
  :commit) ek_has || ek_in fetch -q --force --tags "$ek_remote" "$ek_all" ;;
  *) ek_in fetch -q --force --tags "$ek_remote" "$ek_all" ;;
esac || exit 1
if ! ek_has; then
  [ "$ek_kind" = commit ] && ek_in fetch -q "$ek_remote" "$ek_commit"
  if ! ek_has; then
    printf 'the repository has no commit %s any more\n' "$ek_commit" >&2
    exit 1
  fi
fi
if [ -n "$ek_bare" ]; then
  [ "$ek_kind" != branch ] || ek_in symbolic-ref HEAD "refs/heads/$ek_name" || exit 1
  exit 0
fi
if [ "$ek_kind" = branch ]; then
  ek_in checkout -q $ek_force -B "$ek_name" "$ek_commit" || exit 1
  ek_in branch -q --set-upstream-to="$ek_remote/$ek_name" "$ek_name" 2>/dev/null
else
  ek_in checkout -q $ek_force --detach "$ek_commit" || exit 1
fi
if [ -n "$ek_mods" ] && [ -e "$ek_dest/.gitmodules" ]; then
  ek_in submodule sync -q --recursive >/dev/null && ek_in submodule update -q --init --recursive $ek_force || exit 1
fi
exit 0
