//! What the service says of itself to those who ask by reflection.

use prost_types::{FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto};

const PACKAGE: &str = "feastr.registry.v1";

/// The methods, what they are asked and what they answer; and which of both comes in parts.
const METHODS: [(&str, [&str; 2], [bool; 2]); 14] = [
    ("GetSnapshot", ["ProjectRequest", "SnapshotPart"], [false, true]),
    ("GetView", ["ViewRequest", "SnapshotPart"], [false, true]),
    ("ListNames", ["NamesRequest", "Names"], [false, false]),
    ("GetMark", ["ProjectRequest", "Mark"], [false, false]),
    ("ListVersions", ["ProjectRequest", "VersionsPart"], [false, true]),
    ("ListProjects", ["Nothing", "Projects"], [false, false]),
    ("Update", ["UpdatePart", "Updated"], [true, false]),
    ("HoldView", ["HoldPart", "HoldAnswer"], [true, true]),
    ("GetViewHolder", ["ViewRequest", "HoldAnswer"], [false, false]),
    ("CreateRunLog", ["Nothing", "Nothing"], [false, false]),
    ("RecordRun", ["RunRequest", "Nothing"], [false, false]),
    ("ListRuns", ["RunsRequest", "RunsPart"], [false, true]),
    ("ListChanges", ["ChangesRequest", "ChangesPart"], [false, true]),
    ("ForgetRuns", ["ProjectRequest", "Nothing"], [false, false]),
];

/// The description of the service.
pub fn descriptor() -> FileDescriptorSet {
    let method = |(name, [asked, answered], [several_asked, several_answered]): (&str, [&str; 2], [bool; 2])| {
        let message = |name: &str| Some(format!(".{PACKAGE}.{name}"));
        MethodDescriptorProto {
            name: Some(name.to_owned()),
            input_type: message(asked),
            output_type: message(answered),
            client_streaming: Some(several_asked),
            server_streaming: Some(several_answered),
            ..MethodDescriptorProto::default()
        }
    };
    let service = ServiceDescriptorProto {
        name: Some("RegistryStore".to_owned()),
        method: METHODS.into_iter().map(method).collect(),
        options: None,
    };
    let file = FileDescriptorProto {
        name: Some("feastr/registry/v1/registry_store.proto".to_owned()),
        package: Some(PACKAGE.to_owned()),
        syntax: Some("proto3".to_owned()),
        service: vec![service],
        ..FileDescriptorProto::default()
    };
    FileDescriptorSet { file: vec![file] }
}
