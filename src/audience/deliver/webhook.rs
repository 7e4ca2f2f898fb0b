//! Signed requests to a receiver.
//!
//! Owns: what a request says and how it is signed; when it is sent again. Promises: a batch has one idempotency key however often it
//! is sent; no answer, error or dead letter holds the secret or the address.
//!
//! ```text
//! POST …
//! content-type: application/json
//! idempotency-key: KEY-NUMBER
//! segue-signature: t=SECONDS,v1=HEX of HMAC-SHA256(secret, "SECONDS.BODY")
//! ```

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::time::Instant;

use super::retry::{Patience, after};
use super::rows::{self, odd};
use super::secret::Secret;
use super::{Parcel, Sent, Target};
use crate::error::Error;

/// The version of the JSON.
const SCHEMA: u32 = 1;
pub const SIGNATURE: &str = "segue-signature";
pub const KEY: &str = "idempotency-key";

/// The machine's clock, in seconds since 1970.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A receiver.
pub struct Webhook {
    /// The destination's name.
    pub name: String,
    pub url: Secret,
    pub secret: Secret,
    /// The most rows of a request.
    pub size: u32,
    /// The least time between the beginnings of two requests.
    pub pause: Option<Duration>,
    pub timeout: Duration,
    pub patience: Patience,
    pub now: Now,
    /// When the last request began.
    pub last: Option<Instant>,
}

/// What came back.
#[cfg_attr(not(feature = "cloud"), allow(dead_code))]
enum Answer {
    /// A status, the pause that the receiver asks for, and the beginning of what it said.
    Status { code: u16, words: String, retry_after: Option<String>, said: String },
    /// No answer.
    Nothing(String),
}

#[async_trait]
impl Target for Webhook {
    fn size(&self) -> Option<u64> {
        Some(u64::from(self.size))
    }

    async fn send(&mut self, parcel: &Parcel<'_>) -> Result<Sent, Error> {
        self.bring(&parcel.key, body(parcel)).await
    }

    async fn resend(&mut self, key: &str, body: &Value) -> Result<Sent, Error> {
        self.bring(key, body.clone()).await
    }
}

/// What a request says.
pub fn body(parcel: &Parcel<'_>) -> Value {
    let rows: Vec<Value> = (0..parcel.rows.num_rows())
        .map(|row| {
            let mut object = rows::object(&parcel.rows, row);
            if let Some(fields) = object.as_object_mut()
                && fields.get(rows::OPERATION).is_some_and(|operation| operation == rows::DELETE)
            {
                // Of a customer who is gone nothing else is said.
                fields.retain(|name, _| name == rows::OPERATION || name == rows::CUSTOMER);
            }
            object
        })
        .collect();
    json!({
        "schema": SCHEMA,
        "project": parcel.project,
        "audience": parcel.audience,
        "kind": if parcel.contacts { "contacts" } else { "members" },
        "destination": parcel.destination,
        "version": parcel.which.version,
        "mode": parcel.which.mode.as_str(),
        "base": parcel.which.base,
        "delivery": parcel.which.key,
        "batch": parcel.number + 1,
        "batches": parcel.of,
        "rows": rows,
    })
}

/// `t=SECONDS,v1=HEX`: the signature of a body at a time.
pub fn signature(secret: &Secret, seconds: i64, body: &[u8]) -> Result<String, Error> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).map_err(|e| odd(&e))?;
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("t={seconds},v1={hex}"))
}

