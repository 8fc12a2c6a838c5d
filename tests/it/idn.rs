//! The IDN driver against the virtual device: over real UDP, and under a stream in virtual time.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use galvo::dac::idn::{Idn, Search, Service};
use galvo::dac::simulator::idn::{Bench, Device, Options, Server};
use galvo::dac::simulator::{Faults, Recorder};
use galvo::dac::{Backend, Worker, WorkerHandle, WorkerParts, WorkerState, spawn};
use galvo::point::{Colour, LaserPoint};
use galvo::safety::{Arm, Gate, TripReason};
use galvo::stream::{FillRequest, FillResult, Stream, StreamConfig, link};
use galvo::time::{Clock, HostTime, ManualClock, SystemClock};

const PPS: u32 = 30_000;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(HostTime, LaserPoint)>>>);

impl Recorder for Log {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        self.0.lock().unwrap().push((at, *point));
    }
}

fn on_circle(index: u64) -> LaserPoint {
    let (y, x) = (index as f32 * 0.02).sin_cos();
    LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE)
}

fn serve(faults: &str, log: &Log) -> Server {
    let options = Options {
        outputs: vec!["Main".to_owned(), "Left wing".to_owned()],
        faults: Faults::parse(faults).unwrap(),
        recorder: Some(Box::new(log.clone())),
        ..Options::default()
    };
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Server::start(any, options, Arc::new(SystemClock)).unwrap()
}

/// A stream and its device thread on a real socket.
struct Show {
    arm: Arm,
    stream: Stream,
    handle: WorkerHandle,
    /// A pause of a busy machine disarms, as it should; light that is wanted is then armed anew.
    wanted: bool,
}

impl Show {
    fn on(server: &Server) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let port = server.address().port();
        let idn = Idn::new("idn://test", "127.0.0.1", port, Service::Default, Arc::clone(&clock));
        let presumed = idn.presumed();
        // Deep enough that a busy machine's pauses do not matter to what is tested.
        let config = StreamConfig::new(PPS).with_target_buffer(Duration::from_millis(140));
        let arm = Arm::new();
        let (parts, end) = link(&config, &presumed, Gate::new(arm.clone()), arm.clone());
        let stream = Stream::new(config, &presumed, parts).unwrap();
        let worker = Worker::new(WorkerParts {
            backend: Box::new(idn),
            receiver: end.receiver,
            arm: arm.clone(),
            reports: end.reports,
            control: end.link,
            stats: end.stats,
            clock: Arc::clone(&clock),
            seed: 1,
        });
        Self { arm, stream, handle: spawn(worker, clock).unwrap(), wanted: false }
    }

    /// Produces until `done`, at most 20 s.
    fn until(&mut self, mut done: impl FnMut(&Self) -> bool) -> bool {
        let deadline = SystemClock.now() + Duration::from_secs(20);
        while SystemClock.now() < deadline {
            if done(self) {
                return true;
            }
            let now = SystemClock.now();
            self.arm.beat(now);
            if self.wanted && !self.arm.is_armed() {
                self.arm.arm(now).unwrap();
            }
            self.stream.fill_from(now, &mut circle);
            SystemClock.sleep_until(now + Duration::from_millis(2));
        }
        false
    }

    fn is(&self, state: WorkerState) -> bool {
        self.handle.status().view().state == state
    }
}

fn circle(request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
    let n = request.target_points.min(buffer.len());
    for (point, index) in buffer[..n].iter_mut().zip(request.start.0..) {
        *point = on_circle(index);
    }
    FillResult::Filled(n)
}

fn lit_points(log: &Log) -> usize {
    log.0.lock().unwrap().iter().filter(|(_, point)| !point.is_blank()).count()
}

