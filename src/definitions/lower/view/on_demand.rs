//! On-demand views into the model: their inputs, and the expressions of their outputs.

use super::{
    super::{
        expression::{self, Inputs},
        feature_service::{project, user},
        names::{Taken, check_column_name, check_feature_name},
        source::FoundSource,
        tags::track_metrics,
    },
    DeclaredViews, ViewLowering,
    columns::{JoinKeyTypes, Origin},
};
use crate::{
    definitions::format::{Member, Output, RawExpression, RawOnDemandFeatureView},
    diagnostics::{Missing, Span},
    expression::{Computation, inputs, sql_type},
    model::{
        DUMMY_JOIN_KEY, DataSource, DataType, Expression, Field, ObjectKind, OnDemandFeatureView, OnDemandSource,
        SourceKind,
    },
    yaml::Spanned,
};

/// An input of an on-demand view, after sources written in place were taken.
#[derive(Debug, Clone)]
pub(crate) enum OnDemandInput {
    Named(Member),
    /// A source with errors stands in place.
    Broken,
}

/// What a view makes of its inputs.
struct Outputs {
    features: Vec<Field>,
    expressions: Vec<Expression>,
    /// Where the expressions are written.
    places: Vec<Span>,
    /// Whether they can be asked about.
    are_sound: bool,
}

impl ViewLowering<'_, '_> {
    /// The on-demand view a definition declares over other views; `None` after an error.
    pub(crate) fn on_demand_feature_view(
        &mut self,
        raw: RawOnDemandFeatureView,
        inputs: Vec<OnDemandInput>,
        views: &DeclaredViews,
    ) -> Option<OnDemandFeatureView> {
        self.check_name(&raw.name);
        let place = raw.name.span.clone();
        if inputs.is_empty() && raw.sources.value.is_empty() {
            let help = "name the views and request sources it is computed from".to_owned();
            self.diagnostics.error_with_help(&raw.sources.span, "an on demand feature view needs a source", help);
        }
        let user = user(ObjectKind::OnDemandFeatureView, &raw.name.value, &raw.about.owner);
        let sources = self.on_demand_sources(inputs, views, &user)?;
        let (columns, keys) = inputs_of(&sources, views);
        let origin = Origin { source: None, as_they_are: false, join_keys: JoinKeyTypes::Inputs(&keys) };
        let entities = self.entity_part(raw.entities, origin);
        let own_keys = entities.as_ref().map(|(_, columns)| columns.as_slice()).unwrap_or_default();
        let outputs = self.outputs(raw.schema, &columns, own_keys);
        let (entities, entity_columns) = entities?;
        let mut tags = raw.about.labels.into_tags();
        if raw.track_metrics {
            track_metrics(&mut tags);
        }
        let (are_sound, places) = (outputs.are_sound, outputs.places);
        let view = OnDemandFeatureView {
            name: raw.name.value,
            entities,
            entity_columns,
            sources,
            features: outputs.features,
            expressions: outputs.expressions,
            write_to_online_store: raw.write_to_online_store,
            enabled: raw.enabled,
            version: raw.version,
            description: raw.about.description,
            owner: raw.about.owner,
            org: raw.org,
            tags,
        };
        if are_sound {
            self.check_types(&view, &places);
        }
        if view.write_to_online_store {
            self.check_stored(&view, &keys, &place);
        }
        Some(view)
    }

    /// Values that are stored are computed without a request, and belong to entities of the view.
    fn check_stored(&mut self, view: &OnDemandFeatureView, keys: &[Field], place: &Span) {
        let columns = Computation::of(view);
        let columns = columns.columns();
        let fields = view.sources.iter().filter_map(|source| match source {
            OnDemandSource::Request(DataSource { kind: SourceKind::Request(request), .. }) => Some(&request.schema),
            _ => None,
        });
        if let Some(field) = fields.flatten().find(|field| columns.contains(&field.name.as_str())) {
            let message = format!(
                "the values of `{}` are stored (`write_to_online_store`), and a request brings its input `{}`",
                view.name, field.name
            );
            let help =
                "leave out `write_to_online_store`, so that they are computed when they are asked for".to_owned();
            self.diagnostics.warning(place, message, help);
        }
        if let Some(key) = keys.iter().find(|key| !view.entity_columns.iter().any(|own| own.name == key.name)) {
            let message = format!(
                "the values of `{}` are stored (`write_to_online_store`), and its inputs have the join key `{}`",
                view.name, key.name
            );
            let help = "name the entities of its inputs in `entities`".to_owned();
            self.diagnostics.warning(place, message, help);
        }
    }

    /// Whether the engine can compute the expressions as what is declared.
    fn check_types(&mut self, view: &OnDemandFeatureView, places: &[Span]) {
        match (self.misfits)(view) {
            Ok(misfits) => {
                for misfit in misfits {
                    let place = &places[misfit.output];
                    match misfit.only_elsewhere {
                        true => self.diagnostics.warning(place, misfit.message, misfit.help),
                        false => self.diagnostics.error_with_help(place, misfit.message, misfit.help),
                    }
                }
            }
            Err(problem) => {
                places.first().into_iter().for_each(|place| self.diagnostics.problem(place, problem.clone()))
            }
        }
    }

