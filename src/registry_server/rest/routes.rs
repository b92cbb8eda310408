//! All that can be asked.

use super::{
    collection::{
        ANY_VIEW, DATA_SOURCES, ENTITIES, FEATURE_SERVICES, FEATURE_VIEWS, LABEL_VIEWS, PERMISSIONS, SAVED_DATASETS,
    },
    datasets, engines, features, lineage, metrics, objects,
    parameters::{
        ALLOW_CACHE, ANY_PROJECT, COLLECTION, ENTITY, FEATURE, HIT_ORDER, INDIRECT, LIMIT, NAME, NAMESPACE, OBJECT,
        OBJECT_NAME, OBJECT_TYPE, PAGE, PROJECT, PROJECTS, Parameter, QUERY, RELATIONSHIPS, SERVICE, SORT_BY,
        SORT_ORDER, SOURCE, STATUS, TAGS, UPDATED_SINCE, VIEW,
    },
    posted,
    route::{Route, Verb},
    search, server,
};

/// What lists can be told.
const LIST: &[Parameter] = &[ALLOW_CACHE, PAGE, LIMIT, SORT_BY, SORT_ORDER];
/// What is told of one object.
const ONE: &[Parameter] = &[PROJECT, ALLOW_CACHE, RELATIONSHIPS];
const IN_PROJECT: &[Parameter] = &[PROJECT];
const RELATED: &[Parameter] = &[RELATIONSHIPS];
const TAGGED: &[Parameter] = &[TAGS];

