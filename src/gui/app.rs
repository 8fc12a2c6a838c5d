//! The interface as a whole: which panel sits where, and what a frame does.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{
    Align2, CentralPanel, Color32, Context, Frame, Margin, Panel, Rect, Ui, ViewportCommand,
};

use super::file_chooser::{FileChooser, Wanted};
use super::keys::{self, WindowKey};
use super::layout::Layout;
use super::memory::{self, Memory};
use super::own_tracks;
use super::pane::Pane;
use super::panels::closing::{self, Answer};
use super::panels::notices::NoticesPanel;
use super::panels::title_bar::{self, Asked};
use super::panels::{Panels, key_sheet, safety_notes, status, welcome};
use super::theme;
use crate::point::LaserPoint;
use crate::show::snapshot::{Notice, Severity};
use crate::show::{Command, Desk, LightState, QueueEdit, RecorderWish, Snapshot};

/// How long a changed desk rests before it is written down, s.
const REST_SECONDS: f64 = 1.0;

/// The operator's desk on the screen.
pub struct App {
    desk: Box<dyn Desk>,
    chooser: FileChooser,
    wishes: Vec<Command>,
    watched: Vec<LaserPoint>,
    panels: Panels,
    layout: Layout,
    memory: Memory,
    /// Where the desk is remembered.
    file: Option<PathBuf>,
    to_write: bool,
    write_at: Option<f64>,
    own_notices: Vec<Notice>,
    notices: NoticesPanel,
    key_sheet: bool,
    dressed: bool,
    /// What was calibrated for the sound device was looked up.
    calibrated: bool,
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
            watched: Vec::new(),
            panels: Panels::new(),
            layout: Layout::default(),
            memory: Memory::default(),
            file: None,
            to_write: false,
            write_at: None,
            own_notices: Vec::new(),
            notices: NoticesPanel::default(),
            key_sheet: false,
            dressed: false,
            calibrated: false,
            closing: Closing::No,
        }
    }

    /// The same, as it was left: layout and size are read from `file`, and written there when they change. A
    /// damaged file is told of in a notice.
    #[must_use]
    pub fn remembered_in(mut self, file: PathBuf) -> Self {
        let found = memory::read(&file);
        if let Some(layout) =
            found.memory.layout.as_ref().and_then(|kept| Layout::restored(kept).ok())
        {
            self.layout = layout;
        }
        self.panels.safety.notes_answered(found.memory.safety_notes_read, 0.0);
        let folder = found.memory.recordings.clone();
        self.wishes.extend(folder.map(|f| Command::Recorder(RecorderWish::Folder(f))));
        self.panels.presets.remember(found.memory.favourites.clone());
        self.memory = found.memory;
        self.file = found.usable.then_some(file);
        found.told.into_iter().for_each(|text| self.tell(Severity::Warning, text));
        self
    }

    /// One frame: takes the latest snapshot, shows it, and sends what was wished.
    pub fn root_ui(&mut self, ui: &mut Ui) {
        if !self.dressed {
            theme::apply(ui.ctx());
            ui.reset_style();
            ui.ctx().set_zoom_factor(self.memory.scale);
            self.dressed = true;
        }
        let now = ui.input(|input| input.time);
        let seen = self.desk.snapshot();
        self.watched.clear();
        self.desk.watched_points(&mut self.watched);
        self.panels.preview.take(&self.watched, &seen, now);
        let (projector, tap_point) = self.panels.preview.watched();
        self.desk.watch(projector, tap_point);
        self.panels.take(&seen, now);
        self.panels.choosing = self.chooser.is_open();

        self.keys(ui, &seen);
        self.files(ui.ctx(), &seen);
        self.guard_closing(ui.ctx(), &seen);
        let field = self.lay_out(ui, &seen, now);
        self.sheets(ui, field, &seen, now);
        let preview = &mut self.panels.preview;
        let key = preview.show_own_window(ui.ctx(), &seen, now, &mut self.wishes);
        self.window_key(key, ui.ctx(), &seen);
        self.follow_calibration(&seen);
        self.remember(ui.ctx(), now);

        for wish in self.wishes.drain(..) {
            self.desk.send(wish);
        }
        let moves = seen.transport.playing
            || seen.recorder.recording.is_some()
            || self.panels.preview.is_lit()
            || self.panels.safety.is_waiting();
        ui.request_repaint_after(self.panels.pace.next(now, moves));
    }

    /// Notes how long the last picture of the window took, s.
    pub(super) fn took(&mut self, seconds: f32) {
        self.panels.frames.take(seconds);
        self.panels.preview.set_detail(self.panels.frames.detail());
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
        self.write_down();
    }

    /// Says in the log how long the pictures of the window took.
    pub(super) fn log_frame_time(&self) {
        let frames = &self.panels.frames;
        let (typical, worst) = (frames.typical_ms(), frames.worst_ms());
        let made = frames.made();
        tracing::info!("window: {made} pictures, {typical:.1} ms for one, at worst {worst:.1} ms");
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
            self.write_down();
        }
    }

    fn keys(&mut self, ui: &Ui, seen: &Snapshot) {
        // Before the keys of the whole desk: there Ctrl-Z takes back a change of the preset.
        self.panels.set_up.keys(ui.ctx(), seen, &mut self.wishes);
        let key = keys::read(ui.ctx(), seen, &mut self.wishes);
        // Before anything is shown: a field that Enter leaves in this frame had its digits for itself.
        self.panels.presets.keys(ui.ctx(), seen, &mut self.wishes);
        self.panels.transport.keys(ui.ctx(), seen, &mut self.wishes);
        self.panels.recorder.keys(ui.ctx(), seen, &mut self.wishes);
        self.window_key(key, ui.ctx(), seen);
    }

    /// Obeys a key of the window at hand, and leaves every question once STOP was pressed.
    fn window_key(&mut self, key: Option<WindowKey>, ctx: &Context, seen: &Snapshot) {
        match key {
            Some(WindowKey::Open) => self.choose(Wanted::ToOpen, ctx),
            Some(WindowKey::SaveAs) => self.panels.parameters.ask_name(&seen.preset.name),
            Some(WindowKey::KeySheet) => self.key_sheet = !self.key_sheet,
            Some(WindowKey::FullScreen) => keys::full_screen(ctx),
            Some(WindowKey::Neighbour(step)) => {
                self.wishes.extend(self.panels.presets.neighbour(seen, step));
            }
            None => {}
        }
        if self.wishes.contains(&Command::Stop) {
            self.panels.presets.leave_question();
            self.panels.parameters.leave_question();
            self.panels.projectors.leave_question();
            self.panels.set_up.leave_question();
            self.panels.rig.close();
            self.key_sheet = false;
            self.panels.safety.leave_questions();
        }
    }

    fn choose(&mut self, wanted: Wanted, ctx: &Context) {
        let ctx = ctx.clone();
        self.chooser.open(wanted, move || ctx.request_repaint());
    }

    fn files(&mut self, ctx: &Context, seen: &Snapshot) {
        if let Some((wanted, chosen)) = self.chooser.poll() {
            for path in chosen {
                self.wishes.push(match wanted {
                    Wanted::ToOpen => Command::Open(path),
                    Wanted::ToQueue => Command::Queue(path),
                    Wanted::PlaceOfQueue => Command::QueueEdit(QueueEdit::Save(path)),
                    Wanted::FolderOfRecordings => {
                        self.memory.recordings = Some(path.clone());
                        self.to_write = true;
                        Command::Recorder(RecorderWish::Folder(path))
                    }
                });
            }
        }
        let (dropped, shift, at) = ctx.input(|input| {
            let paths = input.raw.dropped_files.iter().map(|file| file.path().to_path_buf());
            let paths: Vec<PathBuf> = paths.filter(|path| !path.as_os_str().is_empty()).collect();
            (paths, input.modifiers.shift, input.pointer.latest_pos())
        });
        let pane = self.layout.rect(Pane::Queue);
        let is_on_queue = pane.zip(at).is_some_and(|(pane, at)| pane.contains(at));
        let transport = &seen.transport;
        let is_open = transport.live || transport.path.is_some() || !transport.title.is_empty();
        // One file is played; of several, the first is if nothing is.
        let plays = !shift && !is_on_queue && (dropped.len() == 1 || !is_open);
        for (number, path) in dropped.into_iter().enumerate() {
            let is_played = plays && number == 0;
            self.wishes.push(if is_played { Command::Open(path) } else { Command::Queue(path) });
        }
    }

    /// Lays out the window; returns the rectangle over which sheets are shown.
    fn lay_out(&mut self, ui: &mut Ui, seen: &Arc<Snapshot>, now: f64) -> Rect {
        let strip = |fill: Color32, x: i8, y: i8| {
            Frame::NONE.fill(fill).inner_margin(Margin::symmetric(x, y))
        };
        let asked = Panel::top("title")
            .exact_size(title_bar::HEIGHT_PX)
            .show_separator_line(false)
            .frame(strip(theme::PANEL, 12, 8))
            .show(ui, |ui| {
                let line = title_bar::Line {
                    light: LightState::of(seen),
                    layout: &self.layout,
                    choosing: self.chooser.is_open(),
                    scale: self.memory.scale,
                };
                line.show(ui, &mut self.wishes)
            })
            .inner;
        let wishes = &mut self.wishes;
        Panel::bottom("status")
            .exact_size(32.0)
            .show_separator_line(false)
            .frame(strip(theme::PANEL, 12, 4))
            .show(ui, |ui| status::show(ui, seen, wishes));
        let panels = &mut self.panels;
        let layout = &mut self.layout;
        let room = CentralPanel::no_frame()
            .frame(Frame::NONE.inner_margin(Margin::same(8)))
            .show(ui, |ui| {
                let room = ui.max_rect();
                layout.show(ui, &mut |pane, ui| panels.show(pane, ui, seen, now, wishes));
                room
            })
            .inner;
        if let Some(asked) = asked {
            self.obey(asked, ui.ctx());
        }
        if let Some(wanted) = self.panels.files.take() {
            self.choose(wanted, ui.ctx());
        }
        if let Some(pane) = self.panels.wanted.take() {
            self.layout.set_shown(pane, true);
        }
        // Sheets lie over the preview, so that what is worked with stays free.
        self.layout.rect(Pane::Preview).unwrap_or(room)
    }

    fn obey(&mut self, asked: Asked, ctx: &Context) {
        match asked {
            Asked::Open => self.choose(Wanted::ToOpen, ctx),
            Asked::KeySheet => self.key_sheet = !self.key_sheet,
            Asked::Show(pane, shown) => self.layout.set_shown(pane, shown),
            Asked::ResetLayout => self.layout.reset(),
            Asked::FullScreen => keys::full_screen(ctx),
            Asked::Scale(scale) => {
                self.memory.scale = scale;
                self.to_write = true;
                ctx.set_zoom_factor(scale);
            }
        }
    }

    /// Offers something to play while nothing is open, unless another sheet lies there.
    fn welcome(&mut self, ui: &Ui, field: Rect, seen: &Snapshot) {
        let transport = &seen.transport;
        let is_open = transport.live || transport.path.is_some() || !transport.title.is_empty();
        let is_free = !self.key_sheet
            && self.closing != Closing::Asking
            && !self.panels.safety.asks_for_notes()
            && !self.panels.rig.is_open()
            && !seen.safety.armed;
        if is_open || !is_free {
            return;
        }
        let projectors: Vec<&str> = seen.projectors.iter().map(|p| p.name.as_str()).collect();
        match welcome::show(ui, field.center(), &projectors) {
            Some(welcome::Answer::Demo) => match own_tracks::demo() {
                Ok(file) => self.wishes.push(Command::Open(file)),
                Err(error) => {
                    let text =
                        format!("the demo cannot be written to your cache: {error}; make room");
                    self.tell(Severity::Error, text);
                }
            },
            Some(welcome::Answer::Open) => self.choose(Wanted::ToOpen, ui.ctx()),
            Some(welcome::Answer::Find) => {
                self.panels.rig.find(&mut self.wishes);
                self.layout.set_shown(Pane::Projectors, true);
            }
            None => {}
        }
    }

    /// Moves the light as it was calibrated on this sound device, unless the show was started with a shift of its own,
    /// and remembers what is calibrated anew.
    fn follow_calibration(&mut self, seen: &Snapshot) {
        let device = &seen.audio.device;
        if device.is_empty() {
            return;
        }
        let known = self.memory.light_shift_ms.get(device).copied();
        if !std::mem::replace(&mut self.calibrated, true)
            && let Some(ms) = known.filter(|ms| *ms != 0.0 && seen.sync.user_offset_ms == 0.0)
        {
            self.wishes.push(Command::SetOffsetMs(ms));
            let text = format!("the light is moved by {ms:+.1} ms, as calibrated on {device}");
            self.tell(Severity::Info, text);
        }
        self.panels.sync.set_remembered(known);
        if let Some(ms) = self.panels.sync.take_to_remember() {
            self.memory.light_shift_ms.insert(device.clone(), ms);
            self.to_write = true;
        }
    }

    /// Notes a change of the desk, and writes it down once the hand rests.
    fn remember(&mut self, ctx: &Context, now: f64) {
        if self.layout.take_changed() {
            self.memory.layout = self.layout.kept();
            self.to_write = true;
        }
        if let Some(favourites) = self.panels.presets.take_favourites() {
            self.memory.favourites = favourites;
            self.to_write = true;
        }
        if std::mem::take(&mut self.to_write) {
            self.write_at = Some(now + REST_SECONDS);
        }
        let Some(at) = self.write_at else { return };
        if now >= at && !ctx.input(|input| input.pointer.any_down()) {
            self.write_down();
        }
    }

    /// Writes the desk to the user's folder, if it was changed.
    fn write_down(&mut self) {
        if self.write_at.take().is_none() {
            return;
        }
        let Some(path) = &self.file else { return };
        if let Err(error) = memory::write(path, &self.memory) {
            let text = format!(
                "{} cannot be written ({error}): the layout will be forgotten; make room or set HOME",
                path.display()
            );
            self.tell(Severity::Warning, text);
        }
    }

    /// Adds a notice of the desk's own, unless it was told already.
    fn tell(&mut self, severity: Severity, text: String) {
        if !self.own_notices.iter().any(|notice| notice.text == text) {
            let notice = Notice { severity, text };
            self.panels.log.add(notice.clone(), 0.0);
            self.own_notices.push(notice);
        }
    }

    fn sheets(&mut self, ui: &Ui, field: Rect, seen: &Snapshot, now: f64) {
        let notices: Vec<Notice> = self.own_notices.iter().chain(&seen.notices).cloned().collect();
        self.notices.show(ui, field, &notices);
        self.welcome(ui, field, seen);
        self.panels.rig.show(ui, field, seen, &mut self.wishes);
        if self.key_sheet && key_sheet::show(ui, field.center()) {
            self.key_sheet = false;
        }
        if self.panels.safety.asks_for_notes()
            && let Some(answer) = safety_notes::show(ui, field.center())
        {
            if answer == safety_notes::Answer::Read {
                self.memory.safety_notes_read = true;
                self.to_write = true;
            }
            self.panels.safety.notes_answered(self.memory.safety_notes_read, now);
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
