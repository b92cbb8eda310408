//! Tokens that somebody made up, changed, or took from elsewhere.

use jsonwebtoken::Algorithm;
use serde_json::{Value as Json, json};

use super::{ask, ask_with, assert_unknown, guarded, question};
use crate::{
    serve::server::FeatureServer,
    servers::identity_provider::{IdentityProvider, SigningKey, now, token_of},
};

const PATH: &str = "/get-online-features";

/// Claims with another value, or without it.
fn with(claims: &Json, name: &str, value: Json) -> Json {
    let mut claims = claims.clone();
    match value {
        Json::Null => _ = claims.as_object_mut().unwrap().remove(name),
        value => claims[name] = value,
    }
    claims
}

#[test]
fn tokens_of_every_kind_of_key_count() {
    let keys = [
        SigningKey::rsa("rs", Algorithm::RS256),
        SigningKey::rsa("ps", Algorithm::PS512),
        SigningKey::elliptic("es", Algorithm::ES256),
        SigningKey::elliptic("es384", Algorithm::ES384),
        SigningKey::edwards("ed"),
    ];
    let provider = IdentityProvider::start(&keys.iter().collect::<Vec<_>>());
    let project = guarded(&provider, "");
    let server = FeatureServer::start(&project, &[]);
    for key in &keys {
        let answer = ask(&server, &key.sign(&provider.claims("ann", &["super-reader"])), PATH, &question());
        assert_eq!(answer.status, 200, "{:?}: {answer:?}", key.algorithm);
    }
    assert!(server.said().contains("Who asks proves it with a token of http://127.0.0.1"), "{}", server.said());
}

#[test]
fn tokens_that_are_not_right_are_of_nobody() {
    let (key, other) = (SigningKey::rsa("mine", Algorithm::RS256), SigningKey::rsa("mine", Algorithm::RS256));
    let curve = SigningKey::elliptic("curve", Algorithm::ES256);
    let provider = IdentityProvider::start(&[&key, &curve]);
    let project = guarded(&provider, "");
    let server = FeatureServer::start(&project, &[]);
    let right = provider.claims("ann", &["super-reader"]);
    assert_eq!(ask(&server, &key.sign(&right), PATH, &question()).status, 200);

    let signed = key.sign(&right);
    let (signed_part, signature) = signed.rsplit_once('.').unwrap();
    let changed = token_of(
        &json!({ "alg": "RS256", "kid": "mine" }),
        &with(&right, "preferred_username", json!("eve")),
        signature,
    );
    let public_key = key.document()["n"].as_str().unwrap().to_owned();
    let shared = jsonwebtoken::EncodingKey::from_secret(public_key.as_bytes());
    let header =
        |algorithm| jsonwebtoken::Header { kid: Some("mine".to_owned()), ..jsonwebtoken::Header::new(algorithm) };
    let hs256 = jsonwebtoken::encode(&header(Algorithm::HS256), &right, &shared.unwrap()).unwrap();
    let none = |name: &str| token_of(&json!({ "alg": name, "kid": "mine" }), &right, "");
    let renamed = |kid: Option<&str>| {
        key.sign_with(&jsonwebtoken::Header { kid: kid.map(str::to_owned), ..key.header() }, &right)
    };
    let of_header = |header: Json| token_of(&header, &right, signature);

    for (token, why) in [
        (none("none"), "no signature of a kind that counts"),
        (none("None"), "no signature of a kind that counts"),
        (none("NONE"), "no signature of a kind that counts"),
        (hs256, "no signature of a kind that counts"),
        (changed, "signature of the access token is wrong"),
        (other.sign(&right), "signature of the access token is wrong"),
        (format!("{signed_part}."), "signature of the access token is wrong"),
        (renamed(Some("others")), "no key of the identity provider"),
        (renamed(Some("curve")), "no key of the identity provider"),
        (renamed(None), "no key of the identity provider"),
        (key.sign(&with(&right, "iss", json!("http://elsewhere"))), "issued by somebody else"),
        (key.sign(&with(&right, "iss", Json::Null)), "issued by somebody else"),
        (key.sign(&with(&right, "aud", json!("account"))), "for somebody else"),
        (key.sign(&with(&right, "aud", json!(["account", "stores"]))), "for somebody else"),
        (key.sign(&with(&right, "aud", Json::Null)), "for somebody else"),
        (key.sign(&with(&right, "exp", json!(now() - 60))), "expired"),
        (key.sign(&with(&right, "exp", json!("tomorrow"))), "does not say when it ends"),
        (key.sign(&with(&right, "exp", Json::Null)), "does not say when it ends"),
        (key.sign(&with(&right, "nbf", json!(now() + 60))), "not valid yet"),
        (key.sign(&with(&right, "typ", json!("ID"))), "none for access"),
        (key.sign(&with(&right, "preferred_username", json!(7))), "does not say who asks"),
        (of_header(json!({ "alg": "RS256", "kid": "mine", "crit": ["exp"] })), "demands what is not known"),
        (
            of_header(json!({ "alg": "RS256", "kid": "mine", "b64": false, "crit": ["b64"] })),
            "demands what is not known",
        ),
        (of_header(json!({ "alg": ["RS256"] })), "no JSON Web Token"),
        (of_header(json!({ "kid": "mine" })), "no JSON Web Token"),
        (format!("{signed}.{signature}"), "no JSON Web Token"),
        (signed_part.to_owned(), "no JSON Web Token"),
        (format!("{signed}=="), "signature of the access token is wrong"),
        ("a.b.c".to_owned(), "no JSON Web Token"),
        ("....".to_owned(), "no JSON Web Token"),
        ("x".repeat(20_000), "too long"),
    ] {
        let answer = ask(&server, &token, PATH, &question());
        assert_unknown(&answer, why);
    }
    let said = server.said();
    assert!(!said.contains(signature) && !said.contains(signed_part), "{said}");
}

