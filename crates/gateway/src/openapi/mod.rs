//! The OpenAPI 3.1 document, made from the table of operations and from the types that are answered.

mod headers;
mod operations;
mod schemas;

use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use operations::{Auth, HEAD_LARGE, LARGE, MALFORMED, Media, OPERATIONS, Operation};

use crate::encoding::Forms;
use crate::path_part::fits;

/// The types of answers, as schemas.
#[derive(OpenApi)]
#[openapi(components(schemas(
    crate::admin::orders::OperatorOrder,
    crate::admin::report::AuditReport,
    crate::admin::report::OperatorSale,
    crate::api::checkout::Accepted,
    crate::api::sale::PublicSale,
    crate::api::sessions::NewSession,
    crate::api::status::Document,
    crate::problem::FieldError,
)))]
struct Types;

/// The document as JSON text.
#[must_use]
pub fn document() -> &'static Forms {
    static DOCUMENT: OnceLock<Forms> = OnceLock::new();
    DOCUMENT.get_or_init(|| Forms::of(made().to_string()))
}

fn made() -> Value {
    let types = serde_json::to_value(Types::openapi()).unwrap_or_default();
    let mut schemas = types["components"]["schemas"].as_object().cloned().unwrap_or_default();
    schemas::complete(&mut schemas);
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = operation_object(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "tzero",
            "description": "Flash sales: exactly the stock there is, to the second. Times are RFC 3339 in UTC with \
                            milliseconds; money is a decimal string and an ISO 4217 code.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": { "type": "http", "scheme": "bearer", "description": "A buyer's session." },
                "operator": { "type": "http", "scheme": "bearer", "description": "The operator's token." },
            },
        },
    })
}

/// The members that the query of an operation may have; `None` where there is no such operation.
pub(crate) fn query_members(method: &http::Method, path: &str) -> Option<Vec<&'static str>> {
    let method = if method == http::Method::HEAD { "GET" } else { method.as_str() };
    let is = |each: &&Operation| each.method.eq_ignore_ascii_case(method) && fits(each.path, path);
    let found = OPERATIONS.iter().find(is)?;
    Some(found.query.iter().map(|(name, ..)| *name).collect())
}

fn operation_object(operation: &Operation) -> Value {
    let mut object = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": responses(operation),
    });
    match operation.auth {
        Auth::None => {}
        Auth::Session => object["security"] = json!([{ "session": [] }]),
        Auth::Operator => object["security"] = json!([{ "operator": [] }]),
    }
    if let Some((media, schema, required)) = operation.body {
        object["requestBody"] =
            json!({ "required": required, "content": { media: { "schema": schema_of(schema) } } });
    }
    object
}

/// A schema by its name, or as it is written.
fn schema_of(schema: &str) -> Value {
    if schema.starts_with('{') {
        return serde_json::from_str(schema).unwrap_or_default();
    }
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn parameters(operation: &Operation) -> Value {
    let in_path = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let path = in_path.map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } })
    });
    let query = operation.query.iter().map(|(name, schema, required)| {
        json!({ "name": name, "in": "query", "required": required, "schema": schema_of(schema) })
    });
    let headers = operation.headers.iter().map(|(name, required)| {
        let most = if *name == "Challenge-Solution" { crate::challenges::LONGEST } else { 255 };
        let schema = json!({ "type": "string", "pattern": format!("^[!-~]{{1,{most}}}$") });
        json!({ "name": name, "in": "header", "required": required, "schema": schema })
    });
    Value::Array(path.chain(query).chain(headers).collect())
}

fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    for (status, media, what) in operation.answers {
        let content = match media {
            Media::Json(schema) => json!({ "application/json": { "schema": schema_of(schema) } }),
            // What a text says is not for JSON Schema to tell.
            Media::Text(media) => json!({ (*media): {} }),
            Media::None => Value::Null,
        };
        let mut answer = json!({ "description": what });
        if !content.is_null() {
            answer["content"] = content;
        }
        if let Some(headers) = headers::of(operation, *status, false) {
            answer["headers"] = headers;
        }
        responses.insert(status.to_string(), answer);
    }
    let body = if operation.body.is_none() { &[LARGE][..] } else { &[] };
    // Every query of an operator is looked at, also where none is taken.
    let query = if matches!(operation.auth, Auth::Operator) { &[MALFORMED][..] } else { &[] };
    for (status, what) in query.iter().chain(operation.problems).chain(body).chain(&[HEAD_LARGE]) {
        let content =
            json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        let mut answer = json!({ "description": what, "content": content });
        if let Some(headers) = headers::of(operation, *status, true) {
            answer["headers"] = headers;
        }
        responses.insert(status.to_string(), answer);
    }
    Value::Object(responses)
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
