//! Opens the window on the screen.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use eframe::egui::{Context, Ui, ViewportBuilder, Visuals};

use super::app::App;
use super::file_chooser::FileChooser;
use super::theme;
use crate::realtime::priority::{self, Urgency};
use crate::show::Desk;

/// What draws the window. See `docs/decisions/0003-renderer.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Renderer {
    /// OpenGL, and if that cannot be had, what wgpu finds.
    #[default]
    Auto,
    /// OpenGL only.
    Glow,
    /// wgpu only: Vulkan, Metal, DirectX 12 or OpenGL.
    Wgpu,
}

impl std::str::FromStr for Renderer {
    type Err = GuiError;

    fn from_str(name: &str) -> Result<Self, GuiError> {
        match name {
            "auto" => Ok(Self::Auto),
            "glow" => Ok(Self::Glow),
            "wgpu" => Ok(Self::Wgpu),
            _ => Err(GuiError::UnknownRenderer { name: name.to_owned() }),
        }
    }
}

/// How the window opens.
#[derive(Clone, Debug, Default)]
pub struct WindowOptions {
    /// What draws it.
    pub renderer: Renderer,
    /// Where the desk is remembered, see [`default_file`](super::default_file); nowhere if `None`.
    pub remembered_in: Option<PathBuf>,
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum GuiError {
    /// No display, or no graphics on it. The show can run without a window.
    #[error(
        "no window can be opened ({reason}); set DISPLAY or WAYLAND_DISPLAY to a running desktop and \
         have OpenGL or Vulkan installed (Mesa will do), or run without a window"
    )]
    NoWindow {
        /// What the system said.
        reason: String,
    },
    /// There is no renderer of this name.
    #[error("there is no renderer {name:?}; choose auto, glow or wgpu")]
    UnknownRenderer {
        /// What was asked for.
        name: String,
    },
}

/// Opens the window and stays in it until it is closed; the desk has got
/// [`Quit`](crate::show::Command::Quit) by then. Must run on the main thread.
///
/// # Errors
///
/// [`GuiError::NoWindow`] if none could be opened; then the desk got no command.
pub fn run(desk: Box<dyn Desk>, options: &WindowOptions) -> Result<(), GuiError> {
    let desk = Rc::new(RefCell::new(Some(desk)));
    let attempts: &[eframe::Renderer] = match options.renderer {
        Renderer::Auto => &[eframe::Renderer::Glow, eframe::Renderer::Wgpu],
        Renderer::Glow => &[eframe::Renderer::Glow],
        Renderer::Wgpu => &[eframe::Renderer::Wgpu],
    };
    // A machine that is too slow for all draws the window later, and the light in time. Mesa's threads inherit it.
    priority::request(Urgency::Watching);
    let mut reason = String::new();
    for renderer in attempts {
        match open(*renderer, &desk, options.remembered_in.clone()) {
            Ok(()) => return Ok(()),
            Err(error) => {
                tracing::warn!(%renderer, %error, "no window with this renderer");
                reason = error.to_string();
                // Without a display there is nothing for another renderer either, and a show that had
                // its window does not get a second one.
                let no_display = matches!(error, eframe::Error::WinitEventLoop(_));
                if no_display || desk.borrow().is_none() {
                    break;
                }
            }
        }
    }
    Err(GuiError::NoWindow { reason })
}

fn open(
    renderer: eframe::Renderer,
    desk: &Rc<RefCell<Option<Box<dyn Desk>>>>,
    remembered_in: Option<PathBuf>,
) -> eframe::Result {
    let options = eframe::NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title("galvo")
            .with_app_id("galvo")
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([960.0, 600.0])
            .with_drag_and_drop(true),
        renderer,
        // A tenth of the work of a software renderer, and nothing here is a gradient.
        dithering: false,
        ..eframe::NativeOptions::default()
    };
    let desk = Rc::clone(desk);
    eframe::run_native(
        "galvo",
        options,
        Box::new(move |creation| {
            theme::apply(&creation.egui_ctx);
            let desk = desk.borrow_mut().take().ok_or("the show already has a window")?;
            let app = App::new(desk, FileChooser::of_the_desktop());
            Ok(Box::new(match remembered_in {
                Some(file) => app.remembered_in(file),
                None => app,
            }))
        }),
    )
}

/// How often the show is looked at whatever is on the screen; the show's patience is a second.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(200);

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _: &mut eframe::Frame) {
        self.close_when_finished(ctx);
        // Looked at in a hidden window too: a show whose surface does not look goes dark.
        ctx.request_repaint_after(LOOK_EVERY);
        self.guard_closing_of_a_hidden_window(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        if let Some(seconds) = frame.info().cpu_usage {
            self.took(seconds);
        }
        self.root_ui(ui);
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.end_show();
        self.log_frame_time();
    }

    fn clear_color(&self, _: &Visuals) -> [f32; 4] {
        theme::GROUND.to_normalized_gamma_f32()
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}
