use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use super::{
    CommandError, Context, Exit,
    context::environment,
    lock_timeout::lock_timeout,
    servers::{AddressArgs, TelemetryArgs, end_by_signal, run_server, start_log},
};
use crate::{
    config::{MetricsConfig, OtlpConfig, RegistryCache, variables},
    server::{Settings, serve},
};

/// Serve features over HTTP, in the protocol of Feast's server of features
///
/// It also takes rows, and materializes when it is asked to. Whoever reaches it may do so, unless `auth` in the settings says
/// how people prove who they are; then the permissions of the registry say who may what.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:\n  feastr serve\n  feastr serve --host 0.0.0.0 --port 6566 --deadline 500ms\n  feastr serve --key \
                  key.pem --cert cert.pem\n  curl http://127.0.0.1:6566/get-online-features -d '{\"features\": \
                  [\"driver_hourly_stats:conv_rate\"], \"entities\": {\"driver_id\": [1001]}}'\n\nIt ends at SIGTERM or \
                  Ctrl-C, after the requests that are being answered; at a second one at once."
)]
pub(crate) struct Args {
    #[command(flatten)]
    address: AddressArgs,
    /// The port; 0 takes a free one
    #[arg(long, short, default_value_t = 6566)]
    port: u16,
    /// Threads that answer requests; -1 takes one per processor [default: -1]
    #[arg(long, short, value_name = "COUNT", allow_negative_numbers = true)]
    workers: Option<i64>,
    /// How long an answer may take
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = lock_timeout)]
    deadline: Duration,
    /// How many bytes the body of a request may have
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20)]
    body_limit: usize,
    /// How long it may take to store the rows of a request
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = lock_timeout)]
    write_deadline: Duration,
    /// How many bytes the body of a request with rows may have
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    write_body_limit: usize,
    /// Let rows, and ends of materializations, be in the future
    #[arg(long)]
    allow_future: bool,
    /// How many materializations go on at a time; others wait
    #[arg(
        long,
        value_name = "COUNT",
        env = variables::MATERIALIZE_MAX_WORKERS,
        hide_env_values = true,
        default_value_t = NonZeroUsize::new(2).unwrap_or(NonZeroUsize::MIN)
    )]
    materialize_jobs: NonZeroUsize,
    /// How many requests are worked on at a time; others are told to come again
    #[arg(long, value_name = "COUNT", default_value_t = NonZeroUsize::new(512).unwrap_or(NonZeroUsize::MIN))]
    max_concurrent_requests: NonZeroUsize,
    /// Seconds that a connection may be idle
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    keep_alive_timeout: u64,
    /// How long to go on answering after the signal to end, while /ready says that it ends, so that load balancers notice
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = lock_timeout)]
    shutdown_delay: Duration,
    /// How long requests that are being answered may take at the end
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = lock_timeout)]
    shutdown_timeout: Duration,
    /// After how many seconds the registry is looked at again, whether something was applied; 0 looks with every request
    #[arg(long, short, visible_alias = "registry_ttl_sec", value_name = "SECONDS", default_value_t = 1)]
    registry_ttl_sec: u64,
    /// Answer with the statuses of Feast over Redis: everything is PRESENT, however old, and if it is not there
    #[arg(long)]
    feast_statuses: bool,
    #[command(flatten)]
    without_effect: WithoutEffect,
    /// The port of metrics; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    metrics_port: u16,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

/// What Feast's command takes and has no meaning here.
#[derive(Debug, clap::Args)]
struct WithoutEffect {
    /// The protocol; http is the only one
    #[arg(long = "type", short, value_name = "TYPE", default_value = "http", value_parser = ["http"], hide_short_help = true)]
    protocol: String,
    /// Without effect: connections cost little
    #[arg(long, value_name = "COUNT", hide_short_help = true)]
    worker_connections: Option<u64>,
    /// Without effect: nothing has to be started again
    #[arg(long, value_name = "COUNT", hide_short_help = true)]
    max_requests: Option<u64>,
    /// Without effect, as --max-requests
    #[arg(long, value_name = "COUNT", hide_short_help = true)]
    max_requests_jitter: Option<u64>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    start_log(args.telemetry.log_format, context);
    for flag in args.without_effect.given() {
        tracing::info!("{flag} has no effect here");
    }
    let registry_cache = RegistryCache { period: Duration::from_secs(args.registry_ttl_sec), by_itself: true };
    let store = context.store_held(registry_cache, NonZeroUsize::MIN)?.with_feast_statuses(args.feast_statuses);
    let settings = args.settings(&store.config().feature_server.metrics, OtlpConfig::of(&environment)?);
    let gate = context.gate(&store.config().auth)?;
    run_server(args.workers, serve(Arc::new(store), gate, &settings, end_by_signal()))
}

impl Args {
    fn settings(&self, metrics: &MetricsConfig, otlp: Option<OtlpConfig>) -> Settings {
        Settings {
            host: self.address.host.clone(),
            port: self.port,
            certificate: self.address.certificate(),
            deadline: self.deadline,
            body_limit: self.body_limit,
            most_requests: self.max_concurrent_requests.get(),
            write_deadline: self.write_deadline,
            write_body_limit: self.write_body_limit,
            allow_future: self.allow_future,
            materializations: self.materialize_jobs.get(),
            idle_limit: Duration::from_secs(self.keep_alive_timeout),
            end_delay: self.shutdown_delay,
            end_limit: self.shutdown_timeout,
            telemetry: self.telemetry.settings(&self.address, self.metrics_port, metrics, otlp),
        }
    }
}

impl WithoutEffect {
    /// The flags of these that were given.
    fn given(&self) -> Vec<&'static str> {
        let flags = [
            ("--worker-connections", self.worker_connections.is_some()),
            ("--max-requests", self.max_requests.is_some()),
            ("--max-requests-jitter", self.max_requests_jitter.is_some()),
        ];
        flags.into_iter().filter(|(_, is_given)| *is_given).map(|(flag, _)| flag).collect()
    }
}
