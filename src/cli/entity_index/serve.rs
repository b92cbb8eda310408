use std::{
    net::IpAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{WorkArgs, indexer};
use crate::{
    cli::{
        CommandError, Context, Exit,
        context::environment,
        lock_timeout::lock_timeout,
        servers::{AddressArgs, TelemetryArgs, end_by_signal, run_server, start_log},
    },
    config::{OtlpConfig, Password, StoreConfig, variables},
    webhook::{Settings, Tokens, serve},
};

/// Take events of buckets over HTTP, and keep the index of entities up to date
///
/// Notifications of S3, MinIO and SeaweedFS are taken, also in messages of SQS and SNS, and CloudEvents. They are answered
/// when they are stored; then the files are read, of which join keys and times alone.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:\n  FEASTR_ENTITY_INDEX_TOKEN=… feastr entity-index serve --host 0.0.0.0\n  \
                  feastr entity-index serve --token-file /run/secrets/token --cert cert.pem --key key.pem\n\n\
                  Events are posted to /events with `Authorization: Bearer TOKEN`. It ends at SIGTERM or Ctrl-C, after what is \
                  being answered and done; at a second one at once."
)]
pub(crate) struct Args {
    #[command(flatten)]
    address: AddressArgs,
    /// The port; 0 takes a free one
    #[arg(long, short, default_value_t = 6571)]
    port: u16,
    /// A file with the bearer token, or several of them in lines of their own [default: FEASTR_ENTITY_INDEX_TOKEN, or `token`
    /// of `entity_index` in feature_store.yaml]
    #[arg(long, value_name = "FILE", conflicts_with = "no_token")]
    token_file: Option<PathBuf>,
    /// Ask nobody for a token; only on an address that nobody reaches from elsewhere
    #[arg(long)]
    no_token: bool,
    #[command(flatten)]
    work: WorkArgs,
    /// How many jobs may wait; with more of them, events are sent away, to come again
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    max_waiting: u64,
    /// How long an answer may take
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = lock_timeout)]
    deadline: Duration,
    /// How many bytes the body of a request may have
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20)]
    body_limit: usize,
    /// How many requests are worked on at a time; others are told to come again
    #[arg(long, value_name = "COUNT", default_value_t = NonZeroUsize::new(32).unwrap_or(NonZeroUsize::MIN))]
    max_concurrent_requests: NonZeroUsize,
    /// How long requests and jobs may take at the end
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = lock_timeout)]
    shutdown_timeout: Duration,
    /// The port of metrics; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8003)]
    metrics_port: u16,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    start_log(args.telemetry.log_format, context);
    let indexer = indexer(context)?;
    let settings = args.settings(indexer.store().config(), context)?;
    run_server(None, serve(indexer, &context.caller(), settings, end_by_signal()))
}

impl Args {
    fn settings(&self, config: &StoreConfig, context: &Context) -> Result<Settings, CommandError> {
        /// How long a connection may be idle.
        const IDLE: Duration = Duration::from_secs(30);
        let (index, metrics) = (&config.entity_index, &config.feature_server.metrics);
        Ok(Settings {
            host: self.address.host.clone(),
            port: self.port,
            certificate: self.address.certificate(),
            tokens: self.tokens(index.token.as_ref(), context)?,
            subscriptions: index.subscriptions.clone(),
            deadline: self.deadline,
            body_limit: self.body_limit,
            most_requests: self.max_concurrent_requests.get(),
            most_waiting: self.max_waiting,
            workers: self.work.workers(),
            most_attempts: self.work.attempts,
            idle_limit: IDLE,
            end_limit: self.shutdown_timeout,
            telemetry: self.telemetry.settings(
                &self.address,
                self.metrics_port,
                metrics,
                OtlpConfig::of(&environment)?,
            ),
        })
    }

    fn tokens(&self, configured: Option<&Password>, context: &Context) -> Result<Tokens, CommandError> {
        if self.no_token {
            if is_loopback(&self.address.host) {
                return Ok(Tokens::none());
            }
            let message = format!("--no-token lets everybody change the index who reaches {}", self.address.host);
            return Err(CommandError::new(message, "give a token, or --host 127.0.0.1".to_owned()));
        }
        let of_environment = || environment(variables::ENTITY_INDEX_TOKEN).filter(|token| !token.is_empty());
        let tokens: Vec<Password> = match (&self.token_file, configured) {
            (Some(file), _) => of_file(&context.target(file))?,
            (None, configured) => of_environment().map(Password).or_else(|| configured.cloned()).into_iter().collect(),
        };
        if tokens.is_empty() {
            return Err(CommandError::new(
                "there is no token that those have to send who tell of events",
                format!(
                    "set {}, `token` of `entity_index` in feature_store.yaml, or --token-file; for trying it out there is \
                     --no-token",
                    variables::ENTITY_INDEX_TOKEN
                ),
            ));
        }
        Ok(Tokens::of(&tokens)?)
    }
}

/// The tokens in the lines of a file.
fn of_file(path: &Path) -> Result<Vec<Password>, CommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CommandError::new(format!("cannot read the tokens in {}: {error}", path.display()), None))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(|line| Password(line.to_owned())).collect())
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_reaches_loopback() {
        assert!(["127.0.0.1", "127.3.2.1", "::1", "[::1]", "localhost"].into_iter().all(is_loopback));
        assert!(!["0.0.0.0", "::", "10.0.0.1", "example.com", ""].into_iter().any(is_loopback));
    }
}
