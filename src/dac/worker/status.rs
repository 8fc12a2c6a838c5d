//! How a device thread is, for surfaces to read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;

use crate::dac::link::{LinkCounts, LinkStats};

/// What a device thread is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkerState {
    /// Not reached yet.
    #[default]
    Connecting,
    /// Connected, taking points.
    Ready,
    /// Connected; its light source warms up or cools down, and takes no points meanwhile.
    NotReady,
    /// Lost, or not found: trying again.
    Lost,
    /// The device is in emergency stop.
    EmergencyStop,
}

/// The state and the reason for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerView {
    /// What it is doing.
    pub state: WorkerState,
    /// What is wrong, with its cure.
    pub fault: Option<String>,
}

/// A handle on the status of one device thread. Clones share it.
#[derive(Clone, Debug)]
pub struct WorkerStatus {
    view: Arc<ArcSwap<WorkerView>>,
    stats: LinkStats,
    priority_refused: Arc<AtomicBool>,
    closed: Arc<AtomicBool>,
    came_up: Arc<AtomicBool>,
    condition: Arc<ArcSwap<Option<String>>>,
    advice: Arc<ArcSwap<Option<String>>>,
}

impl WorkerStatus {
    pub(super) fn new(stats: LinkStats) -> Self {
        Self {
            view: Arc::new(ArcSwap::from_pointee(WorkerView::default())),
            stats,
            priority_refused: Arc::default(),
            closed: Arc::default(),
            came_up: Arc::default(),
            condition: Arc::default(),
            advice: Arc::default(),
        }
    }

    pub(super) fn set(&self, state: WorkerState, fault: Option<String>) {
        self.view.store(Arc::new(WorkerView { state, fault }));
    }

    pub(super) fn set_condition(&self, condition: Option<String>) {
        if **self.condition.load() != condition {
            self.condition.store(Arc::new(condition));
        }
    }

    pub(super) fn set_advice(&self, advice: Option<String>) {
        self.advice.store(Arc::new(advice));
    }

    /// What an operator should know of this device.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        (**self.advice.load()).clone()
    }

    /// What the device says of its own health, for people.
    #[must_use]
    pub fn condition(&self) -> Option<String> {
        (**self.condition.load()).clone()
    }

    pub(super) fn set_closed(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// True once the device was let go of for good.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn set_came_up(&self) {
        self.came_up.store(true, Ordering::Release);
    }

    /// True once the device has been connected, whatever became of it.
    #[must_use]
    pub fn has_come_up(&self) -> bool {
        self.came_up.load(Ordering::Acquire)
    }

    pub(super) fn refuse_priority(&self) {
        self.priority_refused.store(true, Ordering::Relaxed);
    }

    /// State and fault now.
    #[must_use]
    pub fn view(&self) -> Arc<WorkerView> {
        self.view.load_full()
    }

    /// The counters now.
    #[must_use]
    pub fn counts(&self) -> LinkCounts {
        self.stats.read()
    }

    /// True if the system did not grant the thread a real-time priority.
    #[must_use]
    pub fn is_priority_refused(&self) -> bool {
        self.priority_refused.load(Ordering::Relaxed)
    }
}
