//! Questions to name servers, for proofs of host names. Must not know who asks.

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use sluice_records::branding::TxtLookup;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

/// How long one server may take; a person waits for the answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// The name servers of the system, or one that the operator named.
pub(crate) struct NameServers(Result<TokioResolver, String>);

impl NameServers {
    /// Names the servers; none means those of the system. Asks nobody yet: a machine without name servers can do
    /// everything else.
    pub(crate) fn new(server: Option<SocketAddr>) -> Self {
        Self(resolver(server).map_err(|error| error.to_string()))
    }

    async fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let resolver = self.0.as_ref().map_err(Clone::clone)?;
        // With its dot at the end it is not looked for in the system's own domains.
        let found = match resolver.txt_lookup(format!("{name}.")).await {
            Ok(found) => found,
            Err(error) if error.is_nx_domain() || error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.to_string()),
        };
        let texts = found.answers().iter().filter_map(|record| match &record.data {
            // A long text comes in pieces that belong together (RFC 7208, 3.3).
            RData::TXT(txt) => Some(txt.txt_data.concat()),
            _ => None,
        });
        Ok(texts.map(|text| String::from_utf8_lossy(&text).into_owned()).collect())
    }
}

fn resolver(server: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let mut builder = match server {
        None => TokioResolver::builder_tokio()?,
        Some(address) => {
            let mut server = NameServerConfig::udp_and_tcp(address.ip());
            server.connections.iter_mut().for_each(|connection| connection.port = address.port());
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    // Whoever has just set the record must not be told what was true before.
    options.cache_size = 0;
    options.timeout = PATIENCE;
    options.attempts = 1;
    builder.build()
}

impl TxtLookup for NameServers {
    fn txt<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<String>, String>> + Send + 'a>> {
        Box::pin(self.texts(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UdpSocket;

    /// A name server that gives every question the same TXT records, or says that there is no such name.
    async fn answering(texts: Vec<&'static str>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut packet = [0; 512];
            loop {
                let (length, from) = socket.recv_from(&mut packet).await.unwrap();
                // Header (RFC 1035, 4.1.1), then the question: labels up to an empty one, type and class.
                let end = 12 + packet[12..length].iter().position(|byte| *byte == 0).unwrap() + 5;
                let count = u8::try_from(texts.len()).unwrap();
                let code = if texts.is_empty() { 0x83 } else { 0x80 };
                let mut answer = vec![packet[0], packet[1], 0x85, code, 0, 1, 0, count, 0, 0, 0, 0];
                answer.extend(&packet[12..end]);
                for text in &texts {
                    let length = u8::try_from(text.len()).unwrap();
                    // The name by reference to the question, TXT, IN, a minute, the text with its length.
                    answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length + 1, length]);
                    answer.extend(text.as_bytes());
                }
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn texts_come_from_the_named_server() {
        let server = NameServers::new(Some(answering(vec!["one", "sluice-domain=x"]).await));
        assert_eq!(server.txt("_sluice.chat.example.com").await.unwrap(), ["one", "sluice-domain=x"]);
        let empty = NameServers::new(Some(answering(vec![]).await));
        assert_eq!(empty.txt("_sluice.chat.example.com").await.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_told() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let nobody = socket.local_addr().unwrap();
        drop(socket);
        let error = NameServers::new(Some(nobody)).txt("_sluice.chat.example.com").await.unwrap_err();
        assert!(!error.is_empty());
    }
}
