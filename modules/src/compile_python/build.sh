# shellcheck shell=sh disable=SC2016,SC2015  # names in backticks; `ek_fail` ends all
# build WORK ARCHIVE SHA256 VERSION PYTHON JOBS PIP MODULES STAMP_PATH STAMP OPTIONS…
# With EK_SHARE, what it installs is also packed as WORK/shared.tar.gz. With EK_CARRY, ARCHIVE is such a pack of a host
# like this one, and nothing is compiled.
# How far it came stands in WORK/state. What was being compiled when it was ended is not trusted: the tree is
# unpacked anew.
exec </dev/null
shift
ek_work=$1 ek_archive=$2 ek_sha=$3 ek_version=$4 ek_python=$5 ek_jobs=$6 ek_pip=$7 ek_modules=$8 ek_stamp=$9
shift 9
ek_id=$1
shift
ek_log=$ek_work/build.log
umask 022
ek_fail() {
  exec >&2
  printf '%s\n' "$1"
  if [ -s "$ek_log" ]; then
    # Compilers that run beside the one that fails may say more after it.
    EK_LOG=$ek_log awk '
      { line[NR % 40] = $0 }
      !first && (/(^|[^A-Za-z])([Ee]rror|ERROR|fatal):/ || /\*\*\* \[/) { first = NR; what = $0 }
      END {
        if (first && first <= NR - 40) print "the first complaint, in line " first ": " what
        print "the end of `" ENVIRON["EK_LOG"] "`:"
        for (n = (NR > 40 ? NR - 39 : 1); n <= NR; n++) print line[n % 40]
      }' <"$ek_log"
  fi
  exit 1
}
# Compilers that an ended build left behind have this open: they are waited for.
exec 9>"$ek_work/lock" || exit 1
flock 9 || exit 1
ek_state() {
  { printf '%s\n%s\n' "$1" "$ek_id" >"$ek_work/state.new" && mv -f -- "$ek_work/state.new" "$ek_work/state"; } 2>>"$ek_log" ||
    ek_fail 'how far it came cannot be noted'
}
ek_tree=$ek_work/tree
ek_unpack() {
  # Directories that are there stay as they are.
  tar -C / -x -z -f "$1" --no-overwrite-dir --keep-directory-symlink >>"$ek_log" 2>&1 || ek_fail "\`$1\` cannot be unpacked"
}
ek_build() {
  ek_now=
  if [ -f "$ek_work/state" ]; then
    ek_now=$(cat -- "$ek_work/state")
    ek_nl='
'
    if [ "${ek_now#*"$ek_nl"}" = "$ek_id" ]; then ek_now=${ek_now%%"$ek_nl"*}; else ek_now=; fi
  fi
  case $ek_now in
    made) [ -d "$ek_tree" ] || ek_now= ;;
    *) ek_now= ;;
  esac
  if [ -z "$ek_now" ]; then
    : >"$ek_log"
    { rm -rf -- "$ek_tree" && mkdir -- "$ek_tree"; } 2>>"$ek_log" || ek_fail 'the old tree cannot be removed'
    ek_sum=$(sha256sum <"$ek_archive") || ek_fail "\`$ek_archive\` cannot be read"
    [ "${ek_sum%% *}" = "$ek_sha" ] || ek_fail "\`$ek_archive\` has the sha256 ${ek_sum%% *}, not $ek_sha"
    printf '== unpack\n' >>"$ek_log"
    tar -x -f "$ek_archive" -C "$ek_tree" --no-same-owner --strip-components=1 >>"$ek_log" 2>&1 ||
      ek_fail 'the archive cannot be unpacked'
    cd -- "$ek_tree" || exit 1
    [ -x configure ] && [ -f Include/patchlevel.h ] || ek_fail 'the archive is no source of Python: it has no configure'
    ek_has=$(sed -n 's/^#define PY_VERSION *"\(.*\)"/\1/p' Include/patchlevel.h)
    [ "$ek_has" = "$ek_version" ] || ek_fail "the archive is Python $ek_has, not $ek_version"
    ek_state making
    printf '== configure %s\n' "$*" >>"$ek_log"
    ./configure "$@" >>"$ek_log" 2>&1 || ek_fail "\`configure\` failed (\`$ek_tree/config.log\` has more)"
    ek_jobs=${ek_jobs:-$(nproc)}
    printf '== make -j %s\n' "$ek_jobs" >>"$ek_log"
    make -j "$ek_jobs" >>"$ek_log" 2>&1 || ek_fail '`make` failed'
    ek_state made
  fi
  cd -- "$ek_tree" || exit 1
  rm -f -- "$ek_stamp"
  printf '== make altinstall\n' >>"$ek_log"
  if [ -z "${EK_SHARE-}" ]; then
    make altinstall >>"$ek_log" 2>&1 || ek_fail '`make altinstall` failed'
  else
    ek_dest=$ek_work/dest ek_pack=$ek_work/shared.tar.gz
    rm -rf -- "$ek_dest"
    make altinstall DESTDIR="$ek_dest" >>"$ek_log" 2>&1 || ek_fail '`make altinstall` failed'
    # No directories but empty ones: tar makes those of the host, `/` among them, 0700 until it ends.
    find "$ek_dest" \( ! -type d -o -empty \) -printf './%P\0' |
      tar -C "$ek_dest" -c -z -f "$ek_pack" --owner=0 --group=0 --no-recursion --null -T - >>"$ek_log" 2>&1 ||
      ek_fail 'what was built cannot be packed'
    rm -rf -- "$ek_dest"
    ek_unpack "$ek_pack"
  fi
}
if [ -z "${EK_CARRY-}" ]; then
  ek_build "$@"
  ek_lacks='it was built without modules that are wanted (what they are compiled with is missing, or too old)'
