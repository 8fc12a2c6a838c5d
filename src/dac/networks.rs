//! The networks of this host, for questions to everybody on them.

use std::net::Ipv4Addr;

/// Where a question to everybody goes: the general broadcast address, that of every network of this host (the
/// general one leaves on a single adapter), and this host itself for the sake of simulators.
#[must_use]
pub fn everybody() -> Vec<Ipv4Addr> {
    let mut hosts = vec![Ipv4Addr::BROADCAST, Ipv4Addr::LOCALHOST];
    // Where the table cannot be read, the general broadcast has to do.
    let routes = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    hosts.extend(broadcasts(&routes));
    hosts
}

/// Where one with this address talks to everybody on its network.
#[must_use]
pub fn everybody_beside(address: Ipv4Addr) -> Ipv4Addr {
    if address.is_loopback() {
        return Ipv4Addr::new(127, 255, 255, 255);
    }
    let routes = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    beside(address, &routes)
}

fn beside(address: Ipv4Addr, routes: &str) -> Ipv4Addr {
    // A broadcast address is that of the network with all free bits set: the longest prefix in common wins.
    let common = |broadcast: &Ipv4Addr| (address.to_bits() ^ broadcast.to_bits()).leading_zeros();
    let inside = |network: &(Ipv4Addr, u32)| {
        address.to_bits() & network.1 == network.0.to_bits() & network.1
    };
    let found = networks(routes).into_iter().filter(inside);
    found.map(|(broadcast, _)| broadcast).max_by_key(common).unwrap_or(Ipv4Addr::BROADCAST)
}

/// The broadcast address of every network in Linux's routing table, once each.
fn broadcasts(routes: &str) -> Vec<Ipv4Addr> {
    networks(routes).into_iter().map(|(broadcast, _)| broadcast).collect()
}

/// The same with the mask of each.
fn networks(routes: &str) -> Vec<(Ipv4Addr, u32)> {
    let mut found: Vec<(Ipv4Addr, u32)> = Vec::new();
    for line in routes.lines().skip(1) {
        let columns: Vec<&str> = line.split_whitespace().collect();
        // The words are printed as they lie in memory, least significant byte first.
        let word = |column: usize| {
            let text = columns.get(column)?;
            u32::from_str_radix(text, 16).ok().map(u32::swap_bytes)
        };
        let (Some(network), Some(0), Some(mask)) = (word(1), word(2), word(7)) else { continue };
        // Neither the default route nor a link of two hosts is a network.
        let address = Ipv4Addr::from(network | !mask);
        let is_new = found.iter().all(|(known, _)| *known != address);
        if mask != 0 && mask < u32::MAX - 1 && is_new {
            found.push((address, mask));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_in_the_routing_table_gives_its_broadcast_address_once() {
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n\
            eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\n\
            eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\n\
            wlan0\t0000A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\n\
            wlan1\t000010AC\t00000000\t0001\t0\t0\t600\t0000FFFF\t0\n\
            tun0\t0100000A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\nnonsense\n";
        let expected = [Ipv4Addr::new(192, 168, 0, 255), Ipv4Addr::new(172, 16, 255, 255)];
        assert_eq!(broadcasts(table), expected);
        assert!(broadcasts("").is_empty());
        let beside = |host: [u8; 4]| beside(Ipv4Addr::from(host), table);
        assert_eq!(beside([192, 168, 0, 7]), expected[0]);
        assert_eq!(beside([172, 16, 3, 1]), expected[1]);
        assert_eq!(beside([10, 9, 9, 9]), Ipv4Addr::BROADCAST);
        assert_eq!(everybody_beside(Ipv4Addr::LOCALHOST), Ipv4Addr::new(127, 255, 255, 255));
        assert!(everybody().contains(&Ipv4Addr::LOCALHOST));
    }
}
