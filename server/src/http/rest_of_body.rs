//! Reads what an answer left of its request. A server that answers early and closes makes the client's next
//! request on that connection fail, or loses the answer; so a short rest is read, and a long one ends the
//! connection by a header that the client understands.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::{Stream, StreamExt};

/// What is read for the connection's sake alone.
const REST_BYTES: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(1);

/// A body whose rest somebody else may read.
#[derive(Clone)]
struct Shared(Arc<Mutex<BodyDataStream>>);

impl Stream for Shared {
    type Item = <BodyDataStream as Stream>::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *stream).poll_next(context)
    }
}

/// Answers, then reads the rest of the request or says that the connection ends.
pub(crate) async fn hear_out(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let keeps_connection = request.version() < Version::HTTP_2;
    let (parts, body) = request.into_parts();
    let shared = Shared(Arc::new(Mutex::new(body.into_data_stream())));
    let mut response = next.run(Request::from_parts(parts, Body::from_stream(shared.clone()))).await;
    let whole = tokio::time::timeout(PATIENCE, read_rest(shared)).await.unwrap_or(false);
    if !whole && keeps_connection {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether the body ended.
async fn read_rest(mut body: Shared) -> bool {
    let mut read = 0;
    while let Some(piece) = body.next().await {
        let Ok(piece) = piece else { return false };
        read += piece.len();
        if read > REST_BYTES {
            return false;
        }
    }
    true
}
