//! Who we are to servers: access tokens, which come from the settings, the environment, a file, an identity provider, or
//! from somebody who has logged in. The order is Feast's; what only feastr has comes last.

mod claims;
mod device;
mod identity;
mod kept;
mod provider;
mod refusal;
#[cfg(test)]
mod samples;
mod token;
mod tokens;
mod way;

pub(super) use claims::Claims;
pub use device::Device;
pub use identity::Identity;
pub use token::Token;
pub use tokens::{LoggedOut, Tokens};
