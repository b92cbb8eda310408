//! Topics of SNS that ask whether their messages are wanted: an URL is visited, if it is at one of the places that the
//! settings name. Nobody who knows a token can let the server ask elsewhere.

use std::time::{Duration, Instant};

use url::Url;

use crate::{
    clients::http::{Connecting, HttpClient},
    problem::{Kind, Problem},
};

/// Visits an URL that confirms the subscription of a topic.
///
/// # Errors
/// [`Kind::Denied`] when it is not at one of the `origins`, or does something else; and when nobody answers there.
pub(super) async fn confirm(topic: &str, url: &str, origins: &[String], deadline: Instant) -> Result<(), Problem> {
    let url = allowed(topic, url, origins)?;
    let place = url.origin().ascii_serialization();
    let client = HttpClient::new(Connecting {
        name: format!("the topic service at {place}"),
        setting: "`subscriptions` of `entity_index`",
        authorities_setting: "the authorities of the system",
        authorities: None,
        is_encrypted: url.scheme() == "https",
        is_verified: true,
        pool_size: 0,
        idle_timeout: Some(Duration::ZERO),
        retries: 1,
    })?;
    let answer = client.send(client.get(url.as_str()), Some(deadline)).await?;
    if answer.status.is_success() {
        tracing::info!("The subscription of {topic} is confirmed");
        return Ok(());
    }
    let message =
        format!("the topic service at {place} does not confirm the subscription of {topic}: {}", answer.status);
    Err(Problem::new(Kind::Unavailable, message, None))
}

/// The URL, if it may be visited. It holds a secret, and so no message does.
fn allowed(topic: &str, url: &str, origins: &[String]) -> Result<Url, Problem> {
    let denied = |reason: &str, help: String| {
        Err(Problem::new(Kind::Denied, format!("the subscription of {topic} is not confirmed: {reason}"), help))
    };
    let Ok(url) = Url::parse(url) else { return denied("its URL is none", "see what the topic sends".to_owned()) };
    let origin = url.origin().ascii_serialization();
    if !origins.contains(&origin) {
        let help = format!(
            "write `subscriptions: [{origin}]` into `entity_index` of feature_store.yaml if that is the service of your \
             topics, or confirm it with `aws sns confirm-subscription`"
        );
        return denied(&format!("its URL is at {origin}, and the settings do not name that"), help);
    }
    let is_confirmation = url.query_pairs().any(|(key, value)| key == "Action" && value == "ConfirmSubscription");
    if !url.username().is_empty() || url.password().is_some() || !is_confirmation {
        return denied("its URL does something else", "see what the topic sends".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_places_are_visited() {
        let origins = ["https://sns.eu-central-1.amazonaws.com".to_owned()];
        let may = |url: &str| allowed("arn", url, &origins).is_ok();
        assert!(may("https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"));
        assert!(may("https://SNS.eu-central-1.amazonaws.com:443/?Token=1&Action=ConfirmSubscription"));
        for url in [
            "http://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.eu-central-1.amazonaws.com:8443/?Action=ConfirmSubscription",
            "https://sns.eu-central-1.amazonaws.com.evil.example/?Action=ConfirmSubscription",
            "https://sns.eu-central-1.amazonaws.com@169.254.169.254/?Action=ConfirmSubscription",
            "https://u:p@sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.eu-central-1.amazonaws.com/?Action=DeleteTopic",
            "https://169.254.169.254/latest/meta-data?Action=ConfirmSubscription",
            "file:///etc/passwd?Action=ConfirmSubscription",
            "nothing",
        ] {
            assert!(!may(url), "{url}");
        }
        let problem =
            allowed("arn", "https://other.example/?Token=s3cret&Action=ConfirmSubscription", &origins).unwrap_err();
        let said = format!("{problem} {:?}", problem.help());
        assert!(said.contains("https://other.example") && !said.contains("s3cret"), "{said}");
        assert!(allowed("arn", "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription", &[]).is_err());
    }
}
