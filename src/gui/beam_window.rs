//! The window of a virtual projector: the beam as its mirrors move it and as the eye keeps it.
//!
//! Points say where the beam should be; [`Mirror`] says where it is. What is drawn too fast for the mirrors looks
//! here as it would on a wall.

use std::rc::Rc;
use std::time::Duration;

use eframe::egui::{
    Align2, CentralPanel, Color32, Context, Frame, Rect, Stroke, StrokeKind, Ui, Vec2,
    ViewportBuilder, ViewportCommand,
};

use super::phosphor::Phosphor;
use super::theme;
use super::window::GuiError;
use crate::dac::simulator::BeamView;
use crate::path::{GalvoProfile, Mirror};
use crate::point::LaserPoint;
use crate::time::HostTime;

/// Time between pictures.
const PICTURE_EVERY: Duration = Duration::from_micros(16_600);
/// Between two points of one flow there is no more time than this, seconds; mirrors that got none rest.
const LONGEST_POINT_S: f64 = 2e-3;

/// The beam of one projector.
struct Beam {
    view: BeamView,
    shown: Vec<(HostTime, LaserPoint)>,
    lit: Vec<LaserPoint>,
    mirror: Mirror,
    last: HostTime,
    phosphor: Phosphor,
    /// Points seen since this second of the window's time, and in the one before.
    counted: (f64, usize),
    per_second: usize,
}

impl Beam {
    fn new(view: BeamView, profile: GalvoProfile) -> Self {
        Self {
            view,
            shown: Vec::new(),
            lit: Vec::new(),
            mirror: Mirror::new(profile),
            last: HostTime::ZERO,
            phosphor: Phosphor::new(),
            counted: (0.0, 0),
            per_second: 0,
        }
    }

    /// Takes what was shown since the last picture; `now` is in seconds.
    fn look(&mut self, now: f64) {
        self.shown.clear();
        self.lit.clear();
        self.view.take(&mut self.shown);
        for (at, point) in &self.shown {
            let time = at.secs_since(self.last).clamp(0.0, LONGEST_POINT_S);
            self.last = *at;
            let [x, y] = self.mirror.step([point.x, point.y], time as f32);
            self.lit.push(LaserPoint { x, y, ..*point });
        }
        self.phosphor.take(&self.lit, now);
        self.counted.1 += self.shown.len();
        if now - self.counted.0 >= 1.0 {
            self.per_second = self.counted.1;
            self.counted = (now, 0);
        }
    }

    fn paint(&self, ui: &Ui, title: &str, now: f64) {
        let room = ui.max_rect();
        let painter = ui.painter();
        painter.rect_filled(room, 0, theme::VOID);
        let side = (room.size() - Vec2::new(28.0, 64.0)).min_elem().max(32.0);
        let field = Rect::from_center_size(room.center() - Vec2::new(0.0, 12.0), Vec2::splat(side));
        painter.rect_stroke(field, 2, Stroke::new(1.0, theme::LINE), StrokeKind::Outside);
        painter.add(self.phosphor.dark_path(field, now, 0.08));
        painter.add(self.phosphor.light(field, now));
        let state = match (self.phosphor.is_lit(), self.phosphor.is_moving()) {
            (true, _) => "light",
            (false, true) => "dark, mirrors moving",
            (false, false) => "no points",
        };
        let text = format!("{title}   {} points/s   {state}", self.per_second);
        let font = theme::words(theme::SMALL);
        let at = room.center_bottom() - Vec2::new(0.0, 12.0);
        painter.text(at, Align2::CENTER_BOTTOM, text, font, theme::TEXT_QUIET);
    }
}

/// The window.
struct BeamWindow {
    beam: Beam,
    title: String,
    is_over: Rc<dyn Fn() -> bool>,
}

impl eframe::App for BeamWindow {
    fn logic(&mut self, ctx: &Context, _: &mut eframe::Frame) {
        self.beam.look(ctx.input(|input| input.time));
        if (self.is_over)() {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        ctx.request_repaint_after(PICTURE_EVERY);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        let now = ui.input(|input| input.time);
        let (beam, title) = (&self.beam, &self.title);
        CentralPanel::default().frame(Frame::new().fill(Color32::BLACK)).show(ui, |ui| {
            beam.paint(ui, title, now);
        });
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}

/// Shows what `view` sees, on mirrors of 30 kpps, until the window is closed or `is_over` says so. Must run on the
/// main thread.
///
/// # Errors
///
/// [`GuiError::NoWindow`] if none could be opened.
pub fn watch_beam(
    view: &BeamView,
    title: &str,
    is_over: impl Fn() -> bool + 'static,
) -> Result<(), GuiError> {
    let is_over: Rc<dyn Fn() -> bool> = Rc::new(is_over);
    let mut reason = String::new();
    for renderer in [eframe::Renderer::Glow, eframe::Renderer::Wgpu] {
        let options = eframe::NativeOptions {
            viewport: ViewportBuilder::default()
                .with_title(format!("galvo – {title}"))
                .with_app_id("galvo")
                .with_inner_size([640.0, 680.0]),
            renderer,
            ..eframe::NativeOptions::default()
        };
        let (view, title, is_over) = (view.clone(), title.to_owned(), Rc::clone(&is_over));
        let opened = eframe::run_native(
            "galvo-simulator",
            options,
            Box::new(move |creation| {
                theme::apply(&creation.egui_ctx);
                let beam = Beam::new(view, GalvoProfile::K30);
                Ok(Box::new(BeamWindow { beam, title, is_over }))
            }),
        );
        match opened {
            Ok(()) => return Ok(()),
            Err(error) => {
                tracing::warn!(%renderer, %error, "no window with this renderer");
                reason = error.to_string();
                if matches!(error, eframe::Error::WinitEventLoop(_)) {
                    break;
                }
            }
        }
    }
    Err(GuiError::NoWindow { reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dac::simulator::Recorder;
    use crate::point::Colour;

    #[test]
    fn the_beam_is_where_the_mirrors_are_and_not_where_the_points_say() {
        let view = BeamView::default();
        let mut beam = Beam::new(view.clone(), GalvoProfile::K30);
        let mut eye = view;
        // A jump over half of the field, lit as no gate would let it pass.
        let moment = |n: i64| HostTime::from_nanos(1_000_000_000 + n * 33_333);
        for n in 0..60 {
            let x = if n < 10 { 0.0 } else { 1.0 };
            eye.shown(moment(n), n as u64, &LaserPoint::lit(x, 0.0, Colour::WHITE));
        }
        beam.look(1.0);
        assert_eq!(beam.lit.len(), 60);
        assert!(beam.lit[11].x < 0.3, "{}", beam.lit[11].x);
        assert!(beam.lit[59].x > 0.98, "{}", beam.lit[59].x);
        assert!(beam.lit.iter().all(LaserPoint::is_in_range));
        assert!(beam.phosphor.is_lit());
    }

    #[test]
    fn a_pause_between_points_does_not_fling_the_mirrors() {
        let view = BeamView::default();
        let mut beam = Beam::new(view.clone(), GalvoProfile::K30);
        let mut eye = view;
        let white = LaserPoint::lit(0.5, 0.5, Colour::WHITE);
        eye.shown(HostTime::from_nanos(1), 0, &white);
        eye.shown(HostTime::from_nanos(60_000_000_000), 1, &white);
        eye.shown(HostTime::from_nanos(5), 2, &white);
        beam.look(1.0);
        assert!(beam.lit.iter().all(LaserPoint::is_in_range));
    }
}