/// All of them. A path of words comes before one with a name in its place.
pub(super) static ROUTES: [Route; 59] = [
    Route::get("/version", "The version of the server", server::version),
    Route::get("/entities", "The entities of a project", objects::list)
        .of(&ENTITIES)
        .with(&[IN_PROJECT, LIST, RELATED, TAGGED]),
    Route::get("/entities", "Puts an entity into a project", posted::entity)
        .by(Verb::Create)
        .taking(posted::entity_schema),
    Route::get("/entities/all", "The entities of all projects", objects::list_all).of(&ENTITIES).with(&[LIST, RELATED]),
    Route::get("/entities/{name}", "An entity, with the sources of its views", objects::get).of(&ENTITIES).with(&[ONE]),
    Route::get("/entities/{name}", "Removes an entity", posted::delete)
        .by(Verb::Delete)
        .of(&ENTITIES)
        .with(&[IN_PROJECT]),
    Route::get("/data_sources", "The data sources of a project", objects::list)
        .of(&DATA_SOURCES)
        .with(&[IN_PROJECT, LIST, RELATED, TAGGED]),
    Route::get("/data_sources", "Puts a data source into a project", posted::data_source)
        .by(Verb::Create)
        .taking(posted::data_source_schema),
    Route::get("/data_sources/all", "The data sources of all projects", objects::list_all)
        .of(&DATA_SOURCES)
        .with(&[LIST, RELATED]),
    Route::get("/data_sources/{name}", "A data source", objects::get).of(&DATA_SOURCES).with(&[ONE]),
    Route::get("/data_sources/{name}", "Removes a data source", posted::delete)
        .by(Verb::Delete)
        .of(&DATA_SOURCES)
        .with(&[IN_PROJECT]),
    Route::get("/feature_views", "The views of a project, but for label views", objects::list)
        .of(&FEATURE_VIEWS)
        .with(&[IN_PROJECT, LIST, RELATED, TAGGED, &[ENTITY, FEATURE, SERVICE, SOURCE, UPDATED_SINCE]]),
    Route::get("/feature_views", "Puts a feature view into a project", posted::feature_view)
        .by(Verb::Create)
        .taking(posted::feature_view_schema),
    Route::get("/feature_views/all", "The views of all projects, but for label views", objects::list_all)
        .of(&FEATURE_VIEWS)
        .with(&[LIST, RELATED]),
    Route::get("/feature_views/{name}", "A view of any kind", objects::get).of(&ANY_VIEW).with(&[ONE]),
    Route::get("/feature_views/{name}", "Removes a view", posted::delete)
        .by(Verb::Delete)
        .of(&ANY_VIEW)
        .with(&[IN_PROJECT]),
    Route::get("/label_views", "The label views of a project", objects::list)
        .of(&LABEL_VIEWS)
        .with(&[IN_PROJECT, LIST, RELATED, TAGGED]),
    Route::get("/label_views/all", "The label views of all projects", objects::list_all)
        .of(&LABEL_VIEWS)
        .with(&[LIST, RELATED]),
    Route::get("/label_views/{name}", "A label view", objects::get).of(&LABEL_VIEWS).with(&[ONE]),
    Route::get("/feature_services", "The feature services of a project", objects::list).of(&FEATURE_SERVICES).with(&[
        IN_PROJECT,
        LIST,
        RELATED,
        TAGGED,
        &[VIEW],
    ]),
    Route::get("/feature_services", "Puts a feature service into a project", posted::feature_service)
        .by(Verb::Create)
        .taking(posted::feature_service_schema),
    Route::get("/feature_services/all", "The feature services of all projects", objects::list_all)
        .of(&FEATURE_SERVICES)
        .with(&[LIST, RELATED]),
    Route::get("/feature_services/{name}", "A feature service", objects::get).of(&FEATURE_SERVICES).with(&[ONE]),
    Route::get("/feature_services/{name}", "Removes a feature service", posted::delete)
        .by(Verb::Delete)
        .of(&FEATURE_SERVICES)
        .with(&[IN_PROJECT]),
    Route::get("/features", "The features of a project", features::list_features).with(&[
        IN_PROJECT,
        LIST,
        RELATED,
        &[VIEW, NAME],
    ]),
    Route::get("/features/all", "The features of all projects", features::all_features).with(&[LIST, RELATED]),
    Route::get("/features/{feature_view}/{name}", "A feature of a view, or a label", features::get).with(&[ONE]),
    Route::get("/labels", "The labels of a project", features::list_labels).with(&[
        IN_PROJECT,
        LIST,
        RELATED,
        &[VIEW, NAME],
    ]),
    Route::get("/labels/all", "The labels of all projects", features::all_labels).with(&[LIST, RELATED]),
    Route::get("/saved_datasets", "The saved datasets of a project", objects::list).of(&SAVED_DATASETS).with(&[
        IN_PROJECT,
        LIST,
        RELATED,
        TAGGED,
        &[NAMESPACE, COLLECTION],
    ]),
    Route::get("/saved_datasets", "Puts a saved dataset, whose rows are there, into a project", posted::saved_dataset)
        .by(Verb::Post)
        .taking(posted::saved_dataset_schema),
    Route::get("/saved_datasets/all", "The saved datasets of all projects", objects::list_all)
        .of(&SAVED_DATASETS)
        .with(&[LIST, RELATED, &[NAMESPACE, COLLECTION]]),
    Route::get("/saved_datasets/create", "Begins to make a dataset of features", datasets::create)
        .by(Verb::Post)
        .taking(datasets::schema),
    Route::get("/saved_datasets/data/{name}", "The first rows of a saved dataset", datasets::data)
        .with(&[IN_PROJECT, &[LIMIT]]),
    Route::get("/saved_datasets/jobs", "The datasets that are made, or were", datasets::jobs)
        .with(&[&[ANY_PROJECT, STATUS]]),
    Route::get("/saved_datasets/jobs/{job_id}", "How far a dataset is", datasets::job),
    Route::get("/saved_datasets/{name}", "A saved dataset", objects::get).of(&SAVED_DATASETS).with(&[ONE]),
    Route::get("/saved_datasets/{name}", "Removes a saved dataset; its rows stay", posted::delete)
        .by(Verb::Delete)
        .of(&SAVED_DATASETS)
        .with(&[IN_PROJECT]),
    Route::get("/permissions", "The permissions of a project", objects::list)
        .of(&PERMISSIONS)
        .with(&[IN_PROJECT, LIST, RELATED]),
    Route::get("/permissions", "Puts a permission into a project", posted::permission)
        .by(Verb::Create)
        .taking(posted::permission_schema),
    Route::get("/permissions/{name}", "A permission", objects::get).of(&PERMISSIONS).with(&[ONE]),
    Route::get("/permissions/{name}", "Removes a permission", posted::delete)
        .by(Verb::Delete)
        .of(&PERMISSIONS)
        .with(&[IN_PROJECT]),
    Route::get("/projects", "All projects", objects::list_projects).with(&[LIST]),
    Route::get("/projects/{name}", "A project", objects::get_project).with(&[&[ALLOW_CACHE]]),
    Route::get("/registry/refresh", "Has the server look at the registry", server::refresh).by(Verb::Post),
    Route::get("/lineage/registry", "What is made of what in a project", lineage::registry).with(&[
        IN_PROJECT,
        LIST,
        &[OBJECT_TYPE, OBJECT_NAME],
    ]),
    Route::get("/lineage/registry/all", "What is made of what in all projects", lineage::registry_of_all).with(&[&[
        ALLOW_CACHE,
        OBJECT_TYPE,
        OBJECT_NAME,
    ]]),
    Route::get("/lineage/objects/{object_type}/{object_name}", "The relationships of one thing", lineage::object)
        .with(&[IN_PROJECT, LIST, &[INDIRECT]]),
    Route::get("/lineage/complete", "All objects of a project, with what is made of what", lineage::complete)
        .with(&[IN_PROJECT, LIST]),
    Route::get(
        "/lineage/complete/all",
        "All objects of all projects, with what is made of what",
        lineage::complete_of_all,
    )
    .with(&[&[ALLOW_CACHE]]),
    Route::get("/search", "Objects and features in which a text is, the best first", search::search).with(&[&[
        QUERY,
        PROJECTS,
        ALLOW_CACHE,
        TAGS,
        PAGE,
        LIMIT,
        HIT_ORDER,
        SORT_ORDER,
    ]]),
    Route::get("/metrics/resource_counts", "How many objects there are", metrics::resource_counts)
        .with(&[&[ANY_PROJECT, ALLOW_CACHE]]),
    Route::get("/metrics/popular_tags", "The labels that most views have", metrics::tags).with(&[&[
        ANY_PROJECT,
        LIMIT,
        ALLOW_CACHE,
    ]]),
    Route::get("/metrics/recently_visited", "What who asks has looked at", metrics::recently_visited)
        .with(&[&[ANY_PROJECT, OBJECT], LIST]),
    Route::get("/compute_engines", "Who computes for a project, and what was materialized", engines::engine)
        .with(&[&[PROJECT, ALLOW_CACHE]]),
    Route::get("/compute_engines/all", "Who computes for all projects", engines::engines).with(&[&[
        ALLOW_CACHE,
        PAGE,
        LIMIT,
    ]]),
    Route::get("/materialization_jobs", "What was materialized, the latest first", engines::jobs).with(&[
        IN_PROJECT,
        LIST,
        &[STATUS, VIEW],
    ]),
    Route::get("/monitoring/{*what}", "Not supported: statistics of features", server::monitoring),
    Route::get("/monitoring/{*what}", "Not supported: computing statistics", server::monitoring).by(Verb::Post),
];
