//! One audio period's work for many streams: tick, fill and submit, queue and gate included.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use galvo::dac::{Capabilities, Delivery, LinkReport};
use galvo::point::LaserPoint;
use galvo::safety::{Arm, Gate};
use galvo::stream::{DeviceEnd, FillRequest, FillResult, Stream, StreamConfig, link};
use galvo::time::{HostTime, StreamInstant};

/// 256 frames at 48 kHz.
const PERIOD_NS: i64 = 5_333_333;
const PPS: u32 = 30_000;

struct Projector {
    stream: Stream,
    device: DeviceEnd,
    accepted: u64,
}

impl Projector {
    fn open() -> Self {
        let capabilities = Capabilities {
            delivery: Delivery::Fifo,
            max_points_per_chunk: 1799,
            capacity_points: Some(1799),
            min_pps: 1,
            max_pps: 100_000,
            reports_queue: true,
            suggested_buffer: Duration::from_millis(40),
            least_points: 0,
            start_moves_relay: false,
        };
        let config = StreamConfig::new(PPS);
        let arm = Arm::new();
        arm.arm(HostTime::ZERO).expect("a new switch is not stopped");
        let (parts, device) = link(&config, &capabilities, Gate::new(arm.clone()), arm);
        let stream = Stream::new(config, &capabilities, parts).expect("the configuration is sound");
        Self { stream, device, accepted: 0 }
    }

    /// What the device thread does meanwhile, at the least cost.
    fn drain(&mut self, now: HostTime) {
        while let Some(chunk) = self.device.receiver.next(1799) {
            self.accepted = chunk.start().0 + chunk.len() as u64;
            self.device.receiver.commit();
        }
        let held = self.accepted.min(1_040);
        self.device.reports.send(LinkReport {
            at: now,
            accepted: StreamInstant(self.accepted),
            playing: Some(StreamInstant(self.accepted - held)),
            playing_pps: Some(PPS),
            device_queued: Some(held),
            discontinuity: 0,
            gaps: 0,
            connected: true,
        });
    }
}

/// A producer that costs next to nothing, so that the stream itself is measured.
fn dot(request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
    let point = LaserPoint { x: 0.1, y: 0.1, r: 60_000, g: 50_000, b: 40_000, i: 60_000 };
    buffer[..request.target_points].fill(point);
    FillResult::Filled(request.target_points)
}

fn periods(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tick_fill_submit");
    for count in [1_usize, 4, 16, 100] {
        let mut projectors: Vec<Projector> = (0..count).map(|_| Projector::open()).collect();
        let mut now = HostTime::from_nanos(1_000_000_000);
        // One period of points at 30 kpps is 160.
        group.throughput(Throughput::Elements(count as u64 * 160));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                now = now.plus_nanos(PERIOD_NS);
                for projector in &mut projectors {
                    black_box(projector.stream.fill_from(now, &mut { dot }));
                    projector.drain(now);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, periods);
criterion_main!(benches);
