use super::*;
use crate::{
    expression::testing::{computed, request},
    model::{
        DUMMY_ENTITY, DUMMY_JOIN_KEY, DataType, ForeignObject, Projection, Ttl,
        samples::{label_view, projection, registered, service, stream_view, view},
    },
    retrieval::InputFrom,
};

/// What is registered in which there are these views.
fn views(views: &[&FeatureView]) -> RegistryState {
    registered(views.iter().map(|view| Object::FeatureView((*view).clone())))
}

fn with_service(mut state: RegistryState, service: FeatureService) -> RegistryState {
    let object = Object::FeatureService(service);
    state.objects.insert(object.id(), object);
    state
}

fn references(names: &[&str]) -> Selection {
    Selection::of_features(names.iter().map(|name| name.parse().unwrap()).collect())
}

/// `view feature output` of all features, in the order of the answer.
fn shown(retrieval: &Retrieval) -> Vec<String> {
    let shown = |view: &SelectedView| -> Vec<String> {
        let features = view.features.iter();
        features.map(|feature| format!("{} {} {}", view.view.name, feature.field.name, feature.output)).collect()
    };
    retrieval.views.iter().flat_map(shown).collect()
}

fn found(state: &RegistryState, names: &[&str], full_names: bool) -> Vec<String> {
    shown(&resolve(state, &references(names), full_names, Purpose::Serving).unwrap())
}

fn served(state: &RegistryState, name: &str, full_names: bool) -> Result<Retrieval, Problem> {
    resolve(state, &Selection::of_service(name.to_owned()), full_names, Purpose::Serving)
}

/// The problem of a reference.
fn refused(state: &RegistryState, name: &str) -> Problem {
    resolve(state, &references(&[name]), false, Purpose::Serving).unwrap_err()
}

fn not_found(message: &str, help: Option<&str>) -> Problem {
    let subject = if message.contains("has no feature `") {
        Subject::Feature
    } else if message.contains("feature service") {
        Subject::FeatureService
    } else {
        Subject::FeatureView
    };
    Problem::new(Kind::NotFound, message, help.map(str::to_owned)).about(subject)
}

fn unsupported(message: &str, help: Option<&str>) -> Problem {
    Problem::new(Kind::Unsupported, message, help.map(str::to_owned))
}

fn foreign(kind: ObjectKind, name: &str) -> ForeignObject {
    let (id, reason) = (ObjectId::new(kind, name), "its functions are Python".to_owned());
    ForeignObject { id, reason, owner: String::new(), uses: Vec::new(), known: None }
}

#[test]
fn features_are_grouped_by_view_in_the_order_of_their_first_mention() {
    let state = views(&[&view("a", &["x", "y"]), &view("b", &["z"])]);
    assert_eq!(found(&state, &["b:z", "a:y", "a:x"], false), ["b z z", "a y y", "a x x"]);
    assert_eq!(found(&state, &["a:y", "b:z", "a:x"], false), ["a y y", "a x x", "b z z"]);
}

#[test]
fn full_names_begin_with_the_view() {
    let state = views(&[&view("a", &["x"]), &view("b", &["x"])]);
    assert_eq!(found(&state, &["a:x", "b@latest:x"], true), ["a x a__x", "b x b__x"]);
}

#[test]
fn features_of_one_name_need_full_names() {
    let state = views(&[&view("a", &["x", "y"]), &view("b", &["x", "y"])]);
    let problem = resolve(&state, &references(&["a:x", "a:y", "b:y", "b:x"]), false, Purpose::Serving).unwrap_err();
    assert_eq!(problem.message, "several features would be called `x`, `y`");
    assert_eq!((problem.kind, problem.advice), (Kind::Invalid, Some(Advice::QualifyNames)));
}

#[test]
fn one_feature_cannot_be_asked_for_twice() {
    let state = views(&[&view("a", &["x"])]);
    let problem = resolve(&state, &references(&["a:x", "a:x"]), true, Purpose::Serving).unwrap_err();
    assert_eq!(problem.message, "several features would be called `a__x`");
    assert_eq!(problem.help().as_deref(), Some("ask for each feature once"));
}

