//! A call through the SDK's orchestrator.

use std::future::Future;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::auth::static_resolver::{
    StaticAuthSchemeOptionResolver, StaticAuthSchemeOptionResolverParams,
};
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::ErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use aws_types::service_config::ServiceConfigKey;
use form_urlencoded::Serializer;

use super::api::Api;
use super::endpoint::{Endpoint, endpoint};
use super::reply::error_of;

/// Says who calls, as the SDK's clients do.
const USER_AGENT: &str = concat!("xtask/", env!("CARGO_PKG_VERSION"));

#[derive(Clone, Debug)]
struct Request {
    content_type: &'static str,
    target: Option<String>,
    body: String,
}

/// A client for APIs without their SDK crate.
#[derive(Clone, Debug)]
pub(in crate::aws) struct Lite {
    config: SdkConfig,
    /// The endpoint that overrides everything else.
    endpoint: Option<String>,
}

/// The result of a call, in the SDK's own terms: the reply's body, or an error with its response.
pub(in crate::aws) type Reply = Result<Vec<u8>, SdkError<ErrorMetadata, HttpResponse>>;

impl Lite {
    pub(in crate::aws) fn new(config: SdkConfig, endpoint: Option<String>) -> Self {
        Self { config, endpoint }
    }

    /// The same in another region.
    pub(in crate::aws) fn at(&self, region: &str) -> Self {
        let config = self.config.to_builder().region(Region::new(region.to_owned())).build();
        Self { config, endpoint: self.endpoint.clone() }
    }

    /// Calls an operation of the query protocol.
    pub(in crate::aws) fn query(
        &self,
        api: Api,
        operation: &'static str,
        version: &str,
        members: &[(String, String)],
    ) -> impl Future<Output = Reply> + use<> {
        let mut form = Serializer::new(String::new());
        form.append_pair("Action", operation).append_pair("Version", version).extend_pairs(members);
        let content_type = "application/x-www-form-urlencoded; charset=utf-8";
        self.invoke(api, operation, Request { content_type, target: None, body: form.finish() })
    }

    /// Calls an operation of the JSON protocols.
    pub(in crate::aws) fn json(
        &self,
        api: Api,
        operation: &'static str,
        target: &str,
        members: &serde_json::Value,
    ) -> impl Future<Output = Reply> + use<> {
        let target = Some(format!("{target}.{operation}"));
        let request = Request { content_type: api.json(), target, body: members.to_string() };
        self.invoke(api, operation, request)
    }

    fn invoke(
        &self,
        api: Api,
        operation: &'static str,
        request: Request,
    ) -> impl Future<Output = Reply> + use<> {
        let operation = self.operation(api, operation);
        async move { operation.invoke(request).await }
    }

    fn operation(&self, api: Api, name: &'static str) -> Operation<Request, Vec<u8>, ErrorMetadata> {
        let config = &self.config;
        let at = self.address(api);
        let mut layer = Layer::new("lite");
        layer
            .store_put(SigningRegion::from(Region::new(at.region)))
            .store_put(SigningName::from(api.prefix()))
            .store_put(SigV4OperationSigningConfig::default())
            .store_put(AuthSchemeOptionResolverParams::new(StaticAuthSchemeOptionResolverParams::new()));
        let resolver = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
        let mut components = RuntimeComponentsBuilder::new("lite")
            .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
            .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(resolver)))
            .with_identity_cache(config.identity_cache())
            .with_http_client(config.http_client())
            .with_sleep_impl(config.sleep_impl())
            .with_time_source(config.time_source());
        if let Some(credentials) = config.credentials_provider() {
            components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
        }
        let plugin =
            StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components);
        Operation::builder()
            .service_name(api.prefix())
            .operation_name(name)
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(&at.url)
            // As for the SDK's own clients: every attempt is counted and repeated by this tool itself.
            .no_retry()
            .timeout_config(config.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .runtime_plugin(plugin)
            .serializer(|request: Request| {
                let mut http = HttpRequest::new(SdkBody::from(request.body));
                http.set_method("POST")?;
                http.set_uri("/")?;
                http.headers_mut().insert("content-type", request.content_type);
                http.headers_mut().insert("user-agent", USER_AGENT);
                if let Some(target) = request.target {
                    http.headers_mut().insert("x-amz-target", target);
                }
                Ok(http)
            })
            .deserializer::<Vec<u8>, ErrorMetadata>(|reply| {
                let body = reply.body().bytes().unwrap_or_default();
                if reply.status().is_success() {
                    return Ok(body.to_vec());
                }
                let mut metadata = ErrorMetadata::builder();
                if let Some(found) = error_of(body) {
                    metadata = metadata.code(found.code).message(found.message);
                }
                Err(OrchestratorError::operation(metadata.build()))
            })
            .build()
    }

    /// In the SDK's order: given in code, the environment's or profile's for this API, then for all, then AWS's own.
    pub(in crate::aws) fn address(&self, api: Api) -> Endpoint {
        let config = &self.config;
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let own = endpoint(
            api,
            &region,
            config.use_fips().unwrap_or_default(),
            config.use_dual_stack().unwrap_or_default(),
        );
        let key = ServiceConfigKey::builder()
            .service_id(api.service_id())
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok();
        let for_api = || config.service_config()?.load_config(key?);
        let url = self.endpoint.clone().or_else(for_api).or_else(|| config.endpoint_url().map(str::to_owned));
        Endpoint { url: url.unwrap_or(own.url), region: own.region }
    }
}
