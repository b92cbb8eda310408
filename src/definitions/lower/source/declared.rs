//! The sources of a repo, by name or where they are used, each known as one even if it is broken.

use std::collections::BTreeMap;

use super::{
    super::names::{Taken, check_object_name},
    LoweredSource, SourceChecks, batch, stream,
};
use crate::{
    definitions::format::{RawSource, SourceRef, values::Item},
    diagnostics::{Diagnostics, Missing, Span},
    model::SourceKind,
};

/// Every source of a repo by name, those written inside views and other sources among them.
pub(crate) struct Sources {
    names: Taken,
    /// In the order they were found.
    order: Vec<String>,
    /// `None` stands for one that is declared but broken: its own error is enough.
    by_name: BTreeMap<String, Option<LoweredSource>>,
    /// Streams with the sources of their history.
    histories: Vec<(String, Reference)>,
}

/// What something refers to as its source.
#[derive(Debug, Clone)]
pub(crate) enum Reference {
    /// It has none.
    None,
    /// A source with errors stands in place.
    Broken,
    To {
        name: String,
        /// Where the name is; `None` when the source itself stands there.
        span: Option<Span>,
    },
}

/// What was looked for among the sources.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FoundSource<'a> {
    /// No source: none is referred to, or none is declared under the name.
    None,
    /// One with errors, or one that is missing; that is reported already.
    Broken,
    /// A source.
    Source(&'a LoweredSource),
}

impl Reference {
    /// Where the name of the source is, unless the source itself stands there.
    pub(crate) fn span(&self) -> Option<&Span> {
        match self {
            Self::To { span, .. } => span.as_ref(),
            Self::None | Self::Broken => None,
        }
    }
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            names: Taken::ignoring_case("data source"),
            order: Vec::new(),
            by_name: BTreeMap::new(),
            histories: Vec::new(),
        }
    }
}

impl Sources {
    /// Takes a source of the collection, or one written in place.
    pub(crate) fn add(&mut self, item: Item<RawSource>, diagnostics: &mut Diagnostics) -> Reference {
        let lowered = item.value.and_then(|raw| match raw {
            RawSource::Push(_) | RawSource::Kafka(_) | RawSource::Kinesis(_) => stream::lower(raw, diagnostics),
            other => batch::lower(other, diagnostics).map(|lowered| (lowered, None)),
        });
        let Some((lowered, history)) = lowered else {
            if let Some(name) = item.name {
                self.by_name.entry(name).or_insert(None);
            }
            return Reference::Broken;
        };
        let name = lowered.name.value.clone();
        let history = history.map(|history| self.refer(history, diagnostics));
        self.histories.extend(history.map(|history| (name.clone(), history)));
        check_object_name(&lowered.name, "a data source", diagnostics);
        if self.names.take(&lowered.name, diagnostics) {
            self.names.renamed(&lowered.name, lowered.renamed_from.as_ref());
            self.order.push(name.clone());
            self.by_name.insert(name.clone(), Some(lowered));
        }
        Reference::To { name, span: None }
    }

    /// The name of a source that is referred to, after taking it if it is written in place.
    pub(crate) fn refer(&mut self, source: SourceRef, diagnostics: &mut Diagnostics) -> Reference {
        match source {
            SourceRef::Named(name) => Reference::To { name: name.value, span: Some(name.span) },
            SourceRef::InPlace(item) => self.add(*item, diagnostics),
            SourceRef::None => Reference::None,
        }
    }

    /// Completes the sources once all of them are taken: infers timestamp columns, compares sources
    /// with their files if wanted, and puts histories into streams.
    pub(crate) fn complete(&mut self, validate: bool, checks: &mut SourceChecks<'_>, diagnostics: &mut Diagnostics) {
        self.names.check_renames(diagnostics);
        if validate {
            let sources: Vec<_> = self.order.iter().filter_map(|name| self.by_name.get(name)?.as_ref()).collect();
            checks.open_all(&sources, diagnostics);
        }
        for name in &self.order {
            let Some(Some(lowered)) = self.by_name.get_mut(name) else { continue };
            if lowered.is_timed() && lowered.source.timestamp_field.is_empty() {
                checks.infer_timestamp(lowered, diagnostics);
            }
            if validate {
                checks.check(lowered, diagnostics);
            }
        }
        for (stream, history) in std::mem::take(&mut self.histories) {
            let history = match self.find(&history, diagnostics) {
                FoundSource::None => continue,
                FoundSource::Broken => None,
                FoundSource::Source(lowered) if lowered.is_batch() => Some(Box::new(lowered.source.clone())),
                FoundSource::Source(lowered) => {
                    let message =
                        format!("source `{}` holds no history and cannot be a batch source", lowered.name.value);
                    let help = "name a source with stored rows, such as one of type file".to_owned();
                    diagnostics.error_with_help(history.span().unwrap_or(&lowered.name.span), message, help);
                    None
                }
            };
            if let Some(entry) = self.by_name.get_mut(&stream) {
                match (entry.as_mut().map(|lowered| &mut lowered.source.kind), history) {
                    (Some(SourceKind::Push(push)), Some(history)) => push.batch_source = Some(history),
                    (Some(SourceKind::Kafka(kafka)), Some(history)) => kafka.batch_source = Some(history),
                    (Some(SourceKind::Kinesis(kinesis)), Some(history)) => kinesis.batch_source = Some(history),
                    _ => *entry = None,
                }
            }
        }
    }

    /// The source that is referred to; says so when there is none.
    pub(crate) fn find(&self, reference: &Reference, diagnostics: &mut Diagnostics) -> FoundSource<'_> {
        let (name, span) = match reference {
            Reference::None => return FoundSource::None,
            Reference::Broken => return FoundSource::Broken,
            Reference::To { name, span } => (name, span),
        };
        match (self.get(name), span) {
            (FoundSource::None, Some(span)) => {
                let missing = Missing::named("data source", name);
                diagnostics.missing(span, missing, self.by_name.keys().map(String::as_str));
                FoundSource::Broken
            }
            (FoundSource::None, None) => FoundSource::Broken,
            (found, _) => found,
        }
    }

    /// A declared source by its name.
    pub(crate) fn get(&self, name: &str) -> FoundSource<'_> {
        match self.by_name.get(name) {
            None => FoundSource::None,
            Some(None) => FoundSource::Broken,
            Some(Some(source)) => FoundSource::Source(source),
        }
    }

    /// The source with the history of a stream, with the places its parts were written at.
    pub(crate) fn history_of(&self, lowered: &LoweredSource) -> Option<&LoweredSource> {
        self.by_name.get(&lowered.source.kind.batch_source()?.name)?.as_ref()
    }

    /// The names of the request sources.
    pub(crate) fn request_names(&self) -> impl Iterator<Item = &str> {
        let requests = self.by_name.values().flatten();
        let requests = requests.filter(|lowered| matches!(lowered.source.kind, SourceKind::Request(_)));
        requests.map(|lowered| lowered.source.name.as_str())
    }

    /// The sources in the order they were found, or `None` if one is broken.
    pub(crate) fn in_order(&self) -> Option<Vec<&LoweredSource>> {
        self.order.iter().map(|name| self.by_name.get(name)?.as_ref()).collect()
    }
}
