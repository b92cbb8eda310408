//! Where a server sends its traces and metrics: OpenTelemetry's standard variables.

use std::{path::PathBuf, time::Duration};

use percent_encoding::percent_decode_str;
use url::Url;

use super::{
    Password,
    environment::{Environment, variables},
};
use crate::problem::{Kind, Problem};

/// Where traces and metrics go, by OTLP over HTTP. What decides which traces are sampled, and how many wait to be sent, is
/// read by OpenTelemetry's own library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpConfig {
    /// Where traces are sent; `None` if they are not.
    pub traces: Option<Url>,
    /// Where metrics are sent; `None` if they are not.
    pub metrics: Option<Url>,
    /// What is sent along with both, such as a token.
    pub headers: Vec<(String, Password)>,
    /// How long the collector may take.
    pub timeout: Duration,
    /// How often metrics are sent.
    pub metrics_interval: Duration,
    /// A file with the authorities to trust; those of the system if there is none.
    pub authorities: Option<PathBuf>,
    /// The name of the service, if it is given by itself.
    pub service_name: Option<String>,
}

impl OtlpConfig {
    /// What the environment says; `None` if nothing is to be sent.
    ///
    /// # Errors
    /// When a variable makes no sense, or asks for another protocol than `http/protobuf`.
    pub fn of(environment: Environment<'_>) -> Result<Option<Self>, Problem> {
        let set = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        if set(variables::OTEL_SDK_DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let general = set(variables::OTEL_EXPORTER_OTLP_ENDPOINT);
        let endpoint = |own: &'static str, exporter: &'static str, path: &str| {
            if set(exporter).is_some_and(|value| value.trim() == "none") {
                return Ok(None);
            }
            match (set(own), &general) {
                (Some(text), _) => url(own, &text).map(Some),
                (None, Some(text)) => {
                    let text = format!("{}/{path}", text.trim().trim_end_matches('/'));
                    url(variables::OTEL_EXPORTER_OTLP_ENDPOINT, &text).map(Some)
                }
                (None, None) => Ok(None),
            }
        };
        let traces =
            endpoint(variables::OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, variables::OTEL_TRACES_EXPORTER, "v1/traces")?;
        let metrics =
            endpoint(variables::OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, variables::OTEL_METRICS_EXPORTER, "v1/metrics")?;
        if traces.is_none() && metrics.is_none() {
            return Ok(None);
        }
        let protocol = set(variables::OTEL_EXPORTER_OTLP_PROTOCOL);
        if let Some(other) = protocol.filter(|protocol| protocol.trim() != PROTOCOL) {
            return Err(wrong(
                variables::OTEL_EXPORTER_OTLP_PROTOCOL,
                Kind::Unsupported,
                &format!("`{other}`, which is not supported"),
                "set it to http/protobuf, and the endpoint to that of the collector's HTTP, usually port 4318",
            ));
        }
        let millis = |name, default| match set(name) {
            None => Ok(default),
            Some(text) => match text.trim().parse() {
                Ok(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
                _ => Err(wrong(name, Kind::Invalid, &format!("`{text}`"), "set it to a number of milliseconds")),
            },
        };
        Ok(Some(Self {
            traces,
            metrics,
            headers: set(variables::OTEL_EXPORTER_OTLP_HEADERS)
                .map_or_else(|| Ok(Vec::new()), |text| headers(&text))?,
            timeout: millis(variables::OTEL_EXPORTER_OTLP_TIMEOUT, TIMEOUT)?,
            metrics_interval: millis(variables::OTEL_METRIC_EXPORT_INTERVAL, METRICS_INTERVAL)?,
            authorities: set(variables::OTEL_EXPORTER_OTLP_CERTIFICATE).map(PathBuf::from),
            service_name: set(variables::OTEL_SERVICE_NAME),
        }))
    }
}

/// The one protocol, which is the standard's default.
const PROTOCOL: &str = "http/protobuf";

/// The standard's default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The standard's default.
const METRICS_INTERVAL: Duration = Duration::from_secs(60);

fn url(variable: &str, text: &str) -> Result<Url, Problem> {
    let url = Url::parse(text.trim()).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    let no_login = url.filter(|url| url.username().is_empty() && url.password().is_none());
    no_login.ok_or_else(|| {
        let help = format!(
            "set it to an address such as http://localhost:4318; tokens belong to {}",
            variables::OTEL_EXPORTER_OTLP_HEADERS
        );
        wrong(variable, Kind::Invalid, "no address of a collector", &help)
    })
}

/// `name=value,name=value`, with `%XX` in values.
fn headers(text: &str) -> Result<Vec<(String, Password)>, Problem> {
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_right =
            !name.trim().is_empty() && name.trim().chars().all(is_name) && !value.chars().any(char::is_control);
        is_right.then(|| (name.trim().to_owned(), Password(value.into_owned())))
    };
    pairs.map(pair).collect::<Option<_>>().ok_or_else(|| {
        let help = "write name=value, several with commas between them, and other characters as %XX";
        wrong(variables::OTEL_EXPORTER_OTLP_HEADERS, Kind::Invalid, "not a list of headers", help)
    })
}

fn wrong(variable: &str, kind: Kind, what: &str, help: &str) -> Problem {
    Problem::new(kind, format!("the environment variable {variable} is {what}"), help.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &[(&str, &str)]) -> Result<Option<OtlpConfig>, Problem> {
        OtlpConfig::of(&|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn nothing_is_sent_unless_it_is_said_where() {
        assert_eq!(of(&[]).unwrap(), None);
        assert_eq!(of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", ""), ("OTEL_SERVICE_NAME", "x")]).unwrap(), None);
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");
        assert_eq!(of(&[endpoint, ("OTEL_SDK_DISABLED", "True")]).unwrap(), None);
        let both = of(&[endpoint]).unwrap().unwrap();
        let texts = |config: &OtlpConfig| {
            [&config.traces, &config.metrics].map(|url| url.as_ref().map(ToString::to_string).unwrap_or_default())
        };
        assert_eq!(texts(&both), ["http://collector:4318/v1/traces", "http://collector:4318/v1/metrics"]);
        let apart =
            of(&[endpoint, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/x"), ("OTEL_METRICS_EXPORTER", "none")]);
        assert_eq!(texts(&apart.unwrap().unwrap()), ["https://t/x", ""], "of its own it is taken as it is");
    }

    #[test]
    fn settings_are_read_and_tokens_not_shown() {
        let config = of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret, x-scope=a=b"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ]);
        let config = config.unwrap().unwrap();
        let headers: Vec<_> = config.headers.iter().map(|(name, value)| (name.as_str(), value.0.as_str())).collect();
        assert_eq!(headers, [("authorization", "Bearer s3cret"), ("x-scope", "a=b")]);
        assert_eq!([config.timeout, config.metrics_interval], [Duration::from_millis(250), METRICS_INTERVAL]);
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn what_makes_no_sense_is_told_without_repeating_secrets() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c");
        for (name, value, kind) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", Kind::Invalid),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:s3cret@c", Kind::Invalid),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", Kind::Unsupported),
            ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret", Kind::Invalid),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x=s3cret%0A", Kind::Invalid),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "5s", Kind::Invalid),
            ("OTEL_METRIC_EXPORT_INTERVAL", "0", Kind::Invalid),
        ] {
            let problem = of(&[(name, value), endpoint]).unwrap_err();
            assert!(problem.kind == kind && problem.message.contains(name), "{problem:?}");
            assert!(!format!("{problem:?}").contains("s3cret"), "{problem:?}");
        }
    }
}
