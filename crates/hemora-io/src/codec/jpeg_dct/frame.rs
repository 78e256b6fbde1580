//! The segments of a DCT-based frame, and from its scans to pixels (ITU-T T.81 annex B).

use super::huffman::{Bits, Codes, Reason};
use super::inverse::samples;
use super::scan::{Block, Scan, Selection, ZIGZAG};

/// Bits of a sample. Frames of 8 bits are left to jpeg-decoder.
const PRECISION: u8 = 12;
/// Progressive frames have about ten scans; 64 coefficients of 14 bits make no more than this.
const MAX_SCANS: usize = 64 * 14;

const CUT_OFF: Reason = "the segments are cut off";

/// Marker codes (T.81 table B.1).
mod marker {
    pub(super) const EXTENDED: u8 = 0xC1;
    pub(super) const PROGRESSIVE: u8 = 0xC2;
    pub(super) const HUFFMAN: u8 = 0xC4;
    pub(super) const RESTART: std::ops::RangeInclusive<u8> = 0xD0..=0xD7;
    pub(super) const START: u8 = 0xD8;
    pub(super) const END: u8 = 0xD9;
    pub(super) const SCAN: u8 = 0xDA;
    pub(super) const QUANTIZATION: u8 = 0xDB;
    pub(super) const RESTART_INTERVAL: u8 = 0xDD;
}

/// The next segment's marker and content, and where it ends.
fn segment(bytes: &[u8], mut position: usize) -> Result<(u8, &[u8], usize), Reason> {
    // What stands before a marker is left over of a scan, or fills.
    let code = loop {
        match bytes.get(position..position + 2).ok_or(CUT_OFF)? {
            &[0xFF, code] if code != 0 && code != 0xFF => break code,
            _ => position += 1,
        }
    };
    position += 2;
    if matches!(code, marker::START | marker::END) || marker::RESTART.contains(&code) {
        return Ok((code, &[], position));
    }
    let length = bytes.get(position..).and_then(|rest| rest.first_chunk::<2>()).ok_or(CUT_OFF)?;
    let end = position + usize::from(u16::from_be_bytes(*length));
    let content = bytes.get(position + 2..end).ok_or(CUT_OFF)?;
    Ok((code, content, end))
}

/// Whether the first frame header is that of a 12-bit frame which this module decodes.
pub(crate) fn is_twelve_bit_dct(bytes: &[u8]) -> bool {
    let mut position = 0;
    while let Ok((code, content, end)) = segment(bytes, position) {
        match code {
            marker::EXTENDED | marker::PROGRESSIVE => return content.first() == Some(&PRECISION),
            marker::SCAN | 0xC0 | 0xC3 | 0xC5..=0xCB | 0xCD..=0xCF => return false,
            _ => position = end,
        }
    }
    false
}

/// What stands before and between the scans.
#[derive(Default)]
struct Tables {
    quantization: [Option<[u16; 64]>; 4],
    dc: [Option<Codes>; 4],
    ac: [Option<Codes>; 4],
    restart_interval: usize,
}

/// A frame whose header was read.
struct Frame {
    progressive: bool,
    component: u8,
    quantization: usize,
    across: usize,
    blocks: Vec<Block>,
}

/// Decodes a 12-bit frame of one component to `rows` × `columns` unsigned samples, row by row.
///
/// # Errors
/// The reason, if the frame is broken, of another size, or of a kind that DICOM does not allow.
pub(crate) fn decode(bytes: &[u8], rows: usize, columns: usize) -> Result<Vec<u16>, String> {
    let mut tables = Tables::default();
    let mut frame: Option<Frame> = None;
    let (mut position, mut scans) = (0, 0);
    loop {
        let (code, content, end) = match segment(bytes, position) {
            Ok(segment) => segment,
            // Some writers leave the end marker out. A sequential frame has its one scan all the
            // same; of a progressive one nobody knows whether scans are missing.
            Err(_) if scans > 0 && frame.as_ref().is_some_and(|frame| !frame.progressive) => break,
            Err(reason) => return Err(reason.to_owned()),
        };
        position = end;
        match code {
            marker::END => break,
            marker::QUANTIZATION => quantization_tables(content, &mut tables)?,
            marker::HUFFMAN => huffman_tables(content, &mut tables)?,
            marker::RESTART_INTERVAL => {
                let interval = content.first_chunk::<2>().ok_or(CUT_OFF)?;
                tables.restart_interval = u16::from_be_bytes(*interval).into();
            }
            marker::EXTENDED | marker::PROGRESSIVE if frame.is_none() => {
                let progressive = code == marker::PROGRESSIVE;
                frame = Some(start_frame(content, progressive, rows, columns, bytes.len())?);
            }
            marker::SCAN => {
                let frame = frame.as_mut().ok_or("a scan before the frame header")?;
                scans += 1;
                if scans > MAX_SCANS {
                    return Err("more scans than a frame can use".to_owned());
                }
                position = scan(bytes, end, content, &tables, frame)?;
            }
            0xC0..=0xCF => return Err("a second frame or one of another process".to_owned()),
            _ => {}
        }
    }
    let frame = frame.filter(|_| scans > 0).ok_or("no frame with a scan")?;
    let steps = tables.quantization[frame.quantization].ok_or("no quantization table")?;
    Ok(pixels(&frame, &steps, rows, columns))
}