#[test]
fn full_names_of_different_features_may_be_the_same() {
    let state = views(&[&view("a", &["b__x"]), &view("a__b", &["x"])]);
    let problem = resolve(&state, &references(&["a:b__x", "a__b:x"]), true, Purpose::Serving).unwrap_err();
    assert_eq!(problem.message, "several features would be called `a__b__x`");
    assert_eq!(found(&state, &["a:b__x", "a__b:x"], false).len(), 2);
}

#[test]
fn asking_for_nothing_is_invalid() {
    let problem = resolve(&views(&[&view("a", &["x"])]), &references(&[]), false, Purpose::Serving).unwrap_err();
    assert_eq!((problem.kind, problem.advice), (Kind::Invalid, Some(Advice::NameFeatures)));
}

#[test]
fn unknown_views_and_features_are_told_with_the_nearest_name() {
    let state = views(&[&view("drivers", &["rating", "trips"]), &view("weather", &["rain"])]);
    assert_eq!(
        refused(&state, "driver:rating"),
        not_found("there is no feature view `driver`", Some("did you mean `drivers`?"))
    );
    assert_eq!(
        refused(&state, "drivers:rateing"),
        not_found("feature view `drivers` has no feature `rateing`", Some("did you mean `rating`?"))
    );
    // Names are told apart by case.
    assert_eq!(
        refused(&state, "Drivers:rating"),
        not_found("there is no feature view `Drivers`", Some("did you mean `drivers`?"))
    );
}

#[test]
fn where_nothing_is_registered_an_apply_is_due() {
    let empty = RegistryState::default();
    let fill = |message| not_found(message, None).advise(Advice::FillRegistry);
    assert_eq!(refused(&empty, "a:x"), fill("there is no feature view `a`"));
    assert_eq!(served(&empty, "s", false).unwrap_err(), fill("there is no feature service `s`"));
}

#[test]
fn features_after_one_view_are_told_to_need_it_each() {
    let state = views(&[&view("a", &["x", "y"])]);
    let (message, help) = ("feature view `a` has no feature `x,y`", "write each feature with its view: a:x,a:y");
    assert_eq!(refused(&state, "a:x,y"), not_found(message, Some(help)));
}

#[test]
fn there_is_no_reference_to_all_features_of_a_view() {
    assert_eq!(refused(&views(&[&view("a", &["x"])]), "a:*").message, "feature view `a` has no feature `*`");
}

#[test]
fn a_name_with_a_version_is_a_view_of_that_name_or_not_supported() {
    let state = views(&[&view("a", &["x"]), &view("odd@v1", &["x"])]);
    assert_eq!(refused(&state, "a@v2:x"), unsupported("versions of views (`a@v2`) are not supported yet", None));
    assert_eq!(found(&state, &["odd@v1:x"], false), ["odd@v1 x x"]);
}

#[test]
fn stream_views_are_read_like_plain_ones() {
    let plain = FeatureView { ttl: Ttl::from_micros(5), ..view("a", &["x"]) };
    let state = registered([Object::StreamFeatureView(stream_view(&plain))]);
    let retrieval = resolve(&state, &references(&["a:x"]), false, Purpose::Serving).unwrap();
    assert_eq!(retrieval, resolve(&views(&[&plain]), &references(&["a:x"]), false, Purpose::Serving).unwrap());
}

#[test]
fn labels_are_not_served() {
    let state = registered([Object::LabelView(label_view("labels"))]);
    let message = "`labels` is a label view, and reading labels is not supported yet";
    assert_eq!(refused(&state, "labels:x"), unsupported(message, None));
}

/// `view feature output` of what is fetched, with a mark where not everybody sees it; behind it what is computed.
fn fetched(state: &RegistryState, selection: &Selection, full_names: bool, purpose: Purpose) -> Vec<String> {
    let retrieval = resolve(state, selection, full_names, purpose).unwrap();
    let marks = retrieval.fetched().map(|feature| match feature.shown {
        Shown::Always => "",
        Shown::InTraining => " *",
        Shown::Never => " -",
    });
    let fetched = shown(&retrieval).into_iter().zip(marks).map(|(shown, mark)| format!("{shown}{mark}"));
    fetched.chain(retrieval.computed().map(str::to_owned)).collect()
}

