//! All definitions of a repo into the model, every reference resolved.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem::take,
};

use super::{
    entity::{lower_entity, lower_project},
    feature_service::lower_service,
    lowering::{Lowering, Objects, ViewNames, place_of},
    names::Taken,
    permission::lower_permission,
    saved_dataset::{lower_dataset, lower_reference},
    source::{Reference, SourceChecks, Sources},
    view::{DeclaredView, DeclaredViews, OnDemandInput, ViewLowering, check_labelled},
};
use crate::{
    config::{OnlineStoreConfig, StoreConfig},
    definitions::{
        LoadOptions,
        format::{
            Collected, Input, Member, RawBatchFeatureView, RawEntity, RawFeatureView, RawFile, RawLabelView,
            RawOnDemandFeatureView, RawProject, RawStreamFeatureView, SourceRef, values::Item,
        },
    },
    diagnostics::Diagnostics,
    model::{
        Entity, FeatureView, LabelView, ObjectId, ObjectKind, OnDemandFeatureView, Place, Project, Repo,
        StreamFeatureView, Tags,
    },
    yaml::Spanned,
};

/// The repo that the definitions declare; `None` when something in it is broken.
pub(crate) fn lower(
    collected: Collected,
    config: &StoreConfig,
    options: &LoadOptions<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Repo> {
    let mut places = BTreeMap::new();
    let project = lower_projects(collected.projects, config, &mut places, diagnostics);
    let mut empty = Repo::new(project);
    let Some(file) = collected.file else {
        empty.places = places;
        return Some(empty);
    };
    let lowering = Lowering { config, options, places, diagnostics };
    lowering.file(file, empty)
}

impl Lowering<'_, '_> {
    /// Everything in a file: what is referred to before what refers to it.
    fn file(mut self, mut file: RawFile, empty: Repo) -> Option<Repo> {
        let mut checks = SourceChecks::new(self.options);
        let (sources, referring) = self.sources(&mut file, &mut checks);
        let entities = self.entities(file.entities);
        let views = self.all_views(referring, &entities, &sources, &mut checks);
        let declared = &views.declared;
        let services =
            self.objects(ObjectKind::FeatureService, "feature service", file.feature_services, |raw, this| {
                lower_service(raw, declared, this.diagnostics)
            });
        let permissions = self.objects(ObjectKind::Permission, "permission", file.permissions, |raw, this| {
            lower_permission(raw, this.diagnostics)
        });
        let datasets = self.objects(ObjectKind::SavedDataset, "saved dataset", file.saved_datasets, |raw, this| {
            Some(lower_dataset(raw, declared, &services.by_name, this.diagnostics))
        });
        let references = self.objects(
            ObjectKind::ValidationReference,
            "validation reference",
            file.validation_references,
            |raw, this| lower_reference(raw, &datasets.by_name, this.diagnostics),
        );

        let mut repo = empty
            .with(sources.in_order()?.into_iter().map(|lowered| lowered.source.clone()))
            .with(entities.complete()?)
            .with(views.plain.complete()?)
            .with(views.batch.complete()?)
            .with(views.stream.complete()?)
            .with(views.labels.complete()?)
            .with(views.on_demand.complete()?)
            .with(services.complete()?)
            .with(permissions.complete()?)
            .with(datasets.complete()?)
            .with(references.complete()?);
        repo.places = self.places;
        Some(repo)
    }

    /// The sources of the collection and those written inside views, which count alike, and the views
    /// that refer to them.
    fn sources(&mut self, file: &mut RawFile, checks: &mut SourceChecks<'_>) -> (Sources, Referring) {
        let mut sources = Sources::default();
        for item in take(&mut file.data_sources) {
            sources.add(item, self.diagnostics);
        }
        let referring = Referring {
            plain: self.refer(take(&mut file.feature_views), |raw| &mut raw.source, &mut sources),
            batch: self.refer(take(&mut file.batch_feature_views), |raw| &mut raw.source, &mut sources),
            stream: self.refer(take(&mut file.stream_feature_views), |raw| &mut raw.source, &mut sources),
            labels: self.refer(
                take(&mut file.label_views),
                |raw| raw.source.get_or_insert(SourceRef::None),
                &mut sources,
            ),
            on_demand: self.refer_inputs(take(&mut file.on_demand_feature_views), &mut sources),
        };
        sources.complete(self.options.validate_sources, checks, self.diagnostics);
        for lowered in sources.in_order().unwrap_or_default() {
            self.place(ObjectKind::DataSource, &lowered.name);
        }
        (sources, referring)
    }

    fn entities(&mut self, items: Vec<Item<RawEntity>>) -> Objects<Entity> {
        let flawed = items.iter().filter(|item| item.is_flawed).filter_map(|item| item.name.clone());
        let flawed: Vec<String> = flawed.collect();
        let mut entities =
            self.objects(ObjectKind::Entity, "entity", items, |raw, this| lower_entity(raw, this.diagnostics));
        // A flawed entity counts as broken, so that views over it are not reported, too.
        entities.by_name.extend(flawed.into_iter().map(|name| (name, None)));
        entities
    }

    /// The views of all kinds, on-demand views last: they select from the others.
    fn all_views(
        &mut self,
        referring: Referring,
        entities: &Objects<Entity>,
        sources: &Sources,
        checks: &mut SourceChecks<'_>,
    ) -> Lowered {
        let mut names = if self.options.skip_view_names {
            ViewNames::Apart
        } else {
            ViewNames::Together(Taken::ignoring_case("view"))
        };
        let on_demand_names = referring.on_demand.iter().filter_map(|item| item.name.clone()).collect();
        let mut views = Views { entities: &entities.by_name, sources, on_demand_names: &on_demand_names, checks };
        let mut declared = DeclaredViews::new();
        let plain = self.views(ObjectKind::FeatureView, referring.plain, &mut names, |(raw, source), this| {
            views.lowering(this).feature_view(raw, &source)
        });
        declare(&plain, &mut declared);
        let batch = self.views(ObjectKind::FeatureView, referring.batch, &mut names, |(raw, source), this| {
            views.lowering(this).batch_feature_view(raw, &source)
        });
        declare(&batch, &mut declared);
        let stream = self.views(ObjectKind::StreamFeatureView, referring.stream, &mut names, |(raw, source), this| {
            views.lowering(this).stream_feature_view(raw, &source)
        });
        declare(&stream, &mut declared);
        let mut labelled = Vec::new();
        let labels = self.views(ObjectKind::LabelView, referring.labels, &mut names, |(raw, source), this| {
            labelled.extend(raw.reference_feature_view.clone());
            views.lowering(this).label_view(raw, &source)
        });
        declare(&labels, &mut declared);
        let on_demand =
            self.views(ObjectKind::OnDemandFeatureView, referring.on_demand, &mut names, |(raw, inputs), this| {
                views.lowering(this).on_demand_feature_view(raw, inputs, &declared)
            });
        declare(&on_demand, &mut declared);
        if let ViewNames::Together(taken) = &names {
            taken.check_renames(self.diagnostics);
        }
        for view in &labelled {
            check_labelled(view, &declared, self.diagnostics);
        }
        Lowered { plain, batch, stream, labels, on_demand, declared }
    }

    /// Takes the sources of views out of them, those written in place into `sources`.
    fn refer<T>(
        &mut self,
        items: Vec<Item<T>>,
        source: impl Fn(&mut T) -> &mut SourceRef,
        sources: &mut Sources,
    ) -> Vec<Item<(T, Reference)>> {
        let mut refer = |mut raw: T| {
            let source = take(source(&mut raw));
            (raw, sources.refer(source, self.diagnostics))
        };
        items
            .into_iter()
            .map(|item| Item { name: item.name, is_flawed: item.is_flawed, value: item.value.map(&mut refer) })
            .collect()
    }

    fn refer_inputs(
        &mut self,
        items: Vec<Item<RawOnDemandFeatureView>>,
        sources: &mut Sources,
    ) -> Vec<Item<(RawOnDemandFeatureView, Vec<OnDemandInput>)>> {
        let mut refer = |mut raw: RawOnDemandFeatureView| {
            let span = raw.sources.span.clone();
            let inputs = take(&mut raw.sources.value).into_iter().map(|input| match input {
                Input::Named(member) => OnDemandInput::Named(member),
                Input::InPlace(item) => match sources.add(*item, self.diagnostics) {
                    Reference::To { name, .. } => {
                        let view = Spanned { value: name, span: span.clone() };
                        OnDemandInput::Named(Member { view, features: None, name_alias: None, join_key_map: None })
                    }
                    Reference::None | Reference::Broken => OnDemandInput::Broken,
                },
            });
            let inputs = inputs.collect();
            (raw, inputs)
        };
        items
            .into_iter()
            .map(|item| Item { name: item.name, is_flawed: item.is_flawed, value: item.value.map(&mut refer) })
            .collect()
    }
}

/// The views of a file, those with a source beside what they refer to.
struct Referring {
    plain: Vec<Item<(RawFeatureView, Reference)>>,
    batch: Vec<Item<(RawBatchFeatureView, Reference)>>,
    stream: Vec<Item<(RawStreamFeatureView, Reference)>>,
    labels: Vec<Item<(RawLabelView, Reference)>>,
    on_demand: Vec<Item<(RawOnDemandFeatureView, Vec<OnDemandInput>)>>,
}

/// The lowered views of a file.
struct Lowered {
    plain: Objects<FeatureView>,
    batch: Objects<FeatureView>,
    stream: Objects<StreamFeatureView>,
    labels: Objects<LabelView>,
    on_demand: Objects<OnDemandFeatureView>,
    /// What services, datasets and on-demand views see of them.
    declared: DeclaredViews,
}

/// What the lowering of views shares.
struct Views<'a, 'b> {
    entities: &'a BTreeMap<String, Option<Entity>>,
    sources: &'a Sources,
    on_demand_names: &'a BTreeSet<String>,
    checks: &'a mut SourceChecks<'b>,
}

impl<'b> Views<'_, 'b> {
    fn lowering<'s>(&'s mut self, lowering: &'s mut Lowering<'_, '_>) -> ViewLowering<'s, 'b> {
        ViewLowering {
            entities: self.entities,
            sources: self.sources,
            on_demand_names: self.on_demand_names,
            checks: self.checks,
            misfits: lowering.options.misfits,
            validate_sources: lowering.options.validate_sources,
            names_are_tables: lowering.config.online_store.as_ref().is_some_and(OnlineStoreConfig::names_are_tables),
            diagnostics: lowering.diagnostics,
        }
    }
}

fn declare<T>(views: &Objects<T>, declared: &mut DeclaredViews)
where
    for<'v> DeclaredView: From<&'v T>,
{
    for (name, view) in &views.by_name {
        declared.entry(name.clone()).or_insert_with(|| view.as_ref().map(DeclaredView::from));
    }
}

fn lower_projects(
    raw: Vec<RawProject>,
    config: &StoreConfig,
    places: &mut BTreeMap<ObjectId, Place>,
    diagnostics: &mut Diagnostics,
) -> Project {
    for second in raw.iter().skip(1) {
        diagnostics.error(&second.span, "the project is described twice; one description is enough");
    }
    let mut project = match raw.into_iter().next() {
        Some(raw) => {
            places.insert(ObjectId::new(ObjectKind::Project, &config.project), place_of(&raw.name.span));
            lower_project(raw, &config.project, diagnostics)
        }
        None => Project {
            name: config.project.clone(),
            description: String::new(),
            owner: String::new(),
            tags: Tags::new(),
        },
    };
    if project.description.is_empty() {
        project.description = config.project_description.clone().unwrap_or_default();
    }
    project
}
