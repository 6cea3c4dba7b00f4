//! What is got from servers: requests, how the host makes them, and what checksums say.
//!
//! The host asks with its `curl`, else its `wget`. Address, headers and passwords reach them by stdin or a private
//! file, never as an argument. Where it has neither, files are got by the machine that runs the playbook.

mod checksum;
mod fetched;
mod request;
mod served;
mod step;

pub(crate) use checksum::{Checksum, Sum, find, parse_checksum};
pub(crate) use evenkeel_engine::download::{Algorithm, Checksum as Hash};
pub use fetched::Fetched;
pub(crate) use fetched::small;
pub use request::Request;
pub(crate) use request::{is_web, name_in};
pub use served::{Served, Serving, State};
pub(crate) use step::{Download, got_here, script, text, tool};

/// Shell functions that ask for `$ek_url`, with the configurations `$ek_cc` (of curl) and `$ek_wc` (of wget).
///
/// `ek_ask HEADER OFFSET FUNCTION` sends the headers and the body of the last answer to `FUNCTION`, which reads the
/// headers by `ek_head` and prints what it finds as lines `ek:NAME VALUE` on 3. They come back in `$ek_got`, with
/// those of the program: `ek_why` finds why it failed.
macro_rules! asking {
    ($script:literal) => {
        concat!(
            r#"
ek_get() {
  if command -v curl >/dev/null 2>&1; then
    {
      printf '%s\n' "$ek_cc"
      [ -z "$1" ] || printf 'header = "%s"\n' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"
      [ "$2" -eq 0 ] || printf 'header = "Range: bytes=%s-"\n' "$2"
    } | timeout "${ek_max:-600}" curl -q -sS -i -K -
  elif command -v wget >/dev/null 2>&1; then
    ek_h=$1 ek_o=$2 ek_tmp=
    set -- --no-config
    if [ -n "$ek_wc" ]; then
      ek_tmp=$(umask 077 && mktemp) || return 1
      printf '%s\n' "$ek_wc" >"$ek_tmp"
      set -- --config="$ek_tmp"
    fi
    set -- "$@" -nv --save-headers --content-on-error --tries=1 --max-redirect=10 -O -
    [ -z "$ek_h" ] || set -- "$@" --header="$ek_h"
    [ "$ek_o" -eq 0 ] || set -- "$@" --start-pos="$ek_o"
    printf '%s\n' "$ek_url" | timeout "${ek_max:-600}" wget "$@" -i -
    ek_x=$?
    [ -z "$ek_tmp" ] || rm -f -- "$ek_tmp"
    return "$ek_x"
  else
    echo 'neither curl nor wget is there' >&2
    return 127
  fi
}
ek_head() {
  ek_code= ek_cr=$(printf '\r')
  while IFS= read -r ek_l; do
    ek_l=${ek_l%"$ek_cr"}
    case $ek_l in
      HTTP/*)
        ek_code=${ek_l#* } ek_text=$ek_code ek_code=${ek_code%% *}
        ek_length= ek_coding= ek_tag= ek_when= ek_named= ek_range= ek_place= ;;
      '')
        case $ek_code:$ek_text in
          1??:* | 200:*'onnection established'*) continue ;;
          30[12378]:*) [ -z "$ek_place" ] || continue ;;
        esac
        return 0 ;;
      *)
        ek_v=${ek_l#*:} ek_v=${ek_v# }
        case ${ek_l%%:*} in
          [Cc]ontent-[Ll]ength) ek_length=$ek_v ;;
          [Cc]ontent-[Ee]ncoding) ek_coding=$ek_v ;;
          [Cc]ontent-[Rr]ange) ek_range=$ek_v ;;
          [Cc]ontent-[Dd]isposition) ek_named=$ek_v ;;
          [Ee][Tt]ag) ek_tag=$ek_v ;;
          [Ll]ast-[Mm]odified) ek_when=$ek_v ;;
          [Ll]ocation) ek_place=$ek_v ;;
        esac ;;
    esac
  done
  return 1
}
ek_ask() {
  ek_got=$({ { { ek_get "$1" "$2" 2>&3; printf 'ek:exit %s\n' "$?" >&3; } | "$3"; } 3>&1 >/dev/null; })
}
ek_value() {
  ek_v=
  case "
$ek_got" in
    *"
ek:$1 "*) ek_v="
$ek_got" ek_v=${ek_v##*"
ek:$1 "} ek_v=${ek_v%%"
"*} ;;
  esac
}
ek_why() {
  ek_value code
  case $ek_v in
    '' | 200 | 206) ;;
    *) ek_value text; ek_w="the server answers \`$ek_v\`"; return ;;
  esac
  ek_value short
  if [ -n "$ek_v" ]; then
    ek_w="the answer ended after $ek_v bytes: incomplete read"; return
  fi
  ek_w=$(printf '%s\n' "$ek_got" | sed -n '
    /^ek:/d
    / URL:/d
    /^FINISHED/d
    /^Total wall clock/d
    /^Downloaded:/d
    /^[a-z]*:\/\/.*:$/d
    s/^curl: ([0-9]*) //
    s/^wget: //
    /./p' | head -n 3 | tr '\n' ' ')
  ek_w=${ek_w% }
  [ -n "$ek_w" ] || { ek_value exit; ek_w="it ended with status $ek_v"; }
}
ek_size() {
  wc -c <"$1" | tr -d ' '
}
"#,
            $script
        )
    };
}
use asking;
