//! The step that downloads.

use std::borrow::Cow;

use evenkeel_engine::{
    Action, Attrs, Content, Effect, NotYet, Run, Secret, Sha, Step, Stop, Write,
    download::{Downloaded, DownloadedText, Got},
    probes::{Digest, FileStat, Kind, Stat, Which, Whoami},
    unhex,
};

use super::{Algorithm, Fetched, Hash, Request, asking};
use crate::{look::Look, paths};

/// A download that takes longer is ended; the next run goes on with it.
const LIMIT: u64 = 3600;

/// Reads what [`Request::content`] made, and downloads into a private directory, where a part that has come stays
/// for the next try; then the file is held against its checksum and takes its place.
const SCRIPT: &str = asking!(
    r#"
shift
ek_to=$1 ek_work=$2 ek_shown=$3 ek_sum=$4 ek_digits=$5 ek_gz=$6 ek_id=$7 ek_max=0
ek_fail() { printf '`%s`: %s\n' "$ek_shown" "$1" >&2; exit 1; }
IFS= read -r ek_url
ek_nl='
'
ek_cc= ek_wc=
while IFS= read -r ek_l && [ "$ek_l" != . ]; do ek_cc=$ek_cc$ek_l$ek_nl; done
while IFS= read -r ek_l; do ek_wc=$ek_wc$ek_l$ek_nl; done
exec </dev/null
umask 077
# Only what nobody else can write to is gone on with.
if ! { [ ! -L "$ek_work" ] && [ -d "$ek_work" ] && [ "$(stat -c '%u %a' -- "$ek_work")" = "$(id -u) 700" ]; }; then
  rm -rf -- "$ek_work" && mkdir -m 0700 -- "$ek_work" || exit 1
fi
ek_data=$ek_work/data
ek_save() {
  ek_head || return
  printf 'ek:code %s\nek:text %s\nek:coding %s\nek:when %s\n' "$ek_code" "$ek_text" "$ek_coding" "$ek_when" >&3
  ek_want=$ek_length
  case $ek_code in
    206)
      case $ek_off:$ek_range in
        0:* | '') return ;;
        *":bytes $ek_off-"*) ;;
        *) echo 'ek:again 1' >&3; return ;;
      esac
      [ -z "$ek_length" ] || ek_want=$((ek_off + ek_length)) ;;
    200)
      if [ "$ek_off" -ne 0 ]; then echo 'ek:again 1' >&3; return; fi
      case $ek_tag in W/* | '') ek_tag=$ek_when ;; esac
      printf '%s\n%s\n' "$ek_id" "$ek_tag" >"$ek_work/tag" || return ;;
    416) echo 'ek:again 1' >&3; return ;;
    *) return ;;
  esac
  cat >>"$ek_data" 2>&4 || { echo 'ek:disk 1' >&3; return; }
  ek_n=$(ek_size "$ek_data")
  [ -z "$ek_want" ] || [ "$ek_n" = "$ek_want" ] || printf 'ek:short %s of %s\n' "$ek_n" "$ek_want" >&3
}
ek_good() {
  ek_real=$("${ek_sum}sum" <"$ek_data") || return 1
  ek_real=${ek_real%% *}
  [ "$ek_real" = "$ek_digits" ]
}
ek_off=0 ek_header=
if [ -s "$ek_data" ] && [ -f "$ek_work/tag" ]; then
  { IFS= read -r ek_was; IFS= read -r ek_tag; } <"$ek_work/tag"
  # wget does not say what it was answered when it goes on: it begins anew.
  if [ "$ek_was" = "$ek_id" ] && [ -n "$ek_tag" ] && command -v curl >/dev/null 2>&1; then
    ek_off=$(ek_size "$ek_data") ek_header="If-Range: $ek_tag"
  fi
fi
if [ "$ek_off" -gt 0 ] && [ -n "$ek_digits" ] && ek_good; then
  ek_got='ek:code 206'
else
  [ "$ek_off" -gt 0 ] || rm -f -- "$ek_data"
  ek_ask "$ek_header" "$ek_off" ek_save 4>&2
  ek_value again
  if [ -n "$ek_v" ] || { [ "$ek_off" -gt 0 ] && ek_value code && [ -z "$ek_v" ]; }; then
    rm -f -- "$ek_data"
    ek_off=0
    ek_ask '' 0 ek_save 4>&2
  fi
  ek_value disk; [ -z "$ek_v" ] || ek_fail 'what came could not be written'
  ek_value exit; ek_x=$ek_v
  ek_value code; ek_c=$ek_v
  ek_value short; ek_o=$ek_v
  case $ek_c in 200 | 206) ;; *) ek_x=1 ;; esac
  if [ "$ek_x" != 0 ] || [ -n "$ek_o" ]; then
    ek_why
    # What cannot be gone on with is not kept.
    [ -s "$ek_data" ] || rm -rf -- "$ek_work"
    ek_fail "$ek_w"
  fi
  [ -e "$ek_data" ] || : >"$ek_data"
fi
ek_value coding
case $ek_v:$ek_gz in
  *gzip:1)
    gzip -dc <"$ek_data" >"$ek_work/plain" || ek_fail 'what came cannot be unpacked'
    mv -f -- "$ek_work/plain" "$ek_data" ;;
esac
if [ -n "$ek_digits" ] && ! ek_good; then
  rm -rf -- "$ek_work"
  ek_fail "its $ek_sum is $ek_real, not $ek_digits: nothing was changed"
fi
# Size and time tell the next run that it is what the server has.
ek_value when
[ -z "$ek_v" ] || touch -m -d "$ek_v" -- "$ek_data" 2>/dev/null || :
sync -- "$ek_data" && mv -T -f -- "$ek_data" "$ek_to" && rm -rf -- "$ek_work"
"#
);

/// Whether the host can download: it has a program for it.
pub(super) fn can(look: &Look<'_>) -> Result<bool, NotYet> {
    let (curl, wget) = (Which("curl".to_owned()), Which("wget".to_owned()));
    look.ask(&wget);
    Ok(look.get(&curl)?.is_some() || look.get(&wget)?.is_some())
}

/// What the host itself asks a server with: it is installed, or may be by an earlier task.
pub(crate) fn tool(look: &Look<'_>) -> Result<(), NotYet> {
    if can(look)? {
        return Ok(());
    }
    Err(NotYet(
        "`curl` or `wget` on the host (install one of them)".to_owned(),
    ))
}

/// What a server has, where the host cannot ask it itself: then this machine does, and the file is
/// known before it is sent. Nothing where the host can.
pub(crate) fn got_here<'a>(
    look: &Look<'a>,
    request: &Request,
    hash: Option<&Hash>,
    decompress: bool,
) -> Result<Option<&'a Got>, Stop> {
    if can(look)? {
        return Ok(None);
    }
    let order = request.order(hash.cloned(), decompress)?;
    match look.get(&Downloaded(order))? {
        Ok(got) => Ok(Some(got)),
        Err(why) => Err(Stop::refused(format!("`{}`: {why}", request.shown()))),
    }
}

/// The text of a small file of a server.
pub(crate) fn text<'a>(look: &Look<'a>, request: &Request) -> Result<Cow<'a, str>, Stop> {
    let fetched = Fetched(request.clone());
    look.ask(&fetched);
    let text = if can(look)? {
        let bytes = look.get(&fetched)?.as_ref();
        bytes.map(|bytes| String::from_utf8_lossy(bytes))
    } else {
        let text = look
            .get(&DownloadedText(request.order(None, true)?))?
            .as_ref();
        text.map(|text| Cow::Borrowed(text.as_str()))
    };
    text.map_err(|why| Stop::refused(format!("`{}`: {why}", request.shown())))
}

/// How a script is run that is too long for a command line that people read: it comes by stdin, before what it reads.
/// Its first word is its own length.
pub(crate) fn script<S: Into<String>>(
    name: &str,
    text: &str,
    words: impl IntoIterator<Item = S>,
    input: &Content,
) -> (Vec<String>, Content) {
    let load = ["sh", "-c", r#"eval "$(head -c "$1")""#, name].map(ToOwned::to_owned);
    let words = words.into_iter().map(Into::into);
    let argv = load
        .into_iter()
        .chain([text.len().to_string()])
        .chain(words)
        .collect();
    let stdin = match input {
        Content::Secret(secret) => {
            Content::Secret(Secret::new([text.as_bytes(), secret.reveal()].concat()))
        }
        Content::Plain(bytes) => [text.as_bytes(), bytes].concat().into(),
        Content::Source(_) => unreachable!("BUG: a script does not read a local file"),
    };
    (argv, stdin)
}

/// A download.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Download<'a> {
    pub(crate) request: &'a Request,
    /// The file, whose directory is there.
    pub(crate) to: &'a str,
    /// A directory of the host where parts are kept, if not beside the file.
    pub(crate) parts: Option<&'a str>,
    pub(crate) hash: Option<&'a Hash>,
    pub(crate) decompress: bool,
}

impl Download<'_> {
    /// The private directory for what has come.
    pub(crate) fn work(&self) -> String {
        let dir = self.parts.or_else(|| paths::parent(self.to)).unwrap_or("/");
        let name = paths::name(self.to)
            .trim_start_matches('.')
            .trim_end_matches(".evenkeel");
        paths::join(dir, &format!(".{name}.evenkeel-part"))
    }

    /// The SHA-256 that it will have.
    fn sha(&self) -> Option<Sha> {
        let hash = self
            .hash
            .filter(|hash| hash.algorithm == Algorithm::Sha256)?;
        unhex(&hash.digits)
    }

    /// The step. The file is its owner's alone.
    pub(crate) fn step(&self, look: &Look<'_>) -> Result<Step, Stop> {
        if let Some(got) = got_here(look, self.request, self.hash, self.decompress)? {
            let attrs = Attrs {
                mode: Some(0o600),
                ..Attrs::default()
            };
            return Ok(Step::from(Action::Write(Write {
                path: self.to.to_owned(),
                content: Content::Source(got.source.clone()),
                attrs,
                ..Write::default()
            })));
        }
        let me = &look.get(&Whoami)?.account;
        let (sum, digits) = self.hash.map_or(("", ""), |hash| {
            (hash.algorithm.name(), hash.digits.as_str())
        });
        let gz = if self.decompress { "1" } else { "" };
        let (work, shown, id) = (self.work(), self.request.shown(), self.request.id());
        let words = [self.to, &work, &shown, sum, digits, gz, &id];
        let (argv, stdin) = script("download", SCRIPT, words, &self.request.content());
        let run = Run {
            stdin,
            seconds: Some(LIMIT),
            env: vec![("LC_ALL".to_owned(), "C".into())],
            ..Run::new(argv)
        };
        let stat = FileStat {
            kind: Kind::File,
            mode: 0o600,
            uid: me.uid,
            gid: me.gid,
            owner: me.name.clone(),
            group: me.group.clone(),
        };
        let digest = Digest(self.to.to_owned());
        let digest = match self.sha() {
            Some(sha) => Effect::new(digest, Some(sha)),
            None => Effect::unknown(digest, format!("what `{shown}` holds")),
        };
        Ok(Step::from(run)
            .effect(Effect::new(Stat(self.to.to_owned()), Some(stat)))
            .effect(digest))
    }
}