#[test]
fn the_header_has_one_token() {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    let project = guarded(&provider, "");
    let server = FeatureServer::start(&project, &[]);
    let token = key.sign(&provider.claims("ann", &["super-reader"]));
    for (headers, why) in [
        (String::new(), "there is no access token"),
        ("authorization: Basic YW5uOnNlY3JldA==\r\n".to_owned(), "not `Bearer` and a token"),
        (format!("authorization: {token}\r\n"), "not `Bearer` and a token"),
        (format!("authorization: Bearer {token} more\r\n"), "not `Bearer` and a token"),
        (format!("authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n"), "several"),
        ("authorization: Bearer \u{e9}\r\n".to_owned(), "no JSON Web Token"),
    ] {
        assert_unknown(&ask_with(&server, &headers, PATH, &question()), why);
    }
    // As Feast.
    assert_eq!(ask_with(&server, &format!("authorization: bearer   {token}\r\n"), PATH, &question()).status, 200);
}

#[test]
fn the_secret_of_servers_opens_everything_and_nothing_else_without_a_signature_does() {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    let project = guarded(&provider, "");
    let secret = "c2VjcmV0IG9mIHNlcnZlcnM=";
    let unsigned =
        |name: &str| token_of(&json!({ "alg": "none", "typ": "JWT" }), &json!({ "preferred_username": name }), "");
    let server = FeatureServer::start_in(&project, &[], &[("INTRA_COMMUNICATION_BASE64", secret)]);
    assert_eq!(ask(&server, &unsigned(secret), PATH, &question()).status, 200);
    for wrong in ["", "c2VjcmV0IG9mIHNlcnZlcnM", "ann"] {
        assert_unknown(&ask(&server, &unsigned(wrong), PATH, &question()), "no signature of a kind that counts");
    }
    // Somebody whose name is the secret is somebody.
    let named = key.sign(&provider.claims(secret, &[]));
    assert_eq!(ask(&server, &named, PATH, &question()).status, 403);
    let signed = format!("{}c2ln", unsigned(secret));
    assert_unknown(&ask(&server, &signed, PATH, &question()), "no signature of a kind that counts");
    // Without the variable, or where it is empty, there is no such secret.
    for environment in [&[][..], &[("INTRA_COMMUNICATION_BASE64", "")]] {
        let server = FeatureServer::start_in(&project, &[], environment);
        for name in [secret, ""] {
            assert_unknown(&ask(&server, &unsigned(name), PATH, &question()), "no signature of a kind that counts");
        }
    }
}
