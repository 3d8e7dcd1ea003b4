//! Where a request comes from: the address of the connection, or what proxies that we trust say about it. Must not know
//! what is asked.

use crate::state::ApiState;
use axum::extract::{ConnectInfo, Request};
use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The network address of the caller; none when the server was not told (tests).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) Option<IpAddr>);

/// Notes the caller's address for everybody who follows.
pub(crate) fn note_client(state: &ApiState, request: &mut Request) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let trusted = &state.config.accounts.trusted_proxies;
    let address = peer.map(|peer| behind_proxies(peer, request.headers(), trusted));
    request.extensions_mut().insert(ClientAddress(address));
}

impl ClientAddress {
    /// The address of a request's caller, as text.
    pub(crate) fn of(extensions: &Extensions) -> Option<String> {
        extensions.get::<Self>().and_then(|client| client.0).map(|address| address.to_string())
    }
}

/// The nearest address that is not a trusted proxy, read from the connection backwards. What stands before it in the
/// header was written by that caller and says nothing.
fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut address = peer;
    let said = headers.get_all("x-forwarded-for").iter().rev();
    let hops = said.filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(','));
    for hop in hops {
        if !is_trusted(&address) {
            break;
        }
        match read_hop(hop.trim()) {
            Some(hop) => address = hop,
            None => break,
        }
    }
    address
}

/// An address, perhaps with a port.
fn read_hop(text: &str) -> Option<IpAddr> {
    let alone = text.parse::<IpAddr>().ok();
    let found = alone.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    found.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        for (peer, said, wanted) in [
            ("203.0.113.1", &["198.51.100.1"][..], "203.0.113.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.1, 10.2.3.4"], "198.51.100.1"),
            ("10.0.0.1", &["10.9.9.9"], "10.9.9.9"),
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1, nonsense"], "10.0.0.1"),
            ("::1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            for value in said {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            let found = behind_proxies(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found.to_string(), wanted, "{peer} {said:?}");
        }
    }
}
