//! Tokens for those who ask servers: got when they are needed, kept until shortly before they end, by one request however
//! many ask at once.

use std::{
    fmt, fs,
    sync::{Arc, OnceLock},
};

use tokio::sync::Mutex;

use super::{
    device::Device,
    identity::Identity,
    kept::Keeper,
    provider::TokenProvider,
    token::Token,
    way::{Grant, Way},
};
use crate::{
    config::{AuthConfig, AuthMethod, OidcConfig},
    model::{Timestamp, printable},
    problem::{Advice, Kind, Problem},
};

/// No token is longer, and no file that is named by mistake is read whole.
const LONGEST: u64 = 64 << 10;

/// Gets tokens as the settings say. Nothing is asked before one is needed.
pub struct Tokens {
    way: Way,
    oidc: Option<OidcConfig>,
    environment: fn(&str) -> Option<String>,
    clock: fn() -> Timestamp,
    keeper: Option<Keeper>,
    provider: OnceLock<TokenProvider>,
    held: Mutex<Option<Arc<Token>>>,
}

/// What became of a login that was to end.
#[derive(Debug)]
pub struct LoggedOut {
    /// Whether there was one.
    pub was_there: bool,
    /// Why the provider does not know that it is over.
    pub untold: Option<Problem>,
}

impl Tokens {
    /// Tokens as the settings say; `environment` looks up variables.
    pub fn new(config: &AuthConfig, environment: fn(&str) -> Option<String>, clock: fn() -> Timestamp) -> Self {
        let oidc = match &config.method {
            AuthMethod::Oidc(oidc) => Some(oidc.as_ref().clone()),
            AuthMethod::None | AuthMethod::Kubernetes(_) => None,
        };
        Self {
            way: Way::of(&config.method, environment),
            keeper: oidc.as_ref().and_then(|oidc| Keeper::of(oidc, environment)),
            oidc,
            environment,
            clock,
            provider: OnceLock::new(),
            held: Mutex::default(),
        }
    }

