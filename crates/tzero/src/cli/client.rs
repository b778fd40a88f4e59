//! A client of the operator's endpoints.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::{Environment, ServerFlags};
use crate::keys::admin_token_file;

/// The variables that hold the operator's token; an empty one counts as unset.
const TOKENS: [&str; 2] = ["TZERO_ADMIN_TOKEN", "TZERO_ADMIN__TOKEN"];

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is said besides where a change may have happened although its answer is an error, or was lost.
const UNSURE: &str = "It may have been done all the same: look ('tzero sale list', 'tzero sale show SALE') before you send it again.";

/// Talks to a running system as its operator.
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    /// Where the token was looked for, besides the environment.
    token_file: PathBuf,
}

/// The operator's token: from the environment, else from the data folder.
pub fn token(data: &Path, environment: &Environment) -> Option<String> {
    let named = environment
        .iter()
        .find(|(name, token)| TOKENS.contains(&name.as_str()) && !token.trim().is_empty())
        .map(|(_, token)| token.clone());
    let token = named.or_else(|| std::fs::read_to_string(admin_token_file(data)).ok())?;
    Some(token.trim().to_owned()).filter(|token| !token.is_empty())
}

impl Client {
    /// A client of the system that the flags name.
    pub fn new(flags: &ServerFlags, environment: &Environment) -> Result<Self, String> {
        let http = http_client::builder().timeout(PATIENCE).build();
        let http = http.map_err(|error| format!("cannot make an HTTP client: {error}"))?;
        let base = flags.url.trim_end_matches('/').to_owned();
        let (token, token_file) = (token(&flags.data, environment), admin_token_file(&flags.data));
        Ok(Self { http, base, token, token_file })
    }

    /// Sends a request below `/admin/v1` and gives the JSON answer; an error answer becomes words.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, String> {
        self.send_once(method, path, headers, body).await.map(|(answer, _)| answer)
    }

    /// The same, and whether what was sent had been done before, under the same key.
    pub async fn send_once(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<(Value, bool), String> {
        let url = format!("{}/admin/v1/{path}", self.base);
        let unsure = |wrong: String| if method == Method::GET { wrong } else { format!("{wrong}\n{UNSURE}") };
        let lost = |error: reqwest::Error| {
            let wrong = self.unreachable(&error);
            if error.is_connect() { wrong } else { unsure(wrong) }
        };
        let mut request = self.http.request(method.clone(), &url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(lost)?;
        let status = answer.status();
        let replayed = answer.headers().contains_key("idempotent-replayed");
        let text = answer.text().await.map_err(lost)?;
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok((value, replayed));
        }
        let wrong = self.refused(status, &value);
        Err(if status.is_server_error() { unsure(wrong) } else { wrong })
    }

    /// All sales.
    pub async fn sales(&self) -> Result<Vec<Value>, String> {
        let answer = self.send(Method::GET, "sales", &[], None).await?;
        let sales = answer.get("sales").and_then(Value::as_array).cloned();
        sales.ok_or_else(|| {
            format!("{} does not answer as tzero does: its answer has no list of sales", self.base)
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> String {
        let cause = http_client::why(error, PATIENCE);
        format!(
            "cannot reach {}: {cause}\nIs it running? Start it with 'tzero serve', or name it with --url.",
            self.base
        )
    }

    fn refused(&self, status: StatusCode, problem: &Value) -> String {
        if status == StatusCode::UNAUTHORIZED {
            let (base, file) = (&self.base, self.token_file.display());
            let wrong = if self.token.is_some() {
                format!("{base} does not accept the operator's token.")
            } else {
                format!("{base} wants the operator's token, and there is none in {file}.")
            };
            return format!("{wrong}\nSet TZERO_ADMIN_TOKEN, or name the server's data folder with --data.");
        }
        let text = |member: &str| problem.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        if text("code") == "not-found" {
            return format!(
                "{} has no operator's endpoints.\nWhere they have a listener of their own (--admin-listen), name its address.",
                self.base
            );
        }
        let mut message = match (text("title"), text("detail")) {
            (title, detail) if title.is_empty() && detail.is_empty() => {
                format!("{} answered {status}", self.base)
            }
            (title, detail) if detail.is_empty() => title,
            (title, detail) => format!("{title}: {detail}"),
        };
        for error in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
            let part = |member: &str| error.get(member).and_then(Value::as_str).unwrap_or_default();
            message.push_str(&format!("\n  {}: {}", part("field"), part("detail")));
        }
        message
    }
}