/// `sum` and `twice` over `a` with `x`, `y`, `z` and over the request's `tip`.
fn computing(a: &FeatureView) -> OnDemandFeatureView {
    let sources = vec![OnDemandSource::View(projection(a)), request("r", &[("tip", DataType::Int64)])];
    computed(sources, &[("sum", DataType::Int64, "x + tip"), ("twice", DataType::Int64, "a__y * 2")])
}

#[test]
fn what_a_view_is_computed_of_is_fetched_besides() {
    let a = view("a", &["x", "y", "z"]);
    let state = registered([Object::FeatureView(a.clone()), Object::OnDemandFeatureView(computing(&a))]);
    let asked =
        |names: &[&str], full_names: bool, purpose: Purpose| fetched(&state, &references(names), full_names, purpose);
    // Serving fetches what the outputs that are asked for need.
    assert_eq!(asked(&["computed:sum"], false, Purpose::Serving), ["a x x *", "sum"]);
    assert_eq!(
        asked(&["computed:twice", "a:z"], true, Purpose::Serving),
        ["a z a__z", "a y a__y *", "computed__twice"]
    );
    // Training data has all features of the sources, those that were asked for first.
    assert_eq!(asked(&["computed:sum", "a:z"], false, Purpose::Training), ["a z z", "a x x *", "a y y *", "sum"]);
    // Outputs come in declared order.
    assert_eq!(asked(&["computed:twice", "computed:sum"], false, Purpose::Serving)[2..], ["sum", "twice"]);
    let retrieval = resolve(&state, &references(&["computed:sum"]), false, Purpose::Serving).unwrap();
    assert_eq!(retrieval.request_fields(), [(&Field::new("tip", DataType::Int64), "computed")]);
    assert_eq!(retrieval.on_demand[0].inputs[0].from, InputFrom::Feature(0, 0));
}

#[test]
fn inputs_give_way_to_columns_of_their_name() {
    let (a, b) = (view("a", &["x", "y"]), view("b", &["x"]));
    let state = registered([
        Object::FeatureView(a.clone()),
        Object::FeatureView(b),
        Object::OnDemandFeatureView(computing(&view("a", &["x", "y"]))),
    ]);
    let found = fetched(&state, &references(&["b:x", "computed:sum"]), false, Purpose::Training);
    assert_eq!(found, ["b x x", "a x a__x -", "a y y *", "sum"]);
}

#[test]
fn services_may_have_computed_features_under_other_names() {
    let a = view("a", &["x", "y"]);
    let view = computing(&a);
    let all = Projection {
        view: view.name.clone(),
        features: view.features.clone(),
        name_alias: None,
        join_key_map: BTreeMap::new(),
        source: None,
        labels: false,
    };
    let today =
        Projection { name_alias: Some("today".to_owned()), features: view.features[1..].to_vec(), ..all.clone() };
    let state = registered([Object::FeatureView(a.clone()), Object::OnDemandFeatureView(view)]);
    let state = with_service(state, FeatureService { features: vec![all, today, projection(&a)], ..service("s", &[]) });
    let found = fetched(&state, &Selection::of_service("s"), true, Purpose::Serving);
    assert_eq!(found, ["a x a__x", "a y a__y", "computed__sum", "computed__twice", "today__twice"]);
}

#[test]
fn what_is_written_is_read_and_computed_for_training_only() {
    let a = view("a", &["x", "y"]);
    let written = OnDemandFeatureView { write_to_online_store: true, ..computing(&a) };
    let state = registered([Object::FeatureView(a), Object::OnDemandFeatureView(written)]);
    let asked = |purpose| fetched(&state, &references(&["computed:sum"]), false, purpose);
    assert_eq!(asked(Purpose::Serving), ["computed sum sum"]);
    assert_eq!(asked(Purpose::Training), ["a x x *", "a y y *", "sum"]);
}

