//! Which addresses a webhook may be sent to: those of the public internet, and no others.
//!
//! Whoever registers an endpoint has this server make requests from inside its network. So a name is resolved
//! here, every address that it has must be public, and the connection is made to just these addresses: the
//! name is not resolved again, and this is done anew for every attempt.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

/// The longest address that is taken.
const URL_BYTES_MAX: usize = 2048;

/// The most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// The port of HTTPS, and those above the ones that belong to other well-known services.
const HTTPS_PORT: u16 = 443;
const HIGH_PORTS: u16 = 1024;

/// Why nothing is sent to an address. It tells nothing of the network inside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It is no address.
    #[error("must be a whole address, as in https://example.com/webhooks, of at most {URL_BYTES_MAX} bytes")]
    Unreadable,
    /// Anybody could read what is sent.
    #[error("must begin with https://")]
    NotHttps,
    /// A name and password, or a part that is never sent.
    #[error("must have no user, password or fragment")]
    Surplus,
    /// Another service's.
    #[error("must name no port but {HTTPS_PORT} or one from {HIGH_PORTS} on")]
    Port,
    /// Not on the public internet.
    #[error("must be on the public internet: this is an address inside a network, or none at all")]
    NotPublic,
    /// Nobody knows the name.
    #[error("the name of the host cannot be resolved")]
    Unknown,
}

/// Decides where webhooks may be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    /// Everywhere, and without TLS: for development.
    is_open: bool,
}

impl Guard {
    pub(super) fn new(is_open: bool) -> Self {
        Self { is_open }
    }

    /// Reads an address and checks what can be told without asking for its name.
    pub(crate) fn read(self, text: &str) -> Result<Url, Refusal> {
        let url = Url::parse(text).ok().filter(|_| text.len() <= URL_BYTES_MAX).ok_or(Refusal::Unreadable)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Refusal::Unreadable)?;
        match url.scheme() {
            "https" => {}
            "http" if self.is_open => {}
            _ => return Err(Refusal::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Refusal::Surplus);
        }
        if self.is_open {
            return Ok(url);
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if port != HTTPS_PORT && port < HIGH_PORTS {
            return Err(Refusal::Port);
        }
        if literal(host).map_or_else(|| is_inside(host), |address| !is_public(address)) {
            return Err(Refusal::NotPublic);
        }
        Ok(url)
    }

    /// The addresses that a connection may be made to.
    pub(super) async fn resolve(self, url: &Url) -> Result<Vec<SocketAddr>, Refusal> {
        let (host, port) =
            (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let addresses: Vec<SocketAddr> = match literal(host) {
            Some(address) => vec![SocketAddr::new(address, port)],
            None => tokio::net::lookup_host((host, port)).await.map_err(|_| Refusal::Unknown)?.collect(),
        };
        if addresses.is_empty() {
            return Err(Refusal::Unknown);
        }
        // One that is not public beside others that are is no accident either.
        if !self.is_open && addresses.iter().any(|address| !is_public(address.ip())) {
            return Err(Refusal::NotPublic);
        }
        Ok(addresses.into_iter().take(ADDRESSES_MAX).collect())
    }
}

/// The address that a host is written as. Numbers in other notations have become plain ones with the URL.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

/// Names that are never anywhere else. What others resolve to is seen when they are.
fn is_inside(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let last = host.rsplit('.').next().unwrap_or_default();
    !host.contains('.')
        || ["localhost", "local", "internal", "intranet", "home", "lan", "arpa"].contains(&last)
}

/// Networks of IPv4 that are not the public internet's: address, and bits that count.
const INSIDE_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),           // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // behind a carrier's translation
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, and the metadata of clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // relays of 6to4
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, and broadcast
];

/// Networks within IPv6's global unicast (`2000::/3`) that are not the public internet's.
const INSIDE_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo among them
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, which holds an address of IPv4
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// All of IPv6 that is given out to networks.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What translators put before an address of IPv4 that has none of IPv6.
const TRANSLATED: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !INSIDE_V4.iter().any(|network| is_in_v4(address, *network)),
        IpAddr::V6(address) if is_in_v6(address, TRANSLATED) => {
            let [.., a, b, c, d] = address.octets();
            is_public(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
        }
        IpAddr::V6(address) => {
            is_in_v6(address, GLOBAL_V6) && !INSIDE_V6.iter().any(|network| is_in_v6(address, *network))
        }
    }
}

