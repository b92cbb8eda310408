//! Registries that cannot be reached, read or written: one sentence, a way out, never a password.

use std::sync::Arc;

use feastr::{
    problem::Problem,
    registry::{self, Locking, Write},
};

use super::{
    Backend, TestRegistry,
    contract::{contents, entity, write},
    impatient, read,
};
use crate::servers::{Kind, PASSWORD, PASSWORD_IN_URL, Server, free_port, shared};

pub const SERVERS: [(Backend, Kind, &str); 2] =
    [(Backend::Postgres, Kind::Postgres, "postgresql"), (Backend::MariaDb, Kind::MariaDb, "mysql")];

/// Asserts that an error says something, gives help and keeps the password.
#[track_caller]
pub fn says(error: &Problem, part: &str) {
    assert!(error.message.contains(part), "{error:?}");
    assert!(error.help().is_some(), "{error:?}");
    let all = format!("{error:?}");
    assert!(!all.contains(PASSWORD) && !all.contains(PASSWORD_IN_URL), "{all}");
}

#[track_caller]
fn reading(settings: &str) -> Problem {
    registry::open_to_read(&read(settings), &Arc::default()).snapshot("p").unwrap_err()
}

fn at(url: &str) -> String {
    format!("{{registry_type: sql, path: \"{url}\"}}")
}

#[test]
fn unreachable_servers_and_wrong_logins_are_named() {
    for (_, kind, scheme) in SERVERS {
        let server = shared(kind);
        let url = server.url("there_is_none");
        says(&reading(&at(&url)), "there is no database `there_is_none`");
        let wrong = url.replace(PASSWORD_IN_URL, "letmein");
        says(&reading(&at(&wrong)), "wrong for the registry");
        let nowhere = url.replace("127.0.0.1", "nowhere.invalid");
        says(&reading(&at(&nowhere)), "the host `nowhere.invalid` is not known");
        let free = free_port();
        let away = url.replace(&format!(":{}/", server.port), &format!(":{free}/"));
        let error = reading(&at(&away));
        says(&error, "no server answers at");
        assert!(error.message.contains(&format!("{scheme}://feast@127.0.0.1:{free}/there_is_none")), "{error}");
    }
}

#[test]
fn a_user_who_may_only_read_is_told() {
    for (backend, kind, _) in SERVERS {
        let test = TestRegistry::new(backend);
        write(test.open().as_ref(), "p", &[Write::Put(entity("driver", ""))]);
        let (reader, server) = (format!("reader_{}", test.database), shared(kind));
        let grant = match kind {
            Kind::Postgres => format!(
                "CREATE USER {reader} PASSWORD '{PASSWORD}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}"
            ),
            Kind::MariaDb => format!("GRANT SELECT ON {}.* TO {reader}@'%' IDENTIFIED BY '{PASSWORD}'", test.database),
        };
        server.execute(&test.database, &grant);
        let settings = test.settings.replace("feast:", &format!("{reader}:"));
        let registry = registry::open(&read(&settings), Locking::default());
        assert_eq!(registry.snapshot("p").unwrap().rows.len(), 1);
        let error = registry.update("p", &mut |_| Some(vec![Write::Put(entity("customer", ""))])).unwrap_err();
        says(&error, &format!("`{reader}` may not do this"));
        // Nor may it create tables.
        let empty = TestRegistry::new(backend);
        if kind == Kind::Postgres {
            let settings = empty.settings.replace("feast:", &format!("{reader}:"));
            let registry = registry::open(&read(&settings), Locking::default());
            says(&registry.update("p", &mut |_| None).unwrap_err(), "may not do this");
        }
    }
}

#[test]
fn tables_of_an_older_feast_are_read_and_missing_ones_created_or_listed() {
    for backend in [Backend::Sqlite, Backend::Postgres, Backend::MariaDb] {
        let test = TestRegistry::new(backend);
        let row = entity("driver", "");
        write(test.open().as_ref(), "p", &[Write::Put(row.clone())]);
        test.execute("DROP TABLE label_views");
        test.execute("DROP TABLE feast_metadata");
        assert_eq!(test.open().snapshot("p").unwrap().rows.len(), 1);
        let verify = read(&test.settings_with("schema_mode: verify"));
        let error = registry::open(&verify, Locking::default()).update("p", &mut |_| None).unwrap_err();
        says(&error, "lacks the tables label_views, feast_metadata");
        let skip = registry::open(&read(&test.settings_with("schema_mode: skip")), Locking::default());
        write(skip.as_ref(), "p", &[Write::Put(entity("customer", ""))]);
        assert_eq!(skip.snapshot("p").unwrap().rows.len(), 2);
        let note = Write::PutMetadata { key: "k".into(), value: "v".to_owned(), updated: 1 };
        let error = skip.update("p", &mut |_| Some(vec![note.clone()])).unwrap_err();
        assert!(error.message.contains("feast_metadata"), "{error}");
        write(test.open().as_ref(), "p", std::slice::from_ref(&note));
        assert_eq!(test.open().snapshot("p").unwrap().metadata["k"], "v");

        test.execute("ALTER TABLE permissions DROP COLUMN permission_proto");
        for error in [test.open().snapshot("p").unwrap_err(), test.open().update("p", &mut |_| None).unwrap_err()] {
            says(&error, "has no column permissions.permission_proto");
        }
    }
}

