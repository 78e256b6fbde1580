//! Frames of JPEG and JPEG-LS as their decoders want them: without fill bytes, without what follows
//! the end.

/// End of image.
const END: u8 = 0xD9;
/// Start of a scan.
const SCAN: u8 = 0xDA;
/// Markers without a length, besides the start and the end: temporary use, and restarts.
const BARE: [u8; 9] = [0x01, 0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7];

/// How a byte FF of a scan that is no marker goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stuffing {
    /// With a byte 0 (ITU-T T.81 F.1.2.3).
    Byte,
    /// With a byte whose highest bit is 0 (ITU-T T.87 A.1).
    Bit,
}

impl Stuffing {
    fn is_data(self, next: u8) -> bool {
        match self {
            Self::Byte => next == 0,
            Self::Bit => next < 0x80,
        }
    }
}

/// A frame without the fill bytes FF that may stand before any marker (ITU-T T.81 B.1.1.2), and
/// without what follows its end marker; and whether it has one. What cannot be walked through is left
/// as it is: the decoder says what is wrong.
pub(super) fn normalised(frame: &[u8], stuffing: Stuffing) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(frame.len() + 2);
    let Some(mut rest) = frame.strip_prefix(&[0xFF, 0xD8]) else { return (frame.to_vec(), true) };
    out.extend([0xFF, 0xD8]);
    while let [0xFF, after @ ..] = rest {
        let fill = after.iter().take_while(|&&byte| byte == 0xFF).count();
        let Some((&code, content)) = after[fill..].split_first() else { break };
        out.extend([0xFF, code]);
        rest = content;
        if code == END {
            return (out, true);
        }
        if !BARE.contains(&code) {
            let Some(&[high, low]) = rest.first_chunk() else { break };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let Some((segment, after)) = rest.split_at_checked(length) else { break };
            out.extend(segment);
            rest = after;
        }
        // Behind a scan's header, and behind a restart, come its bits.
        if code == SCAN || BARE.contains(&code) {
            let (bits, after) = rest.split_at(scan_length(rest, stuffing));
            out.extend(bits);
            rest = after;
        }
    }
    out.extend(rest);
    (out, false)
}

/// Bytes up to the next marker, or all.
fn scan_length(bytes: &[u8], stuffing: Stuffing) -> usize {
    let pairs = bytes.windows(2);
    let marker = pairs.into_iter().position(|pair| pair[0] == 0xFF && !stuffing.is_data(pair[1]));
    marker.unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame header and a scan of these bytes.
    fn frame(fill: &[u8], scan: &[u8], end: &[u8]) -> Vec<u8> {
        let header =
            [&[0xFF, 0xF7, 0, 5, 8, 0xFF, 0xD9][..], fill, &[0xFF, SCAN, 0, 3, 1]].concat();
        [&[0xFF, 0xD8], fill, &header, scan, fill, end].concat()
    }

    #[test]
    fn fill_bytes_go_wherever_a_marker_may_stand_and_so_does_what_follows_the_end() {
        let end = [0xFF, END];
        // A restart, with bits on either side; in JPEG-LS FF 7F are bits too.
        let scan =
            |fill: &[u8]| [&[1, 0xFF, 0, 2][..], fill, &[0xFF, 0xD0, 3, 0xFF, 0x7F]].concat();
        let plain = frame(&[], &scan(&[]), &end);
        assert_eq!(normalised(&plain, Stuffing::Bit), (plain.clone(), true));
        for fill in [&[0xFF][..], &[0xFF; 5]] {
            let filled = frame(fill, &scan(fill), &[0xFF, END, 0, 1, 0xFF, END]);
            assert_eq!(normalised(&filled, Stuffing::Bit), (plain.clone(), true));
        }
        let open = frame(&[], &scan(&[]), &[]);
        assert_eq!(normalised(&open, Stuffing::Bit), (open, false));
    }

    #[test]
    fn nothing_that_is_no_frame_is_changed() {
        for bytes in [&b""[..], &[0xFF], &[0xFF, 0xD8], &[1, 2, 3], &[0xFF, 0xD8, 0xFF, 0xC3, 0, 0]]
        {
            for stuffing in [Stuffing::Bit, Stuffing::Byte] {
                assert_eq!(normalised(bytes, stuffing).0, bytes, "{bytes:?}");
            }
        }
        let plain = frame(&[], &[1, 2, 3], &[0xFF, END]);
        for cut in 0..plain.len() {
            let (out, ended) = normalised(&plain[..cut], Stuffing::Byte);
            assert_eq!((&out[..], ended && cut > 1), (&plain[..cut], false));
        }
    }
}
