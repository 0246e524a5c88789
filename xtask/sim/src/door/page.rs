//! What the load balancer says by itself, in the form that clients of an Application Load Balancer know.

use http::header::{CONTENT_TYPE, SERVER};
use http::{HeaderValue, Response, StatusCode};

use super::forward::{ReplyBody, whole};

/// A page of the load balancer's own with this status.
pub(super) fn error(status: StatusCode, note: &str) -> Response<ReplyBody> {
    // What AWS calls them, where that is not the standard's phrase.
    let phrase = match status {
        StatusCode::SERVICE_UNAVAILABLE => "Service Temporarily Unavailable",
        StatusCode::GATEWAY_TIMEOUT => "Gateway Time-out",
        _ => status.canonical_reason().unwrap_or("Error"),
    };
    let title = format!("{} {phrase}", status.as_u16());
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <!-- {note} -->\r\n</body>\r\n</html>\r\n"
    );
    let mut page = Response::new(whole(body));
    *page.status_mut() = status;
    let headers = page.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static("awselb/2.0"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    page
}
