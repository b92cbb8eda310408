//! Which services a server offers, as it says itself (gRPC server reflection).

use prost::Message;
use tonic::{Code, Status};

use super::server::{ANSWER, Method, RegistryServer};
use crate::{clients::grpc::within, problem::Problem};

/// The method of reflection that servers of Python have, and others, too.
const REFLECTION: Method<'_> =
    Method { service: "grpc.reflection.v1alpha.ServerReflection", name: "ServerReflectionInfo" };

/// A question of reflection.
#[derive(Clone, PartialEq, Message)]
struct Question {
    /// The services that are there; what stands here does not matter.
    #[prost(string, optional, tag = "7")]
    list_services: Option<String>,
}

/// Its answer.
#[derive(Clone, PartialEq, Message)]
struct Answer {
    #[prost(message, optional, tag = "6")]
    services: Option<Services>,
}

#[derive(Clone, PartialEq, Message)]
struct Services {
    #[prost(message, repeated, tag = "1")]
    services: Vec<Service>,
}

#[derive(Clone, PartialEq, Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
}

/// Whether the server offers a service. One that does not tell what it offers has Feast's alone.
///
/// # Errors
/// When the server is away or does not know who asks.
pub(super) fn offers(server: &RegistryServer, service: &str) -> Result<bool, Problem> {
    server.read(async |asking| {
        let question = Question { list_services: Some(String::new()) };
        let answer = async {
            let said = futures_util::stream::once(async { question });
            let mut answers = asking.talk::<_, Answer>(REFLECTION, said).await?;
            within(ANSWER, answers.message()).await
        };
        match answer.await {
            Ok(answer) => {
                let services = answer.and_then(|answer| answer.services).unwrap_or_default().services;
                Ok(services.iter().any(|offered| offered.name == service))
            }
            Err(status) if status.code() == Code::Unimplemented => Ok(false),
            Err(status) => Err::<_, Status>(status),
        }
    })
}
