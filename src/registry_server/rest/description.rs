//! What can be asked, in the words of OpenAPI.

use serde_json::{Map, Value as Json, json};

use super::{
    parameters::{Parameter, Values},
    route::{Route, Verb},
    routes::ROUTES,
};

/// The description; with tokens where people are asked who they are.
pub(super) fn description(is_guarded: bool) -> Json {
    let mut paths: Map<String, Json> = Map::new();
    for route in &ROUTES {
        let path = route.path.replace("{*", "{");
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[method(route.verb)] = operation(route);
    }
    let mut api = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "feastr",
            "description": "What is registered, in the protocol of Feast's registry server",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "paths": paths,
        "components": {"schemas": {"Refusal": {
            "type": "object",
            "required": ["status_code", "detail", "error_type"],
            "properties": {
                "status_code": {"type": "integer", "description": "The status of the answer"},
                "detail": {"type": "string", "description": "What is wrong, and what to do"},
                "error_type": {"type": "string", "description": "Feast's class of such failures"},
            },
        }}},
    });
    if is_guarded {
        api["components"]["securitySchemes"] =
            json!({"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}});
        api["security"] = json!([{"token": []}]);
    }
    api
}

const fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "get",
        Verb::Post | Verb::Create => "post",
        Verb::Delete => "delete",
    }
}

fn operation(route: &Route) -> Json {
    let names = route.names().map(|name| {
        let name = name.trim_start_matches('*');
        json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
    });
    let parameters: Vec<Json> = names.chain(route.parameters().map(parameter)).collect();
    let (status, done) = match route.verb {
        Verb::Create => ("201", "It is registered"),
        _ => ("200", route.about),
    };
    let refusal = json!({"description": "Why it is not answered", "content": {"application/json": {"schema": {
        "$ref": "#/components/schemas/Refusal",
    }}}});
    let tag = route.path.split('/').nth(1).unwrap_or_default();
    let mut operation = json!({
        "tags": [tag],
        "summary": route.about,
        "parameters": parameters,
        "responses": {
            status: {"description": done, "content": {"application/json": {"schema": {"type": "object"}}}},
            "4XX": refusal,
            "5XX": refusal,
        },
    });
    if let Some(schema) = route.body {
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema()}}});
    }
    operation
}

fn parameter(parameter: &Parameter) -> Json {
    let schema = match parameter.values {
        Values::Text => json!({"type": "string"}),
        Values::Texts | Values::Tags => json!({"type": "array", "items": {"type": "string"}}),
        Values::Flag(default) => json!({"type": "boolean", "default": default}),
        Values::Number(most) => json!({"type": "integer", "minimum": 1, "maximum": most}),
        Values::Words(words) => json!({"type": "string", "enum": words}),
    };
    json!({
        "name": parameter.name,
        "in": "query",
        "description": parameter.about,
        "required": parameter.is_required,
        "schema": schema,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_once() {
        let api = description(true);
        let operations: usize =
            api["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(operations, ROUTES.len());
        assert_eq!(api["paths"]["/entities"]["post"]["responses"]["201"]["description"], "It is registered");
        assert!(api["security"].is_array() && description(false)["security"].is_null());
    }
}
