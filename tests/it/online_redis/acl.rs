//! Accounts of Redis with the rules that feastr prints: each does what it is for, on the keys of its project.

use serde_json::json;

use crate::{
    interop::feast,
    servers::redis::RedisServer,
    support::{Project, settings},
};

const DEFINITIONS: &str = "
entities:
  - {name: thing, join_keys: [id], value_type: INT64}
  - {name: place, join_keys: [town], value_type: STRING}
feature_views:
  - name: things
    entities: [thing]
    schema: [{name: trips, dtype: Int64}]
    source: {name: rows, type: file, path: data/rows.csv, timestamp_field: at, file_format: csv}
  - name: places
    entities: [place]
    schema: [{name: trips, dtype: Int64}]
    source: {name: towns, type: file, path: data/rows.csv, timestamp_field: at, file_format: csv}
";

const SOURCE: &str = "id,town,at,trips\n1,Ulm,2026-01-01T00:00:00Z,5\n2,Bonn,2026-01-02T00:00:00Z,7\n";

fn project(server: &RedisServer, name: &str) -> Project {
    let settings = settings(name);
    let (before, _) = settings.split_once("online_store:").unwrap();
    let online = server.settings(0);
    let project = Project::new(&[
        ("feature_store.yaml", &format!("{before}{online}entity_key_serialization_version: 3\n")),
        ("things.yaml", DEFINITIONS),
        ("data/rows.csv", SOURCE),
    ]);
    project.feastr(&["apply"]).ok();
    project
}

/// Makes an account with the rules of a role, and has a project use it.
fn use_account(server: &RedisServer, rules: &Project, role: &str, user: &Project, name: &str) {
    let said = rules.feastr(&["redis", "acl", "--role", role, "--user", name]).ok().stdout;
    let words: Vec<&str> = said.split_whitespace().collect();
    let mut command = redis::cmd(words[0]);
    words[1..].iter().for_each(|word| {
        command.arg(*word);
    });
    let mut connection = server.connect();
    command.arg(format!(">{name}")).exec(&mut connection).unwrap();
    let known = user.read("feature_store.yaml");
    let begin = known.find(",username=").unwrap();
    let end = begin + known[begin..].find('\n').unwrap();
    user.write("feature_store.yaml", format!("{},username={name},password={name}{}", &known[..begin], &known[end..]));
}

const ASK: [&str; 6] = ["get-online", "--features", "things:trips", "--entity", "id=1", "--json"];
const ASK_TOWN: [&str; 6] = ["get-online", "--features", "places:trips", "--entity", "town=Ulm", "--json"];
const FILL: [&str; 2] = ["materialize-incremental", "2026-01-03"];

#[test]
fn an_account_does_what_it_is_for_on_keys_of_its_project() {
    let server = RedisServer::start("");
    let (mine, theirs) = (project(&server, "team_mine"), project(&server, "team_theirs"));
    theirs.feastr(&FILL).ok();
    use_account(&server, &mine, "owner", &mine, "alice");
    mine.feastr(&FILL).ok();
    use_account(&server, &mine, "reader", &mine, "bob");
    let value = |args: &[&str]| mine.feastr(args).ok().json().to_string();
    assert!(value(&ASK).contains('5') && value(&ASK_TOWN).contains('5'));
    // Feast reads with it as well.
    let answer = feast(&mine, &[json!({ "online": { "features": ["things:trips"], "entities": [{ "id": 1 }] } })]);
    assert_eq!(answer[0]["trips"]["values"], json!([5]));
    let said = mine.feastr(&["materialize", "2026-01-01", "2026-01-03"]).failed().stderr;
    assert!(said.contains("bob") || said.contains("may not") || said.contains("permission"), "{said}");
    assert_eq!(value(&ASK), value(&ASK));
    // Another project's keys stay closed, of which the same views have the same join keys.
    use_account(&server, &mine, "owner", &theirs, "alice");
    for args in [ASK, ASK_TOWN] {
        theirs.feastr(&args).failed();
    }
    assert!(theirs.feastr(&["materialize", "2026-01-01", "2026-01-03"]).code != 0);
    // A writer writes, and lists no keys.
    use_account(&server, &mine, "writer", &mine, "carol");
    mine.feastr(&["materialize", "2026-01-01", "2026-01-03"]).ok();
    let mut connection = server.connect();
    let listed: redis::RedisResult<String> =
        redis::cmd("ACL").arg("DRYRUN").arg("carol").arg("SCAN").arg("0").query(&mut connection);
    assert!(listed.unwrap().contains("no permissions"));
}

#[test]
fn only_redis_has_such_accounts() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let said = project.feastr(&["redis", "acl", "--role", "reader", "--user", "bob"]).failed().stderr;
    assert!(said.contains("the online store is not in Redis"), "{said}");
    let said = project.feastr(&["redis", "acl", "--role", "reader", "--user", "b ob"]).failed().stderr;
    assert!(said.contains("letters, digits"), "{said}");
}
