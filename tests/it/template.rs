//! The repo of `init --template postgres-redis`: its servers, and the loop on them.

use serde_json::Value as Json;

use crate::{
    servers::{Kind, PASSWORD, PASSWORD_IN_URL, USER, redis::RedisServer, shared},
    support::Project,
};

/// The repo as `init` makes it, with the words of both of its files about servers.
fn template() -> (Project, String, Json) {
    let project = Project::new(&[]);
    project.feastr(&["init", "shop", "--template", "postgres-redis"]).ok();
    let settings = std::fs::read_to_string(project.path("shop/feature_store.yaml")).unwrap();
    let compose = std::fs::read_to_string(project.path("shop/compose.yaml")).unwrap();
    (project, settings, serde_yaml::from_str(&compose).unwrap())
}

#[test]
fn the_settings_are_those_of_the_composed_servers() {
    let (_, settings, compose) = template();
    let postgres = &compose["services"]["postgres"];
    let word = |name: &str| postgres["environment"][name].as_str().unwrap();
    let (user, password, database) = (word("POSTGRES_USER"), word("POSTGRES_PASSWORD"), word("POSTGRES_DB"));
    let published = |service: &str| compose["services"][service]["ports"][0].as_str().unwrap().to_owned();
    assert!(settings.contains(&format!("path: postgresql://{user}:{password}@localhost:5432/{database}\n")));
    assert_eq!(published("postgres"), "127.0.0.1:5432:5432");
    assert!(settings.contains("connection_string: localhost:6379\n"));
    assert_eq!(published("redis"), "127.0.0.1:6379:6379");
    for volume in ["postgres", "redis"] {
        let mounted = compose["services"][volume]["volumes"][0].as_str().unwrap();
        assert!(mounted.starts_with(&format!("{volume}:/")));
        assert!(compose["volumes"].get(volume).is_some());
    }
}

#[test]
fn the_repo_runs_on_servers_that_are_set_up_like_the_composed_ones() {
    let (project, settings, compose) = template();
    let command = compose["services"]["redis"]["command"].as_array().unwrap();
    let words: Vec<&str> = command.iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words[0], "redis-server");
    let options: String =
        words[1..].chunks(2).map(|option| format!("{} {}\n", option[0].trim_start_matches("--"), option[1])).collect();
    let (postgres, redis) = (shared(Kind::Postgres), RedisServer::start(&options));
    let database = postgres.create_database();
    let here = format!("feast:{PASSWORD_IN_URL}@localhost:{}/{database}", postgres.port);
    let settings = settings
        .replace("feast:feast@localhost:5432/feast", &here)
        .replace("localhost:6379", &format!("127.0.0.1:{},username={USER},password={PASSWORD}", redis.port));
    std::fs::write(project.path("shop/feature_store.yaml"), settings).unwrap();
    project.feastr(&["--chdir", "shop", "apply"]).ok();
    assert!(project.feastr(&["--chdir", "shop", "plan", "--detailed-exitcode"]).ok().stdout.contains("No changes"));
    project.feastr(&["--chdir", "shop", "materialize-incremental", "now"]).ok();
    let arguments = [
        "--chdir",
        "shop",
        "get-online",
        "--feature-service",
        "driver_activity_v2",
        "--entity",
        "driver_id=1001",
        "--request",
        "val_to_add=1,val_to_add_2=10",
        "--json",
    ];
    let answer = project.feastr(&arguments).ok().json();
    let statuses: Vec<&Json> =
        answer["results"].as_array().unwrap().iter().map(|column| &column["statuses"][0]).collect();
    assert_eq!(statuses, ["PRESENT"; 6]);
}
