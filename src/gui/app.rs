//! The interface as a whole: which panel sits where, and what a frame does.

use std::sync::Arc;
use std::time::Duration;

use egui::{
    Align2, CentralPanel, Color32, Context, Frame, Margin, Panel, Rect, Ui, UiBuilder, Vec2,
    ViewportCommand,
};

use super::file_chooser::FileChooser;
use super::keys::{self, WindowKey};
use super::panels::closing::{self, Answer};
use super::panels::notices::NoticesPanel;
use super::panels::parameters::ParametersPanel;
use super::panels::presets::PresetsPanel;
use super::panels::preview::Preview;
use super::panels::safety::SafetyPanel;
use super::panels::title_bar::{self, Asked};
use super::panels::transport::TransportPanel;
use super::panels::{key_sheet, projectors, spectrum, status, tempo};
use super::theme;
use super::widgets::{card, heading};
use crate::point::LaserPoint;
use crate::show::{Command, Desk, Snapshot};

/// Time between pictures while something moves: the show makes 60 snapshots a second.
const LIVELY: Duration = Duration::from_micros(16_600);
/// The same while nothing moves: notices and faults still appear at once to the eye.
const IDLE: Duration = Duration::from_millis(100);

/// The operator's desk on the screen.
pub struct App {
    desk: Box<dyn Desk>,
    chooser: FileChooser,
    wishes: Vec<Command>,
    sent: Vec<LaserPoint>,
    preview: Preview,
    transport: TransportPanel,
    presets: PresetsPanel,
    parameters: ParametersPanel,
    safety: SafetyPanel,
    notices: NoticesPanel,
    key_sheet: bool,
    dressed: bool,
    closing: Closing,
}

/// How far the window is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    /// Nobody asked.
    No,
    /// The operator is asked whether an armed show may end.
    Asking,
    /// The show was told to end.
    Told,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("closing", &self.closing).finish_non_exhaustive()
    }
}

impl App {
    /// The interface of a desk; files are chosen through `chooser`.
    #[must_use]
    pub fn new(desk: Box<dyn Desk>, chooser: FileChooser) -> Self {
        Self {
            desk,
            chooser,
            wishes: Vec::new(),
            sent: Vec::new(),
            preview: Preview::new(),
            transport: TransportPanel::default(),
            presets: PresetsPanel::default(),
            parameters: ParametersPanel::default(),
            safety: SafetyPanel::default(),
            notices: NoticesPanel::default(),
            key_sheet: false,
            dressed: false,
            closing: Closing::No,
        }
    }

    /// One frame: takes the latest snapshot, shows it, and sends what was wished.
    pub fn root_ui(&mut self, ui: &mut Ui) {
        if !self.dressed {
            theme::apply(ui.ctx());
            ui.reset_style();
            self.dressed = true;
        }
        let now = ui.input(|input| input.time);
        let seen = self.desk.snapshot();
        self.sent.clear();
        self.desk.sent_points(&mut self.sent);
        self.preview.take(&self.sent, now);

        self.keys(ui, &seen);
        self.files(ui.ctx());
        self.guard_closing(ui.ctx(), &seen);
        let field = self.layout(ui, &seen, now);
        self.sheets(ui, field, &seen);

        for wish in self.wishes.drain(..) {
            self.desk.send(wish);
        }
        let moves = seen.transport.playing
            || self.preview.is_lit()
            || self.safety.is_waiting()
            || !seen.features.silent;
        ui.request_repaint_after(if moves { LIVELY } else { IDLE });
    }

    /// Keeps the window open while an armed show's operator has not agreed, and tells the show once it
    /// closes. Also runs while the window is hidden, when no frame is shown.
    pub(super) fn guard_closing_of_a_hidden_window(&mut self, ctx: &Context) {
        if ctx.input(|input| input.viewport().close_requested()) {
            let seen = self.desk.snapshot();
            self.guard_closing(ctx, &seen);
            for wish in self.wishes.drain(..) {
                self.desk.send(wish);
            }
        }
    }

