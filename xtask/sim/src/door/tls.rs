//! TLS of the load balancer's data plane: an authority that lives as long as the daemon, and certificates that it issues
//! for whatever name a client asks for.
//!
//! The account holds ARNs of certificates and not their names, so any name is served; a client that asks for none, as for
//! an address, gets the certificate of this machine. The authority's key never leaves the process.

use std::collections::BTreeMap;
use std::io::{Error, Result};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

/// Names whose certificates are kept; more come from somebody who tries names.
const KEPT: usize = 64;

/// The names of the certificate for a client without SNI.
const THIS_MACHINE: [&str; 2] = ["localhost", "127.0.0.1"];

pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    issued: Mutex<BTreeMap<String, Arc<CertifiedKey>>>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    pub(super) fn new() -> Result<Arc<Self>> {
        let key = KeyPair::generate().map_err(Error::other)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "embedded cloud");
        let certificate = params.self_signed(&key).map_err(Error::other)?;
        let pem = pem(certificate.der());
        Ok(Arc::new(Self { issuer: Issuer::new(params, key), pem, issued: Mutex::default() }))
    }

    /// Its certificate, for those who are to trust it.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Served(Arc::clone(self))));
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn issue(&self, names: &[&str]) -> Result<Arc<CertifiedKey>> {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = issued.get(names[0]) {
            return Ok(Arc::clone(known));
        }
        let key = KeyPair::generate().map_err(Error::other)?;
        let names_of: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names_of).map_err(Error::other)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(Error::other)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = ring::sign::any_supported_type(&key).map_err(Error::other)?;
        let certified = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
        if issued.len() >= KEPT {
            issued.clear();
        }
        issued.insert(names[0].to_owned(), Arc::clone(&certified));
        Ok(certified)
    }
}

#[derive(Debug)]
struct Served(Arc<Authority>);

impl ResolvesServerCert for Served {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            Some(name) => self.0.issue(&[name]).ok(),
            None => self.0.issue(&THIS_MACHINE).ok(),
        }
    }
}

/// RFC 7468: base64 in lines of 64 characters.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut lines = vec!["-----BEGIN CERTIFICATE-----"];
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        lines.push(line);
        rest = after;
    }
    lines.push("-----END CERTIFICATE-----\n");
    lines.join("\n")
}
