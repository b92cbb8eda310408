//! What those send who are about to tell of events, and want to know first whether somebody listens.

use serde_json::{Map, Value};

use super::{text, text_at};

/// The most bytes of a body that may be a handshake.
const LONGEST: usize = 64 << 10;

/// A question whether events are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handshake {
    /// Azure's Event Grid wants to hear a code.
    Code(String),
    /// A topic of SNS wants an URL to be visited, which holds a secret.
    Visit {
        /// The topic.
        topic: String,
        /// The URL.
        url: String,
    },
}

impl Handshake {
    /// The question that a body asks, if it does.
    pub fn of(body: &[u8]) -> Option<Self> {
        let may_be = |word: &[u8]| memchr::memmem::find(body, word).is_some();
        if body.len() > LONGEST || !(may_be(b"SubscriptionConfirmation") || may_be(b"SubscriptionValidationEvent")) {
            return None;
        }
        let body: Value = serde_json::from_slice(body).ok()?;
        match &body {
            Value::Array(events) => match events.as_slice() {
                [event] => code(event.as_object()?),
                _ => None,
            },
            Value::Object(fields) => code(fields).or_else(|| visit(fields)),
            _ => None,
        }
    }
}

fn code(event: &Map<String, Value>) -> Option<Handshake> {
    let kind = text(event, "eventType").or_else(|| text(event, "type"));
    let code = text_at(event, &["data", "validationCode"]);
    code.filter(|_| kind == Some("Microsoft.EventGrid.SubscriptionValidationEvent"))
        .map(|code| Handshake::Code(code.to_owned()))
}

fn visit(message: &Map<String, Value>) -> Option<Handshake> {
    let url = text(message, "SubscribeURL").filter(|_| text(message, "Type") == Some("SubscriptionConfirmation"))?;
    let topic = text(message, "TopicArn").unwrap_or("a topic that does not say its name");
    Some(Handshake::Visit { topic: topic.to_owned(), url: url.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn questions_are_told_from_events() {
        let of = |body: Value| Handshake::of(body.to_string().as_bytes());
        let validation = json!([{
            "id": "1", "topic": "/subscriptions/x", "subject": "", "eventTime": "2026-01-01T00:00:00Z", "dataVersion": "1",
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "data": { "validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6", "validationUrl": "https://rp.example/x" },
        }]);
        assert_eq!(of(validation), Some(Handshake::Code("512d38b6-c7b8-40c8-89fe-f46f9e9622b6".to_owned())));
        let confirmation = json!({
            "Type": "SubscriptionConfirmation", "MessageId": "1", "Token": "23", "TopicArn": "arn:aws:sns:eu-central-1:1:lake",
            "Message": "You have chosen to subscribe", "Timestamp": "2026-01-01T00:00:00.000Z", "SignatureVersion": "1",
            "SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=23",
        });
        let topic = "arn:aws:sns:eu-central-1:1:lake".to_owned();
        let url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=23".to_owned();
        assert_eq!(of(confirmation), Some(Handshake::Visit { topic, url }));
        for other in [
            json!({"Type": "Notification", "Message": "SubscriptionConfirmation"}),
            json!([{"eventType": "Microsoft.Storage.BlobCreated", "data": {"validationCode": "SubscriptionValidationEvent"}}]),
            json!({"Type": "SubscriptionConfirmation"}),
            json!("SubscriptionConfirmation"),
        ] {
            assert_eq!(of(other.clone()), None, "{other}");
        }
    }
}
