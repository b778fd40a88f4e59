//! The table of operations: what may be asked, and every answer that may come.

/// Who may ask.
#[derive(Clone, Copy)]
pub(crate) enum Auth {
    /// Everybody.
    None,
    /// A buyer.
    Session,
    /// The operator.
    Operator,
}

/// What an answer's body is.
#[derive(Clone, Copy)]
pub(crate) enum Media {
    /// JSON of a schema, by name or as written.
    Json(&'static str),
    /// Something else.
    Text(&'static str),
    /// Nothing.
    None,
}

/// One operation.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) auth: Auth,
    /// Names, schemas, and whether they must be there.
    pub(crate) query: &'static [(&'static str, &'static str, bool)],
    pub(crate) headers: &'static [(&'static str, bool)],
    pub(crate) body: Option<(&'static str, &'static str, bool)>,
    pub(crate) answers: &'static [(u16, Media, &'static str)],
    pub(crate) problems: &'static [(u16, &'static str)],
}

const PLAIN: Operation = Operation {
    method: "get",
    path: "",
    id: "",
    summary: "",
    auth: Auth::None,
    query: &[],
    headers: &[],
    body: None,
    answers: &[],
    problems: &[],
};

const ADMIN: Operation = Operation { auth: Auth::Operator, ..PLAIN };

const JSON: &str = "application/json";
const NOTHING: &str = r#"{"type":"object","additionalProperties":false,"maxProperties":0}"#;
const ANY: &str = r#"{"type":"object"}"#;
const TIME: &str =
    r#"{"type":"object","required":["server_time"],"properties":{"server_time":{"type":"string"}}}"#;
const SALES: &str = r##"{"type":"object","required":["sales"],"properties":{"sales":{"type":"array","items":{"$ref":"#/components/schemas/OperatorSale"}}}}"##;
const ORDERS: &str = r##"{"type":"object","required":["orders","cursor"],"properties":{"orders":{"type":"array","items":{"$ref":"#/components/schemas/OperatorOrder"}},"cursor":{"type":["string","null"]}}}"##;
/// Null is what nobody could say; `unanswered` has the stores that did not.
const SHARDS: &str = r#"{"type":"object","required":["shards"],"properties":{"shards":{"type":"array","items":{"type":"object","required":["sale_id","shard","open","closed_because","epoch","term","fence","inventory_epoch","log_position","log_end","claims_waiting","unanswered"],"properties":{"sale_id":{"type":"string"},"shard":{"type":"integer","minimum":0},"open":{"type":["boolean","null"]},"closed_because":{"type":["string","null"]},"epoch":{"type":["integer","null"],"minimum":0},"term":{"enum":["open","fencing","rebuild",null]},"fence":{"type":["integer","null"],"minimum":0},"inventory_epoch":{"type":["integer","null"],"minimum":0},"log_position":{"type":["integer","null"],"minimum":0},"log_end":{"type":["integer","null"],"minimum":0},"claims_waiting":{"type":["integer","null"],"minimum":0},"unanswered":{"type":"array","items":{"type":"object","required":["store","detail"],"properties":{"store":{"enum":["store","inventory","claims"]},"detail":{"type":"string"}}}}}}}}}"#;
const RESTOCK: &str = r#"{"type":"object","required":["product_id","units"],"additionalProperties":false,"properties":{"product_id":{"type":"string","pattern":"^[a-z0-9][a-z0-9-]{0,63}$"},"units":{"type":"integer","minimum":1,"maximum":16777215}}}"#;
const MESSAGE: &str = r#"{"type":"object","required":["message"],"additionalProperties":false,"properties":{"message":{"type":"string","maxLength":4000,"pattern":"^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$"}}}"#;
const REFUND: &str = r#"{"type":"object","additionalProperties":false,"properties":{"return_units":{"type":"boolean","default":false}}}"#;

const SLUG: &str = r#"{"type":"string","pattern":"^[a-z0-9][a-z0-9-]{0,63}$"}"#;
const TEXT: &str = r#"{"type":"string"}"#;
/// Empty filters are none: a form sends them.
const USER: &str = r#"{"type":"string","pattern":"^[A-Za-z0-9._:@-]{0,128}$"}"#;
const STATUS: &str = r##"{"anyOf":[{"const":""},{"$ref":"#/components/schemas/Status"}]}"##;

