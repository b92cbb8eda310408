//! What all servers have: the address that they listen on, their certificate, whether what is registered can be read, and what
//! they tell of their requests.

mod answer;
mod beside;
mod body;
mod certificate;
mod docs;
mod gate;
mod listen;
mod observe;
mod observe_call;
mod registry_watch;
mod settings;
pub(crate) mod status;
pub(crate) mod telemetry;

pub(crate) use answer::answer;
pub(crate) use beside::tell_metrics;
pub(crate) use body::{Unreadable, deadline, read_body};
pub(crate) use certificate::Certificate;
pub(crate) use docs::{docs, openapi};
pub(crate) use gate::tell_who_may_ask;
pub(crate) use listen::listen;
pub(crate) use observe::{HttpObserver, observe};
pub(crate) use observe_call::{CallObserver, ObservedCall};
pub(crate) use registry_watch::tell_when_it_is_away;
pub use settings::{CertificateFiles, MetricsAddress, TelemetrySettings};
pub use telemetry::{Log, LogFormat, LogLevel};
