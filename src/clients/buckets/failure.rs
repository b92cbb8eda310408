//! What goes wrong between here and an object store, in words.

use std::{error::Error as _, fmt::Write as _, io};

use object_store::Error;

use super::Bucket;
use crate::{
    clients::causes::{innermost, is_about_certificates, is_without_encryption},
    config::StoreOfBuckets,
    model::printable,
    problem::{Kind, Problem},
};

/// Whether a store says that there is no such bucket, and not only no such object.
pub(super) fn is_about_bucket(error: &Error) -> bool {
    let code = Said::of(error).code;
    ["NoSuchBucket", "ContainerNotFound", "UserProjectInvalid"].contains(&code.as_str())
}

/// What stores say of who asks.
const ABOUT_US: [&str; 11] = [
    "AccessDenied",
    "AuthenticationFailed",
    "AuthorizationFailure",
    "AuthorizationPermissionMismatch",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidAuthenticationInfo",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

/// Whether a store does not let us do what we asked for, whoever it takes us for.
pub(super) fn is_denied(error: &Error) -> bool {
    let code = Said::of(error).code;
    matches!(error, Error::PermissionDenied { .. })
        || ["AccessDenied", "AuthorizationFailure", "AuthorizationPermissionMismatch"].contains(&code.as_str())
}

/// Whether a connection ended in the middle of an answer.
pub(super) fn is_broken_off(error: &Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let mut cause = error.source();
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|io| matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What a store answered: a word for it, and a sentence.
struct Said {
    code: String,
    message: String,
}

impl Said {
    /// The answer is within the text of the error, between the marks that all stores use.
    fn of(error: &Error) -> Self {
        let text = whole(error);
        let between = |mark: &str| {
            let begin = text.split_once(&format!("<{mark}>"))?.1;
            Some(begin.split_once(&format!("</{mark}>"))?.0.trim().to_owned())
        };
        // Azure adds an id and the time on lines of their own.
        let message = between("Message").unwrap_or_default().lines().next().unwrap_or_default().to_owned();
        Self { code: between("Code").unwrap_or_default(), message }
    }

    /// As it stands behind a colon.
    fn shown(&self) -> Option<String> {
        let text = match (self.code.as_str(), self.message.trim_end_matches('.')) {
            ("", "") => return None,
            (code, "") => code.to_owned(),
            ("", message) => message.to_owned(),
            (code, message) => format!("{message} ({code})"),
        };
        Some(printable(&text).into_owned())
    }
}

/// An error with all that it came from.
fn whole(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a text cannot fail.
        let _ = write!(text, " {error}");
        cause = error.source();
    }
    text
}

impl Bucket {
    /// The problem of what could not be done (`read`, `write`, `list`, `remove`) with something in the bucket.
    pub(super) fn explain(&self, what: &str, key: &str, error: &Error) -> Problem {
        let place = match key {
            "" => self.url.root().to_owned(),
            key => self.url(key).to_string(),
        };
        let said = Said::of(error);
        let text = whole(error);
        let failed = |reason: &str| format!("cannot {what} {place}: {reason}");
        let shown = || said.shown();
        let (kind, message, help) = match error {
            _ if is_about_bucket(error) => (
                Kind::NotFound,
                failed(&format!("there is no bucket `{}`{}", self.url.bucket, self.there())),
                "create it, or correct its name".to_owned(),
            ),
            Error::Precondition { .. } | Error::NotModified { .. } => (
                Kind::Unavailable,
                failed("it was replaced while it was being used"),
                "nothing of both states is mixed; run it again".to_owned(),
            ),
            _ if said.code == "NoSuchUpload" => (
                Kind::Unavailable,
                failed("the store does not know its parts any more"),
                "run it again; perhaps a rule of the bucket removes parts too soon".to_owned(),
            ),
            Error::NotFound { .. } => {
                (Kind::NotFound, failed("it is not there"), "correct the path, or write it again".to_owned())
            }
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => (
                Kind::Unavailable,
                failed(&shown().unwrap_or_else(|| "access is denied".to_owned())),
                self.who(&said.code),
            ),
            // Listings come without a kind of their own for it.
            _ if ABOUT_US.contains(&said.code.as_str()) => {
                (Kind::Unavailable, failed(&shown().unwrap_or_default()), self.who(&said.code))
            }
            _ if is_about_certificates(error) => (
                Kind::Unavailable,
                failed(&format!("the store does not prove who it is: {}", innermost(error))),
                match self.url.store {
                    StoreOfBuckets::S3 => {
                        "name a file with the authority that signed its certificate with AWS_CA_BUNDLE"
                    }
                    _ => "let this system trust the authority that signed its certificate",
                }
                .to_owned(),
            ),
            _ if is_without_encryption(error) => (
                Kind::Unavailable,
                failed(&format!("the store{} is asked with encryption and answers without", self.there())),
                "write its address with http:// in place of https://, or let the store encrypt".to_owned(),
            ),
            // The address where a machine says its keys.
            _ if text.contains("/latest/api/token")
                || text.contains("/computeMetadata/")
                || text.contains("/metadata/identity") =>
            {
                (Kind::Unavailable, failed("nothing says who we are, and this machine does not either"), self.who(""))
            }
            _ if ["SlowDown", "ServerBusy", "TooManyRequests"].contains(&said.code.as_str()) => (
                Kind::Unavailable,
                failed(&format!("the store asks for fewer requests, and still did after {} tries", tries(&text))),
                "run it again later, or ask the store's keeper for a higher limit".to_owned(),
            ),
            _ => match (shown(), cause(error)) {
                (Some(answer), _) => {
                    (Kind::Unavailable, failed(&answer), "the answer is the store's; check its settings".to_owned())
                }
                (None, cause) => (
                    Kind::Unavailable,
                    failed(&format!("{cause}{}", self.there())),
                    "check the address of the store and the network, then run it again".to_owned(),
                ),
            },
        };
        Problem::new(kind, message, help)
    }

    /// The problem of bytes that did not all come.
    pub(super) fn cut_off(&self, key: &str) -> Problem {
        Problem::new(
            Kind::Unavailable,
            format!("cannot read {}: the store ended its answer before it was complete", self.url(key)),
            "run it again".to_owned(),
        )
    }

    /// The problem of a key that cannot be asked for.
    pub(super) fn odd_key(&self, key: &str) -> Problem {
        Problem::new(
            Kind::Invalid,
            format!("`{}` is no key that can be asked for", self.url(key)),
            "write it without `//`, `/./` and `/../`".to_owned(),
        )
    }

    /// ` at http://…`, where somebody says where the store is.
    fn there(&self) -> String {
        self.endpoint.as_deref().map(|endpoint| format!(" at {endpoint}")).unwrap_or_default()
    }

    /// What to do where a store does not take us for whom we should be.
    fn who(&self, code: &str) -> String {
        let text = match (code, self.url.store) {
            ("ExpiredToken" | "ExpiredTokenException", _) => "the key has ended; get a new one and run it again",
            ("RequestTimeTooSkewed", _) => "the clock of this machine or of the store is wrong; correct it",
            ("SignatureDoesNotMatch", StoreOfBuckets::S3) => {
                "correct AWS_SECRET_ACCESS_KEY, or the secret of the profile that AWS_PROFILE names"
            }
            ("InvalidAccessKeyId", _) => "correct AWS_ACCESS_KEY_ID, or the key of the profile that AWS_PROFILE names",
            (_, StoreOfBuckets::S3) => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, of somebody who may; \
                 AWS_SKIP_SIGNATURE=true reads as nobody what everybody may read"
            }
            (_, StoreOfBuckets::Gcs) => "set GOOGLE_APPLICATION_CREDENTIALS to the file of an account that may",
            (_, StoreOfBuckets::Azure) => {
                "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_SAS_TOKEN, of somebody who may"
            }
        };
        text.to_owned()
    }
}

/// How often something was asked, which the client says in its text.
fn tries(text: &str) -> usize {
    let retries = text.split_once("after ").and_then(|(_, rest)| rest.split_once(" retries"));
    retries.and_then(|(count, _)| count.trim().parse::<usize>().ok()).unwrap_or(0) + 1
}

/// The last cause, and before it the status of an answer without words.
fn cause(error: &Error) -> String {
    let text = whole(error);
    match text.split_once("non-2xx status code: ") {
        Some((_, rest)) => format!("the store answered {}", rest.split([':', '<']).next().unwrap_or_default().trim()),
        None => printable(&innermost(error)).into_owned(),
    }
}
