//! The API as an OpenAPI document.

use axum::Json;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::guard::MEANT;
use super::routes::{Content, Route, routes};
use super::types::{
    Acknowledged, AuditPage, AuditVerified, Credentials, Done, Feedback, FirstAdministrator,
    MadeToken, NewNote, NewPassword, NewThresholds, NewToken, NewUser, Problem, Quality, Session,
    ShownRevision, Study, StudyDelivery, StudyList, StudyMaps, StudyReading, StudyRevision,
    StudyView, System, ThresholdsNow, Token, User, UserChange,
};

fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
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
    let json_of = |schema: Value| json!({ "description": route.summary, "content": { "application/json": { "schema": schema } } });
    let success = match route.answer {
        Content::Json => json_of(json!({ "type": "object" })),
        Content::One(name) => json_of(named(name)),
        Content::List(name) => json_of(json!({ "type": "array", "items": named(name) })),
        Content::Text(kind, what) => json!({
            "description": what, "content": { kind: { "schema": { "type": "string" } } },
        }),
        Content::Bytes(kind, what) => json!({
            "description": what,
            "content": { kind: { "schema": { "type": "string", "format": "binary" } } },
        }),
    };
    let problem = json!({
        "description": "What is wrong and what to do",
        "content": { "application/json": { "schema": named("Problem") } },
    });
    let mut operation = json!({
        "summary": route.summary,
        "description": route.access.in_words(),
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
    add::<Acknowledged>(&mut generator);
    add::<AuditPage>(&mut generator);
    add::<AuditVerified>(&mut generator);
    add::<Credentials>(&mut generator);
    add::<Done>(&mut generator);
    add::<Feedback>(&mut generator);
    add::<FirstAdministrator>(&mut generator);
    add::<MadeToken>(&mut generator);
    add::<NewNote>(&mut generator);
    add::<NewPassword>(&mut generator);
    add::<NewThresholds>(&mut generator);
    add::<NewToken>(&mut generator);
    add::<NewUser>(&mut generator);
    add::<Problem>(&mut generator);
    add::<Quality>(&mut generator);
    add::<Session>(&mut generator);
    add::<ShownRevision>(&mut generator);
    add::<Study>(&mut generator);
    add::<StudyDelivery>(&mut generator);
    add::<StudyList>(&mut generator);
    add::<StudyMaps>(&mut generator);
    add::<StudyReading>(&mut generator);
    add::<StudyRevision>(&mut generator);
    add::<StudyView>(&mut generator);
    add::<System>(&mut generator);
    add::<ThresholdsNow>(&mut generator);
    add::<Token>(&mut generator);
    add::<User>(&mut generator);
    add::<UserChange>(&mut generator);
    Value::Object(generator.take_definitions(true))
}

/// The document.
pub(super) async fn get() -> Json<Value> {
    Json(openapi())
}
