//! What commands that start servers share.

use std::{num::NonZeroUsize, path::PathBuf, thread::available_parallelism};

use tokio::sync::oneshot;

use super::{CommandError, Context, Exit};
use crate::{
    clients::runtime::runtime_of,
    config::{MetricsConfig, OtlpConfig},
    daemon::{CertificateFiles, Log, LogFormat, LogLevel, MetricsAddress, TelemetrySettings},
    problem::Problem,
    ui::Verbosity,
};

/// Where a server is reached.
#[derive(Debug, clap::Args)]
pub(crate) struct AddressArgs {
    /// A name or address of this machine; 0.0.0.0 and :: are all of them
    #[arg(long, short = 'h', default_value = "127.0.0.1")]
    pub(crate) host: String,
    /// Certificate in PEM format, with those that lead to an authority; it is read again when it changes
    #[arg(long, short, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Private key of the certificate
    #[arg(long, short, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
}

/// What a server tells of its requests.
#[derive(Debug, clap::Args)]
pub(crate) struct TelemetryArgs {
    /// Tell Prometheus metrics, as `feature_server: {metrics: {enabled: true}}` in the settings says as well
    #[arg(long, short)]
    metrics: bool,
    /// The address of metrics [default: that of --host]
    #[arg(long, value_name = "HOST")]
    metrics_host: Option<String>,
    /// How the log is written; --verbose adds a line for each request
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,
    /// No line for each request, however much is said
    #[arg(long)]
    no_access_log: bool,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

impl AddressArgs {
    /// Certificate and key, for TLS.
    pub(crate) fn certificate(&self) -> Option<CertificateFiles> {
        let (certificate, key) = self.cert.clone().zip(self.key.clone())?;
        Some(CertificateFiles { certificate, key })
    }
}

impl TelemetryArgs {
    /// What these, and the settings of the repo, want to be told; metrics at a port of the server's address unless they have
    /// one of their own.
    pub(crate) fn settings(
        &self,
        address: &AddressArgs,
        port: u16,
        metrics: &MetricsConfig,
        otlp: Option<OtlpConfig>,
    ) -> TelemetrySettings {
        let metrics = (self.metrics || metrics.enabled)
            .then(|| MetricsAddress { host: self.metrics_host.as_ref().unwrap_or(&address.host).clone(), port });
        TelemetrySettings { access_log: !self.no_access_log, metrics, otlp }
    }
}

/// What is said from here on is of the server's log.
pub(crate) fn start_log(format: LogFormat, context: &Context) {
    Log { format, level: log_level(context.printer.verbosity), coloured: context.printer.err.enabled }.start();
}

/// Carries out a server to its end, on as many threads as are wanted.
pub(crate) fn run_server(
    threads: Option<i64>,
    serving: impl Future<Output = Result<(), Problem>>,
) -> Result<Exit, CommandError> {
    // Each connection is an open file, of which a process may have few until it asks for more.
    #[cfg(unix)]
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let ended = runtime_of(workers(threads)?).map_err(Problem::from)?.block_on(serving);
    // What took too long at the end goes on until the process is gone.
    #[cfg(unix)]
    super::signals::clean_up();
    ended?;
    Ok(Exit::Done)
}

/// How much the log says.
const fn log_level(verbosity: Verbosity) -> LogLevel {
    match verbosity {
        Verbosity::Quiet => LogLevel::Errors,
        Verbosity::Normal => LogLevel::Events,
        Verbosity::Verbose => LogLevel::Requests,
    }
}

/// How many threads answer; without a number, and with -1, one per processor.
fn workers(count: Option<i64>) -> Result<usize, CommandError> {
    match count {
        None | Some(-1) => Ok(available_parallelism().map_or(1, NonZeroUsize::get)),
        Some(count) => usize::try_from(count).ok().filter(|count| *count > 0).ok_or_else(|| {
            CommandError::new(format!("{count} threads answer nothing"), "give -1 for one per processor".to_owned())
        }),
    }
}

/// Comes with the first signal to end.
pub(crate) async fn end_by_signal() {
    #[cfg(unix)]
    {
        let (send, signal) = oneshot::channel();
        super::signals::end_by(move || {
            // Who waits for it may be gone.
            let _ = send.send(());
        });
        if signal.await.is_ok() {
            return;
        }
    }
    std::future::pending::<()>().await;
}
