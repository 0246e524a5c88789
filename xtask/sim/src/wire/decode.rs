//! An HTTP request becomes an [`ApiRequest`].

use bytes::Bytes;

use super::ApiRequest;

/// Reads one AWS API call.
///
/// # Errors
/// The response that AWS gives to a request it cannot read or route.
pub fn decode(_parts: &http::request::Parts, _body: &[u8]) -> Result<ApiRequest, http::Response<Bytes>> {
    Err(http::Response::new(Bytes::new()))
}
