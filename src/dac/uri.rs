//! How a projector is named: `sim:`, `SCHEME://HOST[:PORT]`, `helios://SERIAL`, `audio-xy://DEVICE`, `auto`.

use super::audio_xy::XyOptions;
use super::backend::DacError;
use super::idn::Service;
use super::simulator::SimOptions;
use crate::wire::ether_dream::TCP_PORT;
use crate::wire::idn::UDP_PORT;
use crate::wire::lasercube_wifi::COMMAND_PORT;

/// What may be named now.
const SUPPORTED: &str = "sim:, ether-dream://HOST[:PORT], idn://HOST[:PORT][/SERVICE], helios://SERIAL, lasercube-usb://SERIAL, lasercube-wifi://HOST[:PORT], audio-xy://DEVICE[?channels=xyrgb] and auto";

/// A projector, as the user named it.
#[derive(Clone, Debug, PartialEq)]
pub enum DacUri {
    /// The virtual projector in this process.
    Sim(SimOptions),
    /// An Ether Dream on the network.
    EtherDream {
        /// Name or address; IPv6 without brackets.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// A LaserCube on the network.
    LaserCubeWifi {
        /// Name or IPv4 address.
        host: String,
        /// UDP port of its commands; points go to the next one.
        port: u16,
    },
    /// A sound card: an oscilloscope, or a projector on a DC-coupled card.
    AudioXy {
        /// Its name as listed, "default" or "none".
        device: String,
        /// Channels, rate and scales.
        options: XyOptions,
    },
    /// A Helios on USB: its stored name, its place on the bus, or nothing for the first one.
    Helios {
        /// As written, with `%20` and the like decoded.
        serial: String,
    },
    /// A LaserCube on USB: its serial number, its place on the bus, or nothing for the first one.
    LaserCubeUsb {
        /// As written, with `%20` and the like decoded.
        serial: String,
    },
    /// An output of an IDN device.
    Idn {
        /// Name or address; IPv6 without brackets.
        host: String,
        /// UDP port.
        port: u16,
        /// Which output.
        service: Service,
    },
    /// Whatever is found first.
    Auto,
}

impl DacUri {
    /// True if both may name the same projector: an output of an IDN device may be named by its number, by its name, or
    /// not at all.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Idn { host, port, service },
                Self::Idn { host: other_host, port: other_port, service: other },
            ) => {
                let is_output = match (service, other) {
                    (Service::Id(one), Service::Id(other)) => one == other,
                    (Service::Name(one), Service::Name(other)) => one.eq_ignore_ascii_case(other),
                    _ => true,
                };
                is_output && port == other_port && host.eq_ignore_ascii_case(other_host)
            }
            _ => self == other,
        }
    }

    /// The host of a projector on the network.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::EtherDream { host, .. }
            | Self::LaserCubeWifi { host, .. }
            | Self::Idn { host, .. } => Some(host),
            _ => None,
        }
    }

    /// Reads a name. The error says in one sentence what may be written.
    pub fn parse(text: &str) -> Result<Self, DacError> {
        let bad = |why: String| Err(DacError::BadAddress(why));
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let Some((scheme, rest)) = text.split_once(':') else {
            return bad(format!("\"{text}\" names no projector: use {SUPPORTED}"));
        };
        match scheme {
            "sim" => match rest {
                "" => Ok(Self::Sim(SimOptions::default())),
                _ => match rest.strip_prefix('?') {
                    Some(query) => SimOptions::parse(query).map(Self::Sim),
                    None => bad(format!("\"{text}\": write sim: or sim:?OPTION=VALUE")),
                },
            },
            "ether-dream" => match rest.strip_prefix("//").and_then(host_and_port) {
                Some((host, port)) => Ok(Self::EtherDream { host, port: port.unwrap_or(TCP_PORT) }),
                None => bad(format!(
                    "\"{text}\" has no usable address: write ether-dream://HOST or ether-dream://HOST:PORT"
                )),
            },
            "lasercube-wifi" => match rest.strip_prefix("//").and_then(lasercube_wifi) {
                Some(uri) => Ok(uri),
                None => bad(format!(
                    "\"{text}\" has no usable address: write lasercube-wifi://HOST or lasercube-wifi://HOST:PORT; which way its picture lies is set by galvo devices set"
                )),
            },
            "audio-xy" => {
                let (device, query) = rest.split_once('?').unwrap_or((rest, ""));
                match device.strip_prefix("//").map(|device| device.trim_end_matches('/')) {
                    Some(device) if !device.is_empty() => Ok(Self::AudioXy {
                        device: device.to_owned(),
                        options: XyOptions::parse(query)?,
                    }),
                    _ => bad(format!(
                        "\"{text}\" names no sound device: write audio-xy://NAME with a name from galvo devices, audio-xy://default or audio-xy://none"
                    )),
                }
            }
            "helios" | "lasercube-usb" => match rest.strip_prefix("//").and_then(plain_text) {
                Some(serial) if scheme == "helios" => Ok(Self::Helios { serial }),
                Some(serial) => Ok(Self::LaserCubeUsb { serial }),
                None => bad(format!(
                    "\"{text}\" names no device: write {scheme}://SERIAL, or {scheme}:// for the first one"
                )),
            },
            "idn" => match rest.strip_prefix("//").and_then(idn) {
                Some(uri) => Ok(uri),
                None => bad(format!(
                    "\"{text}\" has no usable address: write idn://HOST, idn://HOST:PORT or idn://HOST/SERVICE with the number or the name of an output"
                )),
            },
            _ => bad(format!("\"{scheme}\" is no kind of projector: use {SUPPORTED}")),
        }
    }
}

