//! Which addresses server-side HTTP may reach: the rule, as plain functions over addresses and URLs.
//! It must not open a connection or look up a name; [`crate::transport`] asks it before it does.
//!
//! Source of the ranges: the IANA special-purpose address registries, plus the metadata services that
//! cloud providers run on public-looking addresses.

use crate::error::NodeError;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// What is open to everybody, and what the operator opened on top.
#[derive(Clone, Debug, Default)]
pub struct EgressPolicy {
    networks: Vec<IpNet>,
    addresses: Vec<(IpAddr, u16)>,
    hosts: Vec<(String, Option<u16>)>,
}

/// An entry of the allow-list that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` in the egress allow-list is no address, network, host or host:port; write for example `10.1.0.0/16` or `crm.internal:8443`"
)]
pub struct EgressEntryError(pub String);

impl EgressPolicy {
    /// Reads a comma-separated list of addresses, networks (`10.0.0.0/8`), hosts, `host:port` or
    /// `address:port` (the value of `SLUICE_EGRESS_ALLOW`). A host entry trusts that name wherever it leads.
    ///
    /// # Errors
    /// Names the first entry that is none of these.
    pub fn parse(list: &str) -> Result<Self, EgressEntryError> {
        let mut policy = Self::default();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            policy.allow(entry).ok_or_else(|| EgressEntryError(entry.to_owned()))?;
        }
        Ok(policy)
    }

    fn allow(&mut self, entry: &str) -> Option<()> {
        if let Ok(network) = entry.parse::<IpNet>() {
            self.networks.push(network);
        } else if let Ok(address) = entry.trim_matches(['[', ']']).parse::<IpAddr>() {
            self.networks.push(address.into());
        } else if let Ok(socket) = entry.parse::<std::net::SocketAddr>() {
            self.addresses.push((socket.ip(), socket.port()));
        } else {
            let (host, port) = match entry.rsplit_once(':') {
                Some((host, port)) => (host, Some(port.parse().ok()?)),
                None => (entry, None),
            };
            // Through the URL parser, so that the name has the form in which URLs will bring it.
            match Url::parse(&format!("http://{host}/")).ok()?.host()? {
                Host::Domain(name) if !host.contains(['/', '@', '?', '#']) => {
                    self.hosts.push((plain_name(name), port));
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// Whether the operator opened this host name.
    fn allows_name(&self, name: &str, port: u16) -> bool {
        let name = plain_name(name);
        self.hosts.iter().any(|(host, only)| *host == name && only.is_none_or(|only| only == port))
    }

    /// Whether this address may be dialled. `port` is `None` where it is not known (name look-up).
    pub fn allows_address(&self, address: IpAddr, port: Option<u16>) -> bool {
        let opened = self.networks.iter().any(|network| network.contains(&address))
            || self.addresses.iter().any(|(ip, only)| *ip == address && Some(*only) == port);
        opened || forbidden(address).is_none()
    }

    /// Checks a URL before anything is looked up.
    ///
    /// # Errors
    /// `InvalidParams` with code `egress_refused` (or `invalid_url`), naming the reason and the host.
    pub fn check_url(&self, url: &Url) -> Result<Verdict, NodeError> {
        check_form(url)?;
        let port = url.port_or_known_default().unwrap_or(80);
        match url.host() {
            None => Err(invalid_url("The URL has no host")),
            Some(Host::Domain(name)) if self.allows_name(name, port) => Ok(Verdict::Opened),
            Some(Host::Domain(_)) => check_port(port).map(|()| Verdict::CheckName),
            Some(Host::Ipv4(ip)) => self.check_literal(ip.into(), port),
            Some(Host::Ipv6(ip)) => self.check_literal(ip.into(), port),
        }
    }

    fn check_literal(&self, ip: IpAddr, port: u16) -> Result<Verdict, NodeError> {
        let opened =
            self.networks.iter().any(|network| network.contains(&ip)) || self.addresses.contains(&(ip, port));
        if opened {
            return Ok(Verdict::Opened);
        }
        match forbidden(ip) {
            Some(range) => Err(refused(&format!("{ip} is in the closed range {range}"))),
            None => check_port(port).map(|()| Verdict::CheckName),
        }
    }

    /// Checks what a name resolved to. One forbidden address refuses the name: a name that leads inside
    /// and outside at once is either a mistake or an attack.
    ///
    /// # Errors
    /// A sentence naming the address.
    pub fn check_resolved(&self, name: &str, addresses: &[IpAddr]) -> Result<(), String> {
        match addresses.iter().find(|address| !self.allows_address(**address, None)) {
            Some(address) => Err(format!("`{name}` resolves to {address}, which is closed to workflows")),
            None => Ok(()),
        }
    }
}

/// How a permitted URL is to be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The operator opened this very place: no further check.
    Opened,
    /// Every resolved address must be checked when connecting.
    CheckName,
}

/// Scheme and user info; these rules hold for everybody, the operator included.
pub(crate) fn check_form(url: &Url) -> Result<(), NodeError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid_url(&format!("`{}` is not supported; use http or https", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid_url("User name and password in a URL are refused; use a credential"));
    }
    Ok(())
}

fn invalid_url(message: &str) -> NodeError {
    NodeError::invalid_params(message).code("invalid_url").at("/url")
}

/// The error for a place that is closed.
pub(crate) fn refused(reason: &str) -> NodeError {
    NodeError::invalid_params(format!(
        "This destination is not allowed: {reason}. An operator can open it with SLUICE_EGRESS_ALLOW"
    ))
    .code("egress_refused")
    .at("/url")
}

/// Ports of services that speak no HTTP and could be abused through a crafted request.
const CLOSED_HIGH_PORTS: [u16; 13] =
    [1433, 1521, 2375, 2379, 3306, 3389, 5432, 5672, 6379, 9042, 9092, 11211, 27017];

fn check_port(port: u16) -> Result<(), NodeError> {
    let open = matches!(port, 80 | 443) || (port >= 1024 && !CLOSED_HIGH_PORTS.contains(&port));
    if open { Ok(()) } else { Err(refused(&format!("port {port} is closed"))) }
}

fn plain_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(head: [u16; 3], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(head[0], head[1], head[2], 0, 0, 0, 0, 0), prefix)
}

