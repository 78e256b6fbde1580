//! Command sets of the DICOM network, and PDUs.
#![no_main]

use hemora_dimse::Command;
use hemora_dimse::pdu::{Pdu, PdvHeader};
use hemora_fuzz::prepare;
use libfuzzer_sys::fuzz_target;

const LONGEST: u32 = 16 << 10;

fuzz_target!(init: prepare(), |data: &[u8]| {
    if let Ok(command) = Command::parse(data) {
        let _ = (command.field(), command.message_id(), command.status(), command.has_data_set());
    }
    let mut rest = data;
    while let Ok(pdu) = Pdu::read(&mut rest, LONGEST) {
        let Pdu::Data(mut left) = pdu else { continue };
        assert!((1..=LONGEST).contains(&left));
        while left > 0 {
            let Ok(header) = PdvHeader::read(&mut rest, left) else { return };
            // A fragment is within its PDU.
            left -= PdvHeader::LENGTH + header.length;
            let Some((fragment, after)) = rest.split_at_checked(header.length as usize) else { return };
            if header.is_command && header.is_last {
                let _ = Command::parse(fragment);
            }
            rest = after;
        }
    }
});
