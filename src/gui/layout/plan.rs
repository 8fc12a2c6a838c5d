//! A layout as plain data: what the user's file holds, checked before a tree is built from it.

use std::collections::HashSet;

use egui_tiles::{Container, Linear, LinearDir, Tile, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

use crate::gui::pane::Pane;

/// No layout is nested deeper.
const MOST_DEEP: usize = 8;
/// No row or column has more parts.
const MOST_PARTS: usize = 16;

/// One part of the desk: a stack of panes, a row of parts, or a column of parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::gui) struct Part {
    /// Its size beside its neighbours, any unit.
    pub(super) share: f32,
    /// The panes of a stack, by their titles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tabs: Vec<String>,
    /// The one on top.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) top: String,
    /// Those that are hidden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) hidden: Vec<String>,
    /// Parts from left to right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) row: Vec<Part>,
    /// Parts from top to bottom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) column: Vec<Part>,
}

/// What keeps a layout from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::gui) enum Flaw {
    /// A part is not one of stack, row and column.
    #[error("a part of the layout is not one of tabs, row and column")]
    Kind,
    /// It is nested too deep, or too long.
    #[error("the layout is nested deeper or is longer than any desk")]
    Size,
    /// A size is not a positive number.
    #[error("a share of the layout is no positive number")]
    Share,
    /// A pane stands in it twice.
    #[error("a pane stands twice in the layout")]
    Twice,
    /// The pane that can never be closed is missing or hidden.
    #[error("the safety pane is missing in the layout")]
    NoSafety,
}

impl Part {
    /// A stack of panes, the first on top.
    pub(super) fn stack(share: f32, panes: &[Pane]) -> Self {
        let titles = panes.iter().map(|pane| written(*pane)).collect();
        Self { share, tabs: titles, ..Self::default() }
    }

    /// The same, with one of them hidden.
    pub(super) fn hiding(mut self, pane: Pane) -> Self {
        self.hidden.push(written(pane));
        self
    }

    /// Parts from left to right.
    pub(super) fn row(share: f32, row: Vec<Self>) -> Self {
        Self { share, row, ..Self::default() }
    }

    /// Parts from top to bottom.
    pub(super) fn column(share: f32, column: Vec<Self>) -> Self {
        Self { share, column, ..Self::default() }
    }

    /// The tree of this layout. Panes that no part names are put, hidden, into the last stack; titles of no pane are
    /// left out: they belong to another version.
    pub(super) fn tree(&self) -> Result<Tree<Pane>, Flaw> {
        let mut builder = Builder::default();
        let root = builder.part(self, 0)?.ok_or(Flaw::NoSafety)?;
        let Builder { mut tiles, placed, last_stack } = builder;
        if let Some(stack) = last_stack {
            for pane in Pane::ALL.iter().filter(|pane| !placed.contains(pane)) {
                let id = tiles.insert_pane(*pane);
                tiles.set_visible(id, false);
                if let Some(Tile::Container(container)) = tiles.get_mut(stack) {
                    container.add_child(id);
                }
            }
        }
        let safety = tiles.find_pane(&Pane::Safety).ok_or(Flaw::NoSafety)?;
        if tiles.is_visible(safety) {
            Ok(Tree::new(egui::Id::unique("desk"), root, tiles))
        } else {
            Err(Flaw::NoSafety)
        }
    }

    /// The layout of a tree as it stands.
    pub(super) fn of(tree: &Tree<Pane>) -> Option<Self> {
        part_of(&tree.tiles, tree.root?, 1.0)
    }
}

fn written(pane: Pane) -> String {
    pane.title().to_lowercase()
}

#[derive(Default)]
struct Builder {
    tiles: Tiles<Pane>,
    placed: HashSet<Pane>,
    last_stack: Option<TileId>,
}

impl Builder {
    /// The tile of a part; none if nothing is left of it.
    fn part(&mut self, part: &Part, depth: usize) -> Result<Option<TileId>, Flaw> {
        let kinds = [part.tabs.is_empty(), part.row.is_empty(), part.column.is_empty()];
        if kinds.iter().filter(|empty| !**empty).count() != 1 {
            return Err(Flaw::Kind);
        }
        let longest = part.tabs.len().max(part.row.len()).max(part.column.len());
        if depth > MOST_DEEP || longest > MOST_PARTS.max(Pane::ALL.len() * 2) {
            return Err(Flaw::Size);
        }
        if !(part.share.is_finite() && part.share > 0.0) {
            return Err(Flaw::Share);
        }
        if part.tabs.is_empty() {
            let (dir, parts) = if part.row.is_empty() {
                (LinearDir::Vertical, &part.column)
            } else {
                (LinearDir::Horizontal, &part.row)
            };
            let mut children = Vec::new();
            for part in parts {
                children.extend(self.part(part, depth + 1)?.map(|id| (id, part.share)));
            }
            if children.is_empty() {
                return Ok(None);
            }
            let mut linear = Linear::new(dir, children.iter().map(|(id, _)| *id).collect());
            for (id, share) in &children {
                linear.shares.set_share(*id, *share);
            }
            return Ok(Some(self.tiles.insert_container(linear)));
        }
        let mut children = Vec::new();
        let mut top = None;
        for title in &part.tabs {
            let Some(pane) = Pane::named(title) else { continue };
            if !self.placed.insert(pane) {
                return Err(Flaw::Twice);
            }
            let id = self.tiles.insert_pane(pane);
            let is_hidden = part.hidden.iter().any(|hidden| Pane::named(hidden) == Some(pane));
            self.tiles.set_visible(id, !is_hidden);
            if Pane::named(&part.top) == Some(pane) || (top.is_none() && !is_hidden) {
                top = Some(id);
            }
            children.push(id);
        }
        if children.is_empty() {
            return Ok(None);
        }
        let stack = self.tiles.insert_tab_tile(children);
        if let (Some(top), Some(Tile::Container(Container::Tabs(tabs)))) =
            (top, self.tiles.get_mut(stack))
        {
            tabs.set_active(top);
        }
        self.last_stack = Some(stack);
        Ok(Some(stack))
    }
}