    /// The token to send; `None` where the settings want none to be sent.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn token(&self) -> Result<Option<Arc<Token>>, Problem> {
        match &self.way {
            Way::Nobody => Ok(None),
            Way::Server(token) => Ok(Some(Arc::new(Token::new(token.0.clone())))),
            // Small things, which may be others the next time.
            Way::Settings(..) | Way::Variable(_) | Way::File(_) => {
                let token = self.given()?;
                match token.has_ended((self.clock)()) {
                    true => Err(self.ended(&token)),
                    false => Ok(Some(Arc::new(token))),
                }
            }
            Way::Provider(_) | Way::Login => {
                let mut held = self.held.lock().await;
                if let Some(token) = held.as_ref().filter(|token| self.lasts(token)) {
                    return Ok(Some(Arc::clone(token)));
                }
                let token = Arc::new(self.fetched(None).await?);
                *held = Some(Arc::clone(&token));
                Ok(Some(token))
            }
        }
    }

    /// Another token in the place of one that a server has refused; `None` if there is no other.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn instead_of(&self, refused: &Token) -> Result<Option<Arc<Token>>, Problem> {
        match &self.way {
            Way::Nobody | Way::Server(_) | Way::Settings(..) => Ok(None),
            Way::Variable(_) | Way::File(_) => {
                let token = self.given()?;
                Ok((token.text() != refused.text()).then(|| Arc::new(token)))
            }
            Way::Provider(_) | Way::Login => {
                let mut held = self.held.lock().await;
                // Somebody else was faster.
                if let Some(token) = held.as_ref().filter(|token| token.text() != refused.text()) {
                    return Ok(Some(Arc::clone(token)));
                }
                let token = Arc::new(self.fetched(Some(refused)).await?);
                *held = Some(Arc::clone(&token));
                Ok(Some(token))
            }
        }
    }

    /// Who one is to servers; `None` where the settings want no token to be sent.
    ///
    /// # Errors
    /// When there is no token to be had.
    pub async fn identity(&self) -> Result<Option<Identity>, Problem> {
        Ok(self.token().await?.map(|token| self.identified(&token, &self.way)))
    }

    /// The problem of a server that does not know who asks, with what to do about it.
    pub fn not_accepted(&self, server: &str, said: &str, token: Option<&Token>) -> Problem {
        let Some(token) = token else {
            let message = format!("{server} wants to know who asks: {said}");
            let help = "set `auth` in feature_store.yaml to how one proves who one is there".to_owned();
            return Problem::new(Kind::Unauthenticated, message, help);
        };
        let identity = self.identified(token, &self.way);
        let user = identity.user.map(|user| format!(" of `{}`", printable(&user))).unwrap_or_default();
        let message = format!("{server} does not accept the token{user}: {said}");
        let audience = identity.audience.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ");
        let help = match identity.issuer.as_deref().map(printable) {
            Some(issuer) if audience.is_empty() => {
                format!("does the server trust its issuer {issuer}, and take tokens that are for nobody?")
            }
            Some(issuer) => format!("does the server trust its issuer {issuer}, and take tokens for {audience}?"),
            None => format!("it is that of {}: is it one for this server?", self.way.place()),
        };
        Problem::new(Kind::Unauthenticated, message, help)
    }

    /// The problem of a server that does not let who asks, with who that is.
    pub fn not_allowed(&self, problem: Problem, token: Option<&Token>) -> Problem {
        match token.and_then(|token| self.identified(token, &self.way).user) {
            None => problem,
            Some(user) => {
                let help =
                    format!("you are `{}` there: ask those who look after it for the permission", printable(&user));
                Problem::new(problem.kind, problem.message, help)
            }
        }
    }

    /// Begins a login with another device.
    ///
    /// # Errors
    /// When the provider is away or does not offer it, or a login could not be kept.
    pub async fn begin_login(&self) -> Result<Device, Problem> {
        self.keeper()?;
        self.provider()?.begin_device().await.map(Device)
    }

    /// Waits until the user has agreed, and keeps the login.
    ///
    /// # Errors
    /// When the user has not agreed, or the login cannot be kept.
    pub async fn finish_login(&self, device: &Device) -> Result<Identity, Problem> {
        let token = self.provider()?.await_device(&device.0).await?;
        self.keep(&token)?;
        Ok(self.identified(&token, &Way::Login))
    }

    /// Forgets the login, and tells the provider.
    ///
    /// # Errors
    /// When it cannot be forgotten.
    pub async fn log_out(&self) -> Result<LoggedOut, Problem> {
        let keeper = self.keeper()?;
        // What cannot be read can be removed all the same.
        let refresh = keeper.read().ok().flatten().and_then(|token| token.refresh);
        let was_there = keeper.remove()?;
        *self.held.lock().await = None;
        let untold = match &refresh {
            Some(refresh) => self.provider()?.revoke(refresh).await.err(),
            None => None,
        };
        Ok(LoggedOut { was_there, untold })
    }

    /// Whether a login is used: no other way of the settings or the environment comes before it.
    pub const fn uses_login(&self) -> bool {
        matches!(self.way, Way::Login)
    }

    /// Where tokens come from, as it reads after "a token of".
    pub fn place(&self) -> String {
        self.way.place()
    }

    fn identified(&self, token: &Token, way: &Way) -> Identity {
        Identity::of(token, way, self.oidc.as_ref())
    }

    /// The token of the settings, a variable or a file.
    fn given(&self) -> Result<Token, Problem> {
        let (text, help) = match &self.way {
            Way::Variable(name) => {
                ((self.environment)(name).unwrap_or_default(), format!("set it, or another way under `auth`: {name}=…"))
            }
            Way::File(path) => {
                let read = || -> std::io::Result<String> {
                    use std::io::Read as _;
                    let mut text = String::new();
                    fs::File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
                    Ok(text)
                };
                let text = read().map_err(|error| {
                    let message = format!("the token in {} cannot be read: {error}", path.display());
                    let help = "write it there, or correct `token_file` under `feastr: {auth: …}`".to_owned();
                    Problem::new(Kind::Unauthenticated, message, help)
                })?;
                (text, "write it there".to_owned())
            }
            Way::Settings(token, _) => (token.0.clone(), "write it there".to_owned()),
            Way::Nobody | Way::Server(_) | Way::Provider(_) | Way::Login => (String::new(), String::new()),
        };
        let text = text.trim();
        let is_token = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        match text {
            "" => {
                let message = format!("there is no token in {}", self.way.place());
                Err(Problem::new(Kind::Unauthenticated, message, help))
            }
            text if is_token(text) => Ok(Token::new(text.to_owned())),
            _ => {
                let message =
                    format!("what is in {} is no token: it has blanks or other such characters", self.way.place());
                Err(Problem::new(Kind::Unauthenticated, message, help))
            }
        }
    }

    /// A token of the provider, or of who is logged in; another one than that which was refused.
    async fn fetched(&self, refused: Option<&Token>) -> Result<Token, Problem> {
        if let Way::Provider(grant) = &self.way {
            return self.granted(grant).await;
        }
        let Some(kept) = self.keeper()?.read()? else { return Err(not_logged_in("nobody is logged in")) };
        // Another program may have renewed it meanwhile.
        if (kept.expires.is_none() || self.lasts(&kept)) && refused.is_none_or(|refused| refused.text() != kept.text())
        {
            return Ok(kept);
        }
        let Some(refresh) = &kept.refresh else {
            return Err(match kept.has_ended((self.clock)()) {
                true => not_logged_in("the login is over"),
                false => not_logged_in("the login does not count any more"),
            });
        };
        let renewed = match self.provider()?.refresh(refresh).await {
            Ok(renewed) => renewed,
            Err(problem) => match self.keeper()?.read()? {
                // The other one has used up the refresh token.
                Some(other) if other.text() != kept.text() && self.lasts(&other) => return Ok(other),
                _ => return Err(problem),
            },
        };
        self.keep(&renewed)?;
        Ok(renewed)
    }

    async fn granted(&self, grant: &Grant) -> Result<Token, Problem> {
        self.provider()?.grant(grant).await
    }

    fn keep(&self, token: &Token) -> Result<(), Problem> {
        match &self.oidc {
            Some(oidc) => self.keeper()?.write(oidc, token),
            None => Ok(()),
        }
    }

    /// Whether a token is good for a while. One that does not say when it ends is asked for each time.
    fn lasts(&self, token: &Token) -> bool {
        let margin =
            self.oidc.as_ref().map_or(0, |oidc| i64::try_from(oidc.refresh_margin.as_micros()).unwrap_or(i64::MAX));
        token.expires.is_some_and(|end| end.minus(margin) > (self.clock)())
    }

    fn provider(&self) -> Result<&TokenProvider, Problem> {
        if let Some(provider) = self.provider.get() {
            return Ok(provider);
        }
        let oidc = self.oidc.as_ref().ok_or_else(no_provider)?;
        let provider = TokenProvider::new(oidc, self.clock)?;
        Ok(self.provider.get_or_init(|| provider))
    }

    fn keeper(&self) -> Result<&Keeper, Problem> {
        self.keeper.as_ref().ok_or_else(|| match &self.oidc {
            Some(OidcConfig { discovery_url: Some(_), client_id: Some(_), .. }) => {
                let message = "there is no place to keep a login in: the system names no folder for settings";
                Problem::new(Kind::Unavailable, message, "set HOME or XDG_CONFIG_HOME".to_owned())
            }
            _ => no_provider(),
        })
    }

    fn ended(&self, token: &Token) -> Problem {
        let end = token.expires.map(|end| format!(" at {end}")).unwrap_or_default();
        let message = format!("the token in {} has expired{end}", self.way.place());
        let help = match &self.way {
            Way::Settings(..) => {
                "put a new one there, or let feastr ask for tokens: `username` and `password`, or a login"
            }
            _ => "put a new one there",
        };
        Problem::new(Kind::Unauthenticated, message, help.to_owned())
    }
}

impl Default for Tokens {
    /// No tokens: nobody is told who one is.
    fn default() -> Self {
        Self::new(&AuthConfig::default(), |_| None, Timestamp::now)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("way", &self.way).finish_non_exhaustive()
    }
}

fn not_logged_in(message: &str) -> Problem {
    Problem::new(Kind::Unauthenticated, message, None).advise(Advice::LogIn)
}

fn no_provider() -> Problem {
    let message = "the settings name no identity provider to log in at";
    let help = "set `auth: {type: oidc, auth_discovery_url: …, client_id: …}` in feature_store.yaml".to_owned();
    Problem::new(Kind::Invalid, message, help)
}