#[test]
fn what_cannot_be_computed_is_said() {
    let a = view("a", &["x", "y"]);
    let problem = |objects: Vec<Object>, name: &str| refused(&registered(objects), name).message;
    let plain = || Object::FeatureView(a.clone());
    let view = computing(&a);
    let computed = |view: OnDemandFeatureView| Object::OnDemandFeatureView(view);
    assert_eq!(
        problem(vec![plain(), computed(view.clone())], "computed:summ"),
        "feature view `computed` has no feature `summ`"
    );
    let disabled = OnDemandFeatureView { enabled: false, ..view.clone() };
    assert_eq!(
        problem(vec![plain(), computed(disabled)], "computed:sum"),
        "on demand feature view computed is disabled"
    );
    assert_eq!(
        problem(vec![computed(view.clone())], "computed:sum"),
        "on demand feature view `computed` cannot be computed: there is no feature view `a`"
    );
    let mut state = registered([plain()]);
    state.foreign.push(foreign(ObjectKind::OnDemandFeatureView, "o"));
    assert!(refused(&state, "o:x").message.contains("its functions are Python"));
}

#[test]
fn disabled_views_are_not_served_whether_plain_or_stream() {
    let disabled = |message| {
        Problem::new(Kind::Conflict, message, "set `enabled: true` in its definition and apply it".to_owned())
    };
    let plain = FeatureView { enabled: false, ..view("a", &["x"]) };
    assert_eq!(refused(&views(&[&plain]), "a:x"), disabled("feature view a is disabled"));
    let stream = crate::model::StreamFeatureView { enabled: false, ..stream_view(&plain) };
    let state = registered([Object::StreamFeatureView(stream)]);
    assert_eq!(refused(&state, "a:x"), disabled("stream feature view a is disabled"));
}

#[test]
fn what_feastr_does_not_manage_is_refused_with_the_reason() {
    let kinds = [ObjectKind::FeatureView, ObjectKind::FeatureService];
    let state = RegistryState { foreign: kinds.map(|kind| foreign(kind, "py")).into(), ..RegistryState::default() };
    let message = "feature view py cannot be served: its functions are Python";
    assert_eq!(refused(&state, "py:x"), unsupported(message, None));
    let message = "feature service py cannot be served: its functions are Python";
    assert_eq!(served(&state, "py", false).unwrap_err(), unsupported(message, None));
}

#[test]
fn services_select_features_in_their_order() {
    let (a, b) = (view("a", &["x", "y"]), view("b", &["z"]));
    let mut selecting = service("s", &[&b, &a]);
    selecting.features[1].features.reverse();
    let state = with_service(views(&[&a, &b]), selecting);
    assert_eq!(shown(&served(&state, "s", false).unwrap()), ["b z z", "a y y", "a x x"]);
}

#[test]
fn an_alias_stands_for_the_view_in_full_names_only() {
    let a = view("a", &["x"]);
    let mut selecting = service("s", &[&a]);
    selecting.features[0].name_alias = Some("other".to_owned());
    let state = with_service(views(&[&a]), selecting);
    assert_eq!(shown(&served(&state, "s", true).unwrap()), ["a x other__x"]);
    assert_eq!(shown(&served(&state, "s", false).unwrap()), ["a x x"]);
}

#[test]
fn a_service_may_ask_about_one_view_twice_under_other_keys() {
    let a = view("a", &["x"]);
    let mut selecting = service("s", &[&a, &a]);
    for (member, name) in selecting.features.iter_mut().zip(["first", "second"]) {
        member.name_alias = Some(name.to_owned());
        member.join_key_map.insert("driver_id".to_owned(), format!("{name}_id"));
    }
    let state = with_service(views(&[&a]), selecting);
    let retrieval = served(&state, "s", true).unwrap();
    assert_eq!(shown(&retrieval), ["a x first__x", "a x second__x"]);
    let columns: Vec<&str> = retrieval.entity_columns().iter().map(|key| key.column.as_str()).collect();
    assert_eq!(columns, ["first_id", "second_id"]);
    // The view's own column stays what it is.
    assert!(retrieval.views.iter().all(|view| view.join_keys[0].field.name == "driver_id"));
    assert_eq!(served(&state, "s", false).unwrap_err().message, "several features would be called `x`");
}

