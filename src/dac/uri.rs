//! How a projector is named: `sim:`, `ether-dream://HOST[:PORT]`, `idn://HOST[:PORT][/SERVICE]`, `auto`.

use super::backend::DacError;
use super::idn::Service;
use super::simulator::SimOptions;
use crate::wire::ether_dream::TCP_PORT;
use crate::wire::idn::UDP_PORT;

/// Schemes of devices that have no driver yet.
const KNOWN_ELSEWHERE: [&str; 4] = ["helios", "lasercube-usb", "lasercube-wifi", "audio-xy"];
/// What may be named now.
const SUPPORTED: &str = "sim:, ether-dream://HOST[:PORT], idn://HOST[:PORT][/SERVICE] and auto";

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
            "idn" => match rest.strip_prefix("//").and_then(idn) {
                Some(uri) => Ok(uri),
                None => bad(format!(
                    "\"{text}\" has no usable address: write idn://HOST, idn://HOST:PORT or idn://HOST/SERVICE with the number or the name of an output"
                )),
            },
            _ if KNOWN_ELSEWHERE.contains(&scheme) => {
                bad(format!("{scheme} projectors cannot be driven yet: use {SUPPORTED}"))
            }
            _ => bad(format!("\"{scheme}\" is no kind of projector: use {SUPPORTED}")),
        }
    }
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
            ("auto", DacUri::Auto),
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
    fn what_cannot_be_driven_is_refused_in_one_sentence_that_names_what_can() {
        for text in ["helios://1", "foo://x", "10.0.0.7", ""] {
            let sentence = DacUri::parse(text).unwrap_err().to_string();
            assert!(sentence.contains("ether-dream://HOST"), "{sentence}");
            assert!(sentence.contains("sim:"), "{sentence}");
        }
    }

    #[test]
    fn broken_addresses_are_refused() {
        for rest in ["", "//", "//:80", "//h:0", "//h:99999", "//[::1", "//[x]", "//a b", "//a/b"] {
            let text = format!("ether-dream:{rest}");
            assert!(DacUri::parse(&text).is_err(), "{text}");
        }
        for rest in ["", "//", "//:80", "//h:0", "//[::1", "//a b", "//h/0", "//h/a/b", "//h/ "] {
            let text = format!("idn:{rest}");
            assert!(DacUri::parse(&text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(sim:|ether-dream://|idn://|)[ -~]{0,30}") {
            drop(DacUri::parse(&text));
        }
    }
}
