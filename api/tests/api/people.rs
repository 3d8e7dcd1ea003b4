//! What tests of accounts share: a person at the door, with a browser or without.

use crate::ground::{Answer, Ground};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;

pub(crate) const PASSWORD: &str = "correct horse";

/// Sends a request as a program without cookies.
pub(crate) async fn post(ground: &Ground, path: &str, body: Value) -> Answer {
    send(ground, "POST", path, body, &[]).await
}

/// Sends a request from a given address with these headers.
pub(crate) async fn send(
    ground: &Ground,
    method: &str,
    path: &str,
    body: Value,
    headers: &[(&str, &str)],
) -> Answer {
    let from: SocketAddr = "192.0.2.1:4711".parse().unwrap();
    let mut request = Request::builder().method(method).uri(path).extension(ConnectInfo(from));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = match body {
        Value::Null => request.body(Body::empty()),
        body => request.header("content-type", "application/json").body(Body::from(body.to_string())),
    };
    ground.send(request.unwrap()).await
}

/// The code in the newest letter to an address; the outbox is empty afterwards.
pub(crate) async fn code(ground: &Ground, email: &str) -> String {
    let letters = letters(ground).await;
    let letter = letters.iter().rfind(|letter| letter.to == email && letter.text.contains("code is"));
    letter.unwrap().text.split("code is ").nth(1).unwrap().chars().take(6).collect()
}

pub(crate) async fn letters(ground: &Ground) -> Vec<sluice_records::Letter> {
    let mut letters = Vec::new();
    for mail in ground.records.claim_mail(100).await.unwrap() {
        ground.records.mail_sent(&mail.id).await.unwrap();
        letters.push(mail.letter);
    }
    letters
}

pub(crate) fn wish(email: &str) -> Value {
    json!({ "name": "Asha Rao", "email": email, "phone": "+919876543210", "business_name": "Rao Foods",
        "industry": "food", "password": PASSWORD })
}

/// Signs somebody up and proves the address. Answers what the proof answered.
pub(crate) async fn sign_up(ground: &Ground, email: &str) -> Answer {
    post(ground, "/api/signup", wish(email)).await.expect(201);
    let code = code(ground, email).await;
    post(ground, "/api/verify-email", json!({ "email": email, "code": code })).await.expect(200)
}

/// Signs in and answers access and refresh token.
pub(crate) async fn tokens(ground: &Ground, email: &str) -> (String, String) {
    let login = json!({ "email": email, "password": PASSWORD, "tokens": true });
    let tokens = post(ground, "/api/login", login).await.expect(200).json()["tokens"].clone();
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

/// Keeps cookies as a browser does, and says where its requests come from.
pub(crate) struct Browser<'a> {
    ground: &'a Ground,
    /// Name to value and path.
    cookies: BTreeMap<String, (String, String)>,
    pub(crate) csrf: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(ground: &'a Ground) -> Self {
        Self { ground, cookies: BTreeMap::new(), csrf: String::new() }
    }

    pub(crate) async fn call(&mut self, method: &str, path: &str, body: Value) -> Answer {
        let csrf = self.csrf.clone();
        let headers = [
            ("origin", "https://sluice.test"),
            ("sec-fetch-site", "same-origin"),
            ("x-csrf-token", csrf.as_str()),
        ];
        self.call_with(method, path, body, &headers).await
    }

    /// The same with other headers.
    pub(crate) async fn call_with(
        &mut self,
        method: &str,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let bare = path.split('?').next().unwrap_or_default();
        let sent = self.cookies.iter().filter(|(_, (_, place))| bare.starts_with(place.as_str()));
        let sent: Vec<_> = sent.map(|(name, (value, _))| format!("{name}={value}")).collect();
        let cookies = sent.join("; ");
        let mut all = headers.to_vec();
        if !cookies.is_empty() {
            all.push(("cookie", &cookies));
        }
        let answer = send(self.ground, method, path, body, &all).await;
        for line in answer.headers.get_all("set-cookie") {
            self.keep(line.to_str().unwrap());
        }
        answer
    }

    fn keep(&mut self, line: &str) {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let rest: Vec<_> = parts.collect();
        assert!(rest.contains(&"HttpOnly") && rest.contains(&"Secure"), "{line}");
        if rest.contains(&"Max-Age=0") {
            self.cookies.remove(name);
            return;
        }
        let path = rest.iter().find_map(|part| part.strip_prefix("Path=")).unwrap();
        self.cookies.insert(name.to_owned(), (value.to_owned(), path.to_owned()));
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(|(value, _)| value.as_str())
    }

    pub(crate) fn set_cookie(&mut self, name: &str, value: &str, path: &str) {
        self.cookies.insert(name.to_owned(), (value.to_owned(), path.to_owned()));
    }

    /// Signs in with a password.
    pub(crate) async fn sign_in(&mut self, email: &str) -> Value {
        let login = json!({ "email": email, "password": PASSWORD });
        let view = self.call("POST", "/api/login", login).await.expect(200).json();
        self.csrf = view["csrf_token"].as_str().unwrap().to_owned();
        view
    }
}
