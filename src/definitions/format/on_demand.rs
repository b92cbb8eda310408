use serde_json::{Value, json};

use super::{about::RawAbout, service::Member, source::RawSource, values::Item};
use crate::{
    diagnostics::Diagnostics,
    model::{DataType, ViewVersion},
    yaml::{Content, Node, Read, Schemas, Spanned, record},
};

record! {
    /// Features computed from other features and from values of the request.
    pub(crate) struct RawOnDemandFeatureView, "an on demand feature view";
    required {
        /// Unique among all views of the project.
        name: Spanned<String>,
        /// The inputs: feature views, some features of them, and request sources.
        sources: Spanned<Vec<Input>>,
        /// The outputs, each with its SQL expression over the inputs.
        schema: Spanned<Vec<Output>>,
    }
    defaulted {
        /// The things the features are about, if values are written to the online store.
        entities: Vec<Spanned<String>>,
        /// Whether computed values are also written to the online store.
        write_to_online_store: bool,
        /// Whether Feast measures the computation.
        track_metrics: bool,
        /// Whether the view is served at all.
        enabled: bool = true,
        /// Which version of the view is active: `latest`, or one such as `v2`.
        version: ViewVersion = ViewVersion::Latest,
        /// The part of the organization that owns the view.
        org: String,
    }
    flatten { about: RawAbout, }
}

record! {
    /// An output and how it is computed.
    pub(crate) struct RawExpression, "an output of an on demand feature view";
    required {
        /// Unique in the view.
        name: Spanned<String>,
        /// Type of the values.
        dtype: Spanned<DataType>,
        /// A scalar expression of DuckDB's SQL over the inputs' names.
        sql: Spanned<String>,
    }
}

/// An input of an on-demand view.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// A view or some of its features, or a request source by name.
    Named(Member),
    /// A request source itself.
    InPlace(Box<Item<RawSource>>),
}

impl Read for Input {
    const EXPECTED: &'static str = "the name of a view or request source, {view: [features]}, or a request source";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let is_source =
            node.entries().is_some_and(|entries| entries.iter().any(|(key, _)| key.as_text() == Some("type")));
        if is_source {
            Item::read(node, diagnostics).map(|item| Self::InPlace(Box::new(item)))
        } else {
            Member::read(node, diagnostics).map(Self::Named)
        }
    }

    fn schema(schemas: &mut Schemas) -> Value {
        json!({ "anyOf": [Member::schema(schemas), RawSource::schema(schemas)] })
    }
}

/// An output of an on-demand view.
#[derive(Debug, Clone)]
pub(crate) struct Output(pub RawExpression);

impl Read for Output {
    const EXPECTED: &'static str = RawExpression::EXPECTED;

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        const LOST: [&str; 5] = ["description", "tags", "vector_index", "vector_length", "vector_search_metric"];
        let Content::Mapping(entries) = &node.content else {
            return RawExpression::read(node, diagnostics).map(Self);
        };
        let (lost, kept): (Vec<_>, Vec<_>) =
            entries.iter().cloned().partition(|(key, _)| key.as_text().is_some_and(|key| LOST.contains(&key)));
        for (key, _) in lost {
            diagnostics.error_with_help(
                &key.span,
                format!("outputs of an on demand feature view have no `{}`", key.span.text()),
                "leave it out: Python Feast drops it when it loads the view; the view itself can say it".to_owned(),
            );
        }
        let kept = Node { span: node.span.clone(), content: Content::Mapping(kept) };
        RawExpression::read(&kept, diagnostics).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Value {
        RawExpression::schema(schemas)
    }
}
