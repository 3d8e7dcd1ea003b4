//! The kinds of credentials that HTTP nodes take, as people fill them in. Must not open one: see `auth`.

use sluice_node_sdk::credential::CredentialKind;

/// One description per kind in [`super::auth::KINDS`].
pub(super) fn kinds() -> [CredentialKind; 5] {
    [
        CredentialKind::new(
            "http_bearer",
            "Bearer token",
            "Sent in the header Authorization, as a bearer token.",
        )
        .secret("token", "Token", "The token alone, without the word Bearer"),
        CredentialKind::new(
            "http_basic",
            "User name and password",
            "Sent in the header Authorization, as basic authentication.",
        )
        .public("username", "User name", "Often the name of an account or a key")
        .secret("password", "Password", "Or the secret of the key"),
        CredentialKind::new("http_header", "Header", "Sent as a header of your choosing.")
            .public("name", "Header", "Such as X-API-Key")
            .secret("value", "Value", "The whole value of the header"),
        CredentialKind::new(
            "oauth2_client",
            "OAuth 2 client",
            "A token is fetched with these and renewed by itself (client credentials grant).",
        )
        .public("token_url", "Token URL", "Where tokens are given out")
        .public("client_id", "Client id", "From the service's developer pages")
        .secret("client_secret", "Client secret", "From the same place")
        .optional("scope", "Scope", "What the token may do, words with spaces between; as the service says")
        .optional("audience", "Audience", "Only where the service asks for it")
        .optional("resource", "Resource", "Only where the service asks for it")
        .optional(
            "auth_style",
            "How the client signs in",
            "body puts id and secret into the form; anything else sends a header",
        ),
        CredentialKind::new(
            "google",
            "Google account",
            "A person grants access at Google; nothing is typed here.",
        )
        .granted_at("google"),
    ]
}
