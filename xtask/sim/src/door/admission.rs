//! A call before it is carried out: read off the wire and judged by the rules.

use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;

use super::registry;
use crate::fault::{Call, Fault, Surface};
use crate::wire::{self, ApiRequest};

/// A call that has been read and judged but not carried out.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(super) asked: Asked,
    pub(super) fault: Option<Fault>,
}

#[derive(Debug)]
pub(super) enum Asked {
    Api(ApiRequest),
    Registry(registry::Request),
    Unreadable { request_line: String, refusal: http::Response<Bytes> },
}

impl Admitted {
    /// How long the request is delayed before it arrives.
    pub(crate) fn delay(&self) -> Duration {
        match self.fault {
            Some(Fault::Delay(millis)) => Duration::from_millis(millis),
            _ => Duration::ZERO,
        }
    }
}

impl Asked {
    pub(super) fn read(parts: &Parts, body: Bytes) -> Self {
        if let Some(request) = registry::Request::of(parts, &body) {
            return Self::Registry(request);
        }
        match wire::decode(parts, &body) {
            Ok(request) => Self::Api(request),
            Err(refusal) => {
                Self::Unreadable { request_line: format!("{} {}", parts.method, parts.uri.path()), refusal }
            }
        }
    }

    pub(super) fn call(&self) -> Call<'_> {
        match self {
            Self::Api(request) => Call::of(request),
            Self::Registry(request) => Call::new(Surface::Registry, request.operation()),
            Self::Unreadable { request_line, .. } => Call::new(Surface::Unrecognised, request_line),
        }
    }
}
