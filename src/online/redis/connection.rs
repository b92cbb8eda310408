//! A connection to one server.

use redis::{Connection, ConnectionLike as _, Value};

use super::{
    explain::{Peer, RedisFailure},
    script,
};
use crate::{
    clients::redis::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT, client},
    config::{RedisConfig, RedisDeployment, RedisNode},
};

/// Whose account a connection uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// That of the settings, encrypted if they say so.
    OfSettings,
    /// None, in plain: as in redis-py the settings are not about sentinels.
    OfSentinel,
}

/// A connection to one server.
pub(crate) struct Link {
    pub place: Peer,
    /// The name of the server's run, from its start to its end; `None` if it does not tell.
    pub run_id: Option<String>,
    connection: Connection,
}

impl Link {
    /// Connects, and logs in.
    pub(crate) fn connect(config: &RedisConfig, node: &RedisNode, account: Account) -> Result<Self, RedisFailure> {
        let tls = config.connection.tls.as_ref().filter(|_| account == Account::OfSettings);
        let place = Peer { node: node.clone(), encrypted: tls.is_some() };
        let client = client(node, tls).map_err(RedisFailure::lasting)?;
        let connection = client
            .get_connection_with_timeout(config.connection.connect_timeout.unwrap_or(CONNECT_TIMEOUT))
            .map_err(|error| place.unreachable(&error))?;
        let timeout = Some(config.connection.response_timeout.unwrap_or(RESPONSE_TIMEOUT));
        connection.set_read_timeout(timeout).map_err(|error| place.unreachable(&error))?;
        connection.set_write_timeout(timeout).map_err(|error| place.unreachable(&error))?;
        let mut link = Self { place, run_id: None, connection };
        if account == Account::OfSettings {
            link.log_in(config)?;
        }
        Ok(link)
    }

    fn log_in(&mut self, config: &RedisConfig) -> Result<(), RedisFailure> {
        log_in(config).iter().try_for_each(|command| self.ask(command).map(|_| ()).map_err(|told| told.without(config)))
    }

    /// Carries out one command.
    pub(crate) fn ask(&mut self, command: &redis::Cmd) -> Result<Value, RedisFailure> {
        match self.connection.req_command(command) {
            Ok(Value::ServerError(error)) => Err(self.place.refused(&error)),
            Ok(value) => Ok(value),
            Err(error) => Err(self.place.unreachable(&error)),
        }
    }

    /// Sends packed commands, whose answers are received one by one.
    pub(crate) fn send(&mut self, packed: &[u8]) -> Result<(), RedisFailure> {
        self.connection.send_packed_command(packed).map_err(|error| self.place.unreachable(&error))
    }

    /// The next answer, which may be that the server refuses.
    pub(crate) fn receive(&mut self) -> Result<Value, RedisFailure> {
        self.connection.recv_response().map_err(|error| self.place.unreachable(&error))
    }

    /// Notes which run of the server this is.
    pub(crate) fn note_run(&mut self) -> Result<(), RedisFailure> {
        self.run_id = match self.connection.req_command(redis::cmd("INFO").arg("server")) {
            Ok(Value::BulkString(text)) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                text.lines().find_map(|line| line.strip_prefix("run_id:")).map(str::to_owned)
            }
            // The account may not ask.
            Ok(_) => None,
            Err(error) => return Err(self.place.unreachable(&error)),
        };
        Ok(())
    }

    /// Makes the server know the scripts.
    pub(crate) fn load_scripts(&mut self) -> Result<(), RedisFailure> {
        script::all()
            .iter()
            .try_for_each(|script| self.ask(redis::cmd("SCRIPT").arg("LOAD").arg(script.text)).map(|_| ()))
    }
}

/// The commands that begin a connection under the account of the settings.
pub(crate) fn log_in(config: &RedisConfig) -> Vec<redis::Cmd> {
    let connection = &config.connection;
    let mut commands = Vec::new();
    if connection.username.is_some() || connection.password.is_some() {
        let mut auth = redis::cmd("AUTH");
        if let Some(name) = &connection.username {
            auth.arg(name);
        }
        auth.arg(connection.password.as_ref().map_or("", |password| &password.0));
        commands.push(auth);
    }
    if connection.db != 0 && config.deployment != RedisDeployment::Cluster {
        let mut select = redis::cmd("SELECT");
        select.arg(connection.db);
        commands.push(select);
    }
    commands
}