#[test]
fn a_cut_connection_changes_nothing() {
    for (backend, kind, _) in SERVERS {
        let test = TestRegistry::new(backend);
        let registry = test.open();
        write(registry.as_ref(), "p", &[Write::Put(entity("driver", "old"))]);
        let server = shared(kind);
        let error = registry
            .update("p", &mut |_| {
                cut_others(server, &test.database);
                Some(vec![Write::Put(entity("driver", "new"))])
            })
            .unwrap_err();
        // PostgreSQL says goodbye, which gets lost when something is on the way to it.
        let goodbye = kind == Kind::Postgres && error.message.contains("stopping or starting");
        says(&error, if goodbye { "" } else { "broke" });
        assert_eq!(contents(&test.open().snapshot("p").unwrap())[0].2, entity("driver", "old").proto);
        write(test.open_with(impatient()).as_ref(), "p", &[Write::Put(entity("driver", "new"))]);
    }
}

/// Ends all other connections to a database.
pub fn cut_others(server: &Server, database: &str) {
    match server.kind {
        Kind::Postgres => server.execute(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        ),
        Kind::MariaDb => {
            use mysql::prelude::Queryable as _;
            let mut connection = server.mysql(database);
            let ids: Vec<u64> = connection
                .exec(
                    "SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()",
                    (database,),
                )
                .unwrap();
            for id in ids {
                connection.query_drop(format!("KILL {id}")).unwrap();
            }
        }
    }
}

#[test]
fn a_server_that_dies_leaves_the_old_state() {
    for (_, kind, _) in SERVERS {
        let mut server = Server::start(kind);
        let database = server.create_database();
        let open = |url: &str| registry::open(&read(&at(url)), Locking::default());
        let url = server.url(&database);
        let registry = open(&url);
        write(registry.as_ref(), "p", &[Write::Put(entity("driver", "old"))]);
        let error = registry
            .update("p", &mut |_| {
                server.kill();
                Some(vec![Write::Put(entity("driver", "new"))])
            })
            .unwrap_err();
        says(&error, "");
        says(&open(&url).snapshot("p").unwrap_err(), "no server answers");
        server.restart();
        assert_eq!(contents(&open(&url).snapshot("p").unwrap())[0].2, entity("driver", "old").proto);
        write(open(&url).as_ref(), "p", &[Write::Put(entity("driver", "new"))]);
        assert_eq!(contents(&open(&url).snapshot("p").unwrap())[0].2, entity("driver", "new").proto);
        if kind == Kind::Postgres {
            server.execute("postgres", "ALTER SYSTEM SET ssl = off");
            server.kill();
            server.restart();
            says(&reading(&at(&format!("{url}?sslmode=require"))), "TLS");
            open(&format!("{url}?sslmode=prefer")).snapshot("p").unwrap();
        }
    }
}

#[test]
fn certificates_are_verified_as_the_mode_says() {
    for (backend, kind, _) in SERVERS {
        let test = TestRegistry::new(backend);
        let server = shared(kind);
        let authority = server.certificate_of_authority().display().to_string();
        let url = server.url(&test.database);
        let by_name = url.replace("127.0.0.1", "localhost");
        for (url, options) in [
            (&url, "sslmode=disable".to_owned()),
            (&url, "sslmode=prefer".to_owned()),
            (&url, "sslmode=require".to_owned()),
            (&url, format!("sslmode=verify-ca&sslrootcert={authority}")),
            (&by_name, format!("sslmode=verify-full&sslrootcert={authority}")),
        ] {
            let registry = registry::open_to_read(&read(&at(&format!("{url}?{options}"))), &Arc::default());
            registry.snapshot("p").unwrap_or_else(|error| panic!("{kind:?} {options}: {error:?}"));
        }
        for (url, options) in [
            (&url, format!("sslmode=verify-full&sslrootcert={authority}")),
            (&by_name, "sslmode=verify-ca".to_owned()),
            (&by_name, "sslmode=verify-full".to_owned()),
        ] {
            let error = reading(&at(&format!("{url}?{options}")));
            says(&error, "no encrypted connection");
        }
    }
}