#[test]
fn a_second_of_light_arrives_over_udp_and_the_session_is_closed() {
    let log = Log::default();
    let server = serve("", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.wanted = true;
    assert!(show.until(|_| lit_points(&log) >= 30_000));
    assert_eq!(show.handle.status().counts().reconnects, 0);
    let Show { stream, handle, .. } = show;
    drop(stream);
    assert!(handle.close(Duration::from_secs(3)));
    let device = server.stop().unwrap();
    assert_eq!((device.sessions(), device.open_channels()), (0, 0));
    assert!(!device.mirrors(0).unwrap().is_lit());
}

#[test]
fn a_lossy_network_is_no_reason_to_stop() {
    let log = Log::default();
    let server = serve("loss=3%,dup=3%,reorder=3%,delay=5ms,ppm=300,seed=4", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.wanted = true;
    assert!(show.until(|_| lit_points(&log) >= 30_000));
    assert_eq!(show.handle.status().counts().reconnects, 0);
    show.wanted = false;
    show.arm.disarm(SystemClock.now(), TripReason::Operator);
    let shown = |log: &Log| log.0.lock().unwrap().len();
    let before = shown(&log);
    assert!(show.until(|_| shown(&log) >= before + 9_000));
    let dark = log.0.lock().unwrap()[before + 6_000..].iter().all(|(_, p)| p.is_blank());
    assert!(dark);
}

#[test]
fn a_cut_network_returns_dark_and_disarmed() {
    let log = Log::default();
    let server = serve("cut=700ms", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.arm.arm(SystemClock.now()).unwrap();
    assert!(show.until(|show| show.handle.status().counts().reconnects >= 1));
    assert!(!show.arm.is_armed());
    assert!(show.handle.close(Duration::from_secs(3)));
}

#[test]
fn a_scan_finds_every_output_of_a_device_by_name() {
    let server = serve("", &Log::default());
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut search = Search::over(socket, vec![server.address()]).unwrap();
    let deadline = SystemClock.now() + Duration::from_secs(10);
    while search.list().len() < 2 && SystemClock.now() < deadline {
        search.look(SystemClock.now(), drop);
        SystemClock.sleep_until(SystemClock.now() + Duration::from_millis(2));
    }
    let names: Vec<_> = search.list().into_iter().map(|found| found.name).collect();
    assert_eq!(names, ["galvo simulator: Main (IDN)", "galvo simulator: Left wing (IDN)"]);
    let uri = format!("idn://{}/2", server.address());
    assert_eq!(search.list()[1].uri.as_deref(), Some(uri.as_str()));
}

/// Ten seconds under a stream: what the stream promises of each point is when the device shows it.
#[test]
fn light_leaves_when_the_stream_said_it_would() {
    for ppm in [-500.0, 0.0, 500.0] {
        let log = Log::default();
        let outputs = ["Main".to_owned()];
        let device = Device::new("bench", &outputs, ppm, Some(Box::new(log.clone())));
        let bench = Bench::new(device);
        let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let (host, port) = (Bench::address().ip().to_string(), Bench::address().port());
        let bind = Box::new(bench.clone());
        let idn =
            Idn::over("idn://bench", &host, port, Service::Default, bind, Arc::clone(&shared));
        let presumed = idn.presumed();
        let config = StreamConfig::new(PPS).with_target_buffer(presumed.suggested_buffer);
        let arm = Arm::new();
        let (parts, end) = link(&config, &presumed, Gate::new(arm.clone()), arm.clone());
        let mut stream = Stream::new(config, &presumed, parts).unwrap();
        let mut worker = Worker::new(WorkerParts {
            backend: Box::new(idn),
            receiver: end.receiver,
            arm: arm.clone(),
            reports: end.reports,
            control: end.link,
            stats: end.stats,
            clock: shared,
            seed: 1,
        });
        arm.beat(clock.now());
        worker.step(clock.now());
        arm.arm(clock.now()).unwrap();
        // One flash a second: the first lit point of each is found in the log by its order.
        let mut promised = Vec::new();
        let flash = |index: u64| index % 30_000 < 600;
        for step in 0..10_000_u32 {
            let now = clock.now();
            if step % 5 == 0 {
                stream.fill_from(now, &mut |request: &FillRequest, buffer: &mut [LaserPoint]| {
                    let n = request.target_points.min(buffer.len());
                    for (point, index) in buffer[..n].iter_mut().zip(request.start.0..) {
                        let on = on_circle(index);
                        *point = if flash(index) { on } else { on.blanked() };
                        if index % 30_000 == 0 && index > 0 {
                            let ahead = (index - request.start.0) as f64 / f64::from(PPS);
                            promised.push(request.plays_at.plus_secs_f64(ahead));
                        }
                    }
                    FillResult::Filled(n)
                });
            }
            worker.step(now);
            clock.advance(Duration::from_millis(1));
        }
        let log = log.0.lock().unwrap();
        let starts: Vec<HostTime> = log
            .windows(2)
            .filter(|pair| pair[0].1.is_blank() && !pair[1].1.is_blank())
            .map(|pair| pair[1].0)
            .collect();
        let mut compared = 0;
        for promise in &promised {
            let Some(shown) = starts.iter().min_by_key(|at| at.nanos_since(*promise).abs()) else {
                continue;
            };
            let error = shown.nanos_since(*promise).abs();
            if error < 200_000_000 {
                compared += 1;
                // Packets leave up to one step late, and the device follows their arrival.
                assert!(error < 2_000_000, "{error} ns off at {ppm} ppm");
            }
        }
        assert!(compared >= 8, "{compared} flashes compared of {}", promised.len());
        assert_eq!(stream.control().stats().read().device_underflows, 0);
    }
}

/// The acknowledges that the OpenIDN server gave for deliberate errors.
#[test]
fn the_virtual_device_complains_as_openidn_does() {
    let client = SocketAddr::from(([192, 0, 2, 2], 5));
    let bytes = |text: &str| -> Vec<u8> {
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        (0..digits.len()).step_by(2).map(byte).collect()
    };
    let config = "04 01 01 01 42004010 42104010 527e5214 51cc0000";
    let data = "c5680000000080".repeat(30);
    let wave = |sequence: u16, flags: &str, timestamp: u32, chunk: &str, data: &str| {
        let with_config = if flags == "c0" { config } else { "" };
        let rest = format!("{flags}01{timestamp:08x}{with_config}{chunk}{data}");
        let len = bytes(&rest).len() + 2;
        bytes(&format!("4100{sequence:04x}{len:04x}{rest}"))
    };
    let mut device = Device::new("bench", &["Main".to_owned()], 0.0, None);
    let mut now = HostTime::from_nanos(1_000_000_000);
    let mut say = |packet: &[u8]| {
        let mut replies = Vec::new();
        now += Duration::from_millis(1);
        device.feed(now, client, packet, &mut replies);
        let reply = replies.concat();
        let events = reply.get(6..10).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
        format!("{:08x}", events.unwrap_or(u32::MAX))
    };
    let t = 1_000_000;
    let plain = "000003e8";
    assert_eq!(say(&wave(1, "c0", t, plain, &data)), "00010001", "the first packet");
    assert_eq!(say(&wave(2, "80", t + 1000, plain, &data)), "00000000", "all is well");
    assert_eq!(say(&wave(3, "80", t + 7000, plain, &data)), "00000400", "5 ms skipped");
    assert_eq!(say(&wave(4, "80", t - 20_000, plain, &data)), "00000400", "20 ms back");
    assert_eq!(say(&wave(10, "80", t + 8000, plain, &data)), "00100000", "5 packets skipped");
    assert_eq!(say(&wave(10, "80", t + 9000, plain, &data)), "00100000", "a number again");
    assert_eq!(say(&wave(11, "80", t + 10_000, plain, &data[2..])), "00000000", "uneven data");
    assert_eq!(say(&wave(12, "80", t + 10_000, "100003e8", &data)), "00000200", "wrong match");
    assert_eq!(say(&wave(13, "80", t + 10_000, "00000064", &data)), "00000800", "100 µs");
    let frame = bytes("4100000e 0013 8002 000f4240 000003e8 c5680000000080");
    assert_eq!(say(&frame), "00000100", "a frame in a wave channel");
    assert_eq!(say(&wave(15, "81", t, plain, &data)), "00000002", "a channel nobody opened");
    let second = bytes(&format!("41000010 001c c100 000f4240 {config}"));
    assert_eq!(say(&second), "00000020", "a second channel on one output");
    let missing =
        bytes(&format!("41000011 001c c200 000f4240 {}", config.replace("01 01 01", "01 09 01")));
    assert_eq!(say(&missing), "00000011", "an output that is not there");
    let mut long = wave(18, "80", t + 10_000, plain, &data);
    long.extend([0, 0]);
    assert_eq!(say(&long), "01000000", "two bytes too many");
}

/// DexLogic's player: a square as a frame is drawn again and again, with its first point unseen.
#[test]
fn the_virtual_device_draws_frames_until_they_are_replaced() {
    let log = Log::default();
    let outputs = ["Main".to_owned()];
    let mut device = Device::new("bench", &outputs, 0.0, Some(Box::new(log.clone())));
    let client = SocketAddr::from(([192, 0, 2, 2], 5));
    let hex = "40000000003cc0026411ee62040100024200401042104010527e521451cc000000000064\
        8000800000000080007fffff00007fff7fff00ff007fff80000000ff";
    let packet: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    let start = HostTime::from_nanos(1_000_000_000);
    device.feed(start, client, &packet, &mut Vec::new());
    device.advance(start + Duration::from_millis(5));
    let drawn = log.0.lock().unwrap().clone();
    assert!(drawn.len() > 150, "{} points in 50 passes", drawn.len());
    let colours: Vec<_> = drawn[..4].iter().map(|(_, p)| (p.r, p.g, p.b)).collect();
    assert_eq!(colours, [(0, 0, 0), (65_535, 0, 0), (0, 65_535, 0), (0, 0, 65_535)]);
    // A second without a word: dark.
    device.advance(start + Duration::from_secs(2));
    assert!(!device.mirrors(0).unwrap().is_lit());
    assert_eq!(device.sessions(), 0);
}

/// The origin of each packet stands in the file.
#[test]
fn every_golden_packet_reads_and_emits_the_same_bytes() {
    use galvo::wire::idn::{
        Acknowledge, GroupReply, GroupRequest, Hello, Message, ScanReply, ServiceMap, command,
    };
    let mut packets = 0;
    for line in include_str!("../golden/idn/packets.txt").lines() {
        let Some(hex) = line.split(' ').nth(2).filter(|_| !line.starts_with('#')) else { continue };
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        let (hello, body) = Hello::parse(&bytes).unwrap();
        let mut out = hello.emit().to_vec();
        match hello.command {
            command::SCAN_REPLY => out.extend(ScanReply::parse(body).unwrap().emit()),
            command::SERVICE_MAP_REPLY => ServiceMap::parse(body).unwrap().emit(&mut out),
            command::GROUP => out.extend(GroupRequest::parse(body).unwrap().emit()),
            command::GROUP_REPLY => out.extend(GroupReply::parse(body).unwrap().emit()),
            command::ACKNOWLEDGE => out.extend(Acknowledge::parse(body).unwrap().emit()),
            command::MESSAGE | command::MESSAGE_ACK => {
                Message::parse(body).unwrap().emit(&mut out);
            }
            _ => out.extend(body),
        }
        assert_eq!(out, bytes, "{line}");
        packets += 1;
    }
    assert_eq!(packets, 17);
}

/// Programs that send whole pictures in one datagram were not heard at all.
#[test]
fn a_datagram_of_thirty_kilobytes_is_shown() {
    use galvo::wire::idn::{
        ChannelConfig, Chunk, Hello, LAYOUT_16BIT, Message, SAMPLE_BYTES, command, encode_points,
        mode,
    };

    const SAMPLES: usize = 3000;
    let log = Log::default();
    let server = serve("", &log);
    let words: Vec<u8> = LAYOUT_16BIT.iter().flat_map(|tag| tag.to_be_bytes()).collect();
    let config = ChannelConfig {
        data_match: 0,
        close: false,
        routing: true,
        service: 1,
        mode: mode::CONTINUOUS,
        words: &words,
    };
    let points: Vec<_> = (0..SAMPLES as u64).map(on_circle).collect();
    let mut packet = Hello::new(command::MESSAGE_ACK, 0).emit().to_vec();
    let chunk = Chunk::Wave { data_match: 0, duration: 100_000, data: &[] };
    let message = Message { channel: 0, timestamp: 1000, config: Some(config), chunk };
    message.emit_wave(SAMPLES * SAMPLE_BYTES, &mut packet, |data| {
        encode_points(&points, data);
    });
    assert!(packet.len() > 20_000, "{}", packet.len());
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.send_to(&packet, server.address()).unwrap();
    // Its answer says that it was taken in; what is not due yet is shown before the end.
    socket.recv_from(&mut [0; 64]).unwrap();
    let shown = || log.0.lock().unwrap().iter().filter(|(_, point)| !point.is_blank()).count();
    let patience = SystemClock.now() + Duration::from_secs(5);
    while shown() < SAMPLES * 9 / 10 && SystemClock.now() < patience {
        SystemClock.sleep_until(SystemClock.now() + Duration::from_millis(5));
    }
    assert!(shown() >= SAMPLES * 9 / 10, "{}", shown());
}
