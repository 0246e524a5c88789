//! AWS's own JSON beside the SDK's types: members that a request carries on top, and the reply as it came.
//!
//! The SDK drops what its version does not know. What passes here is merged into the serialized request before it is signed,
//! and read from the reply's bytes, so that such a member is neither lost nor invisible.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use deploy::model::spec::Members;
use serde_json::Value;

/// One call's members, both ways. Clones are the same call.
#[derive(Clone, Default)]
pub(in crate::aws) struct Raw {
    over: Members,
    reply: Arc<Mutex<Vec<u8>>>,
}

impl Raw {
    /// Lays members over those that the SDK writes.
    pub(in crate::aws) fn with(over: Members) -> Self {
        Self { over, reply: Arc::default() }
    }

    /// The last reply; null when there was none, or none in JSON.
    pub(in crate::aws) fn reply(&self) -> Value {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::from_slice(&reply).unwrap_or(Value::Null)
    }
}

/// Shows nothing: requests hold what replaces secrets by mistake.
impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Raw")
    }
}

impl Intercept for Raw {
    fn name(&self) -> &'static str {
        "Raw"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.over.is_empty() {
            return Ok(());
        }
        let request = context.request_mut();
        let mut members = Members::of(serde_json::from_slice(request.body().bytes().unwrap_or_default())?);
        members.lay(&self.over);
        let body = members.wire().to_string();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        body.clone_into(&mut self.reply.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }
}