#[test]
fn a_file_that_is_no_registry_is_named_and_left_alone() {
    let whole = std::fs::read(&crate::golden::registry_files()[0]).unwrap();
    let cut = &whole[..whole.len() - 7];
    let newer: &[u8] = &[0x1a, 1, b'2'];
    for (bytes, part) in [
        (&b"just some text, no registry"[..], "not a registry of Feast"),
        (b"", "it is empty"),
        (b"SQLite format 3\0...", "it is an SQLite database"),
        (cut, "not a registry of Feast"),
        (&[0x0a, 0], "not a registry of Feast"),
        (newer, "schema version 2"),
    ] {
        let test = TestRegistry::new(Backend::File);
        std::fs::write(test.path(), bytes).unwrap();
        says(&test.open().snapshot("p").unwrap_err(), part);
        says(&test.open().projects().unwrap_err(), part);
        says(&test.open().update("p", &mut |_| None).unwrap_err(), part);
        assert_eq!(std::fs::read(test.path()).unwrap(), bytes);
    }
}

#[test]
fn an_update_of_feast_meanwhile_is_not_lost() {
    // Python Feast takes no lock: it writes while an update decides.
    let test = TestRegistry::new(Backend::File);
    write(test.open().as_ref(), "p", &[Write::Put(entity("driver", ""))]);
    let other = TestRegistry::new(Backend::File);
    write(other.open().as_ref(), "p", &[Write::Put(entity("driver", "theirs")), Write::Put(entity("new", ""))]);
    let mut calls = 0;
    test.open()
        .update("p", &mut |before| {
            calls += 1;
            if calls == 1 {
                std::fs::copy(other.path(), test.path()).unwrap();
            }
            Some(vec![Write::Put(entity(&format!("after_{}", before.rows.len()), ""))])
        })
        .unwrap();
    let names: Vec<String> = test.open().snapshot("p").unwrap().rows.into_iter().map(|row| row.name).collect();
    assert_eq!((calls, names), (2, vec!["after_2".to_owned(), "driver".to_owned(), "new".to_owned()]));

    for (backend, kind, _) in SERVERS {
        let test = TestRegistry::new(backend);
        write(test.open().as_ref(), "p", &[Write::Put(entity("driver", ""))]);
        // A row appears while an update decides: the one the update is about to insert.
        let mut calls = 0;
        test.open()
            .update("q", &mut |before| {
                calls += 1;
                if calls == 1 {
                    shared(kind).execute(&test.database, "INSERT INTO entities VALUES ('customer', 'q', 1, 'x')");
                }
                let name = if before.rows.is_empty() { "customer" } else { "customer_2" };
                Some(vec![Write::Put(entity(name, ""))])
            })
            .unwrap();
        assert_eq!((calls, test.open().snapshot("q").unwrap().rows.len()), (2, 2));
    }
}

#[test]
fn projects_that_mysql_cannot_tell_apart_are_refused() {
    use feastr::{
        feast::registry::messages::{Project, ProjectSpec},
        model::ObjectKind,
        registry::Row,
    };
    use prost::Message as _;
    let test = TestRegistry::new(Backend::MariaDb);
    let spec = ProjectSpec { name: "Rides".to_owned(), ..ProjectSpec::default() };
    let proto = Project { spec: Some(spec), ..Project::default() }.encode_to_vec();
    let row = Row { kind: ObjectKind::Project, name: "Rides".to_owned(), updated: 1, proto };
    write(test.open().as_ref(), "Rides", &[Write::Put(row)]);
    let error = test.open().update("rides", &mut |_| Some(vec![Write::DeleteProject])).unwrap_err();
    says(&error, "cannot tell the projects `Rides` and `rides` apart");
    let error = test
        .open()
        .update("Rides", &mut |_| Some(vec![Write::Put(entity("cafe", "")), Write::Put(entity("Café", ""))]));
    says(&error.unwrap_err(), "a row where a new one belongs");
    assert_eq!(test.open().snapshot("Rides").unwrap().rows.len(), 1);
}
