//! The in-process door: an HTTP client for the AWS SDK that reaches a [`Cloud`] without a socket.
//!
//! The SDK's own serialisation, signing and error handling run unchanged; only the wire is a function call. Each call
//! takes some milliseconds of the runtime's time, so that calls made at once arrive in an order and so that paused
//! time moves. It refuses nothing that a socket would carry and knows nothing of any API.

#[cfg(test)]
mod tests;

use std::io::{Error, ErrorKind};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::Format;
use bytes::Bytes;
use http::HeaderValue;
use http::header::DATE;
use http_body_util::BodyExt;
use tokio::io::DuplexStream;

use super::cloud::{Cloud, Delivery};
use super::session;

/// A round trip within a region, about.
const LATENCY: Duration = Duration::from_millis(20);

/// The SDK's way into a [`Cloud`].
#[derive(Clone, Debug)]
pub struct SimHttp {
    cloud: Cloud,
}

impl SimHttp {
    /// A client of `cloud` with a round trip of 20 ms.
    pub fn new(cloud: Cloud) -> Self {
        Self { cloud }
    }

    /// Sends one HTTP request, as the SDK does; also for callers that bring their own, such as an image pusher.
    ///
    /// # Errors
    /// `ConnectionRefused` or `ConnectionReset`, when a rule says so.
    pub async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        let (parts, body) = request.into_parts();
        tokio::time::sleep(LATENCY / 2).await;
        let delivery = self.cloud.exchange(&parts, body).await;
        tokio::time::sleep(LATENCY / 2).await;
        match delivery {
            Delivery::Reply(mut reply) => {
                reply.headers_mut().extend(self.date().map(|date| (DATE, date)));
                Ok(reply)
            }
            Delivery::Refused => Err(Error::new(ErrorKind::ConnectionRefused, "connection refused")),
            Delivery::Reset => Err(Error::new(ErrorKind::ConnectionReset, "connection reset by peer")),
        }
    }
}

impl SimHttp {
    /// By the cloud's clock, as a server sends it.
    fn date(&self) -> Option<HeaderValue> {
        let now = i64::try_from(self.cloud.clock().millis().0 / 1_000).ok()?;
        DateTime::from_secs(now).fmt(Format::HttpDate).ok()?.parse().ok()
    }

    /// A connection of its own for a data channel, which begins with the request of a WebSocket as it would on a socket.
    pub fn dial(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(64 * 1024);
        tokio::spawn(session::serve(self.cloud.clone(), far));
        near
    }
}

impl HttpConnector for SimHttp {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
            let reply = client
                .send(http::Request::from_parts(parts, body))
                .await
                .map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(reply.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

impl HttpClient for SimHttp {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
