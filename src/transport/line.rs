//! A connection to a receiver, which holds nothing back that comes later.
//!
//! Whoever closes a connection leaves what its peer has not taken yet to the system, which goes on sending it, for minutes where
//! a network was cut. A request that timed out, or whose instance is gone, would then come after the attempts that followed it,
//! and an old state of a row after newer ones. So a connection is reset when its request is given up: the system throws away
//! what it holds (RFC 9293, section 3.10.5, ABORT). That is set from the beginning and taken back only for a farewell in good order,
//! so it holds for a process that is killed, too.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_rt::net::{ActixStream, Ready};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::journey::{self, Journey};
use crate::domain::attempt::Phase;

/// A TCP connection, and the attempt that it was last used for.
#[derive(Debug)]
pub(super) struct Line {
    stream: TcpStream,
    last: Option<Rc<Journey>>,
}

impl Line {
    pub(super) fn over(stream: TcpStream) -> Self {
        // A socket that refuses this works none the less.
        let _ = stream.set_zero_linger();
        Self { stream, last: None }
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }

    /// The connection to write to.
    fn used(mut self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        journey::follow(&mut self.last);
        self.stream()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let waits = |last: &Rc<Journey>| last.phase() == Phase::Answer;
        if !self.last.as_ref().is_some_and(waits) {
            let _ = SockRef::from(&self.stream).set_linger(None);
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.used().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.used().poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}

impl ActixStream for Line {
    fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(&self.stream, context)
    }

    fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(&self.stream, context)
    }
}
