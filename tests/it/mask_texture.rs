//! The picture of a mask on a graphics card, as a preview would put it there.

use std::time::Duration;

use eframe::wgpu;
use galvo::format::asvp::write::Writer;
use galvo::format::outlines::{Outlines, Place};
use galvo::mask::{Bitmap, Builder, MaskSource};

/// A graphics card, or a program that stands in for one; none where there is neither.
fn card() -> Option<(wgpu::Device, wgpu::Queue)> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let wanted = wgpu::InstanceDescriptor::new_without_display_handle();
        let instance = wgpu::Instance::new(wanted);
        let adapter =
            instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await.ok()?;
        adapter.request_device(&wgpu::DeviceDescriptor::default()).await.ok()
    })
}

fn picture(width: u32, height: u32) -> Bitmap {
    let mut outlines = Outlines::default();
    outlines.push([(100, 100), (1900, 300), (1000, 900)].map(|(x, y)| Place::new(x, y)));
    let mut writer = Writer::default();
    writer.push(&outlines).unwrap();
    let masks = Builder::default().timebox(Duration::from_mins(1)).build().unwrap();
    masks.load_source(&MaskSource::memory(writer.plain())).unwrap();
    (*masks.get_frame(0, width, height).unwrap()).clone()
}

/// AS-68, AS-71, AS-72, AS-73, AS-74: the bytes go into an `R8Unorm` texture as they are, and come back as they were.
#[test]
fn a_picture_uploads_unchanged_as_r8_unorm() {
    let Some((device, queue)) = card() else {
        println!("no graphics card and no stand-in: not shown here");
        return;
    };
    // A width that is no multiple of anything a card likes.
    for (width, height) in [(333, 77), (1024, 512)] {
        let picture = picture(width, height);
        assert!(picture.count() > 1000 && picture.pixels().contains(&0));
        let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::R8Unorm,
            usage: wgpu::TextureUsages::COPY_DST | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let rows = |bytes_per_row| wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(bytes_per_row),
            rows_per_image: Some(height),
        };
        queue.write_texture(texture.as_image_copy(), picture.pixels(), rows(width), size);
        let padded = width.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: u64::from(padded * height),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let target = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout: rows(padded) };
        encoder.copy_texture_to_buffer(texture.as_image_copy(), target, size);
        queue.submit([encoder.finish()]);
        buffer.map_async(wgpu::MapMode::Read, .., |mapped| mapped.unwrap());
        device.poll(wgpu::PollType::Wait { submission_index: None, timeout: None }).unwrap();
        let bytes = buffer.get_mapped_range(..).unwrap();
        for (back, sent) in
            bytes.chunks(padded as usize).zip(picture.pixels().chunks(width as usize))
        {
            assert_eq!(&back[..width as usize], sent);
        }
    }
}
