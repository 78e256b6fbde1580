//! Instances a second that a store acknowledges, and how fast it opens with many.
//!
//! ```text
//! cargo run --release -p hemora-store --example rate -- FOLDER [INSTANCES [CLIENTS [BYTES]]]
//! ```
//!
//! Each client writes its instances in turn, as an association does, in blocks of 16 KiB. Printed are the
//! rate until the last acknowledgement, how long filing takes beyond it, and how long opening takes
//! afterwards.

#[path = "../tests/it/place.rs"]
#[allow(dead_code)]
mod place;
#[path = "../tests/it/support.rs"]
#[allow(dead_code)]
mod support;

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use hemora_io::read_identity;
use hemora_store::{Durability, Options, Store};
use support::{Object, arrival};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().expect("give a folder");
    let number = |place: usize, otherwise: usize| {
        arguments.get(place).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let (instances, clients, bytes) = (number(1, 1000), number(2, 1), number(3, 525_000));
    for durability in [Durability::Power, Durability::Process] {
        let folder = Path::new(folder).join(format!("{durability:?}"));
        let options = Options { durability, reserve: 0, ..Options::default() };
        let store = Store::open(&folder, options).expect("the store opens");
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for client in 0..clients {
                let store = &store;
                scope.spawn(move || write(store, client, instances / clients, bytes));
            }
        });
        let acknowledged = begun.elapsed().as_secs_f64();
        store.flush().expect("everything is filed");
        let filed = begun.elapsed().as_secs_f64();
        drop(store);
        let begun = Instant::now();
        let store = Store::open(&folder, options).expect("the store opens again");
        let opened = begun.elapsed().as_secs_f64();
        println!(
            "{durability:?}: {clients} clients, {instances} x {bytes} bytes: {:.0}/s acknowledged, \
             filed {:.3} s later, {} instances open in {opened:.3} s",
            instances as f64 / acknowledged,
            filed - acknowledged,
            store.counts().expect("there are counts").instances,
        );
    }
}

fn write(store: &Store, client: usize, instances: usize, bytes: usize) {
    for instance in 0..instances {
        let study = format!("1.2.{client}.{}", instance / 300);
        let mut object = Object::new(&study, &format!("{study}.{instance}"));
        object.pixels = vec![(instance % 251) as u8; bytes];
        let mut draft = store.draft().expect("there is room");
        for block in object.bytes("CT1").chunks(16 << 10) {
            draft.write_all(block).expect("there is room");
        }
        let sealed = draft.seal().expect("it is whole");
        let identity = read_identity(sealed.path()).expect("it is DICOM");
        store.keep(sealed, arrival(identity, instance as i64)).expect("it is kept");
    }
}