const UNAUTHORISED: (u16, &str) = (401, "no operator's token, or a wrong one");
const AWAY: (u16, &str) = (503, "a store is away, or too much waits");
const NO_SALE: (u16, &str) = (404, "no such sale");
const NO_TICKET: (u16, &str) = (404, "no such ticket");
pub(crate) const MALFORMED: (u16, &str) = (400, "malformed; every mistake is named");
pub(crate) const LARGE: (u16, &str) = (413, "the body is too large");
pub(crate) const HEAD_LARGE: (u16, &str) = (431, "the head has too many lines, or too many bytes");
const SLOW: (u16, &str) = (408, "the body did not arrive in time");
const MEDIA: (u16, &str) = (415, "not application/json");

/// Every operation of the contract.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        path: "/v1/sales/{sale_id}",
        id: "sale",
        summary: "A sale, for everybody",
        answers: &[(200, Media::Json("PublicSale"), "the sale"), (304, Media::None, "as it was")],
        problems: &[NO_SALE],
        ..PLAIN
    },
    Operation {
        path: "/v1/time",
        id: "time",
        summary: "The server's clock",
        answers: &[(200, Media::Json(TIME), "now")],
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/v1/sales/{sale_id}/checkout",
        id: "checkout",
        summary: "Buy",
        auth: Auth::Session,
        headers: &[("Idempotency-Key", false), ("Challenge-Solution", false)],
        body: Some((JSON, "Checkout", true)),
        answers: &[(202, Media::Json("Accepted"), "units are held; follow status_url")],
        problems: &[
            MALFORMED,
            (401, "no session, or an invalid one"),
            (403, "somebody else's user_id, the sale has not begun, or it asks for a challenge"),
            (404, "no such sale or product"),
            SLOW,
            (409, "the buyer's limit is reached, or nothing is free now"),
            (410, "sold out, or the sale is over"),
            LARGE,
            MEDIA,
            (422, "the key was used for something else"),
            (429, "too many requests"),
            (503, "paused, overloaded, or a store is away"),
        ],
        ..PLAIN
    },
    Operation {
        path: "/v1/orders/status/{queue_ticket_id}",
        id: "status",
        summary: "Where an order stands",
        answers: &[(200, Media::Json("Document"), "the status")],
        problems: &[NO_TICKET, AWAY],
        ..PLAIN
    },
    Operation {
        path: "/v1/orders/status/{queue_ticket_id}/events",
        id: "status_events",
        summary: "Where an order stands, as a stream that ends with it",
        answers: &[(200, Media::Text("text/event-stream"), "one event a change")],
        problems: &[NO_TICKET, AWAY],
        ..PLAIN
    },
    Operation {
        method: "delete",
        path: "/v1/orders/{queue_ticket_id}",
        id: "cancel",
        summary: "Give up",
        answers: &[
            (200, Media::Json("Document"), "given up, or ended before"),
            (202, Media::Json("Document"), "the provider's door is being closed"),
        ],
        problems: &[NO_TICKET, (409, "the order is paid"), AWAY],
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/v1/orders/{queue_ticket_id}/extend",
        id: "extend",
        summary: "Ask for more time, once",
        body: Some((JSON, NOTHING, false)),
        answers: &[(200, Media::Json("Document"), "with the later hold_expires_at")],
        problems: &[MALFORMED, NO_TICKET, SLOW, (409, "no more time can be had"), LARGE, AWAY],
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/v1/sessions",
        id: "session",
        summary: "A session for a new guest, where the built-in issuer is on",
        body: Some((JSON, NOTHING, false)),
        answers: &[(201, Media::Json("NewSession"), "the session")],
        problems: &[MALFORMED, (404, "the shop signs sessions"), SLOW, LARGE, (429, "too many requests")],
        ..PLAIN
    },
    Operation {
        path: "/v1/challenge",
        id: "challenge",
        summary: "A challenge for this buyer at one sale: ALTCHA's form, or what a page needs for Turnstile",
        auth: Auth::Session,
        query: &[("sale_id", SLUG, true)],
        answers: &[(200, Media::Json(ANY), "the challenge")],
        problems: &[
            MALFORMED,
            (401, "no session, or an invalid one"),
            NO_SALE,
            (429, "too many requests"),
            AWAY,
        ],
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/v1/payments/webhooks/{provider}",
        id: "webhook",
        summary: "News from the payment provider",
        headers: &[("Stripe-Signature", false)],
        body: Some((JSON, ANY, true)),
        answers: &[(200, Media::Json(ANY), "its effect is durable")],
        problems: &[(400, "not believed"), (404, "no such provider"), SLOW, LARGE, AWAY],
        ..PLAIN
    },
    Operation {
        path: "/admin/v1/sales",
        id: "list_sales",
        summary: "Every sale",
        answers: &[(200, Media::Json(SALES), "the sales")],
        problems: &[UNAUTHORISED],
        ..ADMIN
    },
    Operation {
        method: "post",
        path: "/admin/v1/sales",
        id: "create_sale",
        summary: "Create a sale",
        body: Some((JSON, "SaleForm", true)),
        answers: &[(201, Media::Json("OperatorSale"), "the sale")],
        problems: &[MALFORMED, UNAUTHORISED, SLOW, (409, "there is one of that name"), LARGE, MEDIA, AWAY],
        ..ADMIN
    },
    Operation {
        path: "/admin/v1/sales/{sale_id}",
        id: "show_sale",
        summary: "A sale with its counts",
        answers: &[(200, Media::Json("OperatorSale"), "the sale")],
        problems: &[UNAUTHORISED, NO_SALE],
        ..ADMIN
    },
    Operation {
        method: "patch",
        path: "/admin/v1/sales/{sale_id}",
        id: "patch_sale",
        summary: "Change a sale",
        body: Some((JSON, "SalePatch", true)),
        answers: &[(200, Media::Json("OperatorSale"), "the sale")],
        problems: &[MALFORMED, UNAUTHORISED, NO_SALE, SLOW, (409, "the sale is live"), LARGE, MEDIA, AWAY],
        ..ADMIN
    },
    Operation {
        method: "post",
        path: "/admin/v1/sales/{sale_id}/pause",
        id: "pause_sale",
        summary: "Stop new checkouts for now",
        body: Some((JSON, NOTHING, false)),
        answers: &[(200, Media::Json("OperatorSale"), "the sale")],
        problems: &[MALFORMED, UNAUTHORISED, NO_SALE, SLOW, LARGE, AWAY],
        ..ADMIN
    },
    Operation {
        method: "post",
        path: "/admin/v1/sales/{sale_id}/resume",
        id: "resume_sale",
        summary: "Take checkouts again",
        body: Some((JSON, NOTHING, false)),
        answers: &[(200, Media::Json("OperatorSale"), "the sale")],
        problems: &[MALFORMED, UNAUTHORISED, NO_SALE, SLOW, LARGE, AWAY],
        ..ADMIN
    },
    Operation {
        method: "post",
        path: "/admin/v1/sales/{sale_id}/end",
        id: "end_sale",
        summary: "End a sale now",
        body: Some((JSON, NOTHING, false)),
        answers: &[(200, Media::Json("OperatorSale"), "the sale")],
        problems: &[MALFORMED, UNAUTHORISED, NO_SALE, SLOW, LARGE, AWAY],
        ..ADMIN
    },
    Operation {
        method: "post",
        path: "/admin/v1/sales/{sale_id}/restock",
        id: "restock",
        summary: "Add units to a product, once per key",
        headers: &[("Idempotency-Key", true)],
        body: Some((JSON, RESTOCK, true)),
        answers: &[(200, Media::Json("OperatorSale"), "the sale")],
        problems: &[
            MALFORMED,
            UNAUTHORISED,
            (404, "no such sale or product"),
            SLOW,
            LARGE,
            MEDIA,
            (422, "the key was used for another restock"),
            AWAY,
        ],
        ..ADMIN
    },
    Operation {
        method: "post",
        path: "/admin/v1/sales/{sale_id}/message",
        id: "message",
        summary: "Set the message that buyers read",
        body: Some((JSON, MESSAGE, true)),
        answers: &[(200, Media::Json("OperatorSale"), "the sale")],
        problems: &[MALFORMED, UNAUTHORISED, NO_SALE, SLOW, LARGE, MEDIA, AWAY],
        ..ADMIN
    },
    Operation {
        path: "/admin/v1/sales/{sale_id}/audit",
        id: "audit",
        summary: "Prove that no unit was sold twice and none is lost",
        answers: &[(200, Media::Json("AuditReport"), "the audit")],
        problems: &[UNAUTHORISED, NO_SALE, AWAY],
        ..ADMIN
    },
    Operation {
        path: "/admin/v1/sales/{sale_id}/orders",
        id: "list_orders",
        summary: "Orders of a sale, page by page",
        query: &[
            ("user_id", USER, false),
            ("ticket", TEXT, false),
            ("status", STATUS, false),
            ("cursor", TEXT, false),
        ],
        answers: &[(200, Media::Json(ORDERS), "a page of orders")],
        problems: &[MALFORMED, UNAUTHORISED, NO_SALE, AWAY],
        ..ADMIN
    },
    Operation {
        path: "/admin/v1/sales/{sale_id}/orders.csv",
        id: "export_orders",
        summary: "Orders of a sale as CSV",
        answers: &[(200, Media::Text("text/csv"), "RFC 4180")],
        problems: &[UNAUTHORISED, NO_SALE],
        ..ADMIN
    },
    Operation {
        path: "/admin/v1/sales/{sale_id}/live",
        id: "live",
        summary: "A sale as a stream, one event a second",
        answers: &[(200, Media::Text("text/event-stream"), "events")],
        problems: &[UNAUTHORISED, NO_SALE],
        ..ADMIN
    },
    Operation {
        path: "/admin/v1/orders/{queue_ticket_id}",
        id: "story",
        summary: "The whole story of an order",
        answers: &[(200, Media::Json(ANY), "order and story")],
        problems: &[UNAUTHORISED, NO_TICKET, AWAY],
        ..ADMIN
    },
    Operation {
        method: "post",
        path: "/admin/v1/orders/{queue_ticket_id}/refund",
        id: "refund",
        summary: "Give the money of a confirmed order back",
        body: Some((JSON, REFUND, false)),
        answers: &[(200, Media::Json("OperatorOrder"), "on its way, or done")],
        problems: &[MALFORMED, UNAUTHORISED, NO_TICKET, SLOW, (409, "not confirmed"), LARGE, AWAY],
        ..ADMIN
    },
    Operation {
        path: "/admin/v1/shards",
        id: "shards",
        summary: "Which shard sells, at which epoch, and how far its claims are taken in",
        answers: &[(200, Media::Json(SHARDS), "every shard of every sale, also while a store is away")],
        problems: &[UNAUTHORISED],
        ..ADMIN
    },
    Operation {
        path: "/admin/v1/actions",
        id: "actions",
        summary: "Who did what",
        answers: &[(200, Media::Json(ANY), "newest first")],
        problems: &[UNAUTHORISED, AWAY],
        ..ADMIN
    },
    Operation {
        path: "/healthz",
        id: "healthz",
        summary: "Whether the process lives",
        answers: &[(200, Media::Json(ANY), "it does")],
        ..PLAIN
    },
    Operation {
        path: "/readyz",
        id: "readyz",
        summary: "Each dependency by name",
        answers: &[
            (200, Media::Json(ANY), "ready, or degraded"),
            (503, Media::Json(ANY), "no work can be done"),
        ],
        ..PLAIN
    },
    Operation {
        path: "/metrics",
        id: "metrics",
        summary: "Metrics in the Prometheus text form; the units of stock only for the operator",
        answers: &[(200, Media::Text("text/plain"), "metrics")],
        ..PLAIN
    },
    Operation {
        path: "/openapi.json",
        id: "openapi",
        summary: "This document",
        answers: &[(200, Media::Json(ANY), "OpenAPI 3.1")],
        ..PLAIN
    },
];
