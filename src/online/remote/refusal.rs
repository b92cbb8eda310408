//! What a feature server says when it does not do what it was asked for, as a problem of ours.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::{
    clients::http::HttpAnswer,
    model::printable,
    problem::{Kind, Problem},
};

/// An exception of Feast: the body is a JSON text with this as JSON in it.
#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "class")]
    name: String,
    message: String,
}

/// What is in the body of a refusal.
struct Said {
    /// The class of Feast's exception, or nothing.
    class: String,
    message: String,
}

/// The problem of an answer that is a refusal.
pub(super) fn problem(server: &str, answer: &HttpAnswer) -> Problem {
    let status = answer.status;
    if status.is_redirection() {
        let place = String::from_utf8_lossy(&answer.body);
        let message = format!("{server} sends elsewhere: to {}", without_login(&place));
        let help = "set `path` under `online_store` in feature_store.yaml to where the server is".to_owned();
        return Problem::new(Kind::Unavailable, message, help);
    }
    let Some(Said { class, message }) = said(answer) else {
        let help = help(status, "").unwrap_or_else(|| {
            "check `path` under `online_store` in feature_store.yaml: is it a feature server, or something in front of it?"
                .to_owned()
        });
        return Problem::new(kind(status, ""), format!("{server} answers {status}{}", looks_like(answer)), help);
    };
    Problem::new(kind(status, &class), format!("{server} answers {status}: {message}"), help(status, &class))
}

/// The problem of an answer that is not what a feature server answers.
pub(super) fn not_understood(server: &str, answer: &HttpAnswer, reason: &str) -> Problem {
    let what = looks_like(answer);
    let message = match what.is_empty() {
        true => format!("the answer of {server} is not understood: {reason}"),
        false => format!("{server} gave no answer{what}"),
    };
    let help =
        "check `path` under `online_store` in feature_store.yaml: is it a feature server, or something in front of it?";
    Problem::new(Kind::Unavailable, message, help.to_owned())
}

/// The kind of a problem, by the class of Feast's exception where there is one: Feast answers 500 to many mistakes.
fn kind(status: StatusCode, class: &str) -> Kind {
    if class.contains("NotFound") || class.contains("DoesNotExist") {
        return Kind::NotFound;
    }
    if class.contains("Permission") {
        return Kind::Denied;
    }
    match status {
        StatusCode::UNAUTHORIZED => Kind::Unauthenticated,
        StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => Kind::Denied,
        StatusCode::CONFLICT => Kind::Conflict,
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Kind::Deadline,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Kind::Unavailable,
        StatusCode::NOT_IMPLEMENTED => Kind::Unsupported,
        status if status.is_client_error() => Kind::Invalid,
        _ => Kind::Unavailable,
    }
}

fn help(status: StatusCode, class: &str) -> Option<String> {
    let help = match status {
        _ if class.contains("NotFound") || class.contains("DoesNotExist") => {
            "the server has definitions of its own: apply those to its registry, or wait until it has read them"
        }
        StatusCode::UNAUTHORIZED => {
            "check user and password in `path` under `online_store` in feature_store.yaml: https://user:${PASSWORD}@host"
        }
        StatusCode::FORBIDDEN => "ask those who look after the server for the permission",
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => "write user and password into the variable of the proxy",
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            "check `path` under `online_store` in feature_store.yaml: is it a feature server?"
        }
        StatusCode::CONFLICT => "wait until the server is done with the views",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "ask again later",
        status if status.is_server_error() => "the log of the server says more",
        _ => return None,
    };
    Some(help.to_owned())
}

/// What an answer says, in some words.
pub(super) fn words(answer: &HttpAnswer) -> String {
    if let Some(reason) = reason(&answer.challenge) {
        return reason;
    }
    said(answer).map_or_else(|| format!("{}{}", answer.status, looks_like(answer)), |said| said.message)
}

/// Why a token was not right, where RFC 6750 has it.
fn reason(challenge: &str) -> Option<String> {
    let (_, reason) = challenge.split_once("error_description=\"")?;
    let (reason, _) = reason.split_once('"')?;
    (!reason.is_empty()).then(|| one_line(reason))
}

/// What a body in JSON says.
fn said(answer: &HttpAnswer) -> Option<Said> {
    let plain = |message: &str| Some(Said { class: String::new(), message: one_line(message) });
    match serde_json::from_slice(&answer.body).ok()? {
        Json::String(text) => match serde_json::from_str::<Exception>(&text) {
            Ok(Exception { name, message }) => Some(Said { class: name, message: one_line(&message) }),
            Err(_) => plain(&text),
        },
        Json::Object(members) => {
            let message = ["detail", "error", "message"].into_iter().find_map(|name| members.get(name))?;
            match message {
                Json::String(text) => plain(text),
                Json::Array(findings) => plain(&findings.iter().map(finding).collect::<Vec<_>>().join("; ")),
                Json::Object(error) => plain(error.get("message")?.as_str()?),
                other => plain(&other.to_string()),
            }
        }
        _ => None,
    }
}

