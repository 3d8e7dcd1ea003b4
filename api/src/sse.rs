//! Server-sent events: from a task that produces events to the answer. Must not know what the events mean.

use crate::state::ApiState;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use std::convert::Infallible;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Events that may wait for a slow reader before the producer waits too.
const BUFFER: usize = 64;

/// Where a producer puts its events.
pub(crate) struct Outlet(mpsc::Sender<Event>);

impl Outlet {
    /// Hands on one event; false when nobody reads any more.
    pub(crate) async fn put(&self, id: String, name: &str, data: &impl serde::Serialize) -> bool {
        let event = Event::default().id(id).event(name).json_data(data);
        match event {
            Ok(event) => self.0.send(event).await.is_ok(),
            Err(fault) => {
                tracing::error!(error = &fault as &dyn std::error::Error, "an event could not be written");
                false
            }
        }
    }

    /// Returns when nobody reads any more.
    pub(crate) async fn closed(&self) {
        self.0.closed().await;
    }
}

/// An answer whose events come from `produce`, which ends when it wants to, when the reader is gone, or when the
/// server stops.
pub(crate) fn stream<W>(state: &ApiState, produce: impl FnOnce(Outlet) -> W) -> Response
where
    W: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(BUFFER);
    let work = produce(Outlet(sender));
    let stopping = state.stopping.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = work => {}
            () = stopping.cancelled() => {}
        }
    });
    let events = ReceiverStream::new(receiver).map(Ok::<_, Infallible>);
    let heartbeat = KeepAlive::new().interval(state.config.limits.heartbeat);
    let mut response = Sse::new(events).keep_alive(heartbeat).into_response();
    // Proxies that buffer would hold events back.
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// Where a reader that lost its connection stopped.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("last-event-id")?.to_str().ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}