fn part_of(tiles: &Tiles<Pane>, id: TileId, share: f32) -> Option<Part> {
    match tiles.get(id)? {
        Tile::Pane(pane) => Some(Part::stack(share, &[*pane])),
        Tile::Container(Container::Linear(linear)) => {
            let share_of = |id: TileId| {
                linear
                    .shares
                    .iter()
                    .find(|(child, _)| **child == id)
                    .map_or(1.0, |(_, share)| *share)
            };
            let parts: Vec<Part> = linear
                .children
                .iter()
                .filter_map(|id| part_of(tiles, *id, share_of(*id).max(1e-3)))
                .collect();
            (!parts.is_empty()).then(|| match linear.dir {
                LinearDir::Horizontal => Part::row(share, parts),
                LinearDir::Vertical => Part::column(share, parts),
            })
        }
        Tile::Container(container) => {
            let mut part = Part { share, ..Part::default() };
            let active = match container {
                Container::Tabs(tabs) => tabs.active,
                _ => None,
            };
            for child in container.children() {
                stacked(tiles, *child, active == Some(*child), &mut part);
            }
            (!part.tabs.is_empty()).then_some(part)
        }
    }
}

/// Every pane at or below `id`, as the tabs of one stack.
fn stacked(tiles: &Tiles<Pane>, id: TileId, is_top: bool, part: &mut Part) {
    match tiles.get(id) {
        Some(Tile::Pane(pane)) => {
            part.tabs.push(written(*pane));
            if !tiles.is_visible(id) {
                part.hidden.push(written(*pane));
            } else if is_top {
                part.top = written(*pane);
            }
        }
        Some(Tile::Container(container)) => {
            container.children().for_each(|child| stacked(tiles, *child, is_top, part));
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Tree<Pane>, Flaw> {
        toml::from_str::<Part>(text).unwrap().tree()
    }

    fn panes(tree: &Tree<Pane>) -> usize {
        tree.tiles.tiles().filter(|tile| tile.is_pane()).count()
    }

    #[test]
    fn a_layout_comes_back_as_it_was_written() {
        let mut part = Part::row(
            1.0,
            vec![
                Part::stack(248.0, &[Pane::Presets]),
                Part::column(
                    700.0,
                    vec![
                        Part::stack(500.0, &[Pane::Preview]),
                        Part::stack(200.0, &[Pane::Sound, Pane::Tempo, Pane::Transport]),
                    ],
                ),
                Part::stack(300.0, &[Pane::Safety, Pane::Parameters, Pane::Projectors]),
            ],
        );
        part.row[1].column[1].top = "tempo".into();
        part.row[1].column[1].hidden = vec!["sound".into()];
        let text = toml::to_string(&part).unwrap();
        let tree = toml::from_str::<Part>(&text).unwrap().tree().unwrap();
        assert_eq!(panes(&tree), Pane::ALL.len());
        let again = Part::of(&tree).unwrap();
        assert_eq!(again.row[1].column[1].top, "tempo");
        assert_eq!(again.row[1].column[1].hidden[..1], ["sound"]);
        assert_eq!(again.row[0].share, 248.0);
        assert_eq!(Part::of(&again.tree().unwrap()), Some(again));
    }

    #[test]
    fn what_no_layout_names_is_there_hidden_and_what_no_version_knows_is_left_out() {
        let tree = parsed("share = 1\ntabs = [\"Safety\", \"hologram\"]").unwrap();
        assert_eq!(panes(&tree), Pane::ALL.len());
        let preview = tree.tiles.find_pane(&Pane::Preview).unwrap();
        assert!(!tree.tiles.is_visible(preview));
    }

    #[test]
    fn a_layout_that_makes_no_sense_is_refused() {
        let nested = |depth: usize| {
            (0..depth).fold(Part::stack(1.0, &[Pane::Safety]), |part, _| Part::row(1.0, vec![part]))
        };
        assert!(nested(4).tree().is_ok());
        assert_eq!(nested(40).tree().err(), Some(Flaw::Size));
        for (text, flaw) in [
            ("share = 1", Flaw::Kind),
            (
                "share = 1\ntabs = [\"safety\"]\nrow = [{ share = 1, tabs = [\"sound\"] }]",
                Flaw::Kind,
            ),
            ("share = nan\ntabs = [\"safety\"]", Flaw::Share),
            ("share = -1\ntabs = [\"safety\"]", Flaw::Share),
            ("share = 1\ntabs = [\"safety\", \"safety\"]", Flaw::Twice),
            ("share = 1\ntabs = [\"sound\"]", Flaw::NoSafety),
            ("share = 1\ntabs = [\"safety\"]\nhidden = [\"safety\"]", Flaw::NoSafety),
            ("share = 1\ntabs = [\"hologram\"]", Flaw::NoSafety),
        ] {
            assert_eq!(parsed(text).err(), Some(flaw), "{text}");
        }
    }
}
