use std::{num::NonZeroUsize, sync::Arc, thread::available_parallelism, time::Duration};

use super::{
    CommandError, Context, Exit,
    context::environment,
    lock_timeout::lock_timeout,
    servers::{AddressArgs, TelemetryArgs, end_by_signal, run_server, start_log},
};
use crate::{
    config::{MetricsConfig, OtlpConfig, RegistryCache},
    flight::{Settings, serve},
};

/// Serve the offline store over Arrow Flight, in the protocol of Feast's offline server
///
/// It gives features at the times of entity rows, and rows of sources; it takes rows for sources and logs. Whoever reaches
/// it may do so, unless `auth` in the settings says how people prove who they are; then the permissions of the registry say
/// who may what.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:\n  feastr serve-offline\n  feastr serve-offline --host 0.0.0.0 --port 8815\n  feastr serve-offline \
                  --key key.pem --cert cert.pem\n\nClients write this into their feature_store.yaml:\n  offline_store:\n    \
                  type: remote\n    host: localhost\n    port: 8815\n\nIt ends at SIGTERM or Ctrl-C, after the commands that \
                  are being carried out; at a second one at once."
)]
pub(crate) struct Args {
    #[command(flatten)]
    address: AddressArgs,
    /// The port; 0 takes a free one
    #[arg(long, short, default_value_t = 8815)]
    port: u16,
    /// Threads that look after connections; -1 takes one per processor [default: -1]
    #[arg(long, short, value_name = "COUNT", allow_negative_numbers = true)]
    workers: Option<i64>,
    /// How many commands are carried out at a time; others wait [default: one per processor, at least 2]
    #[arg(long, value_name = "COUNT")]
    max_concurrent_queries: Option<NonZeroUsize>,
    /// How many commands may wait; others are told that the server is busy
    #[arg(long, value_name = "COUNT", default_value_t = 64)]
    max_waiting_queries: usize,
    /// How long a command may wait until it begins
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = lock_timeout)]
    queue_timeout: Duration,
    /// How long a command may take
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = lock_timeout)]
    deadline: Duration,
    /// How long a client may take to send or to take the next rows
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = lock_timeout)]
    idle_timeout: Duration,
    /// How many bytes of rows may come with a command; they are in memory or in a temporary file
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 30)]
    upload_limit: usize,
    /// How many bytes one batch of these rows may have, which is in memory
    #[arg(long, value_name = "BYTES", default_value_t = 512 << 20)]
    batch_limit: usize,
    /// How long rows are kept that clients of earlier versions send before they ask
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = lock_timeout)]
    ticket_timeout: Duration,
    /// How long commands that are being carried out may take at the end
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = lock_timeout)]
    shutdown_timeout: Duration,
    /// After how many seconds the registry is looked at again, whether something was applied; 0 looks with every command
    #[arg(long, short, visible_alias = "registry_ttl_sec", value_name = "SECONDS", default_value_t = 1)]
    registry_ttl_sec: u64,
    /// The port of metrics; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8001)]
    metrics_port: u16,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    start_log(args.telemetry.log_format, context);
    let registry_cache = RegistryCache { period: Duration::from_secs(args.registry_ttl_sec), by_itself: true };
    let store = context.store_held(registry_cache, args.queries())?;
    let gate = context.gate(&store.config().auth)?;
    let settings = args.settings(&store.config().feature_server.metrics, OtlpConfig::of(&environment)?);
    run_server(args.workers, serve(Arc::new(store), gate, &settings, end_by_signal()))
}

impl Args {
    /// How many queries run at a time.
    fn queries(&self) -> NonZeroUsize {
        const LEAST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
        let usual = || available_parallelism().unwrap_or(LEAST).max(LEAST);
        self.max_concurrent_queries.unwrap_or_else(usual)
    }

    fn settings(&self, metrics: &MetricsConfig, otlp: Option<OtlpConfig>) -> Settings {
        Settings {
            host: self.address.host.clone(),
            port: self.port,
            certificate: self.address.certificate(),
            most_running: self.queries().get(),
            most_waiting: self.max_waiting_queries,
            longest_wait: self.queue_timeout,
            deadline: self.deadline,
            idle_limit: self.idle_timeout,
            upload_limit: self.upload_limit,
            message_limit: self.batch_limit,
            ticket_limit: self.ticket_timeout,
            end_limit: self.shutdown_timeout,
            telemetry: self.telemetry.settings(&self.address, self.metrics_port, metrics, otlp),
        }
    }
}
