//! Where each pane of the desk stands: a tree of rows, columns and stacks that the operator rearranges.
//!
//! Until something is moved the layout is the standard one, made anew for the size of the window. The safety pane
//! can be moved and never closed; STOP is no part of this at all: it has its fixed place in the title bar.

mod look;
mod plan;

use std::collections::HashMap;

use egui::{Rect, Ui, Vec2};
use egui_tiles::{Container, Tile, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

use self::look::Look;
pub(super) use self::plan::Flaw;
use self::plan::Part;
use super::pane::Pane;

/// The layout, and whether the operator made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// True once a pane was moved or sized by hand.
    custom: bool,
    /// Where each pane stands.
    desk: Part,
}

/// The panes and where they stand.
pub(super) struct Layout {
    tree: Tree<Pane>,
    custom: bool,
    /// The room the standard layout was made for.
    made_for: Option<Vec2>,
    changed: bool,
}

impl std::fmt::Debug for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layout").field("custom", &self.custom).finish_non_exhaustive()
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self { tree: standard(FIRST_SIZE), custom: false, made_for: None, changed: false }
    }
}

/// The room of the panes in a window as it opens, px.
const FIRST_SIZE: Vec2 = Vec2::new(1264.0, 692.0);

impl Layout {
    /// The layout that was kept.
    pub(super) fn restored(kept: &Kept) -> Result<Self, Flaw> {
        let tree = kept.desk.tree()?;
        Ok(Self { tree, custom: kept.custom, made_for: None, changed: false })
    }

    /// What to keep of it.
    pub(super) fn kept(&self) -> Option<Kept> {
        Some(Kept { custom: self.custom, desk: Part::of(&self.tree)? })
    }

    /// True once after a change that is worth keeping.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Back to the standard layout, everything shown.
    pub(super) fn reset(&mut self) {
        *self = Self { changed: true, ..Self::default() };
    }

    /// True if the pane is not hidden; another may lie on top of it.
    pub(super) fn is_shown(&self, pane: Pane) -> bool {
        self.tree.tiles.find_pane(&pane).is_some_and(|id| self.tree.tiles.is_visible(id))
    }

    /// Shows a pane, on top of its stack, or hides it.
    pub(super) fn set_shown(&mut self, pane: Pane, shown: bool) {
        let Some(id) = self.tree.tiles.find_pane(&pane) else { return };
        self.tree.tiles.set_visible(id, shown || !pane.may_be_hidden());
        if shown {
            self.tree.make_active(|tile, _| tile == id);
        }
        self.changed = true;
    }

    /// Where a pane is on the screen, if it is seen.
    pub(super) fn rect(&self, pane: Pane) -> Option<Rect> {
        let id = self.tree.tiles.find_pane(&pane)?;
        self.tree.active_tiles().contains(&id).then(|| self.tree.tiles.rect(id)).flatten()
    }

    /// Shows every pane that is seen, each through `show`, in all the room there is.
    pub(super) fn show(&mut self, ui: &mut Ui, show: &mut dyn FnMut(Pane, &mut Ui)) {
        let room = ui.available_size();
        if !self.custom && self.made_for != Some(room) {
            self.fit(room);
        }
        let mut look = Look::new(show, alone(&self.tree.tiles));
        self.tree.ui(&mut look, ui);
        let (touched, moved, hide) = (look.touched, look.moved, look.hide);
        self.changed |= touched;
        self.custom |= moved;
        if let Some(pane) = hide {
            self.set_shown(pane, false);
        }
    }

    /// The standard layout for this room, with the same panes hidden and on top.
    fn fit(&mut self, room: Vec2) {
        let mut tree = standard(room);
        let on_top = self.tree.active_tiles();
        for pane in Pane::ALL {
            let (Some(old), Some(new)) =
                (self.tree.tiles.find_pane(pane), tree.tiles.find_pane(pane))
            else {
                continue;
            };
            tree.tiles.set_visible(new, self.tree.tiles.is_visible(old));
            if on_top.contains(&old) {
                tree.make_active(|tile, _| tile == new);
            }
        }
        self.tree = tree;
        self.made_for = Some(room);
    }
}

/// Heights of panes that do not grow with the window, px.
const PROJECTORS: f32 = 196.0;
const SAFETY: f32 = 226.0;
/// The width of the beat, which does not grow either, px.
const TEMPO: f32 = 272.0;

/// The layout of a desk that nobody arranged, for a room of this size in px.
fn standard(room: Vec2) -> Tree<Pane> {
    let left = (room.x * 0.19).clamp(240.0, 330.0);
    let right = (room.x * 0.235).clamp(288.0, 400.0);
    let sound = (room.y * 0.2).clamp(160.0, 230.0);
    let transport = (room.y * 0.18).clamp(116.0, 184.0);
    let rest = |taken: f32| (room.y - taken).max(160.0);
    let centre = (room.x - left - right).max(320.0);
    let part = Part::row(
        1.0,
        vec![
            Part::column(
                left,
                vec![
                    Part::stack(rest(PROJECTORS), &[Pane::Presets, Pane::Queue]),
                    Part::stack(PROJECTORS, &[Pane::Projectors]),
                ],
            ),
            Part::column(
                centre,
                vec![
                    Part::stack(rest(sound + transport), &[Pane::Preview, Pane::Text, Pane::SetUp])
                        .hiding(Pane::SetUp),
                    Part::row(
                        sound,
                        vec![
                            Part::stack(
                                centre - TEMPO,
                                &[Pane::Sound, Pane::Health, Pane::Recorder, Pane::Log],
                            ),
                            Part::stack(TEMPO, &[Pane::Tempo, Pane::Sync]),
                        ],
                    ),
                    Part::stack(transport, &[Pane::Transport]),
                ],
            ),
            Part::column(
                right,
                vec![
                    Part::stack(SAFETY, &[Pane::Safety]),
                    Part::stack(rest(SAFETY), &[Pane::Parameters, Pane::Live, Pane::Controllers]),
                ],
            ),
        ],
    );
    match part.tree() {
        Ok(tree) => tree,
        // Only a mistake above could bring this about; the panes are then stacked, which shows all of them.
        Err(_) => Tree::new_tabs(egui::Id::unique("desk"), Pane::ALL.to_vec()),
    }
}

/// The stacks of which one pane is shown, with that pane.
fn alone(tiles: &Tiles<Pane>) -> HashMap<TileId, Pane> {
    let only = |(id, tile): (&TileId, &Tile<Pane>)| {
        let Tile::Container(Container::Tabs(tabs)) = tile else { return None };
        let mut shown = tabs.children.iter().filter(|id| tiles.is_visible(**id));
        match (shown.next().and_then(|id| tiles.get_pane(id)), shown.next()) {
            (Some(pane), None) => Some((*id, *pane)),
            _ => None,
        }
    };
    tiles.iter().filter_map(only).collect()
}
