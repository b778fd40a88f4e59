//! The OpenAPI 3.1 document, made from the table of operations and from the types that are answered.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::openapi_operations::{Auth, Media, OPERATIONS, Operation};

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
pub fn document() -> &'static str {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    DOCUMENT.get_or_init(|| made().to_string())
}

fn made() -> Value {
    let types = serde_json::to_value(Types::openapi()).unwrap_or_default();
    let mut schemas = types["components"]["schemas"].as_object().cloned().unwrap_or_default();
    schemas.insert("Problem".into(), problem_schema());
    schemas.insert("Checkout".into(), checkout_schema());
    schemas.insert("SaleForm".into(), sale_schema(&["sale_id", "name", "starts_at", "products"]));
    schemas.insert("SalePatch".into(), sale_schema(&[]));
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

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457; `type` is a page that says what the code means and what to do.",
        "required": ["type", "title", "status", "detail", "code", "instance"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "code": { "type": "string" },
            "instance": { "type": "string" },
            "errors": { "type": "array", "items": { "$ref": "#/components/schemas/FieldError" } },
            "starts_at": { "type": "string" },
            "next_release_at": { "type": ["string", "null"] },
            "queue_ticket_id": { "type": "string" },
        },
    })
}

fn checkout_schema() -> Value {
    json!({
        "type": "object",
        "required": ["user_id", "product_id"],
        "additionalProperties": false,
        "properties": {
            "user_id": { "type": "string", "pattern": "^[A-Za-z0-9._:@-]{1,128}$" },
            "product_id": slug(),
            "idempotency_key": {
                "type": ["string", "null"],
                "pattern": "^[!-~]{1,255}$",
                "description": "Needed here or as the header Idempotency-Key.",
            },
            "quantity": { "type": "integer", "minimum": 1, "maximum": 100, "default": 1 },
            "entry_token": { "type": ["string", "null"] },
        },
    })
}

fn slug() -> Value {
    json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$" })
}

fn sale_schema(required: &[&str]) -> Value {
    let money = json!({
        "type": "object",
        "required": ["amount", "currency"],
        "additionalProperties": false,
        "properties": {
            "amount": { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?$" },
            "currency": { "type": "string", "pattern": "^[A-Z]{3}$" },
        },
    });
    let mut compare_at = money.clone();
    compare_at["type"] = json!(["object", "null"]);
    let product = json!({
        "type": "object",
        "required": ["product_id", "name", "price", "stock"],
        "additionalProperties": false,
        "properties": {
            "product_id": slug(),
            "name": { "type": "string", "minLength": 1, "maxLength": 200 },
            "description": { "type": "string", "maxLength": 4000 },
            "image_url": { "type": ["string", "null"], "maxLength": 2000 },
            "price": money,
            "compare_at": compare_at,
            "stock": { "type": "integer", "minimum": 0, "maximum": 16_777_215 },
            "max_per_user": { "type": "integer", "minimum": 1, "maximum": 100, "default": 1 },
        },
    });
    let instant = json!({ "type": "string", "format": "date-time" });
    let mut properties = json!({
        "name": { "type": "string", "minLength": 1, "maxLength": 200 },
        "description": { "type": "string", "maxLength": 4000 },
        "starts_at": instant,
        "ends_at": instant,
        "mode": { "type": "string", "enum": ["rush"] },
        "hold_ms": { "type": "integer", "minimum": 1_000, "maximum": 86_400_000, "default": 300_000 },
        "extension_ms": { "type": "integer", "minimum": 0, "maximum": 86_400_000, "default": 0 },
        "products": { "type": "array", "minItems": 1, "maxItems": 100, "items": product },
    });
    let own = if required.is_empty() {
        [("message", json!({ "type": "string", "maxLength": 4000 }))].to_vec()
    } else {
        [("sale_id", slug()), ("shards", json!({ "type": "integer", "enum": [1] }))].to_vec()
    };
    for (name, schema) in own {
        properties[name] = schema;
    }
    json!({ "type": "object", "required": required, "additionalProperties": false, "properties": properties })
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
    let query = operation.query.iter().map(
        |name| json!({ "name": name, "in": "query", "required": false, "schema": { "type": "string" } }),
    );
    let headers = operation.headers.iter().map(|(name, required)| {
        let schema = json!({ "type": "string", "pattern": "^[!-~]{1,255}$" });
        json!({ "name": name, "in": "header", "required": required, "schema": schema })
    });
    Value::Array(path.chain(query).chain(headers).collect())
}

fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    for (status, media, what) in operation.answers {
        let content = match media {
            Media::Json(schema) => json!({ "application/json": { "schema": schema_of(schema) } }),
            Media::Text(media) => json!({ (*media): { "schema": { "type": "string" } } }),
            Media::None => Value::Null,
        };
        let mut answer = json!({ "description": what });
        if !content.is_null() {
            answer["content"] = content;
        }
        responses.insert(status.to_string(), answer);
    }
    for (status, what) in operation.problems {
        let content =
            json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        responses.insert(status.to_string(), json!({ "description": what, "content": content }));
    }
    Value::Object(responses)
}
