//! Notices whether a request is still waiting for its connection. A time-out in that phase means that
//! nothing was sent, which decides whether the engine may try again. It must not know of requests or URLs.
//!
//! How: [`Watched`] polls the request with a flag in task-local storage; the connector layer raises the
//! flag whenever the connection attempt is polled. After each poll the flag tells whether the request is
//! still held up by its connection. When a pooled connection is used instead, the attempt is not polled
//! (or is finished elsewhere) and the flag stays down: then we assume that the request was sent.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tower::{Layer, Service};

thread_local! {
    /// Set only during a poll, so it need not follow the task between threads.
    static CURRENT: Cell<Option<Rc<Cell<bool>>>> = const { Cell::new(None) };
}

/// Whether the request was waiting for its connection when it was last polled.
#[derive(Clone, Default)]
pub(super) struct Connecting(Arc<AtomicBool>);

impl Connecting {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A request future under watch.
pub(super) struct Watched<F> {
    request: Pin<Box<F>>,
    connecting: Connecting,
}

impl<F> Watched<F> {
    pub(super) fn new(request: F) -> Self {
        Self { request: Box::pin(request), connecting: Connecting::default() }
    }

    pub(super) fn connecting(&self) -> Connecting {
        self.connecting.clone()
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let raised = Rc::new(Cell::new(false));
        let before = CURRENT.replace(Some(raised.clone()));
        let polled = self.request.as_mut().poll(cx);
        CURRENT.set(before);
        self.connecting.0.store(raised.get(), Ordering::Release);
        polled
    }
}

/// Layer that makes connection attempts visible to [`Watched`].
#[derive(Clone, Copy)]
pub(super) struct NoteConnecting;

impl<S> Layer<S> for NoteConnecting {
    type Service = Noting<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Noting(inner)
    }
}

/// See [`NoteConnecting`].
#[derive(Clone)]
pub(super) struct Noting<S>(S);

impl<S, R> Service<R> for Noting<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Attempt<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        Attempt(Box::pin(self.0.call(request)))
    }
}

/// A connection attempt that raises the flag while it is pending.
pub(super) struct Attempt<F>(Pin<Box<F>>);

impl<F: Future> Future for Attempt<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.0.as_mut().poll(cx);
        if polled.is_pending() {
            let current = CURRENT.take();
            if let Some(flag) = &current {
                flag.set(true);
            }
            CURRENT.set(current);
        }
        polled
    }
}
