//! The track: play, seek, loop, what comes next, volume.

mod looping;
mod waveform;

use egui::{
    Align, Button, Context, Event, Key, Label, Layout, Rect, RichText, Sense, Ui, UiBuilder, Vec2,
    pos2,
};

use self::looping::Looping;
use self::waveform::{Field, Waveform};
use crate::gui::keys::SEEK_STEP_SECONDS;
use crate::gui::theme;
use crate::gui::widgets::{Done, Icon, SeekBar, Stretch, icon_button, level_slider};
use crate::show::snapshot::Listening;
use crate::show::{Command, Snapshot};
use crate::time::MediaTime;

/// Height of the line of controls, px.
const LINE_PX: f32 = 36.0;
/// Width of the column beside the waveform, px.
const SIDE_PX: f32 = 22.0;
/// Width of the times, px.
const TIMES_PX: f32 = 104.0;
/// Width of the volume slider, px.
const VOLUME_PX: f32 = 76.0;
/// The shortest stretch that fills the width, s.
const SHORTEST_STRETCH_SECONDS: f64 = 4.0;
/// One press of a button of the size.
const LARGER: f64 = 2.0;

/// The transport.
#[derive(Debug)]
pub(in crate::gui) struct TransportPanel {
    seek_bar: SeekBar,
    looping: Looping,
    waveform: Waveform,
    /// How many times the width the whole track has.
    zoom: f64,
    /// What is in sight, which stays while a finger drags.
    from: f64,
}

impl Default for TransportPanel {
    fn default() -> Self {
        Self {
            seek_bar: SeekBar::default(),
            looping: Looping::default(),
            waveform: Waveform::default(),
            zoom: 1.0,
            from: 0.0,
        }
    }
}

impl TransportPanel {
    /// Obeys the keys of loop and queue, whether the pane is seen or not.
    pub(in crate::gui) fn keys(
        &mut self,
        ctx: &Context,
        seen: &Snapshot,
        wishes: &mut Vec<Command>,
    ) {
        self.looping.look(seen);
        if ctx.text_edit_focused() {
            return;
        }
        // Taken out, so that no other look at the same picture's keys finds them again.
        let mut keys = Vec::new();
        ctx.input_mut(|input| {
            input.events.retain(|event| match event {
                Event::Key {
                    key: key @ (Key::I | Key::O | Key::L | Key::N),
                    pressed: true,
                    repeat: false,
                    modifiers,
                    ..
                } if modifiers.is_none() => {
                    keys.push(*key);
                    false
                }
                _ => true,
            });
        });
        for key in keys {
            wishes.extend(match key {
                Key::I => self.looping.begin(seen),
                Key::O => self.looping.end(seen),
                Key::L => self.looping.toggle(seen),
                Key::N => (seen.transport.queued > 0).then_some(Command::NextTrack),
                _ => None,
            });
        }
    }

    /// Shows it.
    pub(in crate::gui) fn show(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let room = ui.available_rect_before_wrap();
        let line = Rect::from_min_size(room.min, Vec2::new(room.width(), LINE_PX));
        ui.scope_builder(
            UiBuilder::new().max_rect(line).layout(Layout::left_to_right(Align::Center)),
            |ui| self.line(ui, seen, wishes),
        );
        let top = line.bottom() + 1.5 * theme::GRID;
        let below = Rect::from_min_max(pos2(room.left(), top), room.max);
        if below.height() >= 12.0 {
            self.track(ui, below, seen, wishes);
        }
    }

