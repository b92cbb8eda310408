//! All definitions of a repo into the model, every reference resolved.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    entity::{lower_entity, lower_project},
    feature_service::lower_service,
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
            Collected, Input, Member, RawFile, RawLabels, RawOnDemandFeatureView, RawProject, SourceRef, values::Item,
        },
    },
    diagnostics::{Diagnostics, Span},
    model::{ObjectId, ObjectKind, Place, Project, Repo, Tags},
    yaml::Spanned,
};

/// The repo that the definitions declare; `None` when something in it is broken.
pub fn lower(
    collected: Collected,
    config: &StoreConfig,
    options: &LoadOptions<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Repo> {
    let mut places = BTreeMap::new();
    let project = lower_projects(collected.projects, config, &mut places, diagnostics);
    let empty = Repo::new(project);
    let Some(file) = collected.file else { return Some(Repo { places, ..empty }) };
    let lowering = Lowering { config, options, places, diagnostics };
    lowering.file(file, empty)
}

/// A raw object whose name, labels and kind of references the lowering needs to know.
trait Named {
    fn name(&self) -> &Spanned<String>;
    fn labels(&self) -> &RawLabels;
}

macro_rules! named {
    ($($raw:ident => $($labels:ident).+;)*) => { $(
        impl Named for crate::definitions::format::$raw {
            fn name(&self) -> &Spanned<String> {
                &self.name
            }

            fn labels(&self) -> &RawLabels {
                &self.$($labels).+
            }
        }
    )* };
}

named! {
    RawEntity => about.labels;
    RawFeatureView => stored.about.labels;
    RawBatchFeatureView => stored.about.labels;
    RawStreamFeatureView => stored.about.labels;
    RawOnDemandFeatureView => about.labels;
    RawLabelView => about.labels;
    RawFeatureService => about.labels;
    RawPermission => labels;
    RawSavedDataset => labels;
    RawValidationReference => labels;
}

struct Lowering<'a, 'b> {
    config: &'a StoreConfig,
    options: &'a LoadOptions<'b>,
    places: BTreeMap<ObjectId, Place>,
    diagnostics: &'a mut Diagnostics,
}

/// Lowered objects by name, in the order of their first use; `None` stands for a broken one.
struct Objects<T> {
    order: Vec<String>,
    by_name: BTreeMap<String, Option<T>>,
}

impl<T> Objects<T> {
    /// The objects in order, or `None` if one is broken.
    fn in_order(mut self) -> Option<Vec<T>> {
        self.order.iter().map(|name| self.by_name.remove(name)?).collect()
    }
}

/// Names of views: unique together, or per kind when that is wanted.
enum ViewNames {
    Together(Taken),
    Apart,
}

impl Lowering<'_, '_> {
    fn file(mut self, file: RawFile, empty: Repo) -> Option<Repo> {
        let mut checks = SourceChecks::new(self.options.inspect);
        let mut sources = Sources::default();
        for item in file.data_sources {
            sources.add(item, self.diagnostics);
        }
        // Sources written inside views count like those of the collection.
        let feature_views = self.refer(file.feature_views, |raw| &mut raw.source, &mut sources);
        let batch_views = self.refer(file.batch_feature_views, |raw| &mut raw.source, &mut sources);
        let stream_views = self.refer(file.stream_feature_views, |raw| &mut raw.source, &mut sources);
        let label_views = self.refer(file.label_views, |raw| raw.source.get_or_insert(SourceRef::None), &mut sources);
        let on_demand_views = self.refer_inputs(file.on_demand_feature_views, &mut sources);
        sources.complete(self.options.validate_sources, &mut checks, self.diagnostics);
        let sources = sources;
        for lowered in sources.in_order().unwrap_or_default() {
            self.place(ObjectKind::DataSource, &lowered.name);
        }

        let flawed = file.entities.iter().filter(|item| item.is_flawed).filter_map(|item| item.name.clone());
        let flawed: Vec<String> = flawed.collect();
        let mut entities =
            self.objects(ObjectKind::Entity, "entity", file.entities, |raw, this| lower_entity(raw, this.diagnostics));
        // A broken entity counts as unknown, so that views over it are not reported, too.
        entities.by_name.extend(flawed.into_iter().map(|name| (name, None)));
        let mut names = if self.options.skip_view_names {
            ViewNames::Apart
        } else {
            ViewNames::Together(Taken::ignoring_case("view"))
        };
        let on_demand_names = on_demand_views.iter().filter_map(|item| item.name.clone()).collect();
        let mut views = Views {
            entities: &entities.by_name,
            sources: &sources,
            on_demand_names: &on_demand_names,
            checks: &mut checks,
        };
        let mut declared = DeclaredViews::new();
        let plain = self.views(ObjectKind::FeatureView, feature_views, &mut names, |(raw, source), this| {
            views.lowering(this).feature_view(raw, &source)
        });
        declare(&plain, &mut declared);
        let batch = self.views(ObjectKind::FeatureView, batch_views, &mut names, |(raw, source), this| {
            views.lowering(this).batch_feature_view(raw, &source)
        });
        declare(&batch, &mut declared);
        let stream = self.views(ObjectKind::StreamFeatureView, stream_views, &mut names, |(raw, source), this| {
            views.lowering(this).stream_feature_view(raw, &source)
        });
        declare(&stream, &mut declared);
        let mut labelled = Vec::new();
        let labels = self.views(ObjectKind::LabelView, label_views, &mut names, |(raw, source), this| {
            labelled.extend(raw.reference_feature_view.clone());
            views.lowering(this).label_view(raw, &source)
        });
        declare(&labels, &mut declared);
        let on_demand =
            self.views(ObjectKind::OnDemandFeatureView, on_demand_views, &mut names, |(raw, inputs), this| {
                views.lowering(this).on_demand_feature_view(raw, inputs, &declared)
            });
        declare(&on_demand, &mut declared);
        if let ViewNames::Together(taken) = &names {
            taken.check_renames(self.diagnostics);
        }
        for view in &labelled {
            check_labelled(view, &declared, self.diagnostics);
        }

        let services =
            self.objects(ObjectKind::FeatureService, "feature service", file.feature_services, |raw, this| {
                lower_service(raw, &declared, this.diagnostics)
            });
        let permissions = self.objects(ObjectKind::Permission, "permission", file.permissions, |raw, this| {
            lower_permission(raw, this.diagnostics)
        });
        let datasets = self.objects(ObjectKind::SavedDataset, "saved dataset", file.saved_datasets, |raw, this| {
            Some(lower_dataset(raw, &declared, &services.by_name, this.diagnostics))
        });
        let references = self.objects(
            ObjectKind::ValidationReference,
            "validation reference",
            file.validation_references,
            |raw, this| lower_reference(raw, &datasets.by_name, this.diagnostics),
        );

        let data_sources = sources.in_order()?.into_iter().map(|lowered| lowered.source.clone()).collect();
        let mut feature_views = plain.in_order()?;
        feature_views.extend(batch.in_order()?);
        Some(Repo {
            data_sources,
            entities: entities.in_order()?,
            feature_views,
            stream_feature_views: stream.in_order()?,
            label_views: labels.in_order()?,
            on_demand_feature_views: on_demand.in_order()?,
            feature_services: services.in_order()?,
            permissions: permissions.in_order()?,
            saved_datasets: datasets.in_order()?,
            validation_references: references.in_order()?,
            places: self.places,
            ..empty
        })
    }

    /// Takes the sources of views out of them, those written in place into `sources`.
    fn refer<T>(
        &mut self,
        items: Vec<Item<T>>,
        source: impl Fn(&mut T) -> &mut SourceRef,
        sources: &mut Sources,
    ) -> Vec<Item<(T, Reference)>> {
        let refer = |mut raw: T| {
            let source = std::mem::take(source(&mut raw));
            (raw, sources.refer(source, self.diagnostics))
        };
        let mut refer = refer;
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
            let inputs = std::mem::take(&mut raw.sources.value).into_iter().map(|input| match input {
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

    /// Lowers a collection whose names are unique in itself.
    fn objects<R: Named, T>(
        &mut self,
        kind: ObjectKind,
        what: &'static str,
        items: Vec<Item<R>>,
        mut lower: impl FnMut(R, &mut Self) -> Option<T>,
    ) -> Objects<T> {
        let mut taken = Taken::exact(what);
        let objects = self.take_all(
            kind,
            items
                .into_iter()
                .map(|item| Item { name: item.name, is_flawed: item.is_flawed, value: item.value.map(|raw| (raw, ())) })
                .collect(),
            &mut taken,
            |(raw, ()), this| lower(raw, this),
        );
        taken.check_renames(self.diagnostics);
        objects
    }

    /// Lowers a kind of views.
    fn views<R: Named, S, T>(
        &mut self,
        kind: ObjectKind,
        items: Vec<Item<(R, S)>>,
        names: &mut ViewNames,
        lower: impl FnMut((R, S), &mut Self) -> Option<T>,
    ) -> Objects<T> {
        match names {
            ViewNames::Together(taken) => self.take_all(kind, items, taken, lower),
            ViewNames::Apart => {
                let mut taken = Taken::exact(kind.as_str());
                let objects = self.take_all(kind, items, &mut taken, lower);
                taken.check_renames(self.diagnostics);
                objects
            }
        }
    }

    fn take_all<R: Named, S, T>(
        &mut self,
        kind: ObjectKind,
        items: Vec<Item<(R, S)>>,
        taken: &mut Taken,
        mut lower: impl FnMut((R, S), &mut Self) -> Option<T>,
    ) -> Objects<T> {
        let mut objects = Objects { order: Vec::new(), by_name: BTreeMap::new() };
        for item in items {
            let Some(raw) = item.value else {
                if let Some(name) = item.name {
                    objects.by_name.entry(name).or_insert(None);
                }
                continue;
            };
            let name = raw.0.name().clone();
            let renamed_from = raw.0.labels().renamed_from.clone();
            let is_new = taken.take(&name, self.diagnostics);
            let object = lower(raw, self);
            if is_new {
                taken.renamed(&name, renamed_from.as_ref());
                self.place(kind, &name);
                objects.order.push(name.value.clone());
            }
            // A name taken twice is an error of its own; objects that use it are not.
            objects.by_name.entry(name.value).or_insert(object);
        }
        objects
    }

    fn place(&mut self, kind: ObjectKind, name: &Spanned<String>) {
        self.places.insert(ObjectId::new(kind, &name.value), place_of(&name.span));
    }
}

fn place_of(span: &Span) -> Place {
    let (line, column) = span.line_column();
    Place { file: span.file.path.clone(), line, column }
}

/// What the lowering of views shares.
struct Views<'a, 'b> {
    entities: &'a BTreeMap<String, Option<crate::model::Entity>>,
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
