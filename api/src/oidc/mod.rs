//! Signing in at another provider with OpenID Connect Core 1.0: discovery, authorization code with PKCE (RFC 7636), and
//! verification of the identity token. Must not know accounts or cookies.

mod keys;
mod provider;

pub(crate) use provider::Provider;
