//! Redis that cannot be used: one sentence, a way out, never a password.

use std::time::Duration;

use feastr::{
    config::{Password, RedisConfig, RedisDeployment, TlsMode},
    online::Replace,
    problem::Problem,
};

use crate::{
    online::{Row, View, int, read, read_all, redis, write},
    servers::{
        PASSWORD, free_port,
        redis::{RedisCluster, RedisSentinels, RedisServer, await_true},
    },
};

/// Asserts what an error says and advises.
#[track_caller]
fn says(error: &Problem, [message, help]: [&str; 2]) {
    assert!(error.message.contains(message), "{error:?}");
    assert!(error.help().as_deref().unwrap_or_default().contains(help), "{error:?}");
    assert!(!format!("{error:?}").contains(PASSWORD), "{error:?}");
}

/// Asserts that neither reading nor writing works.
#[track_caller]
fn is_refused(config: RedisConfig, expected: [&str; 2]) {
    let (store, view) = (redis(config), View::simple("errors"));
    says(&read_all(store.as_ref(), "errors", &[view.of(vec![view.number(1)])]).unwrap_err(), expected);
    says(&write_one(store.as_ref(), &view).unwrap_err(), expected);
}

fn write_one(store: &dyn feastr::online::OnlineStore, view: &View) -> Result<(), Problem> {
    write(store, view, Replace::Outdated, &[Row::new(view.number(1), 9, &[int(1), int(2)])]).map(drop)
}

#[test]
fn servers_and_accounts_that_are_wrong_are_said() {
    let server = RedisServer::shared();
    let with = |change: fn(&mut RedisConfig)| {
        let mut config = server.config();
        change(&mut config);
        config
    };
    let mut closed = server.config();
    closed.connection.nodes[0].port = free_port();
    is_refused(closed, ["refuses connections", "connection_string"]);
    is_refused(
        with(|config| config.connection.nodes[0].host = "no.such.host.invalid".to_owned()),
        ["cannot be reached", "connection_string"],
    );
    let wrong = Some(Password("wrong".to_owned()));
    let mut config = server.config();
    config.connection.password = wrong;
    is_refused(config, ["does not accept this account or password", "`username` and `password`"]);
    is_refused(
        with(|config| (config.connection.username, config.connection.password) = (None, None)),
        ["asks for a password", "password="],
    );
    is_refused(with(|config| config.connection.db = 99), ["has no database of this number", "16 databases"]);
    is_refused(
        with(|config| config.deployment = RedisDeployment::Cluster),
        ["not part of a cluster", "redis_type: redis"],
    );
    // Each server of a cluster answers for some of the keys.
    let cluster = RedisCluster::shared();
    let outcomes = cluster.nodes.iter().map(|node| write_one(redis(node.config()).as_ref(), &View::simple("errors")));
    let refused: Vec<Problem> = outcomes.filter_map(Result::err).collect();
    assert_eq!(refused.len(), 2);
    says(&refused[0], ["is part of a cluster", "redis_type: redis_cluster"]);
}

#[test]
fn accounts_without_permission_are_said() {
    let server = RedisServer::start(&format!("user reader on >{PASSWORD} ~* +@read +@connection"));
    let mut config = server.config();
    config.connection.username = Some("reader".to_owned());
    let (store, view) = (redis(config), View::simple("errors"));
    assert_eq!(read(store.as_ref(), &view, &[view.number(1)]).len(), 1);
    says(&write_one(store.as_ref(), &view).unwrap_err(), ["may not do this", "+@scripting"]);
    assert!(write_one(store.as_ref(), &view).unwrap_err().message.contains("evalsha"));
}

#[test]
fn sentinels_that_know_nothing_are_said() {
    let sentinels = RedisSentinels::shared();
    let mut config = sentinels.config();
    config.deployment = RedisDeployment::Sentinel { master: "mymaster".to_owned() };
    is_refused(config, ["the sentinels know no master `mymaster`", "sentinel_master: features"]);
    let mut config = sentinels.config();
    config.connection.nodes = vec![RedisServer::shared().node()];
    is_refused(config, ["", ""]);
    // One that is away does not matter, not even for what is said.
    let mut config = sentinels.config();
    config.deployment = RedisDeployment::Sentinel { master: "mymaster".to_owned() };
    config.connection.nodes.insert(0, feastr::config::RedisNode { host: "127.0.0.1".to_owned(), port: free_port() });
    is_refused(config, ["the sentinels know no master `mymaster`", "sentinel_master: features"]);
    let mut config = sentinels.config();
    config.connection.nodes.insert(0, feastr::config::RedisNode { host: "127.0.0.1".to_owned(), port: free_port() });
    write_one(redis(config).as_ref(), &View::simple("errors")).unwrap();
    // The replica alone cannot be written.
    let mut config = sentinels.config();
    (config.deployment, config.connection.nodes) = (RedisDeployment::Standalone, vec![sentinels.replica.node()]);
    let error = write_one(redis(config).as_ref(), &View::simple("replica")).unwrap_err();
    says(&error, ["is a replica", "redis_sentinel"]);
}

