//! A span for each request that is sampled.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::http::{Method, StatusCode};
use opentelemetry::{
    Context, KeyValue,
    trace::{Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope},
};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{SdkTracer, SdkTracerProvider, Span, SpanData, SpanExporter},
};
use url::Url;

use super::{collector::Collector, resource};
use crate::{config::OtlpConfig, problem::Problem};

/// Makes spans, and sends them now and then from a thread of its own. What waits to be sent is limited; what is more is lost.
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// A request as a part of a trace.
pub(crate) struct RequestSpan(Span);

impl Traces {
    /// Traces that go to a collector.
    ///
    /// # Errors
    /// When encryption cannot be set up.
    pub(crate) fn to(config: &OtlpConfig, url: &Url) -> Result<Self, Problem> {
        let exporter = Exporter {
            collector: Arc::new(Collector::new(config, url, "traces")?),
            resource: ResourceAttributesWithSchema::default(),
        };
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource(config)).build();
        let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
        Ok(Self { provider, tracer })
    }

    /// Begins the span of a request; `parent` has the one of the client.
    pub(crate) fn begin(&self, parent: &Context, method: &Method, route: Option<&str>, path: &str) -> RequestSpan {
        let name: Cow<'static, str> = match route {
            Some(route) => format!("{method} {route}").into(),
            None => method.to_string().into(),
        };
        let mut span =
            self.tracer.span_builder(name).with_kind(SpanKind::Server).start_with_context(&self.tracer, parent);
        if span.is_recording() {
            span.set_attribute(KeyValue::new("http.request.method", method.to_string()));
            span.set_attribute(KeyValue::new("url.path", path.to_owned()));
            if let Some(route) = route {
                span.set_attribute(KeyValue::new("http.route", route.to_owned()));
            }
        }
        RequestSpan(span)
    }

    /// Sends what waits, and no more afterwards.
    pub(crate) fn end(&self, longest: Duration) {
        // What was not sent was told.
        let _ = self.provider.shutdown_with_timeout(longest);
    }
}

impl RequestSpan {
    /// The trace that it is a part of.
    pub(crate) fn context(&self) -> Context {
        Context::new().with_remote_span_context(self.0.span_context().clone())
    }

    /// It was answered so.
    pub(crate) fn end(mut self, status: StatusCode, id: &str) {
        if self.0.is_recording() {
            self.0.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
            self.0.set_attribute(KeyValue::new("request_id", id.to_owned()));
            if status.is_server_error() {
                self.0.set_status(Status::error(""));
            }
        }
        self.0.end();
    }
}

/// Sends spans.
#[derive(Debug)]
struct Exporter {
    collector: Arc<Collector>,
    resource: ResourceAttributesWithSchema,
}

impl SpanExporter for Exporter {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        match self.collector.send(&ExportTraceServiceRequest { resource_spans }).await {
            true => Ok(()),
            false => Err(OTelSdkError::InternalFailure("not sent".to_owned())),
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}
