//! What all calls share.

use std::{sync::Arc, time::Duration};

use super::{places::Places, settings::Settings, tickets::Tickets, upload::Limits};
use crate::{
    app::{FeatureStore, Gate},
    daemon::{CallObserver, telemetry::Telemetry},
    problem::Problem,
};

/// How many bytes of the rows of a call are kept in memory, and of rows that wait to be asked for; more are in a file.
const IN_MEMORY: [usize; 2] = [32 << 20, 1 << 20];

/// What all calls share.
pub(super) struct State {
    /// The store that is served.
    pub(super) store: Arc<FeatureStore>,
    /// Who finds out who asks.
    pub(super) gate: Arc<Gate>,
    /// Where clients find the server.
    pub(super) location: String,
    /// How many commands are carried out at a time.
    pub(super) places: Places,
    /// What waits to be asked for.
    pub(super) tickets: Tickets,
    /// How long a command may take.
    pub(super) deadline: Duration,
    /// How long rows may wait to be taken.
    pub(super) idle_limit: Duration,
    /// What is told of calls.
    pub(super) telemetry: Arc<Telemetry>,
    /// Who tells it.
    pub(super) observer: Arc<CallObserver>,
    upload_limit: usize,
}

impl State {
    /// What calls to a store's server share.
    ///
    /// # Errors
    /// When what is told of calls cannot be told.
    pub(super) fn new(
        store: Arc<FeatureStore>,
        gate: Gate,
        location: String,
        settings: &Settings,
    ) -> Result<Self, Problem> {
        let telemetry = Arc::new(Telemetry::new(&settings.telemetry, &store, gate.own())?);
        Ok(Self {
            location,
            places: Places::new(settings.most_running, settings.most_waiting, settings.longest_wait),
            tickets: Tickets::new(settings.ticket_limit),
            deadline: settings.deadline,
            idle_limit: settings.idle_limit,
            observer: CallObserver::new(&telemetry),
            telemetry,
            upload_limit: settings.upload_limit,
            store,
            gate: Arc::new(gate),
        })
    }

    /// What a client may send; of rows that are asked for later less is kept in memory.
    pub(super) const fn limits(&self, is_kept: bool) -> Limits {
        let [now, later] = IN_MEMORY;
        Limits { bytes: self.upload_limit, idle: self.idle_limit, in_memory: if is_kept { later } else { now } }
    }
}
