//! A prepared set in HU: the table of a shard, then `--` on a line, then the shard.
#![no_main]

use hemora_data::InMemorySet;
use hemora_fuzz::{file, parts, prepare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: prepare(), |data: &[u8]| {
    let (table, shard) = parts(data, b"\n--\n");
    let mut labels = String::from("ID,Label\n");
    for label in hemora_ct::Label::ALL {
        labels += &format!("ID_1_{label},0\n");
    }
    let path = file("set/labels.csv", labels.as_bytes());
    file("set/splits.csv", b"ID,PatientID,StudyInstanceUID,SeriesInstanceUID,split\nID_1,p,t,s,train\n");
    file("set/shards/00000.csv", &[table, b"\n"].concat());
    file("set/shards/00000.hu", shard);
    let folder = path.parent().expect("a folder");
    if let Ok(set) = InMemorySet::open_hu(folder, 16, &|_, _| ()) {
        assert_eq!(set.hu(0).map(<[i16]>::len), Some(256));
    }
});