fn lasercube_wifi(text: &str) -> Option<DacUri> {
    let (host, port) = host_and_port(text)?;
    // The data port is the next one.
    let port = port.unwrap_or(COMMAND_PORT);
    (port < u16::MAX).then_some(DacUri::LaserCubeWifi { host, port })
}

/// How the name of a USB device stands in a URI: what is not plain is written as `%` and two digits.
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push('%');
            for digit in [byte >> 4, byte & 0xf] {
                written.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    written
}

/// The reverse; a name as a person types it may have its spaces as they are.
fn plain_text(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                bytes.push((digit(rest.next()?)? * 16 + digit(rest.next()?)?) as u8);
            }
            b'/' | b'?' | b'#' => return None,
            plain => bytes.push(plain),
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

/// `HOST[:PORT][/SERVICE]`; a number is a service ID, anything else a name.
fn idn(text: &str) -> Option<DacUri> {
    let (address, service) = match text.split_once('/') {
        None | Some((_, "")) => (text, Service::Default),
        Some((address, service)) => {
            let service = service.strip_suffix('/').unwrap_or(service);
            let is_name = !service.contains(['/', '?', '#']) && !service.trim().is_empty();
            let service = match service.parse::<u8>() {
                Ok(0) => return None,
                Ok(id) => Service::Id(id),
                Err(_) if is_name => Service::Name(service.replace("%20", " ")),
                Err(_) => return None,
            };
            (address, service)
        }
    };
    let (host, port) = host_and_port(address)?;
    Some(DacUri::Idn { host, port: port.unwrap_or(UDP_PORT), service })
}