fn is_in_v4(address: Ipv4Addr, (network, bits): (Ipv4Addr, u32)) -> bool {
    let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or_default();
    address.to_bits() & mask == network.to_bits()
}

fn is_in_v6(address: Ipv6Addr, (network, bits): (Ipv6Addr, u32)) -> bool {
    let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or_default();
    address.to_bits() & mask == network.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_taken() {
        let guard = Guard::new(false);
        let public = [
            "https://example.com/hook",
            "https://example.com:8443/hook?tenant=7",
            "https://EXAMPLE.com./",
            "https://93.184.215.14/",
            "https://172.32.0.1/",
            "https://100.128.0.1/",
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
            "https://[64:ff9b::5db8:d70e]/",
            "https://xn--bcher-kva.example/",
        ];
        for url in public {
            assert!(guard.read(url).is_ok(), "{url}: {:?}", guard.read(url));
        }
        let inside = [
            "https://localhost/",
            "https://localhost./",
            "https://api.localhost/",
            "https://printer.local/",
            "https://metadata.google.internal/",
            "https://intranet/",
            "https://0.0.0.0/",
            "https://10.1.2.3/",
            "https://100.64.0.1/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://172.16.0.1/",
            "https://172.31.255.255/",
            "https://192.0.0.1/",
            "https://192.0.2.1/",
            "https://192.88.99.1/",
            "https://192.168.0.1/",
            "https://198.18.0.1/",
            "https://198.19.255.255/",
            "https://198.51.100.1/",
            "https://203.0.113.1/",
            "https://224.0.0.1/",
            "https://240.0.0.1/",
            "https://255.255.255.255/",
            "https://[::]/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:93.184.215.14]/",
            "https://[::7f00:1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[64:ff9b:1::1]/",
            "https://[100::1]/",
            "https://[2001::1]/",
            "https://[2001:db8::1]/",
            "https://[2002:7f00:1::1]/",
            "https://[3fff::1]/",
            "https://[5f00::1]/",
            "https://[fc00::1]/",
            "https://[fd12:3456::1]/",
            "https://[fe80::1]/",
            "https://[fec0::1]/",
            "https://[ff02::1]/",
        ];
        for url in inside {
            assert_eq!(guard.read(url), Err(Refusal::NotPublic), "{url}");
        }
    }

    #[test]
    fn an_address_must_be_one_that_is_safe_to_use() {
        let guard = Guard::new(false);
        let long = format!("https://example.com/{}", "x".repeat(URL_BYTES_MAX));
        let table = [
            ("", Refusal::Unreadable),
            ("example.com/hook", Refusal::Unreadable),
            ("https://", Refusal::Unreadable),
            ("mailto:ops@example.com", Refusal::Unreadable),
            (&long, Refusal::Unreadable),
            ("http://example.com/", Refusal::NotHttps),
            ("ftp://example.com/", Refusal::NotHttps),
            ("file://example.com/etc/passwd", Refusal::NotHttps),
            ("https://user@example.com/", Refusal::Surplus),
            ("https://user:secret@example.com/", Refusal::Surplus),
            ("https://example.com/#top", Refusal::Surplus),
            ("https://example.com:22/", Refusal::Port),
            ("https://example.com:25/", Refusal::Port),
            ("https://example.com:80/", Refusal::Port),
            ("https://example.com:0/", Refusal::Port),
        ];
        for (url, refusal) in table {
            assert_eq!(guard.read(url), Err(refusal), "{url}");
        }
    }

    #[test]
    fn development_may_go_anywhere() {
        let guard = Guard::new(true);
        for url in ["http://localhost:3000/hook", "http://127.0.0.1:80/", "https://10.0.0.1:22/"] {
            assert!(guard.read(url).is_ok(), "{url}");
        }
        assert_eq!(guard.read("ftp://localhost/"), Err(Refusal::NotHttps));
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to() {
        // As if a public name had come to mean this machine since it was registered.
        let moved = Url::parse("https://localhost:8443/").ok();
        for (guard, refused) in [(Guard::new(false), true), (Guard::new(true), false)] {
            let Some(url) = &moved else { continue };
            assert_eq!(guard.resolve(url).await.is_err(), refused, "{guard:?}");
        }
    }
}