/// A finding about a body, with its place: `body.df: Field required`.
fn finding(finding: &Json) -> String {
    let place = finding["loc"].as_array().into_iter().flatten();
    let place: Vec<String> = place.map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned)).collect();
    match finding["msg"].as_str() {
        Some(message) => format!("{}: {message}", place.join(".")),
        None => finding.to_string(),
    }
}

/// What a body seems to be that is no JSON.
fn looks_like(answer: &HttpAnswer) -> &'static str {
    let start = answer.body.trim_ascii_start();
    let is_page = answer.content_type.starts_with("text/html") || start.starts_with(b"<");
    match serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body) {
        Ok(_) => "",
        Err(_) if start.is_empty() => ", without a word",
        Err(_) if is_page => ", with a web page",
        Err(_) => ", with something that is no JSON",
    }
}

/// Enough of a message, in one line.
fn one_line(message: &str) -> String {
    const LENGTH: usize = 500;
    let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", printable(&words[..end])),
        None => printable(&words).into_owned(),
    }
}

/// An URL without what may be a password.
fn without_login(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => one_line(&format!("{scheme}://{rest}")),
        _ => one_line(url),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(status: u16, content_type: &str, body: &str) -> (Kind, String) {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = HttpAnswer {
            status,
            content_type: content_type.to_owned(),
            body: body.as_bytes().to_vec(),
            challenge: String::new(),
        };
        let problem = problem("the server", &answer);
        assert!(!problem.message.contains('\n'));
        (problem.kind, problem.message)
    }

    #[test]
    fn refusals_are_problems() {
        let exception = |class: &str| {
            let inner = json!({"module": "feast.errors", "class": class, "message": "it\n is so"}).to_string();
            json!(inner).to_string()
        };
        let validation = json!({"detail": [{"loc": ["body", "df"], "msg": "Field required", "type": "missing"}]});
        for (status, body, kind, message) in [
            (404, exception("FeatureViewNotFoundException"), Kind::NotFound, "404 Not Found: it is so"),
            (422, exception("PushSourceNotFoundException"), Kind::NotFound, "422 Unprocessable Entity: it is so"),
            (403, exception("FeastPermissionError"), Kind::Denied, "403 Forbidden: it is so"),
            (500, exception("SomeError"), Kind::Unavailable, "500 Internal Server Error: it is so"),
            (500, json!("'x'").to_string(), Kind::Unavailable, "500 Internal Server Error: 'x'"),
            (422, validation.to_string(), Kind::Invalid, "422 Unprocessable Entity: body.df: Field required"),
            (
                401,
                r#"{"detail": "Invalid token"}"#.to_owned(),
                Kind::Unauthenticated,
                "401 Unauthorized: Invalid token",
            ),
            (409, r#"{"error": "busy"}"#.to_owned(), Kind::Conflict, "409 Conflict: busy"),
            (404, r#"{"detail": "Not Found"}"#.to_owned(), Kind::Unavailable, "404 Not Found: Not Found"),
            (501, r#"{"error": {"message": "no"}}"#.to_owned(), Kind::Unsupported, "501 Not Implemented: no"),
            (503, String::new(), Kind::Unavailable, "503 Service Unavailable, without a word"),
            (504, "slow".to_owned(), Kind::Deadline, "504 Gateway Timeout, with something that is no JSON"),
            (502, "<html>".to_owned(), Kind::Unavailable, "502 Bad Gateway, with a web page"),
            (400, "[1]".to_owned(), Kind::Invalid, "400 Bad Request"),
        ] {
            let expected = (kind, format!("the server answers {message}"));
            assert_eq!(refused(status, "", &body), expected, "{status} {body}");
        }
        let (_, message) = refused(403, "text/html; charset=utf-8", "no tag");
        assert_eq!(message, "the server answers 403 Forbidden, with a web page");
        let (kind, message) = refused(302, "", "https://joe:secret@login.example.com/x");
        assert_eq!(
            (kind, message.as_str()),
            (Kind::Unavailable, "the server sends elsewhere: to https://login.example.com/x")
        );
    }

    #[test]
    fn long_messages_are_cut() {
        let (_, message) = refused(500, "", &json!("é".repeat(10_000)).to_string());
        assert!(message.chars().count() < 600 && message.ends_with('…'));
    }

    #[test]
    fn the_reason_that_comes_with_a_challenge_counts() {
        let said = |challenge: &str| {
            let body = json!({"detail": "Invalid or expired access token"}).to_string().into_bytes();
            let (status, content_type) = (StatusCode::UNAUTHORIZED, "application/json".to_owned());
            words(&HttpAnswer { status, content_type, body, challenge: challenge.to_owned() })
        };
        let challenge = "Bearer error=\"invalid_token\", error_description=\"the access token has ended\"";
        assert_eq!(said(challenge), "the access token has ended");
        for plain in ["", "Bearer", "Basic realm=\"x\"", "Bearer error_description=\""] {
            assert_eq!(said(plain), "Invalid or expired access token", "{plain}");
        }
    }
}
