//! One request and its answer, with time-outs and sentences; tries again where that may help.

use std::error::Error as _;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{self, HeaderMap, HeaderName};
use tokio::sync::broadcast;

use super::HttpEvent;
use super::answer::{Answer, Head, judge};
use crate::media::TransportError;

/// A server that sends nothing for so long is silent.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
/// Tries after the first one fails.
pub(super) const RETRIES: u32 = 3;
/// Wait before the first of them; doubled for each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// A file on a server.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    pub(super) url: String,
    silence: Duration,
    pub(super) events: broadcast::Sender<HttpEvent>,
}

/// An answer whose body is still on its way.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) head: Head,
    body: reqwest::Response,
}

/// Why a try failed.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) error: TransportError,
    /// Another try may go better.
    pub(super) passing: bool,
}

impl Client {
    pub(super) fn new(
        url: &str,
        silence: Duration,
        events: broadcast::Sender<HttpEvent>,
    ) -> Result<Self, TransportError> {
        // Fails if one was installed before, which then serves as well.
        rustls::crypto::ring::default_provider().install_default().ok();
        let address = |why: String| TransportError::Address { url: url.to_owned(), why };
        reqwest::Url::parse(url).map_err(|error| address(error.to_string()))?;
        let http = reqwest::Client::builder()
            .connect_timeout(silence)
            .read_timeout(silence)
            .user_agent(concat!("galvo/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| address(cause_of(&error)))?;
        Ok(Self { http, url: url.to_owned(), silence, events })
    }

    /// Asks for `range`, or for the whole file, and waits for the head of the answer. `same_as` is sent as `If-Range`.
    pub(super) async fn ask(
        &self,
        range: Option<&Range<u64>>,
        same_as: Option<&str>,
    ) -> Result<Response, Failed> {
        let mut request = self.http.get(&self.url).header(header::ACCEPT_ENCODING, "identity");
        if let Some(range) = range {
            let wanted = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
            request = request.header(header::RANGE, wanted);
            if let Some(validator) = same_as {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        self.send(request).await
    }

    /// Asks whether the file is still the one of these validators.
    pub(super) async fn ask_if_modified(
        &self,
        etag: Option<&str>,
        last_modified: Option<&str>,
    ) -> Result<Response, Failed> {
        let mut request = self.http.head(&self.url);
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        } else if let Some(date) = last_modified {
            request = request.header(header::IF_MODIFIED_SINCE, date);
        }
        self.send(request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, Failed> {
        let sent = tokio::time::timeout(self.silence, request.send()).await;
        let body = sent.map_err(|_| self.silent())?.map_err(|error| self.failed(&error))?;
        let text = |name: HeaderName| header_text(body.headers(), &name);
        let head = Head {
            status: body.status().as_u16(),
            content_range: text(header::CONTENT_RANGE),
            content_length: text(header::CONTENT_LENGTH).and_then(|text| text.parse().ok()),
            content_type: text(header::CONTENT_TYPE),
            etag: text(header::ETAG).filter(|tag| !tag.starts_with("W/")),
            last_modified: text(header::LAST_MODIFIED),
        };
        if text(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            let what = "it packs the file although it was asked not to";
            return Err(Self::lasting(TransportError::Protocol { url: self.url.clone(), what }));
        }
        Ok(Response { head, body })
    }

    /// Asks until an answer is worth something: faults and broken connections are tried again.
    pub(super) async fn ask_with_retries(
        &self,
        range: Option<&Range<u64>>,
    ) -> Result<(Response, Answer), TransportError> {
        let all = 0..u64::MAX;
        let mut tries = 0;
        loop {
            let failed = match self.ask(range, None).await {
                Ok(response) => {
                    let answer = judge(&response.head, range.unwrap_or(&all));
                    match answer {
                        Answer::Fault => self.fault(response.head.status),
                        Answer::Refusal => return Err(self.refusal(response.head.status)),
                        answer => return Ok((response, answer)),
                    }
                }
                Err(failed) => failed,
            };
            self.wait_before_retry(&mut tries, failed).await?;
        }
    }

    /// Waits for the next try, or gives `failed` back if there is none left.
    pub(super) async fn wait_before_retry(
        &self,
        tries: &mut u32,
        failed: Failed,
    ) -> Result<(), TransportError> {
        if !failed.passing || *tries >= RETRIES {
            return Err(failed.error);
        }
        let why = failed.error.to_string();
        // Nobody need listen.
        self.events.send(HttpEvent::Retrying { attempt: *tries + 1, why }).ok();
        tokio::time::sleep(FIRST_WAIT * 2_u32.pow(*tries)).await;
        *tries += 1;
        Ok(())
    }

    pub(super) fn fault(&self, status: u16) -> Failed {
        let error = TransportError::Server { url: self.url.clone(), status };
        Failed { error, passing: true }
    }

    pub(super) fn refusal(&self, status: u16) -> TransportError {
        match status {
            404 | 410 => TransportError::NotFound(self.url.clone()),
            status => TransportError::Refused { url: self.url.clone(), status },
        }
    }

    pub(super) fn lasting(error: TransportError) -> Failed {
        Failed { error, passing: false }
    }

    pub(super) fn cut_short(&self) -> Failed {
        let why = "the connection was closed in the midst of the file".to_owned();
        let error = TransportError::Unreachable { url: self.url.clone(), why };
        Failed { error, passing: true }
    }

    fn silent(&self) -> Failed {
        let seconds = self.silence.as_secs();
        let error = TransportError::Silent { url: self.url.clone(), seconds };
        Failed { error, passing: true }
    }

    fn failed(&self, error: &reqwest::Error) -> Failed {
        if error.is_timeout() {
            return self.silent();
        }
        let why = cause_of(error);
        let error = TransportError::Unreachable { url: self.url.clone(), why };
        Failed { error, passing: true }
    }
}

impl Response {
    /// The next bytes of the body; `None` at its end.
    pub(super) async fn next(&mut self, client: &Client) -> Result<Option<Bytes>, Failed> {
        let next = tokio::time::timeout(client.silence, self.body.chunk()).await;
        next.map_err(|_| client.silent())?.map_err(|error| client.failed(&error))
    }
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// What is at the bottom of an error: the layers above it only repeat the address.
fn cause_of(error: &reqwest::Error) -> String {
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        cause = deeper.to_string();
        source = deeper.source();
    }
    cause
}
