//! What goes wrong between here and an HTTP server, in words.

use super::Server;
use crate::{
    clients::causes::{innermost, is_about_certificates, is_without_encryption},
    problem::{Kind, Problem},
};

impl Server {
    /// The problem of a request without an answer.
    pub(super) fn explain(&self, error: &reqwest::Error) -> Problem {
        let (name, setting) = (&self.name, self.setting);
        let cause = innermost(error);
        let (message, help) = match () {
            () if is_about_certificates(error) => (
                format!("{name} does not prove who it is: {cause}"),
                format!(
                    "name a file with the authority that signed its certificate with {}, and call the server by the name in \
                     its certificate",
                    self.authorities_setting
                ),
            ),
            () if is_without_encryption(error) => (
                format!("{name} is asked with encryption and answers without"),
                format!("correct {setting}, or let the server encrypt"),
            ),
            () if error.is_connect() && error.is_timeout() => {
                (format!("{name} cannot be reached: its address does not answer"), self.away())
            }
            () if error.is_connect() => (format!("{name} cannot be reached: {cause}"), self.away()),
            () if error.is_body() || error.is_decode() => (
                format!("{name} ended its answer before it was complete: {cause}"),
                "ask again; if it stays so, the log of the server may say why".to_owned(),
            ),
            () => (
                format!("{name} gave no answer: {cause}"),
                format!("check {setting}; the log of the server may say more"),
            ),
        };
        Problem::new(Kind::Unavailable, message, help)
    }

    /// The problem of an answer that nobody waits for any more.
    pub(super) fn too_late(&self) -> Problem {
        let message = format!("{} did not answer in time", self.name);
        Problem::new(Kind::Deadline, message, "ask again; if it stays so, look whether it is overloaded".to_owned())
    }

    fn away(&self) -> String {
        format!("start it, or correct {}", self.setting)
    }
}
