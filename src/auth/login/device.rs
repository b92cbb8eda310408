//! A login with another device: the user opens a page somewhere and enters a code (RFC 8628).

use std::time::Duration;

use oauth2::StandardDeviceAuthorizationResponse;

/// A login that waits for its user.
pub struct Device(pub(super) StandardDeviceAuthorizationResponse);

impl Device {
    /// The page that the user opens.
    pub fn page(&self) -> &str {
        self.0.verification_uri()
    }

    /// The same page, which knows the code already, if there is one.
    pub fn page_with_code(&self) -> Option<&str> {
        self.0.verification_uri_complete().map(|page| page.secret().as_str())
    }

    /// The code that the user enters there.
    pub fn code(&self) -> &str {
        self.0.user_code().secret()
    }

    /// How long the code counts.
    pub fn lives(&self) -> Duration {
        self.0.expires_in()
    }
}
