//! One way to open a source, whatever its kind.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::broadcast;

use super::error::StreamError;
use super::location::Location;
use super::source::Source;

/// A kind of source that can be opened.
pub trait SourceFactory: Send + Sync + 'static {
    /// How to open it.
    type Params: Send;
    /// What it tells while it works.
    type Event: Clone + Send + 'static;
    /// What is opened.
    type SourceImpl: Source;

    /// Opens what lies at `location`.
    fn open(
        location: Location,
        params: Self::Params,
    ) -> impl Future<Output = Result<OpenedSource<Self::SourceImpl, Self::Event>, OpenError<Self>>> + Send;
}

/// Why a source of a kind does not open.
pub type OpenError<S> = StreamError<<<S as SourceFactory>::SourceImpl as Source>::Error>;

/// An open source and what it tells.
#[derive(Debug)]
pub struct OpenedSource<S, Ev> {
    /// The source.
    pub source: Arc<S>,
    /// Where its events come from.
    pub events_tx: broadcast::Sender<Ev>,
}

/// A source opened through its factory.
#[derive(Debug)]
pub struct StreamSource<S: SourceFactory> {
    opened: OpenedSource<S::SourceImpl, S::Event>,
}

impl<S: SourceFactory> StreamSource<S> {
    /// Opens what lies at `location`.
    pub async fn open(
        location: impl Into<Location> + Send,
        params: S::Params,
    ) -> Result<Self, OpenError<S>> {
        let location = location.into();
        Ok(Self { opened: S::open(location, params).await? })
    }

    /// What the source tells from now on. Who does not listen misses the oldest; the source never waits.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<S::Event> {
        self.opened.events_tx.subscribe()
    }

    /// The source, to be read.
    #[must_use]
    pub fn into_inner(self) -> Arc<S::SourceImpl> {
        self.opened.source
    }
}
