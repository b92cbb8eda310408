//! A connection to one server.

use std::time::Duration;

use redis::{
    Client, ClientTlsConfig, Connection, ConnectionAddr, ConnectionInfo, ConnectionLike as _, IntoConnectionInfo as _,
    TlsCertificates, Value, io::tcp::TcpSettings,
};

use super::{
    explain::{Failure, Place},
    script,
};
use crate::{
    config::{RedisConfig, RedisDeployment, RedisNode, RedisTls, TlsMode},
    problem::{Kind, Problem},
};

/// How long to wait for a connection if the settings say nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for an answer if the settings say nothing.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// Whose account a connection uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// That of the settings, encrypted if they say so.
    OfSettings,
    /// None, in plain: as in redis-py the settings are not about sentinels.
    OfSentinel,
}

/// A connection to one server.
pub struct Link {
    pub place: Place,
    /// The name of the server's run, from its start to its end; nothing if it does not tell.
    pub run_id: Option<String>,
    connection: Connection,
}

impl Link {
    /// Connects, and logs in.
    pub fn connect(config: &RedisConfig, node: &RedisNode, account: Account) -> Result<Self, Failure> {
        let tls = config.connection.tls.as_ref().filter(|_| account == Account::OfSettings);
        let place = Place { node: node.clone(), encrypted: tls.is_some() };
        let client = client(node, tls)?;
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

    fn log_in(&mut self, config: &RedisConfig) -> Result<(), Failure> {
        if config.connection.username.is_some() || config.connection.password.is_some() {
            let mut auth = redis::cmd("AUTH");
            if let Some(name) = &config.connection.username {
                auth.arg(name);
            }
            auth.arg(config.connection.password.as_ref().map_or("", |password| &password.0));
            self.ask(&auth).map_err(|failure| failure.without(config))?;
        }
        if config.connection.db != 0 && config.deployment != RedisDeployment::Cluster {
            self.ask(redis::cmd("SELECT").arg(config.connection.db))?;
        }
        Ok(())
    }

    /// Carries out one command.
    pub fn ask(&mut self, command: &redis::Cmd) -> Result<Value, Failure> {
        match self.connection.req_command(command) {
            Ok(Value::ServerError(error)) => Err(self.place.refused(&error)),
            Ok(value) => Ok(value),
            Err(error) => Err(self.place.unreachable(&error)),
        }
    }

    /// Sends packed commands, whose answers are received one by one.
    pub fn send(&mut self, packed: &[u8]) -> Result<(), Failure> {
        self.connection.send_packed_command(packed).map_err(|error| self.place.unreachable(&error))
    }

    /// The next answer, which may be that the server refuses.
    pub fn receive(&mut self) -> Result<Value, Failure> {
        self.connection.recv_response().map_err(|error| self.place.unreachable(&error))
    }

    /// Notes which run of the server this is.
    pub fn note_run(&mut self) -> Result<(), Failure> {
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
    pub fn load_scripts(&mut self) -> Result<(), Failure> {
        script::all()
            .iter()
            .try_for_each(|script| self.ask(redis::cmd("SCRIPT").arg("LOAD").arg(script.text)).map(|_| ()))
    }
}

fn client(node: &RedisNode, tls: Option<&RedisTls>) -> Result<Client, Failure> {
    let settled = |address: ConnectionAddr| -> redis::RedisResult<ConnectionInfo> {
        Ok(address.into_connection_info()?.set_tcp_settings(TcpSettings::default().set_nodelay(true)))
    };
    let unusable = |error: redis::RedisError| {
        Failure::lasting(Problem::new(
            Kind::Unavailable,
            format!("a connection to Redis at {node} cannot be set up: {error}"),
            "check `connection_string` in feature_store.yaml, and that certificates are in PEM format".to_owned(),
        ))
    };
    let Some(tls) = tls else {
        let info = settled(ConnectionAddr::Tcp(node.host.clone(), node.port)).map_err(unusable)?;
        return Client::open(info).map_err(unusable);
    };
    let address = ConnectionAddr::TcpTls {
        host: node.host.clone(),
        port: node.port,
        insecure: !tls.server.mode.verifies(),
        tls_params: None,
    };
    let client = Client::build_with_tls(settled(address).map_err(unusable)?, certificates(tls)?).map_err(unusable)?;
    let info = client.get_connection_info().clone();
    let mut address = info.addr().clone();
    address.set_danger_accept_invalid_hostnames(tls.server.mode == TlsMode::VerifyCa);
    Client::open(info.set_addr(address)).map_err(unusable)
}

fn certificates(tls: &RedisTls) -> Result<TlsCertificates, Failure> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|error| {
            Failure::lasting(Problem::new(
                Kind::Unavailable,
                format!("the certificates in {} cannot be read: {error}", path.display()),
                "ssl_ca_certs, ssl_certfile and ssl_keyfile name files in PEM format".to_owned(),
            ))
        })
    };
    let client_tls = match &tls.client {
        Some(client) => {
            Some(ClientTlsConfig { client_cert: read(&client.certificate)?, client_key: read(&client.key)? })
        }
        None => None,
    };
    let root_cert = tls.server.root_certificates.as_ref().map(read).transpose()?;
    Ok(TlsCertificates { client_tls, root_cert })
}
