//! Listeners.

use aws_sdk_elasticloadbalancingv2::operation::create_listener::CreateListenerOutput;
use aws_sdk_elasticloadbalancingv2::types::{Action, Certificate, Listener, ProtocolEnum};
use deploy::model::ListenerState;
use deploy::model::spec::ListenerSpec;

use super::{action, wire_tags};
use crate::aws::call::Op;
use crate::aws::error::{found, gone};
use crate::aws::names::{load_balancer_name, port};
use crate::aws::{Aws, Error, Kind, Tags};

const DESCRIBE: Op = Op::read("elasticloadbalancing", "DescribeListeners");
/// After a lost reply the port is taken by the very listener that was asked for, and AWS mostly answers so by itself.
/// Patient about a load balancer and a certificate that were created a moment ago.
const CREATE: Op = Op::write("elasticloadbalancing", "CreateListener")
    .patient(&["LoadBalancerNotFound", "CertificateNotFound"]);
const MODIFY: Op = Op::write("elasticloadbalancing", "ModifyListener").patient(&["CertificateNotFound"]);
/// Adding one that is there changes nothing.
const ADD: Op = Op::write("elasticloadbalancing", "AddListenerCertificates")
    .patient(&["ListenerNotFound", "CertificateNotFound"]);
const CERTIFICATES: Op = Op::read("elasticloadbalancing", "DescribeListenerCertificates");
const DELETE: Op = Op::write("elasticloadbalancing", "DeleteListener");

/// A listener as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundListener {
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
        let page =
            |next| self.elb.describe_listeners().load_balancer_arn(load_balancer_arn).set_marker(next).send();
        let found = self.pages(DESCRIBE, page, |reply| (reply.listeners, reply.next_marker)).await?;
        Ok(found.iter().map(read).collect())
    }

    /// The certificates of a listener besides its default one, sorted.
    pub async fn describe_further_certificates(&self, listener_arn: &str) -> Result<Vec<String>, Error> {
        let page = |next| {
            self.elb.describe_listener_certificates().listener_arn(listener_arn).set_marker(next).send()
        };
        let found = self.pages(CERTIFICATES, page, |reply| (reply.certificates, reply.next_marker)).await?;
        let further = found.into_iter().filter(|certificate| certificate.is_default() != Some(true));
        let mut arns: Vec<_> = further.filter_map(|certificate| certificate.certificate_arn).collect();
        arns.sort();
        Ok(arns)
    }

    /// A listener by its ARN.
    pub async fn find_listener(&self, arn: &str) -> Result<Option<FoundListener>, Error> {
        let reply = self.call(DESCRIBE, || self.elb.describe_listeners().listener_arns(arn).send()).await;
        Ok(found(reply)?.and_then(|reply| reply.listeners?.first().map(read)))
    }

    /// Creates a listener whose default action is a redirect or a fixed 404. Returns its ARN.
    ///
    /// # Errors
    /// [`Kind::AlreadyExists`] when the port has one with other settings; when AWS refuses.
    pub async fn create_listener(
        &self,
        spec: &ListenerSpec,
        load_balancer_arn: &str,
        tags: &Tags,
    ) -> Result<String, Error> {
        let arn = self.create_with_default_certificate(spec, load_balancer_arn, tags).await?;
        self.add_listener_certificates(&arn, &spec.further_certificates).await?;
        Ok(arn)
    }

    async fn create_with_default_certificate(
        &self,
        spec: &ListenerSpec,
        load_balancer_arn: &str,
        tags: &Tags,
    ) -> Result<String, Error> {
        let call = || {
            self.elb
                .create_listener()
                .load_balancer_arn(load_balancer_arn)
                .port(i32::from(spec.port))
                .protocol(ProtocolEnum::from(spec.protocol.as_str()))
                .set_certificates(spec.certificate.as_ref().map(|arn| certificates([arn])))
                .set_ssl_policy(spec.ssl_policy.clone())
                .default_actions(default_action(spec))
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
        let wanted = ListenerSpec { further_certificates: Vec::new(), ..spec.clone() };
        let same = found.into_iter().find(|found| found.state.spec == wanted && found.forwards.is_empty());
        same.map(|found| found.state.arn).ok_or(error)
    }

    /// Sets a listener's default certificate and policy, and where it redirects to when it does. Nothing else of it changes.
    pub async fn modify_listener(&self, arn: &str, spec: &ListenerSpec) -> Result<(), Error> {
        let call = || {
            self.elb
                .modify_listener()
                .listener_arn(arn)
                .set_certificates(spec.certificate.as_ref().map(|arn| certificates([arn])))
                .set_ssl_policy(spec.ssl_policy.clone())
                .set_default_actions(spec.redirect_to.map(|port| vec![action::to_https(port)]))
                .send()
        };
        self.call(MODIFY, call).await.map(drop)
    }

    /// Adds certificates to those of a listener.
    pub async fn add_listener_certificates(&self, arn: &str, further: &[String]) -> Result<(), Error> {
        for one in further {
            // One by one: AWS limits how many a call may hold, and not in the API's reference.
            let call = || {
                let call = self.elb.add_listener_certificates().listener_arn(arn);
                call.set_certificates(Some(certificates([one]))).send()
            };
            self.call(ADD, call).await?;
        }
        Ok(())
    }

    /// Deletes a listener with its rules. A missing one is not an error.
    pub async fn delete_listener(&self, arn: &str) -> Result<(), Error> {
        let call = || self.elb.delete_listener().listener_arn(arn).send();
        self.call(DELETE, call).await.map(drop).or_else(gone)
    }
}

fn certificates<'a>(arns: impl IntoIterator<Item = &'a String>) -> Vec<Certificate> {
    arns.into_iter().map(|arn| Certificate::builder().certificate_arn(arn).build()).collect()
}

fn default_action(spec: &ListenerSpec) -> Action {
    spec.redirect_to.map_or_else(action::not_found, action::to_https)
}

/// DescribeListeners names the default certificate only.
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
                further_certificates: Vec::new(),
                ssl_policy: found.ssl_policy().map(str::to_owned),
                redirect_to: action::redirects_to(found.default_actions()),
            },
        },
        forwards: action::forwards(found.default_actions()),
    }
}
