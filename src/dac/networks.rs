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

/// The broadcast address of every network in Linux's routing table, once each.
fn broadcasts(routes: &str) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
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
        if mask != 0 && mask < u32::MAX - 1 && !found.contains(&address) {
            found.push(address);
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
        assert!(everybody().contains(&Ipv4Addr::LOCALHOST));
    }
}
