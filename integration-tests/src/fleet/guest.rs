//! A client of a simulated host.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use russh::{
    Channel, ChannelId, ChannelOpenFailure,
    server::{Auth, ChannelOpenHandle, Handler, Msg, Session, VerifiedPublicKey},
};
use tokio::net::TcpStream;

use super::{PASSWORD, Simulated, command};

pub(super) struct Guest {
    host: Arc<Simulated>,
    channels: BTreeMap<ChannelId, Channel<Msg>>,
}

impl Guest {
    pub(super) fn new(host: Arc<Simulated>) -> Self {
        Self {
            host,
            channels: BTreeMap::new(),
        }
    }

    fn judge(&self, right: bool) -> Auth {
        if right {
            self.host.logins.fetch_add(1, Ordering::SeqCst);
            Auth::Accept
        } else {
            Auth::reject()
        }
    }
}

impl Handler for Guest {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let known = self.host.user_key.public_key().key_data();
        Ok(self.judge(user == "ada" && key.public_key.key_data() == known))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(self.judge(user == "eve" && password == PASSWORD))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
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
        let port = u16::try_from(port).unwrap_or_default();
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
        line: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.channels.remove(&id) {
            Some(channel) => {
                session.channel_success(id)?;
                let line = String::from_utf8_lossy(line).into_owned();
                let host = Arc::clone(&self.host);
                tokio::spawn(command::run(channel, session.handle(), line, host));
            }
            None => session.channel_failure(id)?,
        }
        Ok(())
    }
}
