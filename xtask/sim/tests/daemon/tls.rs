//! The load balancer's HTTPS listener and the redirect to it, as a client that trusts the daemon's authority meets them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Daemon;
use super::client::{self, Client};

const CERTIFICATE: &str = "arn:aws:acm:ap-southeast-1:123456789012:certificate/0f1e2d3c";

/// One request over TLS, asked by `name`.
async fn https(to: SocketAddr, authority: &Path, name: &'static str) -> Result<String, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(to).await?;
    let name_of = ServerName::try_from(name).unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name_of, stream).await?;
    let ask = format!("GET /x?y=1 HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn balancer(client: &Client) -> String {
    let subnets = client.query("ec2", "Action=DescribeSubnets&Version=2016-11-15").await;
    let ids = client::between_all(&subnets, "<subnetId>", "</subnetId>");
    let zones = client::between_all(&subnets, "<availabilityZone>", "</availabilityZone>");
    let other = zones.iter().position(|zone| *zone != zones[0]).unwrap();
    let form = format!(
        "Action=CreateLoadBalancer&Version=2015-12-01&Name=alb&Subnets.member.1={}&Subnets.member.2={}",
        ids[0], ids[other]
    );
    let reply = client.query("elasticloadbalancing", &form).await;
    client::between_all(&reply, "<LoadBalancerArn>", "</LoadBalancerArn>")[0].clone()
}

async fn listener(client: &Client, balancer: &str, rest: &str) {
    let arn = client::escaped(balancer);
    let form = format!("Action=CreateListener&Version=2015-12-01&LoadBalancerArn={arn}&{rest}");
    client.query("elasticloadbalancing", &form).await;
}

#[tokio::test]
async fn an_https_listener_has_a_certificate_of_the_local_authority_and_port_80_leads_to_it() {
    let daemon = Daemon::start("tls").await;
    let client = Client::new(daemon.bound.endpoint);
    let (first, second) = (daemon.bound.alb, daemon.bound.second);
    let authority = daemon.state_dir.join("ca.pem");
    let balancer = balancer(&client).await;

    let redirect = "Protocol=HTTP&Port=80&DefaultActions.member.1.Type=redirect\
        &DefaultActions.member.1.RedirectConfig.Protocol=HTTPS&DefaultActions.member.1.RedirectConfig.Port=443\
        &DefaultActions.member.1.RedirectConfig.StatusCode=HTTP_301";
    listener(&client, &balancer, redirect).await;
    assert!(https(first, &authority, "app.example.com").await.is_err(), "there is no HTTPS listener yet");

    let fixed = format!(
        "Protocol=HTTPS&Port=443&Certificates.member.1.CertificateArn={}&DefaultActions.member.1.Type=fixed-response\
         &DefaultActions.member.1.FixedResponseConfig.StatusCode=200\
         &DefaultActions.member.1.FixedResponseConfig.MessageBody=served",
        client::escaped(CERTIFICATE)
    );
    listener(&client, &balancer, &fixed).await;
    let answer = https(first, &authority, "app.example.com").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("served"), "{answer}");
    assert!(https(first, &authority, "localhost").await.is_ok());
    let wrong = https(first, &authority, "127.0.0.9").await.unwrap_err();
    assert!(wrong.to_string().contains("not valid for name"), "{wrong}");
    // Where no HTTPS is spoken, a handshake gets no answer.
    assert!(https(second, &authority, "app.example.com").await.is_err());

    let (status, _) = client.get(second, "/x?y=1").await;
    assert_eq!(status, 301);
    let (status, body) = client.get(first, "/").await;
    assert_eq!((status, body.as_str()), (200, "served"), "a browser without the authority can look");
    let (_, said) = client.get(daemon.bound.endpoint, "/_cloud/status").await;
    assert!(
        said.contains(&format!("https://{first}")) && said.contains(&format!("http://{second}")),
        "{said}"
    );
    daemon.stop(&client).await;
}
