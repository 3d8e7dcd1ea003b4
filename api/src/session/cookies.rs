//! The cookies of a browser: what they are called, where they are sent, how they are written and read. Must not know what
//! is in them.

use axum::http::{HeaderMap, HeaderValue, header};

/// Carries the access token; scripts cannot read it.
pub(crate) const ACCESS_COOKIE: &str = "sluice_access";
/// Carries the refresh token; sent to one address only.
pub(crate) const REFRESH_COOKIE: &str = "sluice_refresh";
/// Shows to `GET /api/status` that somebody proved an address.
pub(crate) const SIGN_UP_COOKIE: &str = "sluice_sign_up";
/// Binds a sign-in at another provider to the browser that began it.
pub(crate) const OIDC_COOKIE: &str = "sluice_oidc";

/// Where the refresh token goes.
const REFRESH_PATH: &str = "/api/refresh";
/// Where the proof of a sign-up goes.
const SIGN_UP_PATH: &str = "/api/status";
/// Where a sign-in at another provider begins and ends.
const OIDC_PATH: &str = "/api/oidc";

/// Cookies of an answer.
#[derive(Default)]
pub(crate) struct Cookies {
    is_secure: bool,
    written: Vec<String>,
}

impl Cookies {
    /// For an installation at this address: without TLS browsers would not send secure cookies back.
    pub(crate) fn new(public_url: &str) -> Self {
        Self { is_secure: public_url.starts_with("https://"), written: Vec::new() }
    }

    /// Sets access and refresh token, for as long as each is good (seconds).
    pub(crate) fn sign_in(&mut self, access: (&str, i64), refresh: (&str, i64)) {
        self.access(access.0, access.1);
        self.write(REFRESH_COOKIE, refresh.0, REFRESH_PATH, "Strict", refresh.1);
    }

    /// Sets the access token alone.
    pub(crate) fn access(&mut self, token: &str, seconds: i64) {
        self.write(ACCESS_COOKIE, token, "/", "Lax", seconds);
    }

    /// Takes both away.
    pub(crate) fn sign_out(&mut self) {
        self.sign_in(("", 0), ("", 0));
    }

    /// Sets the proof of a sign-up.
    pub(crate) fn sign_up(&mut self, token: &str, seconds: i64) {
        self.write(SIGN_UP_COOKIE, token, SIGN_UP_PATH, "Lax", seconds);
    }

    /// Sets what binds a sign-in at another provider; empty and 0 take it away. It must come along when that provider
    /// sends the browser back, so it cannot be strict.
    pub(crate) fn oidc(&mut self, token: &str, seconds: i64) {
        self.write(OIDC_COOKIE, token, OIDC_PATH, "Lax", seconds);
    }

    fn write(&mut self, name: &str, value: &str, path: &str, same_site: &str, seconds: i64) {
        let secure = if self.is_secure { "; Secure" } else { "" };
        self.written.push(format!(
            "{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}"
        ));
    }

    /// As header fields of an answer.
    pub(crate) fn into_headers(self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in self.written {
            // Tokens are letters, digits, hyphens, underscores and dots.
            if let Ok(value) = HeaderValue::from_str(&line) {
                headers.append(header::SET_COOKIE, value);
            }
        }
        headers
    }
}

/// The value of a cookie of a request. Of two with the same name the first counts, as it has the longer path
/// (RFC 6265 section 5.4).
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_go_where_they_must_and_nowhere_else() {
        let mut cookies = Cookies::new("https://a.test");
        cookies.sign_in(("a.b.c", 900), ("rt_x", 60));
        let headers = cookies.into_headers();
        let lines: Vec<_> =
            headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(
            lines,
            [
                "sluice_access=a.b.c; Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure",
                "sluice_refresh=rt_x; Path=/api/refresh; Max-Age=60; HttpOnly; SameSite=Strict; Secure",
            ]
        );
        let mut plain = Cookies::new("http://127.0.0.1:8080");
        plain.sign_out();
        assert!(plain.written.iter().all(|line| !line.contains("Secure") && line.contains("Max-Age=0")));
    }

    #[test]
    fn cookies_are_read_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", "xsluice_access=1; sluice_access=2;sluice_access=3".parse().unwrap());
        headers.append("cookie", "sluice_refresh=".parse().unwrap());
        assert_eq!(cookie(&headers, ACCESS_COOKIE), Some("2"));
        assert_eq!(cookie(&headers, REFRESH_COOKIE), None);
    }
}
