//! The meta header of a file that holds a received data set.

use crate::StoreRequest;
use crate::command::padded;
use crate::uids::{IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION};

/// Meta header (group 0002, PS3.10 §7.1) of a received instance, with its length and in explicit VR
/// little endian: what stands between `DICM` and the data set. `calling_ae` becomes the source.
pub fn file_meta(request: &StoreRequest, calling_ae: &str) -> Vec<u8> {
    let mut content = Vec::new();
    // A 32-bit length, as this VR has one.
    content.extend(b"\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01");
    push(&mut content, 0x0002, b"UI", &padded(&request.sop_class_uid, 0));
    push(&mut content, 0x0003, b"UI", &padded(&request.sop_instance_uid, 0));
    push(&mut content, 0x0010, b"UI", &padded(&request.transfer_syntax, 0));
    push(&mut content, 0x0012, b"UI", &padded(IMPLEMENTATION_CLASS, 0));
    push(&mut content, 0x0013, b"SH", &padded(IMPLEMENTATION_VERSION, b' '));
    push(&mut content, 0x0016, b"AE", &padded(calling_ae, b' '));
    let mut meta = Vec::with_capacity(content.len() + 12);
    push(&mut meta, 0x0000, b"UL", &(content.len() as u32).to_le_bytes());
    meta.extend(content);
    meta
}

fn push(out: &mut Vec<u8>, element: u16, vr: &[u8; 2], value: &[u8]) {
    out.extend([2, 0]);
    out.extend(element.to_le_bytes());
    out.extend(vr);
    out.extend((value.len() as u16).to_le_bytes());
    out.extend(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Object;

    #[test]
    fn a_received_data_set_becomes_a_file_that_names_what_it_is() {
        let request = StoreRequest {
            message_id: 1,
            sop_class_uid: "1.2.840.10008.5.1.4.1.1.2".to_owned(),
            sop_instance_uid: "1.2.3".to_owned(),
            transfer_syntax: "1.2.840.10008.1.2.1".to_owned(),
            move_originator: None,
        };
        let mut file = vec![0; 128];
        file.extend(b"DICM");
        file.extend(file_meta(&request, "CT1"));
        file.extend(b"the data set");
        let object = Object::from_part10(&file).unwrap();
        assert_eq!(object.data_set, b"the data set");
        assert_eq!(object.sop_class_uid, request.sop_class_uid);
        assert_eq!(object.sop_instance_uid, request.sop_instance_uid);
        assert_eq!(object.transfer_syntax, request.transfer_syntax);
    }
}
