//! `data.crypto`: hashes, signatures, encodings and ids. Must not know where secrets are kept.

use crate::values::check;
use crate::values::field::with_field;
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sluice_node_sdk::prelude::*;
use std::borrow::Cow;
use std::fmt::Write as _;

/// The node.
pub struct Crypto;

/// What to do with which value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CryptoParams {
    /// What to do.
    pub operation: Operation,
    /// The value: text as it is, anything else as JSON text.
    #[serde(default)]
    pub value: Value,
    /// In place of `value`: name of one of the item's files, whose bytes are taken.
    #[serde(default)]
    pub file: Option<String>,
    /// Algorithm of `hash`, `hmac` and `hmac_verify`.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// How a hash or signature is written (and read, for `hmac_verify`).
    #[serde(default)]
    pub encoding: Encoding,
    /// Name of the credential with the key, for `hmac` and `hmac_verify`: kind `secret`, field `value`.
    #[serde(default)]
    pub credential: Option<String>,
    /// In place of a credential: the key itself. It is then visible to everybody who can see the workflow.
    #[serde(default)]
    pub key: Option<String>,
    /// The signature to compare with (`hmac_verify`).
    #[serde(default)]
    pub expected: Option<String>,
    /// Name of the field for the result.
    #[serde(default = "result_name")]
    #[schemars(length(min = 1))]
    pub into: String,
}

fn result_name() -> String {
    "result".to_owned()
}

/// The operations without a key.
const KEYLESS: [&str; 7] =
    ["hash", "base64_encode", "base64_decode", "base64_url_encode", "hex_encode", "hex_decode", "uuid"];

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A digest of the value.
    Hash,
    /// A signature of the value with a secret key.
    Hmac,
    /// Whether a signature is right: true or false, compared in constant time.
    HmacVerify,
    /// The value in base64.
    Base64Encode,
    /// The text that was written in base64 (either alphabet).
    Base64Decode,
    /// The value in base64 with the alphabet for URLs.
    Base64UrlEncode,
    /// The value in hexadecimal.
    HexEncode,
    /// The text that was written in hexadecimal.
    HexDecode,
    /// An id for this item, different for every item and run, the same when the run is replayed.
    Uuid,
}

/// Hash algorithms. SHA-1 is broken for signatures and there only for services that insist on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA-1, for old services only.
    Sha1,
}

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal, small letters.
    #[default]
    Hex,
    /// Base64.
    Base64,
    /// Base64 for URLs, without padding.
    Base64url,
}

impl Node for Crypto {
    const TYPE: &'static str = "data.crypto";
    type Params = CryptoParams;

