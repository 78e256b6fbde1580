//! The API as an OpenAPI document.

use axum::Json;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::guard::MEANT;
use super::types::{
    Done, NewThresholds, Problem, Study, StudyDelivery, StudyList, StudyRevision, ThresholdsNow,
    Who,
};

/// A route: method, path, what it does, the schema of its body and of its answer.
struct Route {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    query: &'static [(&'static str, &'static str)],
    body: Option<&'static str>,
    answer: Result<Value, (&'static str, &'static str)>,
}

/// Filters of the list.
const FILTERS: [(&str, &str); 6] = [
    ("state", "Studies of this state only"),
    ("class", "Studies of this class only"),
    ("since", "Studies whose last image came then or later (RFC 3339)"),
    ("q", "Studies with this in patient, accession number, description or UID"),
    ("limit", "At most so many, 1 to 200; 50 if absent"),
    ("after", "The cursor that the page before gave as `next`"),
];

fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn list_of(name: &str) -> Value {
    json!({ "type": "array", "items": named(name) })
}

fn routes() -> Vec<Route> {
    let get = |path, summary, answer| Route {
        method: "get",
        path,
        summary,
        query: &[],
        body: None,
        answer: Ok(answer),
    };
    let post = |path, summary, body| Route {
        method: "post",
        path,
        summary,
        query: &[],
        body: Some(body),
        answer: Ok(named("Done")),
    };
    let text = |path, summary, kind, what| Route {
        answer: Err((kind, what)),
        ..get(path, summary, Value::Null)
    };
    vec![
        Route { query: &FILTERS, ..get("/api/v1/studies", "The ranked list", named("StudyList")) },
        get("/api/v1/studies/{uid}", "One study", named("Study")),
        Route {
            query: &[("revision", "Of this revision; the newest if absent")],
            ..get(
                "/api/v1/studies/{uid}/result",
                "Its result, as `hemora triage` writes it (result-1.schema.json)",
                json!({ "type": "object" }),
            )
        },
        get(
            "/api/v1/studies/{uid}/revisions",
            "Its revisions, oldest first",
            list_of("StudyRevision"),
        ),
        get("/api/v1/studies/{uid}/deliveries", "What is sent of it", list_of("StudyDelivery")),
        post("/api/v1/studies/{uid}/rescore", "Scores it again", "Who"),
        post("/api/v1/studies/{uid}/deliveries/{id}/retry", "Sends a delivery now", "Who"),
        get("/api/v1/thresholds", "The thresholds of the site", named("ThresholdsNow")),
        post("/api/v1/thresholds", "Sets the thresholds of the site", "NewThresholds"),
        text(
            "/api/v1/events",
            "Says when the list changed",
            "text/event-stream",
            "Events `change`",
        ),
        get("/api/v1/openapi.json", "This document", json!({ "type": "object" })),
        text("/", "The ranked list as a page", "text/html", "A page"),
        text("/metrics", "Figures for Prometheus", "text/plain", "Prometheus' text format"),
        text("/live", "Whether the program runs", "text/plain", "It runs"),
        text("/ready", "Whether images are taken and scored", "text/plain", "They are"),
    ]
}

/// The document, `schemas/node-1.openapi.json`.
pub fn openapi() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method] = operation(&route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hemora node",
            "version": "1",
            "description": hemora_ct::NOTICE,
        },
        "paths": paths,
        "components": { "schemas": schemas() },
    })
}

fn operation(route: &Route) -> Value {
    let in_path =
        route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(route.query.iter().map(|(name, description)| {
        json!({ "name": name, "in": "query", "description": description, "schema": { "type": "string" } })
    }));
    if route.method == "post" {
        parameters.push(json!({
            "name": MEANT, "in": "header", "required": true, "schema": { "type": "string" },
            "description": "Any value: says that the change is meant",
        }));
    }
    let success = match &route.answer {
        Ok(schema) => json!({
            "description": route.summary, "content": { "application/json": { "schema": schema } },
        }),
        Err((kind, what)) => json!({
            "description": what, "content": { *kind: { "schema": { "type": "string" } } },
        }),
    };
    let problem = json!({
        "description": "What is wrong and what to do",
        "content": { "application/json": { "schema": named("Problem") } },
    });
    let mut operation = json!({
        "summary": route.summary,
        "parameters": parameters,
        "responses": { "200": success, "default": problem },
    });
    if let Some(body) = route.body {
        let content = json!({ "application/json": { "schema": named(body) } });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

fn schemas() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    fn add<T: JsonSchema>(generator: &mut schemars::SchemaGenerator) {
        generator.subschema_for::<T>();
    }
    add::<StudyList>(&mut generator);
    add::<Study>(&mut generator);
    add::<StudyRevision>(&mut generator);
    add::<StudyDelivery>(&mut generator);
    add::<Who>(&mut generator);
    add::<NewThresholds>(&mut generator);
    add::<ThresholdsNow>(&mut generator);
    add::<Done>(&mut generator);
    add::<Problem>(&mut generator);
    Value::Object(generator.take_definitions(true))
}

/// The document.
pub(super) async fn get() -> Json<Value> {
    Json(openapi())
}
