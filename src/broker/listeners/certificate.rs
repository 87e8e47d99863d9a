//! The name in a client's certificate.

use rustls_pki_types::CertificateDer;
use x509_parser::{
    objects::{oid_registry, oid2abbrev},
    prelude::{FromDer, X509Certificate, X509Name},
};

/// Which part of a certificate is the name of its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateName {
    /// The common name (Mosquitto's `use_identity_as_username`).
    CommonName,
    /// All of the subject as RFC 2253 writes it: `CN=device 7,O=Works` (Mosquitto's `use_subject_as_username`).
    Subject,
}

impl CertificateName {
    /// The name in this certificate, if there is one.
    pub(super) fn of(self, certificate: &CertificateDer<'_>) -> Option<String> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let subject = certificate.subject();
        let name = match self {
            Self::CommonName => {
                let mut names = subject.iter_common_name();
                names.next()?.as_str().ok()?.to_owned()
            }
            Self::Subject => rfc_2253(subject),
        };
        // No user has such a name, and none shall get one.
        (!name.is_empty() && !name.contains('\0')).then_some(name)
    }
}

/// RFC 2253: the last part first.
fn rfc_2253(subject: &X509Name<'_>) -> String {
    let parts: Vec<_> = subject.iter_rdn().collect();
    let part = |part: &&x509_parser::x509::RelativeDistinguishedName<'_>| {
        let attributes = part.iter().map(|attribute| {
            let oid = attribute.attr_type();
            let name =
                oid2abbrev(oid, oid_registry()).map_or_else(|_| oid.to_id_string(), str::to_owned);
            let value = attribute.as_str().unwrap_or_default();
            format!("{name}={}", escaped(value))
        });
        attributes.collect::<Vec<_>>().join("+")
    };
    parts.iter().rev().map(part).collect::<Vec<_>>().join(",")
}

/// RFC 2253, section 2.4.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for (place, letter) in value.char_indices() {
        let is_first = place == 0;
        let is_last = place + letter.len_utf8() == value.len();
        let is_special = matches!(letter, ',' | '+' | '"' | '\\' | '<' | '>' | ';')
            || (letter == ' ' && (is_first || is_last))
            || (letter == '#' && is_first);
        if is_special {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::CertificateName::{CommonName, Subject};

    #[test]
    fn names_are_read_as_mosquitto_reads_them() {
        for (parts, common, subject) in [
            (
                vec![
                    (DnType::CountryName, "DE"),
                    (DnType::OrganizationName, "Works, Inc"),
                    (DnType::CommonName, "device 7"),
                ],
                Some("device 7"),
                Some("CN=device 7,O=Works\\, Inc,C=DE"),
            ),
            (
                vec![(DnType::OrganizationName, " #x")],
                None,
                Some("O=\\ #x"),
            ),
            (vec![], None, None),
        ] {
            let mut name = DistinguishedName::new();
            for (kind, value) in parts {
                name.push(kind, value);
            }
            let mut params = CertificateParams::default();
            params.distinguished_name = name;
            let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            assert_eq!(CommonName.of(made.der()).as_deref(), common);
            assert_eq!(Subject.of(made.der()).as_deref(), subject);
        }
        assert_eq!(CommonName.of(&vec![1, 2, 3].into()), None);
    }
}
