//! Stock Python Feast with `auth: {type: kubernetes}` as the client of a server that has its token reviewed.

use serde_json::json;

use super::guarded;
use crate::{
    auth::stock_client::as_client,
    serve::server::FeatureServer,
    servers::kubernetes::{ApiServer, NAMESPACE},
};

#[test]
fn python_feast_reads_as_its_account_may() {
    let api = ApiServer::start();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let project = guarded(&api, "");
    let server = FeatureServer::start(&project, &["--feast-statuses"]);
    let address = server.address.to_string();
    let read = |token: &str, raised: bool| {
        let auth = format!("auth: {{type: kubernetes, user_token: '{token}'}}\n");
        let ask = json!({ "online": {
            "features": ["driver_hourly_stats:conv_rate"], "entities": [{ "driver_id": 1001 }],
        } });
        let step = if raised { json!({ "raised": ask }) } else { ask };
        as_client(&project, &address, &auth, &[step]).remove(0)
    };
    let answer = read(&api.token("team", "reader", None), false);
    assert!(answer["conv_rate"]["values"][0].is_number(), "{answer}");
    assert_eq!(read(&api.token("team", "other", None), true), json!("FeastPermissionError"));
    assert_ne!(read("none", true), json!("nothing"));
}