#[test]
fn a_service_gives_features_as_their_views_have_them_now() {
    let before = view("a", &["x"]);
    let state = with_service(
        views(&[&FeatureView { features: vec![Field::new("x", DataType::String)], ..before.clone() }]),
        service("s", &[&before]),
    );
    assert_eq!(served(&state, "s", false).unwrap().views[0].features[0].field.dtype, DataType::String);
}

#[test]
fn a_service_whose_feature_or_view_is_gone_cannot_be_served() {
    let (before, after) = (view("a", &["x", "y"]), view("a", &["x"]));
    let selecting = service("s", &[&before]);
    let problem = served(&with_service(views(&[&after]), selecting.clone()), "s", false).unwrap_err();
    assert_eq!(problem.message, "feature service `s` selects `a:y`, which is gone");
    assert!(problem.kind == Kind::Conflict && matches!(problem.advice, Some(Advice::ApplyService(_))), "{problem:?}");
    let problem = served(&with_service(views(&[&view("b", &["z"])]), selecting), "s", false).unwrap_err();
    assert_eq!((problem.kind, problem.message.as_str()), (Kind::NotFound, "there is no feature view `a`"));
}

#[test]
fn a_service_needs_features_and_its_right_name() {
    let state = with_service(views(&[&view("a", &["x"])]), service("model", &[]));
    let problem = served(&state, "model", false).unwrap_err();
    assert_eq!(problem, Problem::new(Kind::Invalid, "feature service `model` selects no features", None));
    let problem = served(&state, "modell", false).unwrap_err();
    assert_eq!(problem, not_found("there is no feature service `modell`", Some("did you mean `model`?")));
}

#[test]
fn a_service_is_not_a_view_of_its_name() {
    let state = with_service(views(&[&view("a", &["x"])]), service("s", &[]));
    assert_eq!(refused(&state, "s:x").message, "there is no feature view `s`");
    assert_eq!(served(&state, "a", false).unwrap_err().message, "there is no feature service `a`");
}

#[test]
fn views_without_entities_need_no_columns() {
    let whole = FeatureView {
        entities: vec![DUMMY_ENTITY.to_owned()],
        entity_columns: vec![Field::new(DUMMY_JOIN_KEY, DataType::String)],
        ..view("whole", &["x"])
    };
    let retrieval = resolve(&views(&[&whole]), &references(&["whole:x"]), false, Purpose::Serving).unwrap();
    assert_eq!(retrieval.entity_columns(), Vec::<&JoinKey>::new());
}

#[test]
fn a_column_is_asked_for_once_and_in_each_of_its_types() {
    let texts = FeatureView { entity_columns: vec![Field::new("driver_id", DataType::String)], ..view("c", &["z"]) };
    let state = views(&[&view("a", &["x"]), &view("b", &["y"]), &texts]);
    let retrieval = resolve(&state, &references(&["a:x", "b:y", "c:z"]), false, Purpose::Serving).unwrap();
    assert_eq!(retrieval.entity_columns().len(), 1);
    let types: Vec<&DataType> = retrieval.typed_entity_columns().iter().map(|key| &key.field.dtype).collect();
    assert_eq!(types, [&DataType::Int64, &DataType::String]);
}

#[test]
fn a_mapped_key_may_be_the_column_of_another_view() {
    let (a, b) = (view("a", &["x"]), view("b", &["y"]));
    let mut selecting = service("s", &[&a, &b]);
    selecting.features[1] = crate::model::Projection {
        join_key_map: [("driver_id".to_owned(), "rider_id".to_owned())].into(),
        ..projection(&b)
    };
    let state = with_service(views(&[&a, &b]), selecting);
    let retrieval = served(&state, "s", false).unwrap();
    let columns: Vec<&str> = retrieval.entity_columns().iter().map(|key| key.column.as_str()).collect();
    assert_eq!(columns, ["driver_id", "rider_id"]);
}
