//! Naming and opening projectors from outside.

use std::sync::Arc;
use std::time::Duration;

use galvo::dac::simulator::SimOptions;
use galvo::dac::{DacUri, KINDS, devices, open};
use galvo::time::SystemClock;

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