#[test]
fn encrypted_connections_look_at_certificates() {
    let server = RedisServer::shared();
    let (view, key) = (View::simple("encrypted"), View::simple("encrypted").number(1));
    for mode in [TlsMode::VerifyFull, TlsMode::VerifyCa, TlsMode::Require] {
        let store = redis(server.encrypted(mode));
        write_one(store.as_ref(), &view).unwrap();
        assert_eq!(read(store.as_ref(), &view, std::slice::from_ref(&key))[0][0], crate::online::found(&int(1), 9));
    }
    let by_address = |mode| {
        let mut config = server.encrypted(mode);
        config.connection.nodes[0].host = "127.0.0.1".to_owned();
        config
    };
    is_refused(by_address(TlsMode::VerifyFull), ["is for another name", "ssl_check_hostname=false"]);
    write_one(redis(by_address(TlsMode::VerifyCa)).as_ref(), &view).unwrap();
    let mut config = server.encrypted(TlsMode::VerifyFull);
    config.connection.tls.as_mut().unwrap().server.root_certificates = None;
    is_refused(config, ["is not accepted", "ssl_ca_certs"]);
    let mut config = server.encrypted(TlsMode::VerifyFull);
    config.connection.tls.as_mut().unwrap().server.root_certificates = Some("/no/such/ca.pem".into());
    is_refused(config, ["/no/such/ca.pem cannot be read", "ssl_ca_certs"]);
    let mut config = server.encrypted(TlsMode::VerifyFull);
    config.connection.nodes[0].port = server.port;
    config.connection.connect_timeout = Some(Duration::from_millis(500));
    is_refused(config, ["does not answer in time", "without `ssl=true`"]);
    let mut config = server.config();
    config.connection.nodes[0].port = server.tls_port;
    is_refused(config, ["has closed the connection", "ssl=true"]);
}

#[test]
fn keys_of_another_type_are_named() {
    let (server, view) = (RedisServer::shared(), View::simple("wrong_type"));
    let key = [view.number(5), b"wrong_type".to_vec()].concat();
    redis::cmd("SET").arg(&key).arg("text").exec(&mut server.connect()).unwrap();
    let store = redis(server.config());
    let rows: Vec<Row> = (0..100).map(|number| Row::new(view.number(number), 9, &[int(1), int(2)])).collect();
    let expected = ["holds a string where the values of k=5 belong", "delete this key"];
    for replace in [Replace::Outdated, Replace::Everything] {
        says(&write(store.as_ref(), &view, replace, &rows).unwrap_err(), expected);
    }
    says(
        &read_all(store.as_ref(), "wrong_type", &[view.of(vec![view.number(4), view.number(5)])]).unwrap_err(),
        expected,
    );
    redis::cmd("DEL").arg(&key).exec(&mut server.connect()).unwrap();
    write(store.as_ref(), &view, Replace::Outdated, &rows).unwrap();
}

#[test]
fn a_server_without_memory_is_said_at_once() {
    let (server, view) = (RedisServer::start(""), View::simple("memory"));
    let store = redis(server.config());
    let rows: Vec<Row> = (0..60_000).map(|number| Row::new(view.number(number), 9, &[int(1), int(2)])).collect();
    let limit =
        |bytes: u64| redis::cmd("CONFIG").arg(&["SET", "maxmemory"]).arg(bytes).exec(&mut server.connect()).unwrap();
    limit(3_000_000);
    for replace in [Replace::Outdated, Replace::Everything] {
        let error = write(store.as_ref(), &view, replace, &rows).unwrap_err();
        says(&error, ["no memory left", "key_ttl_seconds"]);
    }
    limit(0);
    write(store.as_ref(), &view, Replace::Outdated, &rows).unwrap();
    let keys: Vec<Vec<u8>> = rows.into_iter().map(|row| row.key).collect();
    assert!(read(store.as_ref(), &view, &keys).iter().all(|values| values[0] == crate::online::found(&int(1), 9)));
}

#[test]
fn a_server_that_is_busy_is_waited_for() {
    let (server, view) = (RedisServer::start(""), View::simple("busy"));
    let mut connection = server.connect();
    redis::cmd("CONFIG").arg(&["SET", "busy-reply-threshold", "50"]).exec(&mut connection).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let forever = redis::cmd("EVAL").arg("while true do end").arg(0).exec(&mut server.connect());
            assert!(forever.unwrap_err().to_string().contains("killed"));
        });
        await_true("the server is busy", || {
            redis::cmd("GET").arg("x").exec(&mut connection).is_err_and(|error| error.to_string().contains("BUSY"))
        });
        let reading = read_all(redis(server.config()).as_ref(), "busy", &[view.of(vec![view.number(1)])]);
        says(&reading.unwrap_err(), ["busy with a script", "SCRIPT KILL"]);
        let writer = scope.spawn(|| write_one(redis(server.config()).as_ref(), &view));
        redis::cmd("SCRIPT").arg("KILL").exec(&mut connection).unwrap();
        writer.join().unwrap().unwrap();
    });
}
