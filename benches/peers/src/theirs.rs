//! laser-dac's stream on the same simulator.

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use galvo::realtime::no_alloc;
use galvo::time::{Clock, SystemClock};
use laser_dac::{
    BackendKind, ChunkRequest, ChunkResult, Dac, DacBackend, DacInfo, DacType, EtherDreamBackend,
    FifoBackend, LaserPoint, SessionControl, StreamConfig, WriteOutcome, caps_for_dac_type,
};

use crate::PPS;
use crate::screen::stamp;
use crate::sides::{Stall, Streaming};

fn address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

pub struct Theirs {
    control: SessionControl,
    runner: Option<JoinHandle<()>>,
}

impl Theirs {
    pub fn start(port: u16, target: Option<Duration>, stall: Stall) -> Self {
        let kind = DacType::EtherDream;
        let info = DacInfo::new("peers", "peers", kind.clone(), caps_for_dac_type(&kind));
        let backend = EtherDreamBackend::with_address(address(port), None);
        let backend = BackendKind::fifo(Box::new(backend)).expect("it is a queue");
        let mut config = StreamConfig::new(PPS);
        if let Some(target) = target {
            config = config.with_target_buffer(target);
        }
        let (stream, _) =
            Dac::new(info, backend).start_stream(config).expect("the simulator answers");
        let control = stream.control();
        let producer = move |request: &ChunkRequest, buffer: &mut [LaserPoint]| {
            stall.wait_if_told();
            let made = SystemClock.now().as_secs_f64();
            let points = request.target_points.min(buffer.len());
            for (k, point) in buffer[..points].iter_mut().enumerate() {
                let index = request.start.points() + k as u64;
                let content = index as f64 / f64::from(PPS);
                let ([x, y], [r, g, b, i]) = stamp(index, made, content);
                *point = LaserPoint::new(x, y, r, g, b, i);
            }
            ChunkResult::Filled(points)
        };
        let runner = std::thread::spawn(move || {
            drop(stream.run(producer, |_| {}));
        });
        Self { control, runner: Some(runner) }
    }
}

impl Streaming for Theirs {
    fn is_ready(&self) -> bool {
        true
    }

    fn arm(&self) {
        self.control.arm().expect("the stream runs");
    }

    fn disarm(&self) {
        self.control.disarm().expect("the stream runs");
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        drop(self.control.stop());
        if let Some(runner) = self.runner.take() {
            drop(runner.join());
        }
    }
}

/// Uses of the heap per write of 150 points, once the buffers have grown.
pub fn heap_uses_per_write(port: u16) -> f64 {
    let mut backend = EtherDreamBackend::with_address(address(port), None);
    backend.connect().expect("the simulator answers");
    let points = [LaserPoint::new(0.5, 0.5, 65_535, 65_535, 65_535, 65_535); 150];
    let (mut writes, mut uses) = (0_u64, 0);
    while writes < 1_100 {
        let (written, touched) = no_alloc::watch(|| backend.try_write_points(PPS, &points));
        if written.expect("the simulator stays") == WriteOutcome::Written {
            writes += 1;
            uses += if writes > 100 { touched } else { 0 };
        } else {
            SystemClock.sleep_until(SystemClock.now() + Duration::from_millis(1));
        }
    }
    drop(backend.disconnect());
    uses as f64 / 1_000.0
}
