//! An SSH server in this process, on loopback: it runs commands by `sh` as whoever runs the test.

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt as _,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use russh::{
    Channel, ChannelId, ChannelMsg, ChannelOpenFailure, MethodKind, MethodSet, Preferred, Sig,
    keys::{Algorithm, PrivateKey, PublicKey, ssh_key::private::Ed25519Keypair},
    server::{
        Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Response, Session,
        VerifiedPublicKey, run_stream,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy, duplex, split},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::mpsc::unbounded_channel,
};

/// A key that is the same in every run.
pub(crate) fn key(seed: u8) -> PrivateKey {
    Ed25519Keypair::from_seed(&[seed; 32]).into()
}

/// How a server is.
pub(crate) struct Manners {
    pub(crate) host_key: PrivateKey,
    pub(crate) keys: Vec<PublicKey>,
    pub(crate) password: Option<&'static str>,
    /// Whether the password is asked for as a question.
    pub(crate) asks: bool,
    pub(crate) sessions: usize,
    pub(crate) forwards: bool,
    /// What a login shell prints before anything else.
    pub(crate) noise: &'static str,
    /// Takes connections and says nothing.
    pub(crate) mute: bool,
    /// What it wants, one after the other; of nothing, the first that is right is enough.
    pub(crate) wants: &'static [MethodKind],
    /// What signatures of users it knows.
    pub(crate) signatures: Vec<Algorithm>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            host_key: key(1),
            keys: vec![key(2).public_key().clone()],
            password: None,
            asks: false,
            sessions: 10,
            forwards: false,
            noise: "",
            mute: false,
            wants: &[],
            signatures: Preferred::DEFAULT.key.into_owned(),
        }
    }
}

/// A running server; it ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) connections: Arc<AtomicUsize>,
    cuts: Arc<Mutex<Vec<u64>>>,
}

impl Server {
    pub(crate) async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let cuts = Arc::new(Mutex::new(Vec::new()));
        let (count, cut) = (Arc::clone(&connections), Arc::clone(&cuts));
        tokio::spawn(async move {
            let manners = Arc::new(manners);
            let mut silent = Vec::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                if manners.mute {
                    silent.push(stream);
                    continue;
                }
                let after = cut.lock().unwrap().pop();
                tokio::spawn(serve(stream, Arc::clone(&manners), after));
            }
        });
        Self {
            port,
            connections,
            cuts,
        }
    }

    /// The next connection is cut after it has sent so many bytes.
    pub(crate) fn cut_next(&self, after: u64) {
        self.cuts.lock().unwrap().push(after);
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, manners: Arc<Manners>, cut: Option<u64>) {
    stream.set_nodelay(true).unwrap();
    let mut methods = MethodSet::empty();
    if !manners.keys.is_empty() {
        methods.push(MethodKind::PublicKey);
    }
    if manners.password.is_some() {
        methods.push(if manners.asks {
            MethodKind::KeyboardInteractive
        } else {
            MethodKind::Password
        });
    }
    if let Some(first) = manners.wants.first() {
        methods = MethodSet::from(&[*first][..]);
    }
    let config = Arc::new(Config {
        methods,
        preferred: Preferred {
            key: manners.signatures.clone().into(),
            ..Preferred::DEFAULT
        },
        auth_rejection_time: Duration::ZERO,
        keys: vec![manners.host_key.clone()],
        ..Config::default()
    });
    let guest = Guest {
        manners,
        open: Arc::new(AtomicUsize::new(0)),
        channels: BTreeMap::new(),
        taken: 0,
    };
    match cut {
        None => {
            if let Ok(session) = run_stream(config, stream, guest).await {
                drop(session.await);
            }
        }
        Some(after) => {
            let (near, far) = duplex(64 * 1024);
            let running = tokio::spawn(async move {
                if let Ok(session) = run_stream(config, near, guest).await {
                    drop(session.await);
                }
            });
            let (mut from, mut to) = stream.into_split();
            let (far_read, mut far_write) = split(far);
            let up = tokio::spawn(async move {
                drop(copy(&mut from, &mut far_write).await);
                // Who has left is not waited for.
                drop(far_write.shutdown().await);
            });
            drop(copy(&mut far_read.take(after), &mut to).await);
            up.abort();
            running.abort();
        }
    }
}