    fn spec(&self) -> NodeSpec {
        let example = |title, params, result: Value| {
            Example::new(title, params).input(vec![json!({})]).output(vec![json!({ "result": result })])
        };
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let signed = |operation: &str| {
            json!({
                "operation": operation, "value": "what do ya want for nothing?", "credential": "partner",
            })
        };
        let with_secret = |mut example: Example| {
            let secret = json!({ "kind": "secret", "data": { "value": "Jefe" } });
            example.credentials.insert("partner".to_owned(), secret);
            example
        };
        let mut verify = signed("hmac_verify");
        verify["expected"] = json!(signature);
        NodeSpec::new("Crypto", "Hashes, signs, encodes, and makes ids")
            .docs(
                "Works one value out for each item and puts it into the field `into`. Keep keys in a \
                 credential of the kind `secret`. `uuid` gives an id that stays the same when the run is \
                 tried again or replayed, so that it can serve as an idempotency key.",
            )
            // Opening a credential may take I/O; whatever needs no key can run inline.
            .effect(Effect::Idempotent)
            .effect_by_param("/operation", &KEYLESS.map(|operation| (operation, Effect::Pure)))
            .credential("credential", &["secret"], false)
            .credential_kinds([CredentialKind::new("secret", "Secret", "A key for signing.").secret(
                "value",
                "Value",
                "As the other side knows it",
            )])
            .example(example("Hash", json!({ "operation": "hash", "value": "abc" }), json!(abc)))
            .example(with_secret(example("Sign with a credential", signed("hmac"), json!(signature))))
            .example(with_secret(example("Check a signature", verify, json!(true))))
            .example(example(
                "Encode",
                json!({ "operation": "base64_encode", "value": "user:pass" }),
                json!("dXNlcjpwYXNz"),
            ))
            .example(
                Example::new("A signature needs a key", json!({ "operation": "hmac", "value": "abc" }))
                    .input(vec![json!({})])
                    .error("key_missing"),
            )
            .example(
                Example::new("Not base64", json!({ "operation": "base64_decode", "value": "%%%" }))
                    .input(vec![json!({})])
                    .error("decode_failed"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        let signs = check::plain_text(params, "operation").is_some_and(|name| name.starts_with("hmac"));
        let keyed = check::is_set(params, "credential") || check::is_set(params, "key");
        let mut problems = check::problems(if signs && !keyed { Err(key_missing()) } else { Ok(()) });
        if signs && check::plain_text(params, "key").is_some() {
            let message = "This key can be seen by everybody who can see the workflow; use `credential`";
            problems.push(ParamProblem::warning("/key", "key_in_the_open", message));
        }
        problems
    }

    async fn run(&self, ctx: &Context<'_, CryptoParams>, input: Input) -> Result<Outcome, NodeError> {
        let mut items = Vec::with_capacity(input.items().len());
        let mut opened: Option<(String, hmac::Key)> = None;
        for (index, item) in input.items().iter().enumerate() {
            let params = ctx.params(index)?;
            let result = match params.operation {
                Operation::Uuid => Value::String(stable_uuid(&format!("{}/{index}", ctx.effect_id()))),
                Operation::Hmac | Operation::HmacVerify => {
                    let key = match (&opened, &params.credential) {
                        (Some((name, key)), Some(wanted)) if name == wanted => key.clone(),
                        _ => key_of(ctx, &params).await?,
                    };
                    opened = params.credential.clone().map(|name| (name, key.clone()));
                    signed(&params, &key, &bytes_of(&params, item, index)?)?
                }
                _ => encoded(&params, &bytes_of(&params, item, index)?)?,
            };
            items.push(with_field(item, index, &params.into, result)?);
        }
        Ok(items.into())
    }
}

/// The bytes to work on.
fn bytes_of<'a>(params: &'a CryptoParams, item: &'a Item, index: usize) -> Result<Cow<'a, [u8]>, NodeError> {
    if let Some(name) = &params.file {
        return item.file(name).map(|file| Cow::Borrowed(&file.data[..])).ok_or_else(|| {
            NodeError::invalid_input(format!("Item {index} has no file `{name}`"))
                .code("file_missing")
                .at("/file")
        });
    }
    match &params.value {
        Value::String(text) => Ok(Cow::Borrowed(text.as_bytes())),
        Value::Null => {
            let message = format!("There is no value for item {index}; set `value` or `file`");
            Err(NodeError::invalid_params(message).code("value_missing").at("/value"))
        }
        other => Ok(Cow::Owned(other.to_string().into_bytes())),
    }
}

async fn key_of(ctx: &Context<'_, CryptoParams>, params: &CryptoParams) -> Result<hmac::Key, NodeError> {
    let algorithm = match params.algorithm {
        Algorithm::Sha256 => hmac::HMAC_SHA256,
        Algorithm::Sha384 => hmac::HMAC_SHA384,
        Algorithm::Sha512 => hmac::HMAC_SHA512,
        Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    };
    match (&params.credential, &params.key) {
        (Some(name), _) => {
            let credential = ctx.credential(name).await?;
            Ok(hmac::Key::new(algorithm, credential.text("value")?.as_bytes()))
        }
        (None, Some(key)) if !key.is_empty() => Ok(hmac::Key::new(algorithm, key.as_bytes())),
        _ => Err(key_missing()),
    }
}

fn key_missing() -> NodeError {
    let message = "A signature needs a key: set `credential`";
    NodeError::invalid_params(message).code("key_missing").at("/credential")
}

/// A signature, or whether one is right.
fn signed(params: &CryptoParams, key: &hmac::Key, bytes: &[u8]) -> Result<Value, NodeError> {
    if params.operation == Operation::Hmac {
        return Ok(Value::String(write(hmac::sign(key, bytes).as_ref(), params.encoding)));
    }
    let Some(expected) = &params.expected else {
        let message = "Nothing to compare with: set `expected` to the signature that came";
        return Err(NodeError::invalid_params(message).code("expected_missing").at("/expected"));
    };
    // Meta, GitHub and others write the algorithm before the signature.
    let expected = expected.trim();
    let expected = expected
        .split_once('=')
        .filter(|(name, _)| name.starts_with("sha"))
        .map_or(expected, |(_, rest)| rest);
    let expected = match params.encoding {
        Encoding::Hex => read_hex(expected),
        Encoding::Base64 | Encoding::Base64url => read_base64(expected),
    };
    Ok(Value::Bool(expected.is_some_and(|expected| hmac::verify(key, bytes, &expected).is_ok())))
}

fn encoded(params: &CryptoParams, bytes: &[u8]) -> Result<Value, NodeError> {
    let text = || std::str::from_utf8(bytes).unwrap_or_default().trim();
    let decoded = |bytes: Option<Vec<u8>>, form: &str| {
        bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
            let message = format!("The value is not text written in {form}");
            NodeError::invalid_input(message).code("decode_failed").at("/value")
        })
    };
    Ok(Value::String(match params.operation {
        Operation::Base64Encode => write(bytes, Encoding::Base64),
        Operation::Base64UrlEncode => write(bytes, Encoding::Base64url),
        Operation::HexEncode => write(bytes, Encoding::Hex),
        Operation::Base64Decode => decoded(read_base64(text()), "base64")?,
        Operation::HexDecode => decoded(read_hex(text()), "hexadecimal")?,
        Operation::Hash | Operation::Hmac | Operation::HmacVerify | Operation::Uuid => {
            let algorithm = match params.algorithm {
                Algorithm::Sha256 => &digest::SHA256,
                Algorithm::Sha384 => &digest::SHA384,
                Algorithm::Sha512 => &digest::SHA512,
                Algorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            };
            write(digest::digest(algorithm, bytes).as_ref(), params.encoding)
        }
    }))
}