    fn line(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let transport = &seen.transport;
        ui.spacing_mut().item_spacing.x = theme::GRID;
        let (icon, name, wish) = if transport.playing {
            (Icon::Pause, "Pause", Command::Pause)
        } else {
            (Icon::Play, "Play", Command::Play)
        };
        let is_open = transport.live || transport.path.is_some() || !transport.title.is_empty();
        let button = icon_button(ui, icon, name, is_open, LINE_PX);
        if button.on_hover_text(format!("{name} (Space)")).clicked() {
            wishes.push(wish);
        }
        if !transport.live {
            let button = icon_button(ui, Icon::Next, "Next track", transport.queued > 0, LINE_PX);
            if button.on_hover_text(queue_words(seen)).clicked() {
                wishes.push(Command::NextTrack);
            }
        }
        ui.add_space(theme::GRID);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            volume(ui, seen, wishes);
            if transport.live {
                let live = RichText::new("LIVE").size(theme::SMALL).color(theme::ACCENT);
                ui.label(live.extra_letter_spacing(1.0))
                    .on_hover_text("The sound of an input: no seek, no end");
            } else if is_open {
                self.loop_buttons(ui, seen, wishes);
                self.times(ui, seen);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| titles(ui, seen, is_open));
        });
    }

    fn loop_buttons(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let can = looping::can_loop(seen);
        let is_on = seen.transport.loop_region.is_some();
        ui.scope(|ui| {
            ui.spacing_mut().button_padding.x = 2.0 * theme::GRID;
            ui.spacing_mut().item_spacing.x = 0.5 * theme::GRID;
            let small = |word: &str| RichText::new(word).size(theme::SMALL);
            let button = ui.add_enabled(
                can,
                Button::selectable(is_on, small("Loop")).frame_when_inactive(true),
            );
            let help =
                "Plays the marked part round and round, or the four bars at hand; off again (L)";
            if button.on_hover_text(help).clicked() {
                wishes.extend(self.looping.toggle(seen));
            }
            let button = ui.add_enabled(self.looping.can_end(seen), Button::new(small("Out")));
            let button = button.accessible_name("Loop out");
            let help = "The loop ends at the beat at hand, and begins to play (O)";
            if button.on_hover_text(help).on_disabled_hover_text("Set In first (I)").clicked() {
                wishes.extend(self.looping.end(seen));
            }
            let waits = self.looping.start().is_some();
            let button = ui
                .add_enabled(can, Button::selectable(waits, small("In")).frame_when_inactive(true));
            let button = button.accessible_name("Loop in");
            if button.on_hover_text("The loop starts at the beat at hand (I)").clicked() {
                wishes.extend(self.looping.begin(seen));
            }
        });
        ui.add_space(theme::GRID);
    }

    fn times(&self, ui: &mut Ui, seen: &Snapshot) {
        let transport = &seen.transport;
        let at = self.seek_bar.scrubbing_to().unwrap_or_else(|| transport.position.as_secs_f64());
        let end = transport.duration.map(MediaTime::as_secs_f64);
        let (whole, left) = end.map_or(("–:––".to_owned(), String::new()), |end| {
            (clock(end), format!("−{}", clock((end - at).max(0.0))))
        });
        let size = Vec2::new(TIMES_PX, LINE_PX);
        ui.allocate_ui_with_layout(size, Layout::top_down(Align::Max), |ui| {
            ui.set_min_size(size);
            ui.spacing_mut().item_spacing.y = 1.0;
            let text = format!("{} / {whole}", clock(at));
            ui.label(RichText::new(text).font(theme::figures(13.0)).color(theme::TEXT));
            ui.label(RichText::new(left).font(theme::figures(11.0)).color(theme::TEXT_FAINT))
                .on_hover_text("What is left of the track");
        });
        ui.add_space(2.0 * theme::GRID);
    }

    /// The track in `rect`, or what stands in its place.
    fn track(&mut self, ui: &mut Ui, rect: Rect, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let transport = &seen.transport;
        let duration = transport.duration.map_or(0.0, MediaTime::as_secs_f64);
        if transport.live || duration <= 0.0 {
            return;
        }
        let longest = (duration / SHORTEST_STRETCH_SECONDS).max(1.0);
        self.zoom = self.zoom.clamp(1.0, longest);
        let side = Rect::from_min_max(pos2(rect.right() - SIDE_PX, rect.top()), rect.max);
        let has_track = seen.track.is_some();
        if has_track {
            self.size_buttons(ui, side, longest);
        } else {
            self.zoom = 1.0;
        }
        let has_side = has_track || seen.listening != Listening::No;
        if !has_track {
            listening_button(ui, side, seen, wishes);
        }
        let right = if has_side { side.left() - theme::GRID } else { rect.right() };
        let rect = Rect::from_min_max(rect.min, pos2(right, rect.bottom()));
        let stretch = self.stretch(transport.position.as_secs_f64(), duration);
        let (response, done) =
            self.seek_bar.show(ui, "Position", rect, &stretch, SEEK_STEP_SECONDS);
        if has_track && response.hovered() {
            let (scroll, pinch) =
                ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
            self.zoom *= f64::from((scroll * 0.005).exp() * pinch);
            self.zoom = self.zoom.clamp(1.0, longest);
        }
        let free = ui.input(|input| input.modifiers.alt);
        match done {
            Some(Done::Seek(to)) => wishes.push(Command::Seek(MediaTime::from_secs_f64(to))),
            Some(Done::Marked(from, to)) => {
                wishes.extend(self.looping.marked((from, to), seen, free));
            }
            None => {}
        }
        let sought = if let Some(Done::Seek(to)) = done { Some(to) } else { None };
        let head = self.seek_bar.scrubbing_to().or(sought).unwrap_or(stretch.position);
        self.paint(ui, rect, seen, &Stretch { position: head, ..stretch }, free);
        if let Some(place) = response.hover_pos().filter(|_| !response.dragged()) {
            let at = clock(stretch.at(rect, place));
            response.on_hover_text(format!(
                "{at}\nClick or drag to seek; Left and Right seek 5 s\n\
                 Shift-drag: loop a part, on the beat; with Alt too, anywhere"
            ));
        }
    }

    /// What is in sight. While a finger drags it stays where it is.
    fn stretch(&mut self, position: f64, duration: f64) -> Stretch {
        let length = duration / self.zoom;
        if self.seek_bar.scrubbing_to().is_none() && self.seek_bar.marking().is_none() {
            self.from = position - 0.5 * length;
        }
        let from = self.from.clamp(0.0, duration - length);
        Stretch { from, to: from + length, duration, position }
    }

    fn size_buttons(&mut self, ui: &mut Ui, side: Rect, longest: f64) {
        let side = Rect::from_center_size(
            side.center(),
            Vec2::new(SIDE_PX, side.height().min(2.0 * SIDE_PX + theme::GRID)),
        );
        ui.scope_builder(UiBuilder::new().max_rect(side), |ui| {
            ui.spacing_mut().item_spacing.y = theme::GRID;
            let button = icon_button(ui, Icon::Plus, "Zoom in", self.zoom < longest, SIDE_PX);
            if button.on_hover_text("Shows less of the track, larger (wheel up)").clicked() {
                self.zoom = (self.zoom * LARGER).min(longest);
            }
            let button = icon_button(ui, Icon::Minus, "Zoom out", self.zoom > 1.0, SIDE_PX);
            if button.on_hover_text("Shows more of the track (wheel down)").clicked() {
                self.zoom = (self.zoom / LARGER).max(1.0);
            }
        });
    }

    fn paint(&mut self, ui: &Ui, rect: Rect, seen: &Snapshot, stretch: &Stretch, free: bool) {
        const SIGHT_PX: f32 = 4.0;
        let painter = ui.painter().with_clip_rect(rect.expand(1.0).intersect(ui.clip_rect()));
        let mut field = Field::of(rect, false);
        if let Some(track) = &seen.track {
            let is_part = self.zoom > 1.0;
            let rect = if is_part && rect.height() > 40.0 {
                let low = pos2(rect.left(), rect.bottom() - SIGHT_PX);
                waveform::in_sight(&painter, Rect::from_min_max(low, rect.max), stretch);
                Rect::from_min_max(rect.min, pos2(rect.right(), low.y - 2.0))
            } else {
                rect
            };
            field = Field::of(rect, !track.sections().is_empty());
            painter.rect_filled(field.outline, 3, theme::GROUND);
            self.waveform.paint(&painter, &field, track, stretch);
        } else {
            waveform::plain(&painter, rect, stretch, &listening_words(seen.listening));
        }
        let seconds = |(from, to): looping::Part| (from.as_secs_f64(), to.as_secs_f64());
        if let Some(part) = seen.transport.loop_region {
            waveform::looped(&painter, field.outline, stretch, seconds(part), false);
        }
        if let Some(part) = self.seek_bar.marking() {
            let part = seconds(looping::snapped_part(seen, part, free));
            waveform::looped(&painter, field.outline, stretch, part, true);
        }
        if let Some(start) = self.looping.start() {
            let at = start.as_secs_f64();
            waveform::mark(&painter, field.outline, stretch, at, 2.0, theme::GREEN);
        }
        waveform::mark(&painter, rect, stretch, stretch.position, 2.0, theme::TEXT);
    }
}

