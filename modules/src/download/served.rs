//! Whether a file of the host still holds what a server has.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Sha, Thing, hex, unhex};

use super::{Request, asking};

/// Whether a file holds what a server has. Nothing is written to find out: what comes is compared as it comes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Served {
    /// What is asked for.
    pub request: Request,
    /// The file, or a directory that is to hold it under the name that the server or the address gives.
    pub dest: String,
    /// Whether what comes compressed (as the server says) is unpacked.
    pub decompress: bool,
    /// Whether it is compared to the last byte, though size and time are those that the server says.
    pub force: bool,
}

/// What a server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// The name of the file, if the destination is a directory.
    pub name: Option<String>,
    /// Against the file.
    pub state: State,
}

/// How a file compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no file: nothing was compared.
    Absent,
    /// It holds the same.
    Same,
    /// It holds something else; of what was not read to its end the sum is not known.
    Other(Option<Sha>),
    /// What the server has cannot be had: why.
    Failed(String),
}

impl Served {
    fn token(&self) -> String {
        let flags = [self.decompress, self.force].map(u8::from);
        format!("{}{flags:?}", self.request.id())
    }
}

impl Probe for Served {
    const KIND: &'static str = "served";
    const SCRIPT: &'static str = asking!(
        r#"
ek_compare() {
  ek_head || return
  printf 'ek:code %s\nek:text %s\n' "$ek_code" "$ek_text" >&3
  [ "$ek_code" = 200 ] || return
  if [ -n "$ek_dir" ]; then
    case $ek_named in
      *[Ff][Ii][Ll][Ee][Nn][Aa][Mm][Ee]=*)
        ek_n=${ek_named#*[Ff][Ii][Ll][Ee][Nn][Aa][Mm][Ee]=}
        case $ek_n in '"'*) ek_n=${ek_n#'"'} ek_n=${ek_n%%'"'*} ;; *) ek_n=${ek_n%%;*} ;; esac
        ek_n=${ek_n##*/} ek_n=${ek_n##*\\}
        case $ek_n in '' | . | ..) ;; *) ek_name=$ek_n ;; esac ;;
    esac
    printf 'ek:name %s\n' "$ek_name" >&3
    ek_file=$ek_dir/$ek_name
  fi
  if [ ! -f "$ek_file" ]; then echo 'ek:state absent' >&3; return; fi
  case $ek_coding:$ek_gz in *gzip:1) ;; *)
    if [ -n "$ek_length" ] && [ "$ek_length" != "$(ek_size "$ek_file")" ]; then
      echo 'ek:state other' >&3; return
    fi
    if [ -n "$ek_quick" ] && [ -n "$ek_length" ] && [ -n "$ek_when" ] &&
      [ "$(date -d "$ek_when" +%s 2>/dev/null)" = "$(stat -L -c %Y -- "$ek_file")" ]; then
      echo 'ek:state same' >&3; return
    fi
    ek_gz= ;;
  esac
  # How much came tells whether it was all.
  if [ -n "$ek_gz" ]; then
    ek_s=$(gzip -dc 2>/dev/null | sha256sum) ek_n=
  else
    ek_s=$({ { tee /dev/fd/9 | wc -c >&8; } 9>&1 | sha256sum; } 8>&1)
    ek_n=$(printf '%s\n' "$ek_s" | sed -n '/ -$/!p' | tr -d ' ')
    ek_s=$(printf '%s\n' "$ek_s" | sed -n '/ -$/p')
  fi
  if [ -n "$ek_length" ] && [ -n "$ek_n" ] && [ "$ek_n" != "$ek_length" ]; then
    printf 'ek:short %s of %s\n' "$ek_n" "$ek_length" >&3; return
  fi
  printf 'ek:sum %s\n' "${ek_s%% *}" >&3
}
while [ $# -ge 8 ]; do
  ek_id=$1 ek_dest=$2 ek_gz=$3 ek_name=$4 ek_quick=$5 ek_url=$6 ek_cc=$7 ek_wc=$8
  shift 8
  ek_dir= ek_file=$ek_dest
  if [ -d "$ek_dest" ]; then
    ek_dir=${ek_dest%/} ek_file=$ek_dir/$ek_name
  elif [ ! -f "$ek_dest" ]; then
    printf '%s\0%s\0\0absent\0\0' "$ek_id" "$ek_dest"
    continue
  fi
  ek_ask '' 0 ek_compare
  ek_value name; ek_n=$ek_v
  [ -z "$ek_dir" ] || ek_file=$ek_dir/$ek_n
  ek_value state; ek_s=$ek_v
  ek_value sum; ek_d=$ek_v
  ek_value exit; ek_x=$ek_v
  ek_value short; ek_o=$ek_v
  if [ -n "$ek_s" ]; then ek_d=
  elif [ -z "$ek_d" ] || [ -n "$ek_o" ] || [ "$ek_x" != 0 ]; then ek_why; ek_s=failed ek_d=$ek_w
  else
    ek_now=$(sha256sum <"$ek_file") ek_s=other
    [ "$ek_d" != "${ek_now%% *}" ] || ek_s=same ek_d=
  fi
  printf '%s\0%s\0%s\0%s\0%s\0' "$ek_id" "$ek_dest" "$ek_n" "$ek_s" "$ek_d"
done"#
    );
    type Answer = Serving;

    fn operands(&self) -> Vec<Vec<u8>> {
        let gz = if self.decompress { "1" } else { "" };
        let quick = if self.force { "" } else { "1" };
        let name = self
            .request
            .name()
            .unwrap_or_else(|| "index.html".to_owned());
        let mut operands: Vec<Vec<u8>> = [
            self.token(),
            self.dest.clone(),
            gz.to_owned(),
            name,
            quick.to_owned(),
        ]
        .map(String::into_bytes)
        .into();
        operands.extend(self.request.parts());
        operands
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let mut found = BTreeMap::new();
        for record in fields.chunks(5) {
            let [id, dest, name, word, detail] = record else {
                return Err(format!("{record:?}"));
            };
            let state = match *word {
                "absent" => State::Absent,
                "same" => State::Same,
                "other" => State::Other(unhex(detail)),
                "failed" => State::Failed((*detail).to_owned()),
                _ => return Err(format!("{record:?}")),
            };
            let name = (!name.is_empty()).then(|| (*name).to_owned());
            found.insert((*id, *dest), Serving { name, state });
        }
        let answer = |served: &&Self| {
            let none = || NotYet(format!("what `{}` holds", served.request.shown()));
            let token = served.token();
            let key = (token.as_str(), served.dest.as_str());
            found.get(&key).cloned().ok_or_else(none)
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let name = answer.name.as_deref().unwrap_or_default();
        let (word, detail) = match &answer.state {
            State::Absent => ("absent", String::new()),
            State::Same => ("same", String::new()),
            State::Other(sum) => ("other", sum.map(|sha| hex(&sha)).unwrap_or_default()),
            State::Failed(why) => ("failed", why.clone()),
        };
        Some(
            format!(
                "{}\0{}\0{name}\0{word}\0{detail}\0",
                self.token(),
                self.dest
            )
            .into_bytes(),
        )
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.dest.clone())]
    }
}
