//! What a picture of the window costs where a processor draws it: pixels that are filled.

use egui::epaint::{ClippedShape, Mesh, Primitive};
use egui::{Context, Rect};
use galvo::gui::FileChooser;

use super::Window;

const SIZE: [f32; 2] = [1280.0, 800.0];

/// Pixels that the triangles of a mesh fill within `clip`, as if each filled its own.
fn filled(mesh: &Mesh, clip: Rect) -> f64 {
    let at = |index: &u32| mesh.vertices[*index as usize].pos.clamp(clip.min, clip.max);
    let area = |triangle: &[u32]| {
        let (a, b) = (at(&triangle[1]) - at(&triangle[0]), at(&triangle[2]) - at(&triangle[0]));
        f64::from((a.x * b.y - a.y * b.x).abs()) / 2.0
    };
    mesh.indices.as_chunks::<3>().0.iter().map(|triangle| area(triangle)).sum()
}

fn pixels(ctx: &Context, shapes: Vec<ClippedShape>) -> f64 {
    let meshes = ctx.tessellate(shapes, 1.0).into_iter().filter_map(|part| match part.primitive {
        Primitive::Mesh(mesh) => Some(filled(&mesh, part.clip_rect)),
        Primitive::Callback(_) => None,
    });
    meshes.sum()
}

#[test]
fn a_picture_in_full_light_fills_a_pixel_twice_at_most_on_average() {
    let mut window = Window::of(SIZE, FileChooser::asking(|| None));
    {
        let mut state = window.desk.state();
        state.seen.transport.playing = true;
        state.seen.safety.armed = true;
    }
    window.wait(1.0);
    let screen = f64::from(SIZE[0] * SIZE[1]);
    let all = pixels(&window.h.ctx, window.h.output().shapes.clone()) / screen;
    // The harness fills the ground of its own; a window's is cleared.
    let drawn = all - 1.0;
    assert!(drawn > 0.8, "most of the window is panes: {drawn:.2}");
    assert!(drawn <= 2.0, "{drawn:.2} screens a picture");
}