else
  printf '== unpack %s\n' "$ek_archive" >"$ek_log"
  rm -f -- "$ek_stamp"
  ek_unpack "$ek_archive"
  ek_lacks='what another host compiled lacks modules here (their libraries are missing: `packages` installs them)'
fi
cd /
ek_bad=$("$ek_python" -I -c 'import sys
for name in sys.argv[1].split():
    try: __import__(name)
    except Exception as why: print("  %s: %s" % (name, why))' "$ek_modules" 2>&1) || ek_fail "\`$ek_python\` does not run: $ek_bad"
# What is installed until the next run has to be found by `configure`.
[ -z "$ek_bad" ] || rm -f -- "$ek_work/state"
[ -z "$ek_bad" ] || ek_fail "$ek_lacks:
$ek_bad"
# `altinstall` puts no pip into a pack if the host has one already.
case " $* " in
  *--without-ensurepip* | *--with-ensurepip=no*) ek_bundled= ;;
  *) ek_bundled=${EK_SHARE-}${EK_CARRY-} ;;
esac
if [ -n "$ek_pip$ek_bundled" ] && ! "$ek_python" -I -m pip install --help >/dev/null 2>&1 &&
  "$ek_python" -I -c 'import ensurepip' >/dev/null 2>&1; then
  printf '== ensurepip\n' >>"$ek_log"
  # What is left of one that was ended while it replaced itself counts as installed otherwise.
  ek_site=$("$ek_python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && [ -n "$ek_site" ] &&
    rm -rf -- "$ek_site"/pip "$ek_site"/pip-*.dist-info &&
    "$ek_python" -I -m ensurepip --altinstall >>"$ek_log" 2>&1 || ek_fail 'the pip that comes with the source cannot be installed'
fi
if [ -n "$ek_pip" ]; then
  ek_has=$("$ek_python" -I -c 'import pip; print(pip.__version__)' 2>/dev/null)
  if [ "$ek_has" != "$ek_pip" ]; then
    printf '== pip %s\n' "$ek_pip" >>"$ek_log"
    "$ek_python" -I -m pip install --no-input --disable-pip-version-check "pip==$ek_pip" >>"$ek_log" 2>&1 ||
      ek_fail "pip $ek_pip cannot be installed"
  fi
fi
# What is shared is finished once it is kept, what was carried once its pack is gone: by steps of their own.
[ -z "${EK_SHARE-}${EK_CARRY-}" ] || exit 0
# With `-f` all that was installed is on the disk before that.
{ printf '%s\n' "$ek_id" >"$ek_stamp.new" && sync -f -- "$ek_stamp.new" && mv -f -- "$ek_stamp.new" "$ek_stamp"; } 2>>"$ek_log" ||
  ek_fail 'that it is finished cannot be noted'
rm -rf -- "$ek_tree" "$ek_work/state"