    /// Closes the window of a show that is over by itself; nothing is armed then that could be lost.
    pub(super) fn close_when_finished(&mut self, ctx: &Context) {
        if self.closing != Closing::Told && self.desk.snapshot().finished {
            self.end_show();
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
    }

    /// Tells the show to end, unless it was told.
    pub(super) fn end_show(&mut self) {
        if self.closing != Closing::Told {
            self.closing = Closing::Told;
            self.desk.send(Command::Quit);
        }
    }

    fn guard_closing(&mut self, ctx: &Context, seen: &Snapshot) {
        if self.closing == Closing::Told || !ctx.input(|i| i.viewport().close_requested()) {
            return;
        }
        if seen.safety.armed {
            self.closing = Closing::Asking;
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
            ctx.send_viewport_cmd(ViewportCommand::Focus);
        } else {
            self.closing = Closing::Told;
            self.wishes.push(Command::Quit);
        }
    }

    fn keys(&mut self, ui: &Ui, seen: &Snapshot) {
        match keys::read(ui.ctx(), seen, &mut self.wishes) {
            Some(WindowKey::Open) => self.choose_file(ui.ctx()),
            Some(WindowKey::SaveAs) => self.parameters.ask_name(&seen.preset.name),
            Some(WindowKey::KeySheet) => self.key_sheet = !self.key_sheet,
            None => {}
        }
        if self.wishes.contains(&Command::Stop) {
            self.parameters.leave_question();
            self.key_sheet = false;
        }
    }

    fn choose_file(&mut self, ctx: &Context) {
        let ctx = ctx.clone();
        self.chooser.open(move || ctx.request_repaint());
    }

    fn files(&mut self, ctx: &Context) {
        self.wishes.extend(self.chooser.poll().map(Command::Open));
        // Of several dropped files the first counts: a show plays one.
        let dropped = ctx
            .input(|input| input.raw.dropped_files.first().map(|file| file.path().to_path_buf()));
        self.wishes.extend(dropped.filter(|path| !path.as_os_str().is_empty()).map(Command::Open));
    }

    /// Lays out the panels; returns the rectangle of the preview.
    fn layout(&mut self, ui: &mut Ui, seen: &Arc<Snapshot>, now: f64) -> Rect {
        let wishes = &mut self.wishes;
        let strip = |fill: Color32, x: i8, y: i8| {
            Frame::NONE.fill(fill).inner_margin(Margin::symmetric(x, y))
        };
        let asked = Panel::top("title")
            .exact_size(44.0)
            .show_separator_line(false)
            .frame(strip(theme::PANEL, 12, 6))
            .show(ui, |ui| title_bar::show(ui, &seen.safety, self.chooser.is_open()))
            .inner;
        Panel::bottom("status")
            .exact_size(32.0)
            .show_separator_line(false)
            .frame(strip(theme::PANEL, 12, 4))
            .show(ui, |ui| status::show(ui, seen, wishes));
        Panel::right("safety and parameters")
            .exact_size(300.0)
            .resizable(false)
            .show_separator_line(false)
            .frame(strip(theme::GROUND, 8, 8))
            .show(ui, |ui| {
                card(ui, |ui| self.safety.show(ui, seen, now, wishes));
                card(ui, |ui| self.parameters.show(ui, seen, wishes));
            });
        Panel::left("presets and projectors")
            .exact_size(248.0)
            .resizable(false)
            .show_separator_line(false)
            .frame(strip(theme::GROUND, 8, 8))
            .show(ui, |ui| {
                Panel::bottom("projectors")
                    .resizable(false)
                    .show_separator_line(false)
                    .frame(Frame::NONE.inner_margin(Margin { top: 8, ..Margin::ZERO }))
                    .show(ui, |ui| card(ui, |ui| projectors::show(ui, &seen.projectors)));
                card(ui, |ui| self.presets.show(ui, seen, wishes));
            });
        Panel::bottom("transport")
            .exact_size(86.0)
            .show_separator_line(false)
            .frame(
                Frame::NONE.fill(theme::GROUND).inner_margin(Margin { bottom: 8, ..Margin::ZERO }),
            )
            .show(ui, |ui| card(ui, |ui| self.transport.show(ui, seen, wishes)));
        Panel::bottom("sound")
            .exact_size(128.0)
            .show_separator_line(false)
            .frame(
                Frame::NONE.fill(theme::GROUND).inner_margin(Margin { bottom: 8, ..Margin::ZERO }),
            )
            .show(ui, |ui| card(ui, |ui| sound(ui, seen)));
        let frame = Frame::NONE.fill(theme::GROUND).inner_margin(Margin {
            top: 8,
            bottom: 8,
            ..Margin::ZERO
        });
        let field = CentralPanel::no_frame()
            .frame(frame)
            .show(ui, |ui| {
                self.preview.show(ui, seen, now);
                ui.min_rect()
            })
            .inner;
        match asked {
            Some(Asked::Open) => self.choose_file(ui.ctx()),
            Some(Asked::KeySheet) => self.key_sheet = !self.key_sheet,
            None => {}
        }
        field
    }

    fn sheets(&mut self, ui: &Ui, field: Rect, seen: &Snapshot) {
        self.notices.show(ui, field, &seen.notices);
        if self.key_sheet && key_sheet::show(ui, field.center()) {
            self.key_sheet = false;
        }
        if self.closing == Closing::Asking {
            match closing::ask(ui, field.center()) {
                Some(Answer::Close) => {
                    self.wishes.extend([Command::Disarm, Command::Quit]);
                    self.closing = Closing::Told;
                    ui.send_viewport_cmd(ViewportCommand::Close);
                }
                Some(Answer::Stay) => self.closing = Closing::No,
                None => {}
            }
        }
        if ui.input(|input| !input.raw.hovered_files.is_empty()) {
            let painter = ui.painter();
            painter.rect_filled(field, theme::CORNER, Color32::from_black_alpha(190));
            let size = theme::words(22.0);
            let centre = field.center();
            painter.text(centre, Align2::CENTER_CENTER, "Drop to play", size, theme::ACCENT);
        }
    }
}

fn sound(ui: &mut Ui, seen: &Snapshot) {
    const TEMPO_PX: f32 = 168.0;
    let room = ui.available_rect_before_wrap();
    let split = room.right() - TEMPO_PX;
    let part = |from: f32, to: f32| {
        Rect::from_min_max(egui::pos2(from, room.top()), egui::pos2(to, room.bottom()))
    };
    let mut side = |rect: Rect, title: &str, show: &dyn Fn(&mut Ui, Vec2)| {
        ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
            ui.spacing_mut().item_spacing.y = 1.5 * theme::GRID;
            heading(ui, title);
            let size = ui.available_size();
            show(ui, size);
        });
    };
    side(part(room.left(), split - 24.0), "Sound", &|ui, size| {
        spectrum::show(ui, &seen.features, size);
    });
    side(part(split, room.right()), "Tempo", &|ui, size| tempo::show(ui, &seen.features, size));
}
