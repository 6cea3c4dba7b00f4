//! Against a server of this process, whose answers each test chooses.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Mutex},
    thread,
};

use evenkeel_engine::{
    download::{Algorithm, Checksum, Downloads as _, Order},
    hex, sha256,
};
use tempfile::TempDir;

use crate::Downloader;

/// A request: its lines, lower-case names first.
type Asked = Vec<String>;

/// What a server answers: its head, and the body, which may be shorter than the head says.
struct Reply(&'static str, Vec<u8>);

struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn new(answer: impl Fn(&Asked, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &answer, &notes);
            }
        });
        Self { port, asked }
    }

    fn order(&self, path: &str) -> Order {
        Order::new(format!("http://127.0.0.1:{}/{path}", self.port))
    }

    /// The requests so far: the value of one header of each.
    fn header(&self, name: &str) -> Vec<Option<String>> {
        let asked = self.asked.lock().unwrap();
        let value = |asked: &Asked| {
            let lines = asked.iter().filter_map(|line| line.split_once(": "));
            let mut values = lines.filter(|(n, _)| n.eq_ignore_ascii_case(name));
            values.next().map(|(_, value)| value.to_owned())
        };
        asked.iter().map(value).collect()
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &impl Fn(&Asked, usize) -> Reply,
    notes: &Mutex<Vec<Asked>>,
) {
    let mut asked = Vec::new();
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        match line {
            Ok(line) if !line.is_empty() => asked.push(line),
            _ => break,
        }
    }
    let count = {
        let mut notes = notes.lock().unwrap();
        notes.push(asked.clone());
        notes.len()
    };
    let Reply(head, body) = answer(&asked, count);
    // The client may have gone.
    let _sent =
        stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes());
    let _sent = stream.write_all(&body);
}

fn has(asked: &Asked, line: &str) -> bool {
    asked.iter().any(|has| has.eq_ignore_ascii_case(line))
}

fn downloader() -> (TempDir, Downloader) {
    let dir = tempfile::tempdir().unwrap();
    let downloader = Downloader::new(dir.path().join("cache"));
    (dir, downloader)
}

fn anew(dir: &TempDir) -> Downloader {
    Downloader::new(dir.path().join("cache"))
}

fn sum(bytes: &[u8]) -> Checksum {
    Checksum {
        algorithm: Algorithm::Sha256,
        digits: hex(&sha256(bytes)),
    }
}

#[tokio::test]
async fn a_file_is_got_once_for_all_and_asked_about_by_the_next_run() {
    let server = Server::new(|asked, _| {
        if has(asked, "If-None-Match: \"one\"") {
            Reply("304 Not Modified", Vec::new())
        } else {
            Reply(
                "200 OK\r\nETag: \"one\"\r\nContent-Length: 5",
                b"bytes".into(),
            )
        }
    });
    let (dir, downloads) = downloader();
    let order = server.order("f");
    let (one, two) = tokio::join!(downloads.get(&order), downloads.get(&order));
    assert_eq!(one.unwrap().source.read().unwrap(), b"bytes");
    assert_eq!(two.unwrap().source.read().unwrap(), b"bytes");
    assert_eq!(server.count(), 1);
    let later = anew(&dir).get(&order).await.unwrap();
    assert_eq!(later.source.read().unwrap(), b"bytes");
    assert_eq!(server.count(), 2);
    // With its checksum it is not even asked about.
    let known = Order {
        checksum: Some(sum(b"bytes")),
        ..order
    };
    anew(&dir).get(&known).await.unwrap();
    assert_eq!(server.count(), 2);
    for file in walk(&dir.path().join("cache")) {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.display());
    }
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all = vec![dir.to_owned()];
    for entry in dir.read_dir().unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            all.extend(walk(&entry.path()));
        } else {
            all.push(entry.path());
        }
    }
    all
}

#[tokio::test]
async fn what_a_run_sends_stays_though_the_server_has_something_else() {
    let server = Server::new(|_, count| {
        let body = if count == 1 { "old" } else { "new" };
        Reply("200 OK\r\nContent-Length: 3", body.into())
    });
    let (dir, downloads) = downloader();
    let old = downloads.get(&server.order("f")).await.unwrap();
    let new = anew(&dir).get(&server.order("f")).await.unwrap();
    assert_eq!(new.source.read().unwrap(), b"new");
    assert_eq!(old.source.read().unwrap(), b"old");
}

/// Sends a part, and only ever that much of it at once.
fn piecewise(most: usize) -> Server {
    Server::new(move |asked, _| {
        let body: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        let range = asked.iter().find_map(|line| {
            line.to_lowercase()
                .strip_prefix("range: bytes=")
                .map(str::to_owned)
        });
        match range {
            Some(range) if has(asked, "If-Range: \"one\"") => {
                let from: usize = range.trim_end_matches('-').parse().unwrap();
                let head = format!(
                    "206 Partial Content\r\nETag: \"one\"\r\nContent-Range: bytes {from}-9999/10000\r\nContent-Length: {}",
                    10_000 - from
                );
                let end = (from + most).min(10_000);
                Reply(head.leak(), body[from..end].to_vec())
            }
            _ => Reply(
                "200 OK\r\nETag: \"one\"\r\nContent-Length: 10000",
                body[..most.min(10_000)].to_vec(),
            ),
        }
    })
}

