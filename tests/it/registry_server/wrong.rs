//! What is no request, or too much of one, and clients that do nothing.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use feastr::feast::registry_server as asked;
use tonic::Code;

use super::{
    client::{Client, all, stalled},
    entity, repo,
};
use crate::servers::grpc::GrpcServer;

#[test]
fn what_is_no_request_is_refused_with_words() {
    let project = repo();
    let server = GrpcServer::registry(&project, &["--message-limit", "65536"]);
    let client = Client::of(&server);
    for rpc in asked::rpc_names().filter(|rpc| !["Commit", "Proto", "ListDatasetJobs"].contains(rpc)) {
        let refused = client.call(rpc, vec![0x0a, 0xff, 0xff, 0xff, 0x0f, 0x01]).unwrap_err();
        let is_told = matches!(refused.code(), Code::InvalidArgument | Code::Unimplemented | Code::NotFound);
        assert!(is_told, "{rpc}: {refused:?}");
    }
    assert_eq!(client.call("Nothing", Vec::new()).unwrap_err().code(), Code::Unimplemented);
    let huge = client.apply("ApplyEntity", "shop", &entity(&"x".repeat(100_000))).unwrap_err();
    assert_eq!(huge.code(), Code::OutOfRange, "{huge:?}");
    for (project, name) in [("", "user"), ("_shop", "user"), ("sh op", "user"), ("shop", "")] {
        let refused = client.apply("ApplyEntity", project, &entity(name)).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{project} {name}: {refused:?}");
    }
    // Nothing of it has left a trace, and others are answered.
    assert_eq!(client.list("ListProjects", &asked::ListProjects::default()).unwrap().0.len(), 0);
    let odd = asked::ListObjects {
        pagination: Some(asked::Pagination { page: -1, limit: i32::MIN }),
        sorting: Some(asked::Sorting { sort_by: "..".into(), sort_order: "\u{0}".into() }),
        ..all("no such project")
    };
    assert_eq!(client.list("ListEntities", &odd).unwrap().1.total_count, 0);
    assert!(!server.said().contains("panicked"), "{}", server.said());
}

#[test]
fn who_says_nothing_is_let_go_and_holds_nobody() {
    let project = repo();
    let server = GrpcServer::registry(&project, &["--idle-timeout", "1s"]);
    let silent: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    let mut half = TcpStream::connect(server.address).unwrap();
    half.write_all(b"PRI * HTTP/2.0\r\n").unwrap();
    let client = Client::of(&server);
    client.apply("ApplyEntity", "shop", &entity("user")).unwrap();
    let began = Instant::now();
    for mut stream in silent.into_iter().chain([half]) {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // A greeting may come before the end.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    assert!(began.elapsed() < Duration::from_secs(20));
    client.get("GetEntity", "shop", "user").unwrap();
}

/// The same of feastr's own service, whose changes come in parts.
#[test]
fn what_is_no_part_of_a_change_is_refused_with_words() {
    let project = repo();
    let server = GrpcServer::registry(&project, &["--message-limit", "65536"]);
    let client = Client::of(&server);
    for rpc in
        ["GetSnapshot", "GetView", "ListNames", "GetMark", "RecordRun", "ListChanges", "Update", "HoldView", "Nothing"]
    {
        for body in [vec![0x0a, 0xff, 0xff, 0xff, 0x0f, 0x01], vec![0xff; 100], vec![0x0a; 100_000]] {
            let refused = client.call_of("feastr.registry.v1.RegistryStore", rpc, body).unwrap_err();
            assert!(!refused.message().is_empty(), "{rpc}: {refused:?}");
        }
    }
    assert_eq!(client.list("ListProjects", &asked::ListProjects::default()).unwrap().0.len(), 0);
    assert!(!server.said().contains("panicked"), "{}", server.said());
}

/// More clients than calls are carried out at a time ask for much and take nothing of it.
#[test]
fn who_does_not_read_holds_nobody() {
    let project = repo();
    let server = GrpcServer::registry(&project, &["--max-concurrent-calls", "8"]);
    let client = Client::of(&server);
    let mut large = entity("large");
    large.spec.as_mut().unwrap().description = "x".repeat(4 << 20);
    client.apply("ApplyEntity", "shop", &large).unwrap();
    let waiting: Vec<_> = (0..40).map(|_| stalled(&server, "ListEntities", &all("shop"))).collect();
    let began = Instant::now();
    for number in 0..20 {
        client.apply("ApplyEntity", "shop", &entity(&format!("e{number}"))).unwrap();
        client.get("GetEntity", "shop", &format!("e{number}")).unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    drop(waiting);
    assert!(!server.said().contains("panicked"), "{}", server.said());
}
