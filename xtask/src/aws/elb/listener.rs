//! Listeners.

use aws_sdk_elasticloadbalancingv2::operation::create_listener::CreateListenerOutput;
use aws_sdk_elasticloadbalancingv2::types::{Certificate, Listener, ProtocolEnum};
use deploy::model::ListenerState;
use deploy::model::spec::ListenerSpec;

use super::{action, wire_tags};
use crate::aws::call::Op;
use crate::aws::names::{load_balancer_name, port};
use crate::aws::{Aws, Error, Kind, Tags};

const DESCRIBE: Op = Op::read("elasticloadbalancing", "DescribeListeners");
/// After a lost reply the port is taken by the very listener that was asked for, which AWS mostly tells by itself.
/// Patient about a load balancer and a certificate that were created a moment ago.
const CREATE: Op = Op::write("elasticloadbalancing", "CreateListener")
    .patient(&["LoadBalancerNotFound", "CertificateNotFound"]);
const DELETE: Op = Op::write("elasticloadbalancing", "DeleteListener");

/// A listener as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundListener {
    /// Its ARN and settings.
    pub state: ListenerState,
    /// ARNs of the target groups that its default action leads to.
    pub forwards: Vec<String>,
}

impl Aws {
    /// The listeners of a load balancer.
    ///
    /// # Errors
    /// When AWS refuses, or the load balancer does not exist.
    pub async fn describe_listeners(&self, load_balancer_arn: &str) -> Result<Vec<FoundListener>, Error> {
        let (mut found, mut marker) = (Vec::new(), None);
        loop {
            let call = || {
                self.elb
                    .describe_listeners()
                    .load_balancer_arn(load_balancer_arn)
                    .set_marker(marker.clone())
                    .send()
            };
            let reply = self.call(DESCRIBE, call).await?;
            found.extend(reply.listeners.unwrap_or_default().iter().map(read));
            marker = reply.next_marker;
            if marker.is_none() {
                return Ok(found);
            }
        }
    }

    /// Creates a listener whose default action is a fixed 404. Gives its ARN.
    ///
    /// # Errors
    /// [`Kind::AlreadyExists`] when the port has one with other settings; when AWS refuses.
    pub async fn create_listener(
        &self,
        spec: &ListenerSpec,
        load_balancer_arn: &str,
        tags: &Tags,
    ) -> Result<String, Error> {
        let default = action::not_found();
        let certificate =
            spec.certificate.as_ref().map(|arn| vec![Certificate::builder().certificate_arn(arn).build()]);
        let call = || {
            self.elb
                .create_listener()
                .load_balancer_arn(load_balancer_arn)
                .port(i32::from(spec.port))
                .protocol(ProtocolEnum::from(spec.protocol.as_str()))
                .set_certificates(certificate.clone())
                .default_actions(default.clone())
                .set_tags(wire_tags(tags))
                .send()
        };
        let arn = |reply: CreateListenerOutput| {
            let listener = reply.listeners.unwrap_or_default().into_iter().next();
            listener.and_then(|it| it.listener_arn).ok_or_else(|| "listener".to_owned())
        };
        let error = match self.call_for(CREATE, call, arn).await {
            Ok(arn) => return Ok(arn),
            Err(error) if matches!(error.kind, Kind::AlreadyExists) => error,
            Err(error) => return Err(error),
        };
        let found = self.describe_listeners(load_balancer_arn).await?;
        let same = found.into_iter().find(|found| found.state.spec == *spec && found.forwards.is_empty());
        same.map(|found| found.state.arn).ok_or(error)
    }

    /// Deletes a listener with its rules; none is as good.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete_listener(&self, arn: &str) -> Result<(), Error> {
        let call = || self.elb.delete_listener().listener_arn(arn).send();
        self.call(DELETE, call).await.map(drop).or_else(crate::aws::error::gone)
    }
}

fn read(found: &Listener) -> FoundListener {
    let certificate = found.certificates().first().and_then(|certificate| certificate.certificate_arn());
    FoundListener {
        state: ListenerState {
            arn: found.listener_arn().unwrap_or_default().to_owned(),
            spec: ListenerSpec {
                load_balancer: load_balancer_name(found.load_balancer_arn().unwrap_or_default()).to_owned(),
                port: found.port().map_or(0, port),
                protocol: found.protocol().map(ProtocolEnum::as_str).unwrap_or_default().to_owned(),
                certificate: certificate.map(str::to_owned),
            },
        },
        forwards: action::forwards(found.default_actions()),
    }
}