struct Guest {
    manners: Arc<Manners>,
    open: Arc<AtomicUsize>,
    channels: BTreeMap<ChannelId, Channel<Msg>>,
    /// How much of what is wanted was given.
    taken: usize,
}

impl Guest {
    fn judge(&mut self, method: MethodKind, right: bool) -> Auth {
        let wants = self.manners.wants;
        if wants.is_empty() {
            return if right { Auth::Accept } else { Auth::reject() };
        }
        let taken = right && wants[self.taken] == method;
        self.taken += usize::from(taken);
        match wants.get(self.taken) {
            None => Auth::Accept,
            Some(next) => Auth::Reject {
                proceed_with_methods: Some(MethodSet::from(&[*next][..])),
                partial_success: taken,
            },
        }
    }
}

impl Handler for Guest {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        _: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let ours = |known: &PublicKey| known.key_data() == key.public_key.key_data();
        let right =
            self.manners.keys.iter().any(ours) && self.manners.signatures.contains(key.algorithm);
        Ok(self.judge(MethodKind::PublicKey, right))
    }

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Self::Error> {
        let right = self.manners.password == Some(password);
        Ok(self.judge(MethodKind::Password, right))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(mut response) = response else {
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: vec![("Password: ".into(), false)].into(),
            });
        };
        let answer = response.next().unwrap_or_default();
        let right = self.manners.password.map(str::as_bytes) == Some(&answer[..]);
        Ok(self.judge(MethodKind::KeyboardInteractive, right))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.open.fetch_add(1, Ordering::SeqCst) >= self.manners.sessions {
            self.open.fetch_sub(1, Ordering::SeqCst);
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if !self.manners.forwards {
            return Ok(());
        }
        let port = u16::try_from(port).unwrap();
        match TcpStream::connect((host, port)).await {
            Ok(mut stream) => {
                reply.accept().await;
                tokio::spawn(async move {
                    let mut channel = channel.into_stream();
                    drop(tokio::io::copy_bidirectional(&mut channel, &mut stream).await);
                });
            }
            Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        }
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let channel = self.channels.remove(&id).unwrap();
        session.channel_success(id)?;
        let command = String::from_utf8(command.to_vec()).unwrap();
        let noise = self.manners.noise;
        let open = Arc::clone(&self.open);
        tokio::spawn(run(channel, session.handle(), command, noise, open));
        Ok(())
    }
}

async fn run(
    channel: Channel<Msg>,
    handle: Handle,
    command: String,
    noise: &'static str,
    open: Arc<AtomicUsize>,
) {
    let id = channel.id();
    let (mut read, write) = channel.split();
    let mut child = Command::new("sh")
        .args(["-c", &command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    // Without bound: a session of russh that waits for the reader of one channel does nothing else.
    let (queue, mut queued) = unbounded_channel();
    let listening = tokio::spawn(async move {
        while let Some(message) = read.wait().await {
            match message {
                ChannelMsg::Data { data } => drop(queue.send(data)),
                ChannelMsg::Eof | ChannelMsg::Close => return,
                _ => {}
            }
        }
    });
    let feeding = tokio::spawn(async move {
        while let (Some(to), Some(data)) = (&mut stdin, queued.recv().await) {
            if to.write_all(&data).await.is_err() {
                stdin = None;
            }
        }
    });
    let mut out = write.make_writer();
    let mut err = write.make_writer_ext(Some(1));
    if !noise.is_empty() {
        out.write_all(noise.as_bytes()).await.unwrap();
    }
    let both = async { tokio::join!(copy(&mut stdout, &mut out), copy(&mut stderr, &mut err)) };
    drop(both.await);
    let status = child.wait().await.unwrap();
    open.fetch_sub(1, Ordering::SeqCst);
    // A client that has gone wants to know nothing.
    let told = match (status.code(), status.signal()) {
        (Some(code), _) => {
            let code = u32::try_from(code).unwrap();
            handle.exit_status_request(id, code).await
        }
        (None, signal) => {
            let name = if signal == Some(9) {
                Sig::KILL
            } else {
                Sig::TERM
            };
            let words = (String::new(), String::new());
            let told = handle.exit_signal_request(id, name, false, words.0, words.1);
            told.await
        }
    };
    if told.is_ok() && handle.eof(id).await.is_ok() {
        handle.close(id).await.unwrap_or_default();
    }
    listening.abort();
    feeding.abort();
}
