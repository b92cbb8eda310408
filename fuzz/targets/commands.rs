use feastr::feast::{FeastError, flight::Command};

/// A command to the offline server, and an error in one of its answers.
pub fn commands(input: &[u8]) {
    if let Ok(command) = Command::parse(input) {
        let _ = Command::parse(command.to_json().as_bytes());
    }
    if let Ok(text) = str::from_utf8(input) {
        let _ = FeastError::find(text);
    }
}