impl Webhook {
    /// Sends until the receiver has decided.
    async fn bring(&mut self, key: &str, body: Value) -> Result<Sent, Error> {
        let bytes = body.to_string().into_bytes();
        let mut tried = 0;
        loop {
            if let Some((last, pause)) = self.last.zip(self.pause) {
                tokio::time::sleep_until(last + pause).await;
            }
            self.last = Some(Instant::now());
            tried += 1;
            let (why, asked) = match self.ask(key, &bytes).await? {
                Answer::Status { code: 200..=299, .. } => {
                    return Ok(Sent::Taken { repeated: false, neutralised: None });
                }
                Answer::Status { code: 408 | 425 | 429 | 500..=599, words, retry_after, .. } => {
                    (words, retry_after.and_then(|header| after(&header, (self.now)())))
                }
                Answer::Status { code: 400..=499, words, said, .. } => {
                    return Ok(Sent::Dead { reason: words, answer: said, body });
                }
                Answer::Status { words, .. } => {
                    return Err(self.failed(key, &format!("it answers {words}")).with_help(
                        "requests go to the address as it is written and nowhere else; write the one that takes them",
                    ));
                }
                Answer::Nothing(why) => (why, None),
            };
            if tried >= self.patience.tries {
                let why = format!("{why}, {tried} times in a row");
                return Err(self
                    .failed(key, &why)
                    .with_help("the same call goes on at this batch; does the receiver run?"));
            }
            let pause = self.patience.pause(key, tried).max(asked.unwrap_or_default());
            if asked.is_some_and(|asked| asked > self.patience.asked) {
                let why = format!("{why}; it asks to wait {} seconds", pause.as_secs());
                return Err(self.failed(key, &why).with_help("the same call goes on at this batch, then"));
            }
            tracing::info!(%key, tried, ?pause, "not taken: {why}");
            tokio::time::sleep(pause).await;
        }
    }

    fn failed(&self, key: &str, why: &str) -> Error {
        let batch = key.rsplit_once('-').and_then(|(_, n)| n.parse::<u64>().ok()).map_or(1, |n| n + 1);
        Error::data(self.hide(&format!("destination `{}`, batch {batch}: {why}", self.name)))
    }

    fn hide(&self, text: &str) -> String {
        self.secret.hide(&self.url.hide(text))
    }

    #[cfg(feature = "cloud")]
    async fn ask(&self, key: &str, bytes: &[u8]) -> Result<Answer, Error> {
        let signature = signature(&self.secret, (self.now)(), bytes)?;
        let client = self.client()?;
        let request = client
            .post(self.url.reveal())
            .header("content-type", "application/json")
            .header(KEY, key)
            .header(SIGNATURE, signature)
            .body(bytes.to_vec());
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(why) if why.is_builder() => {
                return Err(Error::data(format!("destination `{}`: its address is no URL of a webhook", self.name))
                    .with_help("an address is `https://…`"));
            }
            Err(why) => {
                let why = match () {
                    () if why.is_timeout() => "it does not answer in time".to_owned(),
                    () if why.is_connect() => "no connection".to_owned(),
                    () => "the connection broke off".to_owned(),
                };
                return Ok(Answer::Nothing(why));
            }
        };
        let status = response.status();
        let retry_after = response.headers().get("retry-after").and_then(|v| v.to_str().ok()).map(str::to_owned);
        // The answer is there once its head is; what it says is for people, and not much of it.
        let mut said = Vec::new();
        while !status.is_success() && said.len() < 1_000 {
            match response.chunk().await {
                Ok(Some(chunk)) => said.extend_from_slice(&chunk),
                _ => break,
            }
        }
        said.truncate(1_000);
        let said = self.hide(&String::from_utf8_lossy(&said));
        Ok(Answer::Status { code: status.as_u16(), words: status.to_string(), retry_after, said })
    }

    #[cfg(feature = "cloud")]
    fn client(&self) -> Result<reqwest::Client, Error> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.timeout)
            .timeout(self.timeout)
            .user_agent(concat!("segue/", env!("CARGO_PKG_VERSION")));
        let host = self.url.reveal().split_once("://").map_or("", |(_, rest)| rest);
        if ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| host.starts_with(local)) {
            // No proxy stands before one's own machine.
            builder = builder.no_proxy();
        }
        builder.build().map_err(|why| Error::data(format!("destination `{}`: {}", self.name, why.without_url())))
    }

    #[cfg(not(feature = "cloud"))]
    async fn ask(&self, _: &str, _: &[u8]) -> Result<Answer, Error> {
        Err(no_http(&self.name))
    }
}

/// What is said of a webhook where nothing speaks HTTP.
pub fn no_http(name: &str) -> Error {
    Error::data(format!("destination `{name}` is a webhook, and this build of Segue speaks no HTTP"))
        .with_help("build it with the feature `cloud`: `cargo build --features cloud`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_others() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_test
        let signed = signature(&Secret::new("whsec_test"), 1_700_000_000, b"{}").expect("signed");
        assert_eq!(signed, "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91");
    }
}