/// How far the listening is.
fn listening_words(listening: Listening) -> String {
    match (listening, listening.share()) {
        (Listening::No, _) => String::new(),
        (Listening::Offered, _) => "Heard as it plays: the whole track is not known".to_owned(),
        (Listening::AtWork { .. }, Some(share)) => {
            format!("Listening to the whole track… {:.0} %", 100.0 * share)
        }
        (Listening::AtWork { heard_s, .. }, None) if heard_s > 0.0 => {
            format!("Listening to the whole track… {} so far", clock(heard_s))
        }
        (Listening::AtWork { .. }, None) => "Listening to the whole track…".to_owned(),
    }
}

/// Breaks the listening off, or asks for it again.
fn listening_button(ui: &mut Ui, side: Rect, seen: &Snapshot, wishes: &mut Vec<Command>) {
    let (icon, name, help, listen) = match seen.listening {
        Listening::No => return,
        Listening::AtWork { .. } => (
            Icon::Close,
            "Stop listening ahead",
            "Breaks off the listening to the whole track: it is then heard as it plays",
            false,
        ),
        Listening::Offered => (
            Icon::Redo,
            "Listen to the whole track",
            "Listens to the whole track beside the show: its outline, its beats and parts to come",
            true,
        ),
    };
    let square = Rect::from_center_size(side.center(), Vec2::splat(SIDE_PX.min(side.height())));
    ui.scope_builder(UiBuilder::new().max_rect(square), |ui| {
        let button = icon_button(ui, icon, name, true, square.width());
        if button.on_hover_text(help).clicked() {
            wishes.push(Command::ListenToTrack(listen));
        }
    });
}

