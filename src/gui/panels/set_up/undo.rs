//! What was changed in a set-up, so that it can be taken back: one step for each act of a hand.

use crate::path::Mounting;
use crate::show::Installation;
use crate::show::snapshot::ProjectorView;

/// Steps that are kept.
const MOST_STEPS: usize = 100;
/// Changes of the same thing that follow each other this closely are one act, s: a drag is many changes.
const ONE_ACT_SECONDS: f64 = 0.7;

/// All that is set up of one projector.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SetUp {
    pub(super) installation: Installation,
    pub(super) mounting: Mounting,
}

impl SetUp {
    /// As it is now.
    pub(super) fn of(projector: &ProjectorView) -> Self {
        let installation = (*projector.installation).clone();
        Self { installation, mounting: projector.mounting }
    }

    /// In a few words, what makes `self` of `before`.
    pub(super) fn change_from(&self, before: &Self) -> String {
        if *self == Self::default() {
            return "set-up forgotten".to_owned();
        }
        if self.mounting != before.mounting {
            return "mounting changed".to_owned();
        }
        let (new, old) = (&self.installation, &before.installation);
        let differs = new.zones.iter().zip(&old.zones).position(|(new, old)| new != old);
        let zone = |at: usize, what| format!("zone {} {what}", at + 1);
        match new.zones.len().cmp(&old.zones.len()) {
            std::cmp::Ordering::Greater => zone(differs.unwrap_or(old.zones.len()), "added"),
            std::cmp::Ordering::Less => zone(differs.unwrap_or(new.zones.len()), "removed"),
            std::cmp::Ordering::Equal if differs.is_some() => {
                zone(differs.unwrap_or_default(), "changed")
            }
            std::cmp::Ordering::Equal if new.mirrors != old.mirrors => "mirrors changed".to_owned(),
            std::cmp::Ordering::Equal if new.colour_trim_us != old.colour_trim_us => {
                "wait of the colours changed".to_owned()
            }
            std::cmp::Ordering::Equal if new.corners != old.corners => "corners moved".to_owned(),
            std::cmp::Ordering::Equal => "set-up changed".to_owned(),
        }
    }
}

/// What one act changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    projector: String,
    /// In a few words.
    pub(super) act: String,
    /// As it was before.
    pub(super) before: SetUp,
    /// When it was changed last, s.
    at: f64,
}

/// The acts so far, of all projectors.
#[derive(Debug, Default)]
pub(super) struct Undo {
    steps: Vec<Step>,
}

impl Undo {
    /// Notes a change of `projector`, which was `before`, at `now`, s.
    pub(super) fn note(&mut self, projector: &str, act: String, before: SetUp, now: f64) {
        if let Some(last) = self.steps.last_mut()
            && last.projector == projector
            && last.act == act
            && now - last.at < ONE_ACT_SECONDS
        {
            last.at = now;
            return;
        }
        if self.steps.len() == MOST_STEPS {
            self.steps.remove(0);
        }
        self.steps.push(Step { projector: projector.to_owned(), act, before, at: now });
    }

    /// The last act on `projector` that was not taken back.
    pub(super) fn last(&self, projector: &str) -> Option<&Step> {
        self.steps.iter().rev().find(|step| step.projector == projector)
    }

    /// The last act on `projector` is taken back.
    pub(super) fn forget_last(&mut self, projector: &str) {
        if let Some(at) = self.steps.iter().rposition(|step| step.projector == projector) {
            self.steps.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::{ZoneKind, ZoneSpec};

    fn with_zones(zones: Vec<ZoneSpec>) -> SetUp {
        let installation = Installation { zones, ..Installation::default() };
        SetUp { installation, ..SetUp::default() }
    }

    #[test]
    fn a_drag_is_one_act_and_projectors_have_their_own() {
        let mut undo = Undo::default();
        let was = with_zones(vec![ZoneSpec::default()]);
        for frame in 0..100 {
            let before = if frame == 0 { was.clone() } else { SetUp::default() };
            undo.note("a", "zone 1 changed".into(), before, f64::from(frame) / 60.0);
        }
        undo.note("b", "zone 1 changed".into(), SetUp::default(), 2.0);
        undo.note("a", "zone 1 removed".into(), SetUp::default(), 2.1);
        assert_eq!(undo.last("a").unwrap().act, "zone 1 removed");
        undo.forget_last("a");
        assert_eq!(undo.last("a").unwrap().before, was);
        undo.forget_last("a");
        assert_eq!(undo.last("a"), None);
        assert_eq!(undo.last("b").unwrap().act, "zone 1 changed");
    }

    #[test]
    fn the_same_act_after_a_pause_is_another() {
        let mut undo = Undo::default();
        undo.note("a", "corners moved".into(), SetUp::default(), 1.0);
        undo.note("a", "corners moved".into(), SetUp::default(), 1.8);
        undo.forget_last("a");
        assert!(undo.last("a").is_some());
    }

    #[test]
    fn an_act_is_told_in_a_few_words() {
        let dimmed = ZoneSpec { kind: ZoneKind::Dimmed, ..ZoneSpec::default() };
        let both = with_zones(vec![ZoneSpec::default(), dimmed.clone()]);
        let second = with_zones(vec![dimmed]);
        assert_eq!(second.change_from(&both), "zone 1 removed");
        assert_eq!(both.change_from(&second), "zone 1 added");
        assert_eq!(SetUp::default().change_from(&both), "set-up forgotten");
        let mut other = both.clone();
        other.installation.zones[1].keep = 0.5;
        assert_eq!(other.change_from(&both), "zone 2 changed");
        let mut mirrors = both.clone();
        mirrors.installation.mirrors = "20 kpps".into();
        assert_eq!(mirrors.change_from(&both), "mirrors changed");
    }
}
