//! One request, and what comes of it.

use std::{
    error::Error,
    io::{self, Write as _},
    sync::Once,
    time::Duration,
};

use evenkeel_engine::{Text, download::Order};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{
        CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderName,
        HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
    },
    redirect::Policy,
};

use crate::{
    blocking,
    cache::{Part, Tag, Whole},
};

/// What came of a request.
pub(crate) enum Answer {
    /// What is known is what the server has.
    Unchanged,
    /// The part is whole.
    Came(Came),
    /// It ended in the middle: how much there is, and why.
    Cut { len: u64, why: String },
    /// What is there of the part is of no use.
    Anew,
}

/// What is known of a file that came.
pub(crate) struct Came {
    pub(crate) tag: Tag,
    pub(crate) name: Option<String>,
    /// Whether it is compressed, though nobody asked for that.
    pub(crate) is_packed: bool,
}

/// So often a server may send elsewhere.
pub(crate) const REDIRECTS: usize = 10;

/// What is asked, by whom.
pub(crate) fn request(order: &Order, redirects: usize) -> io::Result<RequestBuilder> {
    let client = client(order, redirects)?;
    let url = String::from_utf8_lossy(order.url.bytes()).into_owned();
    let mut request = client.get(url);
    for (name, value) in &order.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let name = name.map_err(|_| io::Error::other("a header's name is not valid"))?;
        request = request.header(name, header(value)?);
    }
    if let Some((user, password)) = &order.login {
        request = request.basic_auth(text(user), Some(text(password)));
    }
    Ok(request)
}

/// Asks for a file: for the rest of it, if there is a part, and for none if `known` is still what the
/// server has.
pub(crate) async fn get(order: &Order, known: Option<&Whole>, part: Part) -> io::Result<Answer> {
    let mut request = request(order, REDIRECTS)?;
    let had = part.len();
    if had > 0 {
        let tag = part.tag().unwrap_or_default();
        let tag = tag.strong().unwrap_or_default();
        request = request
            .header(RANGE, format!("bytes={had}-"))
            .header(IF_RANGE, tag);
    } else if let Some(known) = known {
        for (name, value) in [
            (IF_NONE_MATCH, &known.tag.etag),
            (IF_MODIFIED_SINCE, &known.tag.modified),
        ] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
    }
    let response = request.send().await.map_err(|error| said(error, order))?;
    let at = match response.status() {
        StatusCode::OK => 0,
        StatusCode::NOT_MODIFIED => return Ok(Answer::Unchanged),
        StatusCode::PARTIAL_CONTENT if begins_at(response.headers(), had) => had,
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => return Ok(Answer::Anew),
        status => {
            return Err(io::Error::other(format!("the server answers `{status}`")));
        }
    };
    save(response, at, part, order).await
}

/// Takes what comes, some at a time.
async fn save(mut response: Response, at: u64, part: Part, order: &Order) -> io::Result<Answer> {
    let headers = response.headers();
    let value = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let tag = Tag {
        etag: value(ETAG).map(str::to_owned),
        modified: value(LAST_MODIFIED).map(str::to_owned),
    };
    let came = Came {
        tag: tag.clone(),
        name: value(CONTENT_DISPOSITION).and_then(name_in),
        is_packed: value(CONTENT_ENCODING).is_some_and(|coding| coding.contains("gzip")),
    };
    let want = response.content_length().map(|len| at + len);
    let mut file = blocking(move || part.open(at, &tag)).await?;
    let mut len = at;
    let cut = loop {
        match response.chunk().await {
            Ok(Some(bytes)) => {
                len += bytes.len() as u64;
                file = blocking(move || file.write_all(&bytes).map(|()| file)).await?;
            }
            Ok(None) => break None,
            Err(error) => break Some(said(error, order).to_string()),
        }
    };
    let short = want.is_some_and(|want| want != len);
    if cut.is_none() && !short {
        return Ok(Answer::Came(came));
    }
    let of = want.map(|want| format!(" of {want}")).unwrap_or_default();
    let because = cut.map(|cut| format!(" ({cut})")).unwrap_or_default();
    let why = format!("the answer ended after {len}{of} bytes: incomplete read{because}");
    Ok(Answer::Cut { len, why })
}

fn client(order: &Order, redirects: usize) -> io::Result<Client> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Somebody else may have chosen one.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
    });
    let build = |roots: bool| {
        let wait = Duration::from_secs(order.timeout.into());
        let agent = order.agent.as_deref();
        let mut builder = Client::builder()
            .user_agent(agent.unwrap_or(concat!("evenkeel/", env!("CARGO_PKG_VERSION"))))
            .connect_timeout(wait)
            .read_timeout(wait)
            .redirect(if redirects == 0 {
                Policy::none()
            } else {
                Policy::limited(redirects)
            })
            .tls_danger_accept_invalid_certs(!order.verify);
        if !order.proxy {
            builder = builder.no_proxy();
        }
        if !roots {
            builder = builder.tls_certs_only([]);
        }
        builder.build()
    };
    let is_plain = order.url.bytes().starts_with(b"http://");
    build(true)
        // Without authorities of this machine there is no https, but http.
        .or_else(|error| if is_plain { build(false) } else { Err(error) })
        .map_err(|error| said(error, order))
}

fn text(text: &Text) -> String {
    String::from_utf8_lossy(text.bytes()).into_owned()
}

fn header(value: &Text) -> io::Result<HeaderValue> {
    let header = HeaderValue::from_bytes(value.bytes());
    let mut header = header.map_err(|_| io::Error::other("a header's value is not valid"))?;
    header.set_sensitive(value.is_secret());
    Ok(header)
}

/// Why a request came to nothing, without the address: a login may stand in it.
pub(crate) fn said(error: reqwest::Error, order: &Order) -> io::Error {
    let error = error.without_url();
    if error.is_timeout() {
        let what = format!("nothing came for {} s", order.timeout);
        return io::Error::new(io::ErrorKind::TimedOut, what);
    }
    let mut innermost: &dyn Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    // People know the words, not the numbers.
    let words = text.split(" (os error ").next().unwrap_or(&text);
    io::Error::other(words.to_owned())
}

/// Whether a part begins where it was asked for.
fn begins_at(headers: &HeaderMap, at: u64) -> bool {
    let range = headers
        .get(CONTENT_RANGE)
        .and_then(|range| range.to_str().ok());
    let begin = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next());
    at > 0 && begin.and_then(|begin| begin.parse().ok()) == Some(at)
}

/// The name that `Content-Disposition` gives, without a path.
fn name_in(disposition: &str) -> Option<String> {
    let lower = disposition.to_ascii_lowercase();
    let rest = &disposition[lower.find("filename=")? + "filename=".len()..];
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split(';').next().map(str::trim),
    }?;
    let name = name.rsplit(['/', '\\']).next()?;
    (!matches!(name, "" | "." | "..")).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_path() {
        let name = |text| name_in(text);
        assert_eq!(name("attachment; filename=f.txt").as_deref(), Some("f.txt"));
        assert_eq!(name("x; FileName=\"a b\"; y=z").as_deref(), Some("a b"));
        assert_eq!(
            name("filename=\"../../etc/evil.txt\"").as_deref(),
            Some("evil.txt")
        );
        assert_eq!(name("filename=..\\..\\evil").as_deref(), Some("evil"));
        assert_eq!(name("filename=\"..\""), None);
        assert_eq!(name("attachment"), None);
    }
}