/// What is played, and what comes of it next.
fn titles(ui: &mut Ui, seen: &Snapshot, is_open: bool) {
    let transport = &seen.transport;
    let (title, ink) = if is_open {
        (transport.title.as_str(), theme::TEXT)
    } else {
        ("Drop a file here, or press Open…", theme::TEXT_QUIET)
    };
    let below = second_line(seen);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.add_space(if below.is_empty() { 9.0 } else { 0.0 });
        let title = ui.add(Label::new(RichText::new(title).color(ink)).truncate());
        if let Some(path) = &transport.path {
            title.on_hover_text(path.display().to_string());
        }
        if !below.is_empty() {
            let line = RichText::new(below).size(theme::SMALL).color(theme::TEXT_FAINT);
            ui.add(Label::new(line).truncate().sense(Sense::hover()))
                .on_hover_text(queue_words(seen));
        }
    });
}

/// The part of the song at hand and the one to come, and the next track.
fn second_line(seen: &Snapshot) -> String {
    let transport = &seen.transport;
    if let Some(opening) = &transport.opening {
        return format!("opening {opening}…");
    }
    let mut words = Vec::new();
    if let Some(track) = &seen.track {
        let sections = track.sections();
        let passed = sections.partition_point(|section| section.from <= transport.position);
        if let Some(here) = passed.checked_sub(1).map(|n| &sections[n]) {
            words.push(here.kind.name().to_owned());
        }
        if let Some(next) = sections.get(passed) {
            let wait = next.from.secs_since(transport.position);
            words.push(format!("{} in {}", next.kind.name(), clock(wait)));
        }
    }
    match (transport.next.first(), transport.queued) {
        (Some(next), 1) => words.push(format!("next: {next}")),
        (Some(next), queued) => words.push(format!("next: {next} +{}", queued - queued.min(1))),
        (None, _) => {}
    }
    words.join("  ·  ")
}

/// The queue, a line a track.
fn queue_words(seen: &Snapshot) -> String {
    let transport = &seen.transport;
    if transport.queued == 0 {
        return "Nothing is queued: `galvo play a.flac b.flac` plays one after the other"
            .to_owned();
    }
    let named = transport.next.iter().enumerate().map(|(n, name)| format!("{}  {name}", n + 1));
    let more = transport.queued.saturating_sub(transport.next.len());
    let more = (more > 0).then(|| format!("and {more} more"));
    let lines = std::iter::once("To the next track (N)".to_owned()).chain(named).chain(more);
    lines.collect::<Vec<_>>().join("\n")
}

fn volume(ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
    let mut volume = seen.transport.volume;
    ui.scope(|ui| {
        let slider = level_slider(ui, "Volume level", &mut volume, 0.0..=1.0, VOLUME_PX);
        if slider.changed() && volume != seen.transport.volume {
            wishes.push(Command::SetVolume(volume));
        }
        slider.on_hover_text("Loudness only: the light follows the music as it was recorded");
    });
    ui.label(RichText::new("Volume").size(theme::SMALL).color(theme::TEXT_FAINT));
    ui.add_space(theme::GRID);
}

/// Time as a player shows it.
fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_like_those_of_a_player() {
        assert_eq!(clock(0.0), "0:00");
        assert_eq!(clock(65.9), "1:05");
        assert_eq!(clock(3_723.0), "1:02:03");
        assert_eq!(clock(-1.0), "0:00");
    }

    #[test]
    fn the_listening_tells_how_far_it_is() {
        assert_eq!(listening_words(Listening::No), "");
        let at_work = |heard_s, length_s| listening_words(Listening::AtWork { heard_s, length_s });
        assert!(at_work(50.0, Some(200.0)).ends_with("… 25 %"));
        assert!(at_work(70.0, None).ends_with("… 1:10 so far"));
        assert!(at_work(0.0, None).ends_with('…'));
    }

    #[test]
    fn the_queue_is_told_with_its_names_and_how_many_more_there_are() {
        let mut seen = Snapshot::default();
        assert_eq!(second_line(&seen), "");
        seen.transport.next = vec!["b.flac".into(), "c.flac".into()];
        seen.transport.queued = 5;
        assert_eq!(second_line(&seen), "next: b.flac +4");
        let words = queue_words(&seen);
        assert!(words.ends_with("1  b.flac\n2  c.flac\nand 3 more"), "{words}");
        seen.transport.queued = 1;
        assert_eq!(second_line(&seen), "next: b.flac");
    }
}