    /// The inputs sorted by name; `None` when one is unknown or broken.
    fn on_demand_sources(
        &mut self,
        inputs: Vec<OnDemandInput>,
        views: &DeclaredViews,
        user: &str,
    ) -> Option<Vec<OnDemandSource>> {
        let mut taken = Taken::exact("source of this view");
        let mut sources = Some(Vec::with_capacity(inputs.len()));
        for input in inputs {
            let source = match input {
                OnDemandInput::Broken => None,
                OnDemandInput::Named(member) => {
                    let is_new = taken.take(&member.view, self.diagnostics);
                    self.on_demand_source(member, views, user).filter(|_| is_new)
                }
            };
            match (&mut sources, source) {
                (Some(sources), Some(source)) => sources.push(source),
                _ => sources = None,
            }
        }
        let mut sources = sources?;
        sources.sort_by(|a, b| a.name().cmp(b.name()));
        Some(sources)
    }

    fn on_demand_source(&mut self, member: Member, views: &DeclaredViews, user: &str) -> Option<OnDemandSource> {
        let name = &member.view;
        if let Some(view) = views.get(&name.value) {
            let view = view.as_ref()?;
            if view.kind == ObjectKind::LabelView {
                let message = format!("{} `{}` cannot be a source of another view", view.kind, name.value);
                let help = "use feature views and request sources".to_owned();
                self.diagnostics.error_with_help(&name.span, message, help);
                return None;
            }
            return project(member, view, user, self.diagnostics).map(OnDemandSource::View);
        }
        match self.sources.get(&name.value) {
            FoundSource::Broken => None,
            FoundSource::Source(lowered) if matches!(lowered.source.kind, SourceKind::Request(_)) => {
                if let Some(first) = member.features.as_ref().and_then(|features| features.first()) {
                    let message = "a request source is used as a whole; its values cannot be selected";
                    self.diagnostics.error(&first.span, message);
                }
                if let Some(alias) = &member.name_alias {
                    self.diagnostics.error(&alias.span, "a request source cannot have another name here");
                }
                Some(OnDemandSource::Request(lowered.source.clone()))
            }
            FoundSource::Source(lowered) => {
                self.diagnostics.error_with_help(
                    &name.span,
                    format!("`{}` is a {} source, not a view or a request source", name.value, lowered.source.kind),
                    "name the feature view that reads from it".to_owned(),
                );
                None
            }
            FoundSource::None if self.on_demand_names.contains(&name.value) => {
                let message = format!("on demand feature view `{}` cannot be a source of another view", name.value);
                let help = "use feature views and request sources".to_owned();
                self.diagnostics.error_with_help(&name.span, message, help);
                None
            }
            FoundSource::None => {
                let names = views.keys().map(String::as_str).chain(self.sources.request_names());
                let missing = Missing::named("view or request source", &name.value).needed_by(user);
                self.diagnostics.missing(&name.span, missing, names);
                None
            }
        }
    }

    fn outputs(&mut self, raw: Spanned<Vec<Output>>, inputs: &Inputs, keys: &[Field]) -> Outputs {
        if raw.value.is_empty() {
            self.diagnostics.error(&raw.span, "an on demand feature view needs an output in its `schema`");
        }
        let mut taken = Taken::exact("output");
        let mut outputs =
            Outputs { features: Vec::new(), expressions: Vec::new(), places: Vec::new(), are_sound: true };
        for Output(RawExpression { name, dtype, sql, .. }) in raw.value {
            check_column_name(&name, self.diagnostics);
            check_feature_name(&name.value, &name.span, self.diagnostics);
            if name.value != DUMMY_JOIN_KEY && keys.iter().any(|key| key.name == name.value) {
                self.diagnostics.error(&name.span, format!("`{}` is a join key of the view", name.value));
            }
            taken.take(&name, self.diagnostics);
            if sql_type(&dtype.value).is_none() {
                let message = format!("an expression cannot make values of type {}", dtype.value);
                self.diagnostics.error(&dtype.span, message);
                outputs.are_sound = false;
            } else if is_lost(&dtype.value) {
                self.diagnostics.error_with_help(
                    &dtype.span,
                    format!("an output cannot have type {}: Python Feast forgets what is inside", dtype.value),
                    "use a plain type, an array of one, or Json".to_owned(),
                );
            }
            outputs.are_sound &= expression::check(&sql, inputs, self.diagnostics);
            outputs.places.push(sql.span);
            outputs.expressions.push(Expression { name: name.value.clone(), sql: sql.value });
            outputs.features.push(Field::new(name.value, dtype.value));
        }
        outputs
    }
}

/// Whether Feast drops a part of the type when it loads an on-demand view.
fn is_lost(dtype: &DataType) -> bool {
    match dtype {
        DataType::Struct(_) => true,
        DataType::Array(element) | DataType::Set(element) => {
            matches!(**element, DataType::Struct(_) | DataType::Array(_) | DataType::Set(_))
        }
        _ => false,
    }
}

/// The columns that expressions can use, and the join keys of the views.
fn inputs_of(sources: &[OnDemandSource], views: &DeclaredViews) -> (Inputs, Vec<Field>) {
    let used = sources.iter().filter_map(|source| views.get(source.name())?.as_ref());
    let keys: Vec<Field> = used.flat_map(|view| view.join_keys.iter().cloned()).collect();
    let join_keys = keys.iter().map(|key| key.name.clone()).collect();
    (Inputs { columns: inputs(sources), join_keys }, keys)
}