#[tokio::test]
async fn what_is_cut_is_gone_on_with() {
    let server = piecewise(4_000);
    let (_dir, downloads) = downloader();
    let got = downloads.get(&server.order("f")).await.unwrap();
    assert_eq!(got.source.len(), 10_000);
    let whole: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    assert!(got.source.read().unwrap() == whole);
    let ranges = server.header("range");
    assert_eq!(
        ranges,
        [None, Some("bytes=4000-".into()), Some("bytes=8000-".into())]
    );
}

#[tokio::test]
async fn what_is_cut_too_often_is_gone_on_with_by_the_next_run() {
    let server = piecewise(1_500);
    let (dir, downloads) = downloader();
    let error = downloads.get(&server.order("f")).await.unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("the answer ended after 7500 of 10000 bytes: incomplete read"),
        "{error}"
    );
    let got = anew(&dir).get(&server.order("f")).await.unwrap();
    assert_eq!(got.source.len(), 10_000);
    assert_eq!(
        server.header("range").last(),
        Some(&Some("bytes=9000-".into()))
    );
}

#[tokio::test]
async fn a_part_of_another_version_begins_anew() {
    let server = Server::new(|asked, count| match count {
        1 => Reply(
            "200 OK\r\nETag: \"one\"\r\nContent-Length: 6",
            b"old".into(),
        ),
        _ if has(asked, "If-Range: \"one\"") => Reply(
            "200 OK\r\nETag: \"two\"\r\nContent-Length: 3",
            b"new".into(),
        ),
        _ => Reply("500 No", Vec::new()),
    });
    let (_dir, downloads) = downloader();
    let got = downloads.get(&server.order("f")).await.unwrap();
    assert_eq!(got.source.read().unwrap(), b"new");
}

#[tokio::test]
async fn a_part_that_the_server_will_not_go_on_with_begins_anew() {
    let server = Server::new(|_, count| match count {
        1 => Reply(
            "200 OK\r\nETag: \"one\"\r\nContent-Length: 6",
            b"old".into(),
        ),
        2 => Reply("416 Range Not Satisfiable\r\nContent-Length: 0", Vec::new()),
        _ => Reply("200 OK\r\nContent-Length: 3", b"new".into()),
    });
    let (_dir, downloads) = downloader();
    let got = downloads.get(&server.order("f")).await.unwrap();
    assert_eq!(got.source.read().unwrap(), b"new");
    assert_eq!(server.header("range")[2], None);
}

#[tokio::test]
async fn another_checksum_keeps_nothing() {
    let server = Server::new(|_, _| {
        Reply(
            "200 OK\r\nETag: \"one\"\r\nContent-Length: 5",
            b"bytes".into(),
        )
    });
    let (dir, downloads) = downloader();
    let order = Order {
        checksum: Some(sum(b"other")),
        ..server.order("f")
    };
    let error = downloads.get(&order).await.unwrap_err().to_string();
    assert!(
        error.starts_with("its sha256 is 277089d91c0bdf4f")
            && error.ends_with(": nothing was changed"),
        "{error}"
    );
    let left = walk(&dir.path().join("cache"));
    let names: Vec<_> = left
        .iter()
        .filter(|path| path.is_file())
        .filter_map(|path| path.file_name())
        .collect();
    assert_eq!(names, ["lock"]);
}

#[tokio::test]
async fn what_comes_compressed_is_unpacked_unless_it_must_not_be() {
    let packed = || {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(b"text").unwrap();
        packer.finish().unwrap()
    };
    let server = Server::new(move |_, _| Reply("200 OK\r\nContent-Encoding: gzip", packed()));
    let (_dir, downloads) = downloader();
    let plain = downloads.get(&server.order("f")).await.unwrap();
    assert_eq!(plain.source.read().unwrap(), b"text");
    let order = Order {
        decompress: false,
        ..server.order("f")
    };
    let packed = downloads.get(&order).await.unwrap();
    assert_eq!(packed.source.read().unwrap()[..2], [0x1f, 0x8b]);
}

#[tokio::test]
async fn why_it_cannot_be_had_names_no_secret() {
    let server = Server::new(|_, _| Reply("404 Not Found\r\nContent-Length: 0", Vec::new()));
    let (_dir, downloads) = downloader();
    let order = Order::new(format!("http://me:s3cret@127.0.0.1:{}/f", server.port));
    let error = downloads.get(&order).await.unwrap_err().to_string();
    assert_eq!(error, "the server answers `404 Not Found`");
    assert!(server.header("authorization")[0].is_some());
    // Nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let order = Order::new(format!("http://me:s3cret@{closed}/f"));
    let error = downloads.get(&order).await.unwrap_err().to_string();
    assert!(
        error.contains("refused") && !error.contains("s3cret"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_stops_in_its_answer_is_not_waited_for() {
    let (end, wait) = std::sync::mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let server = Server::new(move |_, count| {
        if count > 1 {
            // Until the test is over.
            let _over = wait.lock().unwrap().recv();
        }
        Reply(
            "200 OK\r\nETag: \"one\"\r\nContent-Length: 9",
            b"some".into(),
        )
    });
    let (_dir, downloads) = downloader();
    let order = Order {
        timeout: 1,
        ..server.order("f")
    };
    let error = downloads.get(&order).await.unwrap_err().to_string();
    assert_eq!(error, "nothing came for 1 s");
    drop(end);
}

#[tokio::test]
async fn a_cache_that_others_can_write_is_refused() {
    let (dir, downloads) = downloader();
    let cache = dir.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = downloads
        .get(&Order::new("http://127.0.0.1:1/f"))
        .await
        .unwrap_err();
    assert!(
        error.to_string().starts_with("others can write to `"),
        "{error}"
    );
}
