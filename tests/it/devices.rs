//! Naming and opening projectors from outside.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use galvo::dac::discovery::{Discovery, Event};
use galvo::dac::simulator::{SimOptions, ether_dream, idn, lasercube_wifi};
use galvo::dac::{DacUri, KINDS, Watch, devices, open};
use galvo::time::{Clock, SystemClock};

#[test]
fn every_kind_in_the_catalog_can_be_named_and_opened() {
    for kind in KINDS {
        let uri = kind
            .uri
            .replace("HOST[:PORT]", "192.0.2.1:7765")
            .replace("DEVICE", "none")
            .replace("SERIAL", "A1");
        let backend = open(&uri, &[], Arc::new(SystemClock)).unwrap();
        assert_eq!(backend.name(), uri);
    }
}

#[test]
fn a_recording_can_be_asked_for_in_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.csv");
    let uri = format!("sim:?record={}", path.display());
    let expected = SimOptions { record: Some(path.clone()), ..SimOptions::default() };
    assert_eq!(DacUri::parse(&uri).unwrap(), DacUri::Sim(expected));
    drop(open(&uri, &[], Arc::new(SystemClock)).unwrap());
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, "host_ns,index,x,y,r,g,b,i\n");
}

#[test]
fn the_listing_says_of_every_entry_how_to_use_it_or_what_is_wrong() {
    for found in devices(Duration::from_millis(1)) {
        assert!(found.uri.is_some() || found.trouble.is_some(), "{found:?}");
    }
}

/// One of each kind that has a network of its own, found in the background, by name and by address.
#[test]
fn a_full_set_of_simulators_is_found_by_name() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let ear = UdpSocket::bind(any).unwrap();
    let announce_to = Some(ear.local_addr().unwrap());
    let options = ether_dream::Options { announce_to, ..Default::default() };
    let dream = ether_dream::Server::start(any, options, Arc::clone(&clock)).unwrap();
    let unit = idn::Server::start(any, idn::Options::default(), Arc::clone(&clock)).unwrap();
    let cube = lasercube_wifi::Options::default();
    let cube = lasercube_wifi::Server::start(any, cube, Arc::clone(&clock)).unwrap();
    let (ask_unit, ask_cube) = (vec![unit.address()], vec![cube.address()]);
    let watch = move || {
        let socket = || UdpSocket::bind(any).unwrap();
        let units = galvo::dac::idn::Search::over(socket(), ask_unit).unwrap();
        let cubes = galvo::dac::lasercube_wifi::Search::over(socket(), ask_cube).unwrap();
        Watch::over(ear, Some(units), Some(cubes)).unwrap()
    };
    let begun = clock.now();
    let discovery = Discovery::watching(watch, Arc::clone(&clock)).unwrap();
    let mut found = Vec::new();
    while found.len() < 3 && clock.now().since(begun) < Duration::from_secs(30) {
        match discovery.next() {
            Some(Event::Found(one)) => found.push(one),
            Some(other) => panic!("{other:?}"),
            None => clock.sleep_until(clock.now() + Duration::from_millis(5)),
        }
    }
    println!("found after {:?}", clock.now().since(begun));
    let mut named: Vec<_> = found.iter().map(|one| one.name.as_str()).collect();
    named.sort_unstable();
    assert!(named[0].starts_with("Ether Dream "), "{named:?}");
    assert!(named[1].starts_with("LaserCube, battery "), "{named:?}");
    assert_eq!(named[2], "galvo simulator (IDN)");
    for one in &found {
        assert!(DacUri::parse(one.uri.as_deref().unwrap()).is_ok() && one.serial.is_some());
    }
    drop((dream, unit, cube));
}
