//! How fast a way is followed: planned as machine tools do, then sampled at the point rate.
//!
//! The motion is in continuous time. Along a line the acceleration is at most half of what the mirrors bear;
//! a corner passed at speed turns the velocity by at most the other half, and two corners are never less than
//! a point apart in time. The second difference of samples of a motion is its acceleration averaged under a
//! triangle of two points' width, so no three samples can break the limit, whatever the figure.
//!
//! Near the edge of the field, lines are passed slower, and left slower still where they end there: [`super::edge`].
//! Since no line lasts less than a point, a step lies on two lines at most.

use super::edge::{self, Arrival};
use super::profile::PointLimits;
use super::rest;
use super::route::{Node, Route, between};
use crate::point::{Colour, LaserPoint};

/// How a way is to be followed, in points and half-fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// What the mirrors bear.
    pub limits: PointLimits,
    /// Greatest step, half-fields per point.
    pub cruise: f32,
    /// Dark rest before a stroke after a travel, points.
    pub settle: f32,
    /// Lit rest before a stroke sets out, points.
    pub start_dwell: f32,
    /// Lit rest at the end of a stroke, points.
    pub end_dwell: f32,
    /// What a rest of one time constant is in points, for [`rest::corner`].
    pub corner_rest: f32,
    /// Corners below this get no rest: 2·sin(angle / 2).
    pub least_turn: f32,
    /// Lit rest of a dot, points.
    pub beam_dwell: f32,
}

/// Plans the speeds of `route`. Returns the time it takes in points.
pub fn plan(route: &mut Route, pace: &Pace) -> f32 {
    let nodes = route.nodes_mut();
    let Some(last) = nodes.len().checked_sub(1) else { return 0.0 };
    nodes[0].pause = pace.settle + pace.start_dwell;
    if last == 0 {
        nodes[0].pause = pace.settle + pace.beam_dwell;
        return nodes[0].pause;
    }
    nodes[last].pause = pace.end_dwell;
    let half = 0.5 * pace.limits.change;
    for node in nodes.iter_mut() {
        // No line in less than a point: see the module's promise.
        node.cap = pace.cruise.min(node.length);
        node.slowing = half;
    }
    nodes[0].speed = 0.0;
    nodes[last].speed = 0.0;
    for k in 1..last {
        let turn = turn(&nodes[k - 1], &nodes[k], &nodes[k + 1]);
        let rests = nodes[k].corner && turn >= pace.least_turn && pace.corner_rest > 0.0;
        let node = &mut nodes[k];
        if rests {
            let angle = 2.0 * (0.5 * turn).min(1.0).asin();
            node.pause = (pace.corner_rest * rest::corner(angle)).max(1.0);
            node.speed = 0.0;
        } else {
            node.pause = 0.0;
            node.speed = if turn * pace.cruise > half { half / turn } else { pace.cruise };
        }
    }
    keep_off_the_edge(nodes, pace);
    for k in 1..last {
        let before = nodes[k - 1];
        let reach = (before.speed * before.speed + 2.0 * half * before.length).sqrt();
        nodes[k].speed = nodes[k].speed.min(reach).min(before.cap).min(nodes[k].cap);
    }
    let mut time = nodes[last].pause;
    for k in (0..last).rev() {
        let next = nodes[k + 1].speed;
        let reach = (next * next + 2.0 * nodes[k].slowing * nodes[k].length).sqrt();
        nodes[k].speed = nodes[k].speed.min(reach);
        time += nodes[k].pause + Motion::along(&nodes[k], next, half).duration();
    }
    time
}

/// Slows what comes near to the edge of the field, so that each sample keeps the law of [`super::edge`].
fn keep_off_the_edge(nodes: &mut [Node], pace: &Pace) {
    let change = pace.limits.change;
    let half = 0.5 * change;
    let wide = Arrival::free_room(pace.cruise, change, half);
    for k in 1..nodes.len() {
        let (from, to) = (nodes[k - 1], nodes[k]);
        for (from_at, to_at) in [(from.x, to.x), (from.y, to.y)] {
            let room = edge::room(from_at, to_at);
            let share = ((to_at - from_at).abs() / from.length).min(1.0);
            if room >= wide || share <= 0.0 || from.length <= 0.0 {
                continue;
            }
            let arrival = Arrival::with(room, share, change, half);
            nodes[k].speed = nodes[k].speed.min(arrival.speed);
            nodes[k - 1].slowing = nodes[k - 1].slowing.min(arrival.slowing);
        }
    }
}

