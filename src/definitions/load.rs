use std::{collections::BTreeMap, io, path::Path, sync::Arc};

use super::{
    discover::definition_files,
    entity::{lower_entity, lower_project},
    feature_service::{DeclaredViews, lower_service},
    feature_view::{Declared, ViewLowering},
    names::{Taken, not_yet},
    raw::{RawEntity, RawFeatureService, RawFeatureView, RawFile, RawProject},
    source::{LoweredSource, lower_source},
    source_check::{InspectSource, SourceChecks},
};
use crate::{
    config::{OnlineStoreConfig, StoreConfig},
    diagnostics::{Diagnostics, SourceText, Span, did_you_mean},
    model::{Project, Repo},
    yaml::{self, Node, Read, Spanned},
};

/// How definitions are checked.
pub struct LoadOptions<'a> {
    /// Whether declared columns are compared with the sources' files.
    pub validate_sources: bool,
    /// Looks at a source's files; also used to infer what a definition leaves open.
    pub inspect: InspectSource<'a>,
    /// How a path is shown to the person.
    pub display_path: &'a dyn Fn(&Path) -> std::path::PathBuf,
}

/// Reads every definition of the configured repo. Nothing comes back when there is an error among
/// the findings.
///
/// # Errors
/// When the repo folder or a file in it cannot be read.
pub fn load(
    config: &StoreConfig,
    options: &LoadOptions<'_>,
    diagnostics: &mut Diagnostics,
) -> io::Result<Option<Repo>> {
    let mut collected = Collected::default();
    for path in definition_files(&config.repo, &config.file)? {
        let bytes = std::fs::read(&path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        let shown = (options.display_path)(&path);
        match String::from_utf8(bytes) {
            Ok(text) => collected.read(&Arc::new(SourceText { path: shown, text }), diagnostics),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let file = Arc::new(SourceText { path: shown, text });
                diagnostics.error(&Span::new(&file, valid..valid), "the file is not UTF-8 text");
            }
        }
    }
    let repo = collected.lower(config, options, diagnostics);
    Ok(repo.filter(|_| !diagnostics.has_errors()))
}

/// The definitions of all files, as written.
#[derive(Default)]
struct Collected {
    projects: Vec<RawProject>,
    entities: Vec<RawEntity>,
    data_sources: Vec<Node>,
    feature_views: Vec<RawFeatureView>,
    feature_services: Vec<RawFeatureService>,
}

impl Collected {
    fn read(&mut self, file: &Arc<SourceText>, diagnostics: &mut Diagnostics) {
        let Some(node) = yaml::parse(file, diagnostics).filter(|node| !node.is_null()) else { return };
        let Some(raw) = RawFile::read(&node, diagnostics) else { return };
        for (written, collection) in [
            (&raw.on_demand_feature_views, "on_demand_feature_views"),
            (&raw.stream_feature_views, "stream_feature_views"),
            (&raw.batch_feature_views, "batch_feature_views"),
            (&raw.label_views, "label_views"),
            (&raw.permissions, "permissions"),
            (&raw.saved_datasets, "saved_datasets"),
            (&raw.validation_references, "validation_references"),
        ] {
            not_yet(written.as_ref(), collection, diagnostics);
        }
        self.projects.extend(raw.project);
        self.entities.extend(raw.entities.unwrap_or_default());
        self.data_sources.extend(raw.data_sources.unwrap_or_default());
        self.feature_views.extend(raw.feature_views.unwrap_or_default());
        self.feature_services.extend(raw.feature_services.unwrap_or_default());
    }

