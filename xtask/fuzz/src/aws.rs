//! What AWS answers, as far as the SDK does not read it. The module has the name that its files expect.

#![allow(dead_code, reason = "each file has more than is read here")]

mod lite;

/// Code and message of an error in any of AWS's protocols.
pub(crate) fn error_of(body: &[u8]) -> Option<(String, String)> {
    lite::reply::error_of(body).map(|fault| (fault.code, fault.message))
}
