//! What an identity provider says when it gives no token, and what to do then. No message repeats a password or secret.

use std::fmt::Display;

use oauth2::{ErrorResponseType, RequestTokenError, StandardErrorResponse};

use crate::{
    model::printable,
    problem::{Advice, Kind, Problem},
};

/// What a token was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking<'a> {
    /// The password of this user.
    User(&'a str),
    /// The secret of the client.
    Client,
    /// A login that is kept.
    Again,
    /// A login with another device.
    Device,
}

/// The problem of a token that was not given.
pub(super) fn refused<T: ErrorResponseType + AsRef<str> + Display + 'static>(
    provider: &str,
    client: &str,
    error: RequestTokenError<Problem, StandardErrorResponse<T>>,
    asking: Asking<'_>,
) -> Problem {
    match error {
        RequestTokenError::Request(problem) => problem,
        RequestTokenError::ServerResponse(answer) => {
            let (code, said) = (answer.error().as_ref().to_owned(), answer.error_description());
            of_code(provider, client, (&code, said.map_or("", String::as_str)), asking)
        }
        // What it answers may have anything in it.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            let message = format!("the answer of {provider} is not understood: it is no token, and no refusal");
            let help =
                "check `auth_discovery_url` under `auth` in feature_store.yaml: is it that of an identity provider?";
            Problem::new(Kind::Unavailable, message, help.to_owned())
        }
    }
}

fn of_code(provider: &str, client: &str, (code, said): (&str, &str), asking: Asking<'_>) -> Problem {
    let said = match printable(said.trim().trim_end_matches('.')) {
        said if said.is_empty() => printable(code).into_owned(),
        said => said.into_owned(),
    };
    let denied = |message: String, help: &str| Problem::new(Kind::Unauthenticated, message, help.to_owned());
    match (code, asking) {
        ("invalid_grant", Asking::User(user)) => denied(
            format!("{provider} does not accept the password of `{user}`: {said}"),
            "correct `username` and `password` under `auth` in feature_store.yaml",
        ),
        ("invalid_grant", Asking::Again) => {
            denied(format!("the login at {provider} is over: {said}"), "").advise(Advice::LogIn)
        }
        ("access_denied", Asking::Device) => {
            denied(format!("the login at {provider} was refused"), "").advise(Advice::LogIn)
        }
        ("expired_token", Asking::Device) => {
            denied(format!("nobody has agreed to the login at {provider} in time"), "").advise(Advice::LogIn)
        }
        ("unauthorized_client", _) if is_about_grants(&said) => {
            let what = match asking {
                Asking::User(_) => "passwords (direct access grants)",
                Asking::Client => "its own secret (service accounts)",
                Asking::Again | Asking::Device => "logins with another device (device authorization grant)",
            };
            let help = format!("let those who look after it switch on tokens for {what} for this client");
            denied(format!("{provider} gives client `{client}` no such tokens: {said}"), &help)
        }
        ("invalid_client" | "unauthorized_client", _) => denied(
            format!("{provider} does not accept client `{client}`: {said}"),
            "check `client_id` and `client_secret` under `auth` in feature_store.yaml; a confidential client needs its secret",
        ),
        _ => denied(
            format!("{provider} gives no token: {said}"),
            "check `auth` in feature_store.yaml; the log of the provider may say more",
        ),
    }
}

/// Whether a client is known and may not ask in this way: providers have one word for that and for a wrong secret.
fn is_about_grants(said: &str) -> bool {
    let said = said.to_lowercase();
    ["not allowed", "not enabled", "grant"].into_iter().any(|word| said.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str, said: &str, asking: Asking<'_>) -> (String, Option<Advice>) {
        let problem = of_code("the provider", "store", (code, said), asking);
        assert_eq!(problem.kind, Kind::Unauthenticated);
        (problem.message, problem.advice)
    }

    #[test]
    fn refusals_say_what_to_do() {
        let (message, advice) = said("invalid_grant", "Invalid user credentials", Asking::User("ann"));
        assert_eq!(message, "the provider does not accept the password of `ann`: Invalid user credentials");
        assert!(advice.unwrap().to_string().contains("`username` and `password`"));
        let (message, advice) = said("invalid_grant", "Token is not active", Asking::Again);
        assert_eq!(message, "the login at the provider is over: Token is not active");
        assert_eq!(advice, Some(Advice::LogIn));
        let (message, advice) =
            said("unauthorized_client", "Invalid client or Invalid client credentials", Asking::Client);
        assert!(message.starts_with("the provider does not accept client `store`"), "{message}");
        assert!(advice.unwrap().to_string().contains("client_secret"));
        let (message, advice) =
            said("unauthorized_client", "Client not allowed for direct access grants", Asking::User("ann"));
        assert!(message.starts_with("the provider gives client `store` no such tokens"), "{message}");
        assert!(advice.unwrap().to_string().contains("direct access grants"));
        assert_eq!(said("expired_token", "", Asking::Device).1, Some(Advice::LogIn));
        assert_eq!(said("access_denied", "", Asking::Device).1, Some(Advice::LogIn));
        assert_eq!(said("strange", "", Asking::Client).0, "the provider gives no token: strange");
    }
}
