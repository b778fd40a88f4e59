//! Schemas of what is sent, and words that the types of what is answered cannot tell.

use domain::challenge::ChallengeRule;
use domain::limits::MAX_PRICE_MINOR;
use domain::money::Currency;
use domain::status::Status;
use serde_json::{Map, Value, json};

/// Characters that no text for buyers has: controls besides line breaks and tabs.
const CONTROLS: &str = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f";

/// Adds what requests look like, and names the words of the answers.
pub(super) fn complete(schemas: &mut Map<String, Value>) {
    // Answers have every member, also one that is null.
    for schema in schemas.values_mut() {
        let members: Option<Vec<_>> =
            schema["properties"].as_object().map(|all| all.keys().cloned().collect());
        if let Some(members) = members {
            schema["required"] = json!(members);
        }
    }
    schemas.insert("Problem".into(), problem_schema());
    schemas.insert("Checkout".into(), checkout_schema());
    schemas.insert("SaleForm".into(), sale_schema(&["sale_id", "name", "starts_at", "products"]));
    schemas.insert("SalePatch".into(), sale_schema(&[]));
    let statuses: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
    let mut phases: Vec<_> = Status::ALL.iter().map(|status| status.phase().as_str()).collect();
    phases.sort_unstable();
    phases.dedup();
    schemas.insert("Status".into(), json!({ "type": "string", "enum": statuses }));
    let states = ["scheduled", "live", "paused", "sold_out", "ended"];
    let challenges = challenges();
    let words: [(&str, &str, &[&str]); 8] = [
        ("Accepted", "status", &statuses),
        ("Document", "status", &statuses),
        ("Document", "phase", &phases),
        ("OperatorOrder", "status", &statuses),
        ("OperatorSale", "challenge", &challenges),
        ("PublicSale", "state", &states),
        ("PublicSale", "mode", &["rush", "draw"]),
        ("PublicProduct", "availability", &["in_stock", "low", "all_held", "sold_out"]),
    ];
    for (schema, member, words) in words {
        schemas[schema]["properties"][member]["enum"] = json!(words);
    }
}

/// Whom a sale may ask.
fn challenges() -> [&'static str; 3] {
    ChallengeRule::ALL.map(ChallengeRule::as_str)
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
            "challenge_url": { "type": "string" },
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

/// Money, by currency: each has its own number of decimals.
fn money_schema() -> Value {
    let group = |decimals: u8| {
        let codes: Vec<String> = Currency::all()
            .filter(|currency| currency.decimals() == decimals)
            .map(|currency| currency.code().to_owned())
            .collect();
        // As many digits as the largest price has before the point.
        let whole = (MAX_PRICE_MINOR / 10_i64.pow(u32::from(decimals))).to_string().len();
        let fraction = if decimals == 0 { String::new() } else { format!("(\\.[0-9]{{1,{decimals}}})?") };
        json!({ "properties": {
            "amount": { "type": "string", "pattern": format!("^[0-9]{{1,{whole}}}{fraction}$") },
            "currency": { "type": "string", "enum": codes },
        } })
    };
    json!({
        "type": "object",
        "required": ["amount", "currency"],
        "additionalProperties": false,
        "properties": { "amount": { "type": "string" }, "currency": { "type": "string" } },
        "anyOf": [group(0), group(2), group(3)],
    })
}

fn sale_schema(required: &[&str]) -> Value {
    let money = money_schema();
    let compare_at = json!({ "anyOf": [{ "type": "null" }, money] });
    let name = json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": format!("^[^{CONTROLS}]*[^\\s{CONTROLS}][^{CONTROLS}]*$") });
    let product = json!({
        "type": "object",
        "required": ["product_id", "name", "price", "stock"],
        "additionalProperties": false,
        "properties": {
            "product_id": slug(),
            "name": name,
            "description": { "type": "string", "maxLength": 4000, "pattern": format!("^[^{CONTROLS}]*$") },
            "image_url": { "type": ["string", "null"], "maxLength": 2000, "pattern": "^(https://[!-~]*|/([!-.0-\\[\\]-~][!-~]*)?)$" },
            "price": money,
            "compare_at": compare_at,
            "stock": { "type": "integer", "minimum": 0, "maximum": 16_777_215 },
            "max_per_user": { "type": "integer", "minimum": 1, "maximum": 100, "default": 1 },
        },
    });
    let instant = json!({ "type": "string", "format": "date-time" });
    let mut properties = json!({
        "name": name,
        "description": { "type": "string", "maxLength": 4000, "pattern": format!("^[^{CONTROLS}]*$") },
        "starts_at": instant,
        "ends_at": instant,
        "mode": { "type": "string", "enum": ["rush"] },
        "hold_ms": { "type": "integer", "minimum": 1_000, "maximum": 86_400_000, "default": 300_000 },
        "extension_ms": { "type": "integer", "minimum": 0, "maximum": 86_400_000, "default": 0 },
        "challenge": { "type": "string", "enum": challenges(), "default": "never" },
        "products": { "type": "array", "minItems": 1, "maxItems": 100, "items": product },
    });
    properties["sale_id"] = slug();
    properties["shards"] = json!({ "type": "integer", "enum": [1] });
    if required.is_empty() {
        let message = json!({ "type": "string", "maxLength": 4000, "pattern": format!("^[^{CONTROLS}]*$") });
        properties["message"] = message;
        // What a change does not name stays as it was.
        for member in properties.as_object_mut().into_iter().flat_map(Map::values_mut) {
            member.as_object_mut().and_then(|schema| schema.remove("default"));
        }
    }
    json!({ "type": "object", "required": required, "additionalProperties": false, "properties": properties })
}