/// Samples a planned route, one point per unit of time, the first at time 1; `emit` gets each point.
pub fn sample(route: &Route, pace: &Pace, mut emit: impl FnMut(LaserPoint)) {
    let half = 0.5 * pace.limits.change;
    let nodes = route.nodes();
    // Time until the next sample.
    let mut wait = 1.0_f32;
    for (k, node) in nodes.iter().enumerate() {
        let mut rest = node.pause;
        let dark = if k == 0 { pace.settle } else { 0.0 };
        let mut rested = 0.0;
        while wait <= rest {
            rest -= wait;
            rested += wait;
            wait = 1.0;
            // The colour at the very end of a corner stroke is that of the line that led there.
            let colour = match k.checked_sub(1) {
                Some(before) if k + 1 == nodes.len() && !nodes[before].blends => {
                    nodes[before].colour
                }
                _ => node.colour,
            };
            let colour = if rested <= dark { Colour::BLACK } else { colour };
            emit(LaserPoint::lit(node.x, node.y, colour));
        }
        wait -= rest;
        let Some(next) = nodes.get(k + 1) else { break };
        let motion = Motion::along(node, next.speed, half);
        let duration = motion.duration();
        let mut passed = 0.0;
        while wait <= duration - passed {
            passed += wait;
            wait = 1.0;
            let mut at = between(node, next, motion.distance_at(passed) / node.length);
            if !node.blends {
                at.colour = node.colour;
            }
            emit(LaserPoint::lit(at.x, at.y, at.colour));
        }
        wait -= duration - passed;
    }
    // The motion is at rest: a last sample a little later is at its end.
    if let (true, Some(end)) = (wait < 1.0, nodes.last()) {
        let before = nodes.len().checked_sub(2).map(|k| &nodes[k]);
        let lit_by = before.filter(|node| !node.blends).map(|node| node.colour);
        emit(LaserPoint::lit(end.x, end.y, lit_by.unwrap_or(end.colour)));
    }
}

/// How the direction changes at `at`: the length of the difference of the unit directions, 0 straight on,
/// 2 straight back.
fn turn(from: &Node, at: &Node, to: &Node) -> f32 {
    if from.length <= 0.0 || at.length <= 0.0 {
        return 2.0;
    }
    let (inward, outward) = (1.0 / from.length, 1.0 / at.length);
    let x = (to.x - at.x) * outward - (at.x - from.x) * inward;
    let y = (to.y - at.y) * outward - (at.y - from.y) * inward;
    (x * x + y * y).sqrt()
}

/// Speeding up, holding, slowing down along one line.
#[derive(Clone, Copy, Debug)]
struct Motion {
    entry: f32,
    top: f32,
    quickening: f32,
    slowing: f32,
    up: f32,
    hold: f32,
    down: f32,
    length: f32,
}

impl Motion {
    fn along(node: &Node, exit: f32, change: f32) -> Self {
        let (entry, length, slowing) = (node.speed, node.length, node.slowing);
        let still = Self {
            entry,
            top: 0.0,
            quickening: change,
            slowing,
            up: 0.0,
            hold: 0.0,
            down: 0.0,
            length,
        };
        if length <= 0.0 {
            return still;
        }
        let part = slowing / (change + slowing);
        let squares = part * entry * entry + (1.0 - part) * exit * exit;
        let highest = (2.0 * part * change * length + squares).sqrt();
        let top = highest.min(node.cap).max(entry).max(exit);
        let (up, down) = ((top - entry) / change, (top - exit) / slowing);
        let eased = 0.5 * ((top + entry) * up + (top + exit) * down);
        let hold = ((length - eased) / top).max(0.0);
        Self { top, up, hold, down, ..still }
    }

    fn duration(&self) -> f32 {
        self.up + self.hold + self.down
    }

    fn distance_at(&self, t: f32) -> f32 {
        if t < self.up {
            return t * (self.entry + 0.5 * self.quickening * t);
        }
        let left = self.duration() - t;
        if left < self.down {
            let exit = self.top - self.slowing * self.down;
            return self.length - left * (exit + 0.5 * self.slowing * left);
        }
        0.5 * (self.entry + self.top) * self.up + self.top * (t - self.up)
    }
}
