//! What the director tells: the snapshot, and the report at the end.

use std::sync::Arc;

use super::{Director, NEXT_TOLD, Sound};
use crate::realtime::no_alloc;
use crate::show::deck::Change;
use crate::show::engine::EngineView;
use crate::show::hands::HandsEnd;
use crate::show::projector::{Projector, sync_figures};
use crate::show::report::{CallbackTimes, Report, TripEntry};
use crate::show::snapshot::{AudioView, LiveView, SafetyView, Snapshot, SyncView, Transport};
use crate::time::{HostTime, MediaTime};

impl Director {
    pub(super) fn transport(&self, view: &EngineView, now: HostTime) -> Transport {
        // The callback's frame is heard in a moment: what is heard now is that much earlier.
        let ahead = if view.playing { now.secs_since(view.heard_at) } else { 0.0 };
        let position = view.media.plus_secs_f64(ahead.clamp(-1.0, 1.0)).max(MediaTime::ZERO);
        let base = Transport {
            title: self.title.clone(),
            path: self.path.clone(),
            position,
            playing: view.playing,
            opening: self.playlist.opening(),
            ..Transport::default()
        };
        match &self.cast.sound {
            Sound::Live { .. } => Transport { live: true, volume: 1.0, ..base },
            Sound::Playback { player, .. } => Transport {
                position: player.track_time(position).max(MediaTime::ZERO),
                album: player.info().and_then(|info| info.tags.album.clone()),
                cover: player.info().and_then(|info| info.tags.cover.clone()),
                queued: self.playlist.to_come(),
                next: self.playlist.names().take(NEXT_TOLD).collect(),
                loop_region: player.loop_region(),
                duration: player.duration(),
                playing: player.playing(),
                ended: player.ended(),
                volume: player.volume(),
                ..base
            },
        }
    }

    pub(super) fn snapshot(&self, view: &EngineView, now: HostTime) -> Snapshot {
        let transport = self.transport(view, now);
        let time_is_up = self.cast.duration_s.is_some_and(|s| now.secs_since(self.started) >= s);
        let played_out = transport.ended && transport.queued == 0 && transport.opening.is_none();
        let finished = self.over || time_is_up || played_out;
        let sync = self.cast.projectors.first().map(Projector::sync);
        let sync = sync.as_ref().map(sync_figures).unwrap_or_default();
        let callback = self.cast.ends.callback_ns.snapshot();
        let handle = self.cast.sound.handle();
        // What was sent and not taken in yet has not begun.
        let change = if view.changes < self.changes { Change::Cued } else { view.change };
        Snapshot {
            features: view.features,
            heard_at: view.heard_at,
            beat_source: view.beat_source,
            track: self.track.clone(),
            listening: self.listening_now(),
            transport,
            queue: Arc::clone(&self.queue),
            presets: Arc::clone(&self.presets),
            preset: Arc::clone(&self.preset),
            moved_values: self.moved_values.clone(),
            change,
            leaving: self.leaving.clone(),
            undo_act: self.cast.presets.undo_act().to_owned(),
            transition: self.cast.transition,
            controllers: self.hands.as_ref().map(HandsEnd::view).unwrap_or_default(),
            live: LiveView {
                blackout: self.switches.is_blacked_out(),
                flash: self.live.flash.is_on(),
                preset_b: self.live.preset_b.clone(),
                crossfade: self.live.crossfade,
            },
            shuffle: self.cast.shuffle,
            projectors: self.projector_views(),
            rig: self.rig_view(),
            safety: SafetyView {
                armed: self.switches.is_armed(),
                stopped: self.switches.is_stopped(),
                master: self.cast.master,
                trips: self.trips.iter().map(trip_line).collect(),
                last_trip: self.trips.last().and_then(|trip| trip.kind),
            },
            sync: SyncView {
                offset_p50_ms: sync.offset_p50.map(|ms| ms as f32),
                jitter_p95_ms: sync.jitter_p95.map(|ms| ms as f32),
                user_offset_ms: self.cast.offset_ms,
                sound_latency_ms: (view.heard_at.secs_since(view.now) * 1e3) as f32,
            },
            audio: AudioView {
                device: handle.description(),
                software_clock: handle.is_software(),
                xruns: handle.counters().xruns(),
                period_us: period_us(view) as f32,
                callback_p99_us: callback.p99 as f32 * 1e-3,
                decoder_underruns: self.decoder_underruns(),
            },
            recorder: self.recorder.clone(),
            disk_waits: self.disk_waits(now),
            machine: self.cost,
            notices: self.notices.kept().to_vec(),
            notices_made: self.notices.made(),
            finished,
        }
    }

    pub(super) fn report(&mut self, now: HostTime) -> Report {
        let view = *self.cast.ends.view.read();
        let per_stream = self.stream_reports();
        let first = per_stream.first();
        let callback = self.cast.ends.callback_ns.snapshot();
        let us = |nanos: u64| nanos as f64 * 1e-3;
        Report {
            duration_s: now.secs_since(self.started),
            media_s: self.played_s,
            points: per_stream.iter().map(|s| s.points).sum(),
            underruns: per_stream.iter().map(|s| s.underruns).sum(),
            device_underflows: per_stream.iter().map(|s| s.device_underflows).sum(),
            reconnects: per_stream.iter().map(|s| s.reconnects).sum(),
            xruns: self.cast.sound.handle().counters().xruns(),
            decoder_underruns: self.decoder_underruns(),
            audio_device: self.cast.sound.handle().description(),
            callback_us: CallbackTimes {
                p50: us(callback.p50),
                p99: us(callback.p99),
                p999: us(callback.p999),
                max: us(callback.max),
                period: period_us(&view),
            },
            sync_ms: first.map(|s| s.sync_ms).unwrap_or_default(),
            drift_ppm: first.and_then(|s| s.drift_ppm),
            allocations_in_callback: no_alloc::realtime_allocations(),
            trips: self.trips.clone(),
            not_written: Vec::new(),
            per_stream,
        }
    }
}

/// The mean period: a sound server asks for its 20 ms in one piece and a remainder.
fn period_us(view: &EngineView) -> f64 {
    let frames = view.frames as f64 / view.periods.max(1) as f64;
    frames * 1e6 / f64::from(view.sample_rate.max(1))
}

fn trip_line(trip: &TripEntry) -> String {
    format!("{:.1} s  {} – {}", trip.at_s, trip.projector, trip.reason)
}