fn quantization_tables(mut content: &[u8], tables: &mut Tables) -> Result<(), Reason> {
    while let [head, rest @ ..] = content {
        let wide = usize::from(head >> 4).min(1);
        let values = rest.get(..64 << wide).ok_or(CUT_OFF)?;
        let table = tables.quantization.get_mut(usize::from(head & 15));
        let table = table.ok_or("a quantization table beyond the fourth")?.insert([0; 64]);
        for (index, &place) in ZIGZAG.iter().enumerate() {
            table[place] = match wide {
                0 => values[index].into(),
                _ => u16::from_be_bytes([values[2 * index], values[2 * index + 1]]),
            };
        }
        content = &rest[64 << wide..];
    }
    Ok(())
}

fn huffman_tables(mut content: &[u8], tables: &mut Tables) -> Result<(), Reason> {
    while let [head, rest @ ..] = content {
        let counts = rest.first_chunk::<16>().ok_or(CUT_OFF)?;
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        let values = rest.get(16..16 + total).ok_or(CUT_OFF)?;
        let class = if head >> 4 == 0 { &mut tables.dc } else { &mut tables.ac };
        let table = class.get_mut(usize::from(head & 15));
        let table = table.ok_or("a Huffman table beyond the fourth")?;
        *table = Some(Codes::new(*counts, values).ok_or("a Huffman table with too many codes")?);
        content = &rest[16 + total..];
    }
    Ok(())
}

fn start_frame(
    content: &[u8],
    progressive: bool,
    rows: usize,
    columns: usize,
    available: usize,
) -> Result<Frame, String> {
    let &[precision, a, b, c, d, components, component, _, quantization] = content else {
        return Err("a frame of several components, or a broken frame header".to_owned());
    };
    let size = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])].map(usize::from);
    if precision != PRECISION || components != 1 {
        return Err(format!("{components} components of {precision} bits, expected 1 of 12"));
    }
    if size != [rows, columns] {
        let [high, wide] = size;
        return Err(format!("the frame has {high} × {wide} pixels, expected {rows} × {columns}"));
    }
    if quantization > 3 {
        return Err("a quantization table beyond the fourth".to_owned());
    }
    let (across, down) = (columns.div_ceil(8), rows.div_ceil(8));
    // Every block costs at least one bit, so a small file cannot ask for much memory.
    if across * down > available * 8 {
        return Err(format!("{available} bytes cannot hold {rows} × {columns} pixels"));
    }
    let (quantization, blocks) = (quantization.into(), vec![[0; 64]; across * down]);
    Ok(Frame { progressive, component, quantization, across, blocks })
}

/// Decodes the scan whose header is `content`; where its entropy-coded data end.
fn scan(
    bytes: &[u8],
    begin: usize,
    content: &[u8],
    tables: &Tables,
    frame: &mut Frame,
) -> Result<usize, Reason> {
    let &[1, component, selectors, first, last, bits] = content else {
        return Err("a scan header of several components, or a broken one");
    };
    if component != frame.component {
        return Err("a scan of an unknown component");
    }
    let selection =
        Selection { first: first.into(), last: last.into(), high: bits >> 4, low: bits & 15 };
    check_selection(selection, frame.progressive)?;
    let table = |class: &[Option<Codes>; 4], index: u8| class.get(usize::from(index)).cloned();
    let (dc, ac) =
        (table(&tables.dc, selectors >> 4).flatten(), table(&tables.ac, selectors & 15).flatten());
    let mut scan = Scan::new(selection, frame.progressive, dc.as_ref(), ac.as_ref());
    let mut bits = Bits::new(bytes, begin);
    for (index, block) in frame.blocks.iter_mut().enumerate() {
        let interval = tables.restart_interval;
        if interval > 0 && index > 0 && index % interval == 0 {
            let (code, _, end) = segment(bytes, bits.position())?;
            if !marker::RESTART.contains(&code) {
                return Err("no restart marker where one must stand");
            }
            bits = Bits::new(bytes, end);
            scan.restart();
        }
        scan.block(&mut bits, block)?;
    }
    Ok(bits.position())
}

fn check_selection(selection: Selection, progressive: bool) -> Result<(), Reason> {
    let Selection { first, last, high, low } = selection;
    let fits = match progressive {
        false => (first, last, high, low) == (0, 63, 0, 0),
        // DC and AC never share a progressive scan, and a refinement adds one bit.
        true => {
            (first == 0 && last == 0 || (1..=63).contains(&first) && (first..=63).contains(&last))
                && low <= 13
                && (high == 0 || high == low + 1)
        }
    };
    if fits { Ok(()) } else { Err("a scan of coefficients that no process has") }
}

fn pixels(frame: &Frame, steps: &[u16; 64], rows: usize, columns: usize) -> Vec<u16> {
    const MIDDLE: f32 = (1u16 << (PRECISION - 1)) as f32;
    const HIGHEST: f32 = ((1u16 << PRECISION) - 1) as f32;
    let mut pixels = vec![0; rows * columns];
    for (index, block) in frame.blocks.iter().enumerate() {
        let (top, left) = (index / frame.across * 8, index % frame.across * 8);
        let samples = samples(block, steps);
        let width = (columns - left).min(8);
        for (row, line) in samples.chunks_exact(8).take((rows - top).min(8)).enumerate() {
            let begin = (top + row) * columns + left;
            for (pixel, sample) in pixels[begin..begin + width].iter_mut().zip(line) {
                *pixel = (sample + MIDDLE).round().clamp(0.0, HIGHEST) as u16;
            }
        }
    }
    pixels
}
