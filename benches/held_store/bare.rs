//! The commands that are behind an answer, without feastr: the same statements over as many connections.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use feastr::{feast::values::feature_hash::feature_field, retrieval::FeatureReference};
use rusqlite::{Connection, OpenFlags};
use tokio::{runtime::Runtime, sync::Semaphore};
use tokio_postgres::NoTls;

use super::{
    Call, FEATURES_OF_A_VIEW, PROJECT, VIEWS, key,
    servers::{PASSWORD, PASSWORD_IN_URL, Server, USER, redis::RedisServer},
};

/// As many as feastr's pools have at most.
const POSTGRES_CONNECTIONS: usize = 10;
const SQLITE_CONNECTIONS: usize = 4;

/// `HMGET` over one connection that all tasks share.
pub fn redis(runtime: &Runtime, server: &RedisServer, features: &[FeatureReference]) -> Call {
    let fields = features.chunks(FEATURES_OF_A_VIEW).flat_map(|features| {
        let time = format!("_ts:{}", features[0].view).into_bytes();
        let features = features.iter().map(|feature| feature_field(&feature.view, &feature.feature).to_vec());
        std::iter::once(time).chain(features)
    });
    let fields = Arc::new(fields.collect::<Vec<_>>());
    let url = format!("redis://:{PASSWORD_IN_URL}@127.0.0.1:{}", server.port);
    let client = redis::Client::open(url).unwrap();
    let connection = runtime.block_on(client.get_multiplexed_async_connection()).unwrap();
    Arc::new(move |number| {
        let (mut connection, fields) = (connection.clone(), Arc::clone(&fields));
        Box::pin(async move {
            let mut key = key(number);
            key.extend_from_slice(PROJECT.as_bytes());
            let mut command = redis::cmd("HMGET");
            command.arg(key);
            fields.iter().for_each(|field| {
                command.arg(field);
            });
            let values: Vec<Option<Vec<u8>>> = command.query_async(&mut connection).await.unwrap();
            assert!(values.iter().all(Option::is_some));
        })
    })
}

/// One prepared `SELECT` over all views.
pub fn postgres(runtime: &Runtime, server: &Server, features: &[FeatureReference]) -> Call {
    let views = features.chunks(FEATURES_OF_A_VIEW).enumerate().map(|(place, features)| {
        format!(
            "SELECT {place}, entity_key, feature_name, value, event_ts FROM \"{PROJECT}_{}\" \
             WHERE entity_key = ANY ($1) AND feature_name = ANY ($2)",
            features[0].view
        )
    });
    let statement = views.collect::<Vec<_>>().join(" UNION ALL ");
    let names: Arc<Vec<String>> =
        Arc::new(features[..FEATURES_OF_A_VIEW].iter().map(|feature| feature.feature.clone()).collect());
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(server.port).user(USER).password(PASSWORD).dbname("postgres");
    let connect = || {
        runtime.block_on(async {
            let (client, connection) = config.connect(NoTls).await.unwrap();
            tokio::spawn(connection);
            let statement = client.prepare(&statement).await.unwrap();
            (client, statement)
        })
    };
    let idle = Arc::new(Mutex::new((0..POSTGRES_CONNECTIONS).map(|_| connect()).collect::<Vec<_>>()));
    let room = Arc::new(Semaphore::new(POSTGRES_CONNECTIONS));
    Arc::new(move |number| {
        let (idle, room, names) = (Arc::clone(&idle), Arc::clone(&room), Arc::clone(&names));
        Box::pin(async move {
            let _permit = room.acquire().await.unwrap();
            let (client, statement) = idle.lock().unwrap().pop().unwrap();
            let rows = client.query(&statement, &[&vec![key(number)], &*names]).await.unwrap();
            idle.lock().unwrap().push((client, statement));
            let values: Vec<Vec<u8>> = rows.iter().map(|row| row.get(3)).collect();
            assert_eq!(values.len(), VIEWS * FEATURES_OF_A_VIEW);
        })
    })
}

/// A prepared `SELECT` for each view, in threads for blocking work.
pub fn sqlite(file: &Path, features: &[FeatureReference]) -> Call {
    let select = |features: &[FeatureReference]| {
        let view = &features[0].view;
        format!("SELECT feature_name, value, event_ts FROM \"{PROJECT}_{view}\" WHERE entity_key = ?1")
    };
    let statements: Arc<Vec<String>> = Arc::new(features.chunks(FEATURES_OF_A_VIEW).map(select).collect());
    let connect = |_| Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let idle = Arc::new(Mutex::new((0..SQLITE_CONNECTIONS).map(connect).collect::<Vec<_>>()));
    let room = Arc::new(Semaphore::new(SQLITE_CONNECTIONS));
    Arc::new(move |number| {
        let (idle, room, statements) = (Arc::clone(&idle), Arc::clone(&room), Arc::clone(&statements));
        Box::pin(async move {
            let _permit = room.acquire().await.unwrap();
            let connection = idle.lock().unwrap().pop().unwrap();
            let read = move || {
                let key = key(number);
                let transaction = connection.unchecked_transaction().unwrap();
                let values = statements.iter().map(|select| values(&transaction, select, &key)).sum::<usize>();
                assert_eq!(values, VIEWS * FEATURES_OF_A_VIEW);
                drop(transaction);
                connection
            };
            let connection = tokio::task::spawn_blocking(read).await.unwrap();
            idle.lock().unwrap().push(connection);
        })
    })
}

/// Reads the values under a key, and counts them.
fn values(connection: &Connection, select: &str, key: &[u8]) -> usize {
    let mut select = connection.prepare_cached(select).unwrap();
    let read =
        |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, i64>(2)?));
    let rows = select.query_map([key], read).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    rows.len()
}
