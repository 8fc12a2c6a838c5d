//! Parameters with what moves them: the values of one generator or effect at play.

use std::borrow::Cow;

use super::ParamSpec;
use super::modulation::{Modulation, Signal, Smoothed};
use crate::analysis::Features;
use crate::time::MediaTime;

/// Values set, and values moved by the music.
#[derive(Debug)]
pub(super) struct Controls {
    specs: Cow<'static, [ParamSpec]>,
    values: Vec<f32>,
    moved: Vec<f32>,
    rows: Vec<(usize, Smoothed)>,
}

impl Controls {
    /// The parameters `specs`, set to `values`, moved by `rows`; a row that names none of them moves nothing.
    pub(super) fn new(
        specs: Cow<'static, [ParamSpec]>,
        values: Vec<f32>,
        rows: &[Modulation],
    ) -> Self {
        let row = |row: &Modulation| {
            let index = specs.iter().position(|spec| spec.name == row.param)?;
            Some((index, Smoothed::new(Signal::new(row, specs[index].span()))))
        };
        let rows = rows.iter().filter_map(row).collect();
        Self { moved: values.clone(), values, rows, specs }
    }

    /// The values at a moment, `dt` seconds after the last, each within its range.
    pub(super) fn at(&mut self, features: &Features, media: MediaTime, dt: f32) -> &[f32] {
        self.moved.copy_from_slice(&self.values);
        for (index, signal) in &mut self.rows {
            self.moved[*index] += signal.step(features, media, dt);
        }
        for (value, spec) in self.moved.iter_mut().zip(self.specs.iter()) {
            *value = spec.clamped(*value);
        }
        &self.moved
    }

    /// Goes on from where the smoothing of `from` was: row by row, as far as they move the same values.
    pub(super) fn inherit(&mut self, from: &Self) {
        for ((index, row), (other_index, other)) in self.rows.iter_mut().zip(&from.rows) {
            let same = self.specs.get(*index).map(|spec| &spec.name)
                == from.specs.get(*other_index).map(|spec| &spec.name);
            if same {
                row.inherit(other);
            }
        }
    }

    /// Sets a value, clamped to its range; a place that is not there is ignored.
    pub(super) fn set(&mut self, index: usize, value: f32) {
        if let (Some(slot), Some(spec)) = (self.values.get_mut(index), self.specs.get(index)) {
            *slot = spec.clamped(value);
        }
    }

    pub(super) fn specs(&self) -> &[ParamSpec] {
        &self.specs
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(super) fn moved(&self) -> &[f32] {
        &self.moved
    }
}
