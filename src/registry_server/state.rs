//! What all calls share.

use std::{sync::Arc, time::Duration};

use super::{datasets::Jobs, room::Room, settings::Settings, visits::Visits};
use crate::{
    app::{Gate, registered::SharedRegistry},
    daemon::{CallObserver, telemetry::Telemetry},
    problem::Problem,
};

/// What all calls share, of both protocols.
pub(super) struct State {
    /// The registry that is served.
    pub(super) registry: Arc<SharedRegistry>,
    /// Who finds out who asks.
    pub(super) gate: Arc<Gate>,
    /// Room for calls.
    pub(super) room: Room,
    /// How long a call may take.
    pub(super) deadline: Duration,
    /// How many bytes a message of a client may have.
    pub(super) message_limit: usize,
    /// The datasets that are made for clients.
    pub(super) datasets: Jobs,
    /// Who looked at what over REST.
    pub(super) visits: Visits,
    /// What is told of calls.
    pub(super) telemetry: Arc<Telemetry>,
    /// Who tells it.
    pub(super) observer: Arc<CallObserver>,
}

impl State {
    /// What calls to a registry's server share.
    ///
    /// # Errors
    /// When what is told of calls cannot be told.
    pub(super) fn new(registry: SharedRegistry, gate: Gate, settings: &Settings) -> Result<Self, Problem> {
        let telemetry = Arc::new(Telemetry::new(&settings.telemetry, registry.store(), gate.own())?);
        Ok(Self {
            room: Room::new(settings),
            deadline: settings.deadline,
            message_limit: settings.message_limit,
            observer: CallObserver::new(&telemetry),
            telemetry,
            visits: Visits::default(),
            datasets: Jobs::default(),
            registry: Arc::new(registry),
            gate: Arc::new(gate),
        })
    }
}