    fn lower(self, config: &StoreConfig, options: &LoadOptions<'_>, diagnostics: &mut Diagnostics) -> Option<Repo> {
        let mut checks = SourceChecks::new(options.inspect);
        let project = lower_projects(self.projects, config, diagnostics);
        let mut sources = Sources::default();
        for node in &self.data_sources {
            sources.add(node, diagnostics);
        }
        let entities = lower_entities(self.entities, diagnostics);

        // Sources written inside views count like those of the collection.
        let mut view_sources = Vec::with_capacity(self.feature_views.len());
        for view in &self.feature_views {
            view_sources.push(match view.source.entries() {
                Some(_) => sources.add(&view.source, diagnostics).map(|name| (name, None)),
                None => Spanned::<String>::read(&view.source, diagnostics)
                    .map(|reference| (reference.value, Some(reference.span))),
            });
        }
        sources.infer_and_check(options.validate_sources, &mut checks, diagnostics);

        let declared = Declared { entities, sources: sources.by_name };
        let mut view_names = Taken::ignoring_case("view");
        let mut views = DeclaredViews::new();
        let mut view_order = Vec::new();
        for (raw, source) in self.feature_views.into_iter().zip(view_sources) {
            let name = raw.name.value.clone();
            let is_new = view_names.take(&raw.name, diagnostics);
            let source = source.and_then(|(name, span)| resolve_source(&declared, &name, span.as_ref(), diagnostics));
            let mut lowering = ViewLowering {
                declared: &declared,
                checks: &mut checks,
                validate_sources: options.validate_sources,
                tables_named_after_views: matches!(config.online_store, Some(OnlineStoreConfig::Sqlite { .. })),
                diagnostics,
            };
            let view = source.and_then(|source| lowering.lower(raw, source));
            if is_new {
                view_order.push(name.clone());
            }
            // A name taken in another case is an error of its own; services that use it are not.
            views.entry(name).or_insert(view);
        }

        let mut service_names = Taken::exact("feature service");
        let mut services = Vec::with_capacity(self.feature_services.len());
        for raw in self.feature_services {
            service_names.take(&raw.name, diagnostics);
            services.push(lower_service(raw, &views, diagnostics));
        }
        Some(Repo {
            project,
            data_sources: sources
                .order
                .iter()
                .map(|name| declared.sources[name].as_ref().map(|lowered| lowered.source.clone()))
                .collect::<Option<_>>()?,
            entities: declared.entities.into_values().collect::<Option<_>>()?,
            feature_views: view_order.iter().map(|name| views[name].clone()).collect::<Option<_>>()?,
            on_demand_feature_views: Vec::new(),
            stream_feature_views: Vec::new(),
            label_views: Vec::new(),
            feature_services: services.into_iter().collect::<Option<_>>()?,
            permissions: Vec::new(),
            saved_datasets: Vec::new(),
            validation_references: Vec::new(),
            places: BTreeMap::new(),
        })
    }
}

fn lower_projects(raw: Vec<RawProject>, config: &StoreConfig, diagnostics: &mut Diagnostics) -> Project {
    for second in raw.iter().skip(1) {
        diagnostics.error(&second.span, "the project is described twice; one description is enough");
    }
    let mut project = match raw.into_iter().next() {
        Some(raw) => lower_project(raw, &config.project, diagnostics),
        None => Project {
            name: config.project.clone(),
            description: String::new(),
            owner: String::new(),
            tags: crate::model::Tags::new(),
        },
    };
    if project.description.is_empty() {
        project.description = config.project_description.clone().unwrap_or_default();
    }
    project
}

fn lower_entities(
    raw: Vec<RawEntity>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, Option<crate::model::Entity>> {
    let mut names = Taken::exact("entity");
    let mut entities = BTreeMap::new();
    for raw in raw {
        let name = raw.name.value.clone();
        let is_new = names.take(&raw.name, diagnostics);
        let entity = lower_entity(raw, diagnostics);
        if is_new {
            entities.insert(name, entity);
        }
    }
    entities
}

fn resolve_source<'a>(
    declared: &'a Declared,
    name: &str,
    span: Option<&Span>,
    diagnostics: &mut Diagnostics,
) -> Option<&'a LoweredSource> {
    match declared.sources.get(name) {
        Some(source) => source.as_ref(),
        None => {
            let help = did_you_mean(name, declared.sources.keys().map(String::as_str));
            if let Some(span) = span {
                diagnostics.error_with_help(span, format!("there is no data source `{name}`"), help);
            }
            None
        }
    }
}

/// The declared sources in file order.
struct Sources {
    names: Taken,
    order: Vec<String>,
    by_name: BTreeMap<String, Option<LoweredSource>>,
}

impl Default for Sources {
    fn default() -> Self {
        Self { names: Taken::ignoring_case("data source"), order: Vec::new(), by_name: BTreeMap::new() }
    }
}

impl Sources {
    /// Lowers a source and takes its name, which comes back.
    fn add(&mut self, node: &Node, diagnostics: &mut Diagnostics) -> Option<String> {
        let Some(lowered) = lower_source(node, diagnostics) else {
            // Remember the name, so that views over a broken source are not reported, too.
            if let Some(name) = written_name(node) {
                self.by_name.entry(name).or_insert(None);
            }
            return None;
        };
        let name = lowered.name.value.clone();
        if self.names.take(&lowered.name, diagnostics) {
            self.order.push(name.clone());
            self.by_name.insert(name.clone(), Some(lowered));
        }
        Some(name)
    }

    fn infer_and_check(&mut self, validate: bool, checks: &mut SourceChecks<'_>, diagnostics: &mut Diagnostics) {
        for name in &self.order {
            let Some(Some(lowered)) = self.by_name.get_mut(name) else { continue };
            if lowered.source.timestamp_field.is_empty() {
                checks.infer_timestamp(lowered, diagnostics);
            }
            if validate {
                checks.check(lowered, diagnostics);
            }
        }
    }
}

fn written_name(node: &Node) -> Option<String> {
    let entries = node.entries()?;
    let (_, value) = entries.iter().find(|(key, _)| key.as_text() == Some("name"))?;
    value.as_text().map(str::to_owned)
}
