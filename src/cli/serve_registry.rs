use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use super::{
    CommandError, Context, Exit,
    context::environment,
    lock_timeout::lock_timeout,
    servers::{AddressArgs, TelemetryArgs, end_by_signal, run_server, start_log},
};
use crate::{
    app::registered::SharedRegistry,
    config::{MetricsConfig, OtlpConfig, RegistryCache},
    registry_server::{Settings, serve},
};

/// Serve the registry over gRPC and REST, in the protocols of Feast's registry server
///
/// It lists, describes and changes what is registered, in all projects. Whoever reaches it may do so, unless `auth` in the
/// settings says how people prove who they are; then the permissions of each project say who may what with it.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:\n  feastr serve-registry\n  feastr serve-registry --rest-api --host 0.0.0.0\n  feastr serve-registry \
                  --key key.pem --cert cert.pem\n\nClients write this into their feature_store.yaml:\n  registry:\n    \
                  registry_type: remote\n    path: localhost:6570\n\nIt ends at SIGTERM or Ctrl-C, after the calls that are being \
                  answered; at a second one at once."
)]
pub(crate) struct Args {
    #[command(flatten)]
    address: AddressArgs,
    /// The port of gRPC; 0 takes a free one
    #[arg(long, short, default_value_t = 6570)]
    port: u16,
    /// Serve no gRPC
    #[arg(long, requires = "rest_api")]
    no_grpc: bool,
    /// Serve gRPC, as is done anyhow
    #[arg(long, hide = true, conflicts_with = "no_grpc")]
    grpc: bool,
    /// Serve the REST API, too; /docs at its port shows what it can be asked
    #[arg(long, short)]
    rest_api: bool,
    /// The port of the REST API; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 6572)]
    rest_port: u16,
    /// Threads that look after connections; -1 takes one per processor [default: -1]
    #[arg(long, short, value_name = "COUNT", allow_negative_numbers = true)]
    workers: Option<i64>,
    /// How many calls that read the registry are carried out at a time, and how many changes wait for it; others are told to come
    /// again
    #[arg(long, value_name = "COUNT", default_value_t = NonZeroUsize::new(256).unwrap_or(NonZeroUsize::MIN))]
    max_concurrent_calls: NonZeroUsize,
    /// How many locks of views clients hold at a time while they write values; others are told to come again
    #[arg(long, value_name = "COUNT", default_value_t = NonZeroUsize::new(64).unwrap_or(NonZeroUsize::MIN))]
    max_held_locks: NonZeroUsize,
    /// How long a call may take
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = lock_timeout)]
    deadline: Duration,
    /// How many bytes a message of a client may have
    #[arg(long, value_name = "BYTES", default_value_t = 32 << 20)]
    message_limit: usize,
    /// How long a connection may take until its first request is there
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = lock_timeout)]
    idle_timeout: Duration,
    /// How long calls that are being answered may take at the end
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = lock_timeout)]
    shutdown_timeout: Duration,
    /// After how many seconds the registry is looked at again, whether something was applied; 0 looks with every call
    #[arg(long, visible_alias = "registry_ttl_sec", value_name = "SECONDS", default_value_t = 1)]
    registry_ttl_sec: u64,
    /// The port of metrics; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8002)]
    metrics_port: u16,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    start_log(args.telemetry.log_format, context);
    let freshness = RegistryCache { period: Duration::from_secs(args.registry_ttl_sec), by_itself: true };
    let store = Arc::new(context.store_quiet()?);
    let gate = context.gate(&store.config().auth)?;
    let settings = args.settings(&store.config().feature_server.metrics, OtlpConfig::of(&environment)?);
    let registry = SharedRegistry::of(store, freshness);
    run_server(args.workers, serve(registry, gate, &settings, end_by_signal()))
}

impl Args {
    fn settings(&self, metrics: &MetricsConfig, otlp: Option<OtlpConfig>) -> Settings {
        Settings {
            host: self.address.host.clone(),
            grpc_port: (!self.no_grpc).then_some(self.port),
            rest_port: self.rest_api.then_some(self.rest_port),
            certificate: self.address.certificate(),
            most_running: self.max_concurrent_calls,
            most_held: self.max_held_locks,
            deadline: self.deadline,
            idle_limit: self.idle_timeout,
            message_limit: self.message_limit,
            end_limit: self.shutdown_timeout,
            telemetry: self.telemetry.settings(&self.address, self.metrics_port, metrics, otlp),
        }
    }
}
