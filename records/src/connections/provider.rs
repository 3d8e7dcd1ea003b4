//! What is particular about a provider: addresses, parameters, scopes. Must not know tokens.

/// A provider whose people can connect accounts. Has no `Debug`: it holds a secret.
#[derive(Clone)]
pub struct Provider {
    /// Also the kind of the credentials, such as `google`.
    pub id: String,
    pub client_id: String,
    pub client_secret: String,
    /// Where people grant access.
    pub authorize_url: String,
    pub token_url: String,
    /// Where a token is taken back (RFC 7009), if that is possible.
    pub revoke_url: Option<String>,
    /// Asked for in addition, to learn whose account it is.
    pub scopes: Vec<String>,
    /// Parameters of the authorize address beyond those of RFC 6749.
    pub parameters: Vec<(String, String)>,
}

impl Provider {
    /// Google, by the addresses of its discovery document. `accounts` and `tokens` are base addresses without a slash at the
    /// end: `https://accounts.google.com` and `https://oauth2.googleapis.com`, or a stand-in.
    /// (<https://developers.google.com/identity/protocols/oauth2/web-server>)
    pub fn google(client_id: String, client_secret: String, accounts: &str, tokens: &str) -> Self {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            id: "google".to_owned(),
            client_id,
            client_secret,
            authorize_url: format!("{accounts}/o/oauth2/v2/auth"),
            token_url: format!("{tokens}/token"),
            revoke_url: Some(format!("{tokens}/revoke")),
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            // Only a consent that is asked for again gives a refresh token again.
            parameters: vec![
                pair("access_type", "offline"),
                pair("prompt", "consent"),
                pair("include_granted_scopes", "true"),
            ],
        }
    }
}