const CLOSED_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
    // Azure's platform address: metadata and agent services on a public-looking address.
    v4(168, 63, 129, 16, 32),
];

/// IPv6 ranges that are closed as a whole. The ranges that embed IPv4 addresses and have no business on
/// the open internet (`::/96`, NAT64, 6to4, Teredo) are closed as well, rather than decoded and re-tested:
/// only the mapped form `::ffff:0:0/96` is what operating systems dial as IPv4.
const CLOSED_V6: [Ipv6Net; 14] = [
    v6([0, 0, 0], 96),
    v6([0x64, 0xff9b, 0], 96),
    v6([0x64, 0xff9b, 1], 48),
    v6([0x100, 0, 0], 64),
    v6([0x2001, 0, 0], 32),
    v6([0x2001, 2, 0], 48),
    v6([0x2001, 0xdb8, 0], 32),
    v6([0x2002, 0, 0], 16),
    v6([0x3fff, 0, 0], 20),
    v6([0x5f00, 0, 0], 16),
    v6([0xfc00, 0, 0], 7),
    v6([0xfe80, 0, 0], 10),
    v6([0xfec0, 0, 0], 10),
    v6([0xff00, 0, 0], 8),
];

/// The closed range that holds this address, if any.
pub fn forbidden(address: IpAddr) -> Option<IpNet> {
    match address {
        IpAddr::V4(ip) => CLOSED_V4.iter().find(|range| range.contains(&ip)).map(|range| (*range).into()),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(mapped) => forbidden(mapped.into()),
            None => CLOSED_V6.iter().find(|range| range.contains(&ip)).map(|range| (*range).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(policy: &EgressPolicy, url: &str) -> Result<Verdict, String> {
        policy.check_url(&Url::parse(url).unwrap()).map_err(|error| error.code.into_owned())
    }

    #[test]
    fn forbidden_addresses() {
        let closed = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.170",
            "192.0.2.9",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.5",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "64:ff9b::7f00:1",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2001::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "5f00::1",
        ];
        for address in closed {
            assert!(forbidden(address.parse().unwrap()).is_some(), "{address} must be closed");
        }
        let open = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "168.63.129.17",
            "::ffff:8.8.8.8",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2003::1",
        ];
        for address in open {
            assert_eq!(forbidden(address.parse().unwrap()), None, "{address} must be open");
        }
    }

    #[test]
    fn disguised_literals_are_seen() {
        let policy = EgressPolicy::default();
        for host in
            ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:7f00:1]", "[::1]", "１２７.0.0.1", "0"]
        {
            assert_eq!(verdict(&policy, &format!("http://{host}/")), Err("egress_refused".into()), "{host}");
        }
        assert_eq!(verdict(&policy, "http://8.8.8.8/"), Ok(Verdict::CheckName));
    }

    #[test]
    fn schemes_user_info_and_ports() {
        let policy = EgressPolicy::default();
        let refused = [
            ("ftp://example.com/", "invalid_url"),
            ("file:///etc/passwd", "invalid_url"),
            ("http://user@example.com/", "invalid_url"),
            ("http://user:secret@example.com/", "invalid_url"),
            ("http://example.com:22/", "egress_refused"),
            ("http://example.com:25/", "egress_refused"),
            ("http://example.com:5432/", "egress_refused"),
            ("http://example.com:6379/", "egress_refused"),
        ];
        for (url, code) in refused {
            assert_eq!(verdict(&policy, url), Err(code.to_owned()), "{url}");
        }
        for url in ["https://example.com/", "http://example.com:8080/", "http://example.com:1024/"] {
            assert_eq!(verdict(&policy, url), Ok(Verdict::CheckName), "{url}");
        }
    }

    #[test]
    fn the_allow_list_opens_exactly_what_it_names() {
        let list =
            "127.0.0.1, 10.1.0.0/16, crm.internal:8443, Intranet., 192.168.0.9:9000, [fd00::7]:80, fd01::1";
        let policy = EgressPolicy::parse(list).unwrap();
        let open = [
            "http://127.0.0.1:5432/",
            "http://10.1.200.3/",
            "https://crm.internal:8443/x",
            "http://INTRANET/",
            "http://intranet.:22/",
            "http://192.168.0.9:9000/",
            "http://[fd00::7]/",
            "http://[fd01::1]:81/",
        ];
        for url in open {
            assert_eq!(verdict(&policy, url), Ok(Verdict::Opened), "{url}");
        }
        let closed =
            ["http://127.0.0.2/", "http://10.2.0.1/", "http://192.168.0.9:9001/", "http://[fd00::7]:81/"];
        for url in closed {
            assert_eq!(verdict(&policy, url), Err("egress_refused".into()), "{url}");
        }
        assert_eq!(verdict(&policy, "https://crm.internal/"), Ok(Verdict::CheckName));
        for wrong in ["10.0.0.0/33", "http://x/", "a b", "host:99999", "user@host"] {
            assert_eq!(
                EgressPolicy::parse(wrong).map(|_| ()).unwrap_err(),
                EgressEntryError(wrong.to_owned()),
                "{wrong}"
            );
        }
    }

    #[test]
    fn one_forbidden_address_refuses_the_name() {
        let policy = EgressPolicy::parse("10.1.0.0/16").unwrap();
        let ips = |list: &[&str]| list.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<IpAddr>>();
        assert!(policy.check_resolved("a.example", &ips(&["8.8.8.8", "10.1.0.4"])).is_ok());
        assert!(policy.check_resolved("a.example", &ips(&["8.8.8.8", "10.2.0.4"])).is_err());
    }
}
