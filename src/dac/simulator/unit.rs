//! What tells one virtual device from another: an Ethernet address of its own.

use std::net::SocketAddr;

/// Six bytes as Ethernet addresses have them.
pub type EthernetAddress = [u8; 6];

/// The address of a virtual device that was given none: the same at every start, and another one for each kind, each
/// place it listens on and each machine.
#[must_use]
pub fn own_address(kind: &str, listens_on: SocketAddr) -> EthernetAddress {
    let of_machine = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let machine = of_machine("/etc/machine-id") + &of_machine("/proc/sys/kernel/hostname");
    address_of(&format!("{machine}{kind}{listens_on}"))
}

fn address_of(text: &str) -> EthernetAddress {
    // FNV-1a: it has to spread, not to keep a secret.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let [_, _, rest @ ..] = (hash ^ hash >> 32).to_be_bytes();
    let [first, others @ ..] = rest;
    let [b, c, d, e, f] = others;
    // Given by nobody, and that of one device.
    [first & 0xfc | 2, b, c, d, e, f]
}

/// Reads `02:00:5e:10:00:01` or `02005e100001`.
#[must_use]
pub fn read_address(text: &str) -> Option<EthernetAddress> {
    let plain: String = text.chars().filter(|c| !":-".contains(*c)).collect();
    let is_plain = plain.len() == 12 && plain.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u64::from_str_radix(&plain, 16).ok().filter(|_| is_plain)?;
    let [_, _, address @ ..] = number.to_be_bytes();
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn several_of_a_kind_are_told_apart_without_being_asked_to() {
        let mut seen = HashSet::new();
        for kind in ["ether-dream", "idn"] {
            for host in 1..50 {
                for port in [7255, 7256, 50_000] {
                    let at = SocketAddr::from(([127, 0, 0, host], port));
                    assert_eq!(own_address(kind, at), own_address(kind, at));
                    assert_eq!(own_address(kind, at)[0] & 3, 2, "given by nobody");
                    assert!(seen.insert(own_address(kind, at)));
                    // The same place on another machine.
                    assert!(seen.insert(address_of(&format!("stage-left{kind}{at}"))));
                }
            }
        }
        // Ether Dreams are called by the last three bytes.
        let called: HashSet<_> = seen.iter().map(|address| &address[3..]).collect();
        assert_eq!(called.len(), seen.len());
    }

    #[test]
    fn an_address_is_read_as_people_write_it() {
        let address = Some([2, 0, 0x5e, 0x10, 0, 1]);
        for text in ["02:00:5e:10:00:01", "02-00-5E-10-00-01", "02005e100001"] {
            assert_eq!(read_address(text), address);
        }
        for text in ["", "02:00", "02005e1000010", "+2005e100001", "zz005e100001"] {
            assert_eq!(read_address(text), None, "{text}");
        }
    }
}