fn write(bytes: &[u8], encoding: Encoding) -> String {
    match encoding {
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::Base64url => URL_SAFE_NO_PAD.encode(bytes),
        Encoding::Hex => bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String never fails");
            text
        }),
    }
}

fn read_base64(text: &str) -> Option<Vec<u8>> {
    let plain = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    URL_SAFE_NO_PAD.decode(plain).ok()
}

fn read_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// A UUID of version 8 (RFC 9562, section 5.8) from the SHA-256 of a name.
fn stable_uuid(name: &str) -> String {
    let hash = digest::digest(&digest::SHA256, name.as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_node_sdk::outcome::Output;
    use sluice_node_sdk::testkit::Bench;

    async fn result(params: Value, item: Item) -> Result<Value, NodeError> {
        let outcome = Bench::new(node(Crypto)).run(params, Input::main(vec![item])).await?;
        let Outcome::Done(Output { ports, .. }) = outcome else { panic!("never waits") };
        Ok(ports[0].1[0].json["result"].clone())
    }

    #[tokio::test]
    async fn forms_and_algorithms() {
        let table = [
            (
                json!({ "operation": "hash", "value": "abc", "algorithm": "sha1" }),
                json!("a9993e364706816aba3e25717850c26c9cd0d89d"),
            ),
            (
                json!({ "operation": "hash", "value": "abc", "encoding": "base64" }),
                json!("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
            ),
            (
                json!({ "operation": "hash", "value": { "a": 1 } }),
                json!("015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"),
            ),
            (json!({ "operation": "base64_url_encode", "value": "??>" }), json!("Pz8-")),
            (json!({ "operation": "base64_decode", "value": "Pz8+" }), json!("??>")),
            (json!({ "operation": "base64_decode", "value": "Pz8-" }), json!("??>")),
            (json!({ "operation": "hex_encode", "value": "é" }), json!("c3a9")),
            (json!({ "operation": "hex_decode", "value": "C3a9" }), json!("é")),
            (
                json!({
                    "operation": "hmac_verify", "value": "x", "key": "k",
                    "expected": "sha256=00"
                }),
                json!(false),
            ),
        ];
        for (params, expected) in table {
            assert_eq!(result(params.clone(), Item::new(json!({}))).await.unwrap(), expected, "{params}");
        }
    }

    #[tokio::test]
    async fn files_are_hashed_and_missing_ones_named() {
        let item = Item::new(json!({})).with_file("f", FileRef::new("f.txt", "text/plain", &b"abc"[..]));
        let params = |file: &str| json!({ "operation": "hash", "file": file });
        let hash = result(params("f"), item.clone()).await.unwrap();
        assert!(hash.as_str().unwrap().starts_with("ba7816bf"));
        assert_eq!(result(params("g"), item).await.unwrap_err().code, "file_missing");
    }

    #[tokio::test]
    async fn an_id_is_the_same_every_time_but_differs_by_item() {
        let one = result(json!({ "operation": "uuid" }), Item::new(json!({}))).await.unwrap();
        assert_eq!(one, result(json!({ "operation": "uuid" }), Item::new(json!({ "x": 1 }))).await.unwrap());
        assert_eq!(one, json!(stable_uuid("run_test/node/0/0")));
        assert_ne!(stable_uuid("a"), stable_uuid("b"));
        assert_eq!(uuid::Uuid::parse_str(one.as_str().unwrap()).unwrap().get_version_num(), 8);
    }
}
