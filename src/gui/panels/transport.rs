//! Play, seek and volume.

use egui::{Align, Label, Layout, RichText, Ui, Vec2};

use crate::gui::keys::SEEK_STEP_SECONDS;
use crate::gui::theme;
use crate::gui::widgets::{Icon, SeekBar, icon_button, level_slider};
use crate::show::{Command, Snapshot};
use crate::time::MediaTime;

/// The transport.
#[derive(Debug, Default)]
pub(in crate::gui) struct TransportPanel {
    seek_bar: SeekBar,
}

impl TransportPanel {
    /// Shows it.
    pub(in crate::gui) fn show(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let transport = &seen.transport;
        ui.horizontal_centered(|ui| {
            let (icon, name, wish) = if transport.playing {
                (Icon::Pause, "Pause", Command::Pause)
            } else {
                (Icon::Play, "Play", Command::Play)
            };
            let open = transport.live || transport.path.is_some() || !transport.title.is_empty();
            let button = icon_button(ui, icon, name, open, 48.0);
            let button = button.on_hover_text(format!("{name} (Space)"));
            if button.clicked() {
                wishes.push(wish);
            }
            ui.add_space(theme::GRID);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = theme::GRID;
                ui.add_space(2.0);
                self.title_row(ui, seen, open);
                self.bar_row(ui, seen, wishes);
            });
        });
    }

    fn title_row(&self, ui: &mut Ui, seen: &Snapshot, open: bool) {
        let transport = &seen.transport;
        ui.allocate_ui_with_layout(
            Vec2::new(ui.available_width(), 20.0),
            Layout::right_to_left(Align::Center),
            |ui| {
                if transport.live {
                    let live = RichText::new("LIVE").size(theme::SMALL).color(theme::ACCENT);
                    ui.label(live.extra_letter_spacing(1.0))
                        .on_hover_text("The sound of an input: no seek, no end");
                } else if open {
                    let at = self.seek_bar.scrubbing_to();
                    let at = at.unwrap_or_else(|| transport.position.as_secs_f64());
                    let end = transport
                        .duration
                        .map_or("–:––".to_owned(), |end| clock(end.as_secs_f64()));
                    let text = format!("{} / {end}", clock(at));
                    ui.label(RichText::new(text).font(theme::figures(13.0)).color(theme::TEXT));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let (title, ink) = if open {
                        (transport.title.as_str(), theme::TEXT)
                    } else {
                        ("Drop a file here, or press Open…", theme::TEXT_QUIET)
                    };
                    let title = ui.add(Label::new(RichText::new(title).color(ink)).truncate());
                    if let Some(path) = &transport.path {
                        title.on_hover_text(path.display().to_string());
                    }
                });
            },
        );
    }

    fn bar_row(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        const VOLUME_PX: f32 = 88.0;
        let transport = &seen.transport;
        ui.horizontal(|ui| {
            let room = ui.available_width() - VOLUME_PX - 66.0;
            let duration = transport.duration.map_or(0.0, MediaTime::as_secs_f64);
            if !transport.live && duration > 0.0 {
                let (response, wanted) = self.seek_bar.show(
                    ui,
                    "Position",
                    Vec2::new(room, 20.0),
                    transport.position.as_secs_f64(),
                    duration,
                    SEEK_STEP_SECONDS,
                );
                response.on_hover_text("Click or drag to seek; Left and Right seek 5 s");
                wishes.extend(wanted.map(|to| Command::Seek(MediaTime::from_secs_f64(to))));
            } else {
                ui.add_space(room + ui.spacing().item_spacing.x);
            }
            ui.add_space(2.0 * theme::GRID);
            ui.label(RichText::new("Volume").size(theme::SMALL).color(theme::TEXT_FAINT));
            let mut volume = transport.volume;
            let slider = level_slider(ui, "Volume level", &mut volume, 0.0..=1.0, VOLUME_PX);
            if slider.changed() && volume != transport.volume {
                wishes.push(Command::SetVolume(volume));
            }
            slider.on_hover_text("Loudness only: the light follows the music as it was recorded");
        });
    }
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
    use super::clock;

    #[test]
    fn times_read_like_those_of_a_player() {
        assert_eq!(clock(0.0), "0:00");
        assert_eq!(clock(65.9), "1:05");
        assert_eq!(clock(3_723.0), "1:02:03");
        assert_eq!(clock(-1.0), "0:00");
    }
}
