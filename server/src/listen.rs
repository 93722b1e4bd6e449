//! Where connections come in: in plain, or over TLS. A handshake is awaited beside the others, so that who begins one
//! and says nothing holds nobody up.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use control::PeerNames;
use futures::Stream as Flow;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, warn};

use crate::tls::{Speaks, Tls, names_of};

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Handshakes of one door that are under way at a time; further ones wait in the system's queue.
const AT_A_TIME: usize = 256;
/// How long it is waited when the system gives no connection, as for want of file handles.
const PAUSE: Duration = Duration::from_secs(1);

/// One of the two doors.
pub(crate) struct Door {
    address: SocketAddr,
    way: Way,
}

enum Way {
    Plain(TcpListener),
    Tls { ready: mpsc::Receiver<(Stream, Remote)>, accepting: JoinHandle<()> },
}

/// The other side of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// What its certificate calls it.
    pub(crate) names: PeerNames,
}

/// A connection.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Door {
    /// The door of a listener, over TLS when there is one.
    pub(crate) fn new(listener: TcpListener, address: SocketAddr, tls: Option<(Arc<Tls>, Speaks)>) -> Self {
        let way = match tls {
            None => Way::Plain(listener),
            Some((tls, speaks)) => {
                let (sender, ready) = mpsc::channel(AT_A_TIME);
                let accepting = tokio::spawn(accept(listener, tls, speaks, sender));
                Way::Tls { ready, accepting }
            }
        };
        Self { address, way }
    }

    async fn next(&mut self) -> (Stream, Remote) {
        match &mut self.way {
            Way::Plain(listener) => {
                let (stream, address) = next_of(listener).await;
                (Stream::Plain(stream), Remote { address, names: PeerNames::none() })
            }
            Way::Tls { ready, .. } => match ready.recv().await {
                Some(connection) => connection,
                // The other end goes with this one alone.
                None => std::future::pending().await,
            },
        }
    }

    /// Its connections, as Flight takes them.
    pub(crate) fn into_flow(self) -> impl Flow<Item = io::Result<flight::Connection<Stream>>> {
        futures::stream::unfold(self, |mut door| async move {
            let (stream, remote) = door.next().await;
            Some((Ok(flight::Connection::new(stream, remote.names)), door))
        })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Way::Tls { accepting, .. } = &self.way {
            accepting.abort();
        }
    }
}

impl Listener for Door {
    type Io = Stream;
    type Addr = Remote;

    async fn accept(&mut self) -> (Stream, Remote) {
        self.next().await
    }

    fn local_addr(&self) -> io::Result<Remote> {
        Ok(Remote { address: self.address, names: PeerNames::none() })
    }
}

impl Connected<IncomingStream<'_, Door>> for Remote {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.remote_addr().clone()
    }
}

async fn next_of(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // A small answer is not held back; where this cannot be said, it is.
                drop(stream.set_nodelay(true));
                return (stream, address);
            }
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                warn!(%error, "no connection can be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn accept(listener: TcpListener, tls: Arc<Tls>, speaks: Speaks, ready: mpsc::Sender<(Stream, Remote)>) {
    let room = Arc::new(Semaphore::new(AT_A_TIME));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let (stream, address) = next_of(&listener).await;
        let (acceptor, ready) = (TlsAcceptor::from(tls.config(speaks)), ready.clone());
        tokio::spawn(async move {
            let _place = place;
            let problem = match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                    let names = shown.map_or_else(PeerNames::none, names_of);
                    // Without a receiver the door has closed.
                    drop(ready.send((Stream::Tls(Box::new(stream)), Remote { address, names })).await);
                    return;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it took too long".to_owned(),
            };
            metrics::counter!("tls_handshakes_refused_total").increment(1);
            debug!(peer = %address, error = problem, "a TLS handshake came to nothing");
        });
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Stream::Plain",
            Self::Tls(_) => "Stream::Tls",
        })
    }
}