/// `HOST`, `HOST:PORT`, `[IPv6]` or `[IPv6]:PORT`, with an optional slash at the end.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        match after.strip_prefix(':') {
            Some(digits) => (host, Some(port(digits)?)),
            None if after.is_empty() => (host, None),
            None => return None,
        }
    } else if text.parse::<std::net::Ipv6Addr>().is_ok() {
        (text, None)
    } else {
        match text.split_once(':') {
            Some((host, digits)) => (host, Some(port(digits)?)),
            None => (text, None),
        }
    };
    let plain = |c: char| !c.is_whitespace() && !"/?#@[]".contains(c);
    (!host.is_empty() && host.chars().all(plain)).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ether_dream(host: &str, port: u16) -> DacUri {
        DacUri::EtherDream { host: host.to_owned(), port }
    }

    fn cube(host: &str, port: u16) -> DacUri {
        DacUri::LaserCubeWifi { host: host.to_owned(), port }
    }

    fn at(host: &str, port: u16, service: Service) -> DacUri {
        DacUri::Idn { host: host.to_owned(), port, service }
    }

    #[test]
    fn addresses_read_with_and_without_a_port() {
        let cases = [
            ("ether-dream://10.0.0.7", ether_dream("10.0.0.7", 7765)),
            ("ether-dream://laser.local:9000/", ether_dream("laser.local", 9000)),
            ("ether-dream://[fe80::1]", ether_dream("fe80::1", 7765)),
            ("ether-dream://[::1]:80", ether_dream("::1", 80)),
            ("ether-dream://::1", ether_dream("::1", 7765)),
            ("sim:", DacUri::Sim(SimOptions::default())),
            ("sim:?ppm=200", DacUri::Sim(SimOptions { ppm: 200.0, ..SimOptions::default() })),
            ("helios://", DacUri::Helios { serial: String::new() }),
            ("helios://1-2.3/", DacUri::Helios { serial: "1-2.3".to_owned() }),
            ("helios://Stage%20Left", DacUri::Helios { serial: "Stage Left".to_owned() }),
            ("lasercube-usb://LC01", DacUri::LaserCubeUsb { serial: "LC01".to_owned() }),
            ("auto", DacUri::Auto),
            ("lasercube-wifi://10.0.0.8", cube("10.0.0.8", 45457)),
            ("lasercube-wifi://cube.local:5001/", cube("cube.local", 5001)),
            ("idn://10.0.0.7", at("10.0.0.7", 7255, Service::Default)),
            ("idn://laser.local:9000/", at("laser.local", 9000, Service::Default)),
            ("idn://[::1]:80/3", at("::1", 80, Service::Id(3))),
            ("idn://h/Left%20wing", at("h", 7255, Service::Name("Left wing".to_owned()))),
        ];
        for (text, expected) in cases {
            assert_eq!(DacUri::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_sound_card_is_named_with_its_channels() {
        let uri = DacUri::parse("audio-xy://hw:CARD=UltraLite,DEV=0?channels=xyrgbi&gain=0.5");
        let Ok(DacUri::AudioXy { device, options }) = uri else { panic!("{uri:?}") };
        assert_eq!((device.as_str(), options.channels.len()), ("hw:CARD=UltraLite,DEV=0", 6));
        assert_eq!(options.gain, 0.5);
        for text in ["audio-xy:", "audio-xy://", "audio-xy://?channels=xy", "audio-xy://a?b=c"] {
            assert!(DacUri::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_driven_is_refused_in_one_sentence_that_names_what_can() {
        for text in ["shownet://1", "foo://x", "10.0.0.7", ""] {
            let sentence = DacUri::parse(text).unwrap_err().to_string();
            assert!(sentence.contains("ether-dream://HOST"), "{sentence}");
            assert!(sentence.contains("sim:"), "{sentence}");
        }
    }

    #[test]
    fn a_usb_name_that_cannot_be_one_is_refused() {
        for text in ["helios:", "helios:1", "helios://a/b", "helios://%2", "lasercube-usb://%ff"] {
            assert!(DacUri::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn broken_addresses_are_refused() {
        for rest in ["", "//", "//:80", "//h:0", "//h:99999", "//[::1", "//[x]", "//a b", "//a/b"] {
            let text = format!("ether-dream:{rest}");
            assert!(DacUri::parse(&text).is_err(), "{text}");
        }
        for rest in ["", "//", "//h:65535", "//h?invert=x", "//h?flip", "//h:0"] {
            let text = format!("lasercube-wifi:{rest}");
            assert!(DacUri::parse(&text).is_err(), "{text}");
        }
        for rest in ["", "//", "//:80", "//h:0", "//[::1", "//a b", "//h/0", "//h/a/b", "//h/ "] {
            let text = format!("idn:{rest}");
            assert!(DacUri::parse(&text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_name_of_a_device_can_be_written_and_read(name in "[^\\p{Cc}]{0,20}") {
            let uri = format!("helios://{}", percent_encoded(&name));
            prop_assert_eq!(DacUri::parse(&uri).unwrap(), DacUri::Helios { serial: name });
        }

        #[test]
        fn any_text_is_read_or_refused(
            text in "(sim:|ether-dream://|idn://|helios://|lasercube-wifi://|audio-xy://|)[ -~]{0,30}"
        ) {
            drop(DacUri::parse(&text));
        }
    }
}
