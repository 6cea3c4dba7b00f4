//! What is in the two files.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use evenkeel_engine::{NotYet, Probe, Thing};

use super::facts::{Facts, Kind, facts, kind};

/// What a key and its certificate are. The host's `openssl` reads both; of the key only its public half is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The file of the certificate.
    pub path: String,
    /// The file of the key.
    pub key: String,
    /// In how many seconds, by the host's clock, the certificate still has to hold.
    pub within: u64,
}

/// What [`Pair`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The key.
    pub key: KeyFile,
    /// The certificate.
    pub certificate: CertificateFile,
}

/// What a file for a private key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFile {
    /// It is not there.
    Absent,
    /// It may not be read.
    Denied,
    /// A key with a passphrase.
    Encrypted,
    /// Nothing, or a key that `openssl` cannot read.
    Damaged,
    /// Something that is no key.
    Other,
    /// A key.
    Key(Kind),
}

/// What a file for a certificate holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateFile {
    /// It is not there.
    Absent,
    /// It may not be read.
    Denied,
    /// A private key, perhaps with certificates.
    Key,
    /// Nothing, or a certificate that `openssl` cannot read.
    Damaged,
    /// Something that is no certificate.
    Other,
    /// A certificate.
    Certificate(Facts),
}

impl Probe for Pair {
    const KIND: &'static str = "openssl_pair";
    // An empty passphrase keeps `openssl` from asking for one.
    const SCRIPT: &'static str = r#"
while [ $# -ge 3 ]; do
  ek_key=absent ek_pub= ek_cert=absent ek_der= ek_ends=
  if ! command -v openssl >/dev/null 2>&1; then
    ek_key=missing
  else
    if [ -f "$2" ]; then
      ek_pub=$(openssl pkey -in "$2" -passin pass: -pubout -outform DER 2>/dev/null </dev/null | base64 -w 0)
      [ -n "$ek_pub" ] || ek_pub=$(openssl pkey -inform DER -in "$2" -passin pass: -pubout -outform DER 2>/dev/null </dev/null | base64 -w 0)
      if [ -n "$ek_pub" ]; then ek_key=key
      elif [ ! -r "$2" ]; then ek_key=denied
      elif [ ! -s "$2" ]; then ek_key=damaged
      elif grep -a -q -e '^Proc-Type: 4,ENCRYPTED' -e '^-----BEGIN ENCRYPTED PRIVATE KEY-----' -- "$2"; then ek_key=encrypted
      elif grep -a -q -e '^-----BEGIN .*PRIVATE KEY-----' -- "$2"; then ek_key=damaged
      else ek_key=other
      fi
    fi
    if [ -f "$1" ]; then
      if [ ! -r "$1" ]; then ek_cert=denied
      elif grep -a -q -e 'PRIVATE KEY-----' -- "$1"; then ek_cert=key
      else
        ek_der=$(openssl x509 -in "$1" -outform DER 2>/dev/null </dev/null | base64 -w 0)
        if [ -n "$ek_der" ]; then
          ek_cert=certificate
          openssl x509 -in "$1" -noout -checkend "$3" >/dev/null 2>&1 </dev/null || ek_ends=1
        elif [ ! -s "$1" ] || grep -a -q -e '^-----BEGIN .*CERTIFICATE-----' -- "$1"; then ek_cert=damaged
        else ek_cert=other
        fi
      fi
    fi
  fi
  printf '%s\0' "$1" "$2" "$3" "$ek_key" "$ek_pub" "$ek_cert" "$ek_der" "$ek_ends"
  shift 3
done"#;
    type Answer = Kept;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![
            self.path.clone().into(),
            self.key.clone().into(),
            self.within.to_string().into(),
        ]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let mut found = BTreeMap::new();
        for record in fields.chunks(8) {
            let [path, key, within, rest @ ..] = record else {
                return Err(format!("{record:?}"));
            };
            let rest = <[&str; 5]>::try_from(rest).map_err(|_| format!("{record:?}"))?;
            found.insert((*path, *key, *within), kept(rest)?);
        }
        let answer = |pair: &&Self| {
            let within = pair.within.to_string();
            let record = found.get(&(pair.path.as_str(), pair.key.as_str(), within.as_str()));
            match record {
                Some(Some(kept)) => Ok(kept.clone()),
                Some(None) => Err(NotYet(
                    "`openssl` on the host (install the package `openssl`)".to_owned(),
                )),
                None => Err(NotYet(format!("what `{}` holds", pair.path))),
            }
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        // The bytes of a certificate are more than what is known of it.
        None
    }

    fn reads(&self) -> Vec<Thing> {
        vec![
            Thing::Path(self.path.clone()),
            Thing::Path(self.key.clone()),
        ]
    }
}

/// Makes sense of one answer; nothing if there is no `openssl`.
fn kept(record: [&str; 5]) -> Result<Option<Kept>, String> {
    let [key, public, certificate, der, ends] = record;
    let bytes = |text: &str| {
        let bytes = BASE64.decode(text.as_bytes());
        bytes.map_err(|why| format!("{record:?}: {why}"))
    };
    let public = bytes(public)?;
    let key = match key {
        "missing" => return Ok(None),
        "absent" => KeyFile::Absent,
        "denied" => KeyFile::Denied,
        "encrypted" => KeyFile::Encrypted,
        "damaged" => KeyFile::Damaged,
        "other" => KeyFile::Other,
        "key" => KeyFile::Key(kind(&public)),
        _ => return Err(format!("{record:?}")),
    };
    let public = Some(public.as_slice()).filter(|bytes| !bytes.is_empty());
    let certificate = match certificate {
        "absent" => CertificateFile::Absent,
        "denied" => CertificateFile::Denied,
        "key" => CertificateFile::Key,
        "damaged" => CertificateFile::Damaged,
        "other" => CertificateFile::Other,
        "certificate" => facts(&bytes(der)?, public, !ends.is_empty())
            .map_or(CertificateFile::Damaged, CertificateFile::Certificate),
        _ => return Err(format!("{record:?}")),
    };
    Ok(Some(Kept { key, certificate }))
}
