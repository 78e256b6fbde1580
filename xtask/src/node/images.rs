//! CT images to send: slices of phantoms under other names.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::process::read;

/// What the names of our images begin with.
const ROOT: &str = "1.2.826.0.1.3680043.10";

/// Series of a study: the head, and the localizers, which nobody scores.
const HEAD: usize = 1;
const LOCALIZERS: usize = 2;

/// Where an image belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// Number of its study.
    pub study: usize,
    /// Number of the image within its study.
    pub image: usize,
    /// Whether it belongs to the localizers.
    pub localizer: bool,
}

impl Name {
    /// StudyInstanceUID.
    pub fn study_uid(&self) -> String {
        format!("{ROOT}.{}", self.study + 1)
    }

    fn series_uid(&self) -> String {
        format!("{}.{}", self.study_uid(), if self.localizer { LOCALIZERS } else { HEAD })
    }

    /// SOPInstanceUID.
    pub fn sop_uid(&self) -> String {
        format!("{}.{}", self.series_uid(), self.image + 1)
    }
}

/// A slice of a phantom: a Part 10 file in explicit VR little endian, without sequences.
#[derive(Debug, Clone)]
pub struct Slice(Vec<u8>);

impl Slice {
    /// Bytes of its file.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// The same image under another name.
    pub fn named(&self, name: Name) -> Result<Vec<u8>> {
        let sop = name.sop_uid();
        let mut values = BTreeMap::from([
            ((0x0002, 0x0003), sop.clone()),
            ((0x0008, 0x0018), sop),
            ((0x0010, 0x0020), format!("P{}", name.study + 1)),
            ((0x0020, 0x000D), name.study_uid()),
            ((0x0020, 0x000E), name.series_uid()),
        ]);
        if name.localizer {
            values.insert((0x0008, 0x0008), "ORIGINAL\\PRIMARY\\LOCALIZER".to_owned());
        }
        let (mut meta, mut data_set) = (Vec::new(), Vec::new());
        for element in elements(&self.0)? {
            let out = if element.tag.0 == 2 { &mut meta } else { &mut data_set };
            match values.get(&element.tag) {
                // Written anew below.
                _ if element.tag == (2, 0) => {}
                Some(value) => element.write_with(value, out),
                None => out.extend(element.whole),
            }
        }
        let length = (meta.len() as u32).to_le_bytes();
        let head = [&[0; 128], &b"DICM\x02\0\0\0UL\x04\0"[..], &length];
        Ok([&head.concat(), &meta[..], &data_set].concat())
    }

    fn study(&self) -> Result<String> {
        let found = elements(&self.0)?.into_iter().find(|it| it.tag == (0x0020, 0x000D));
        let value = found.map(|it| String::from_utf8_lossy(it.value).into_owned());
        value.ok_or_else(|| miette!("a phantom without a StudyInstanceUID"))
    }
}

struct Element<'a> {
    tag: (u16, u16),
    whole: &'a [u8],
    value: &'a [u8],
}

impl Element<'_> {
    /// The element with another value, of a VR whose length has 16 bits.
    fn write_with(&self, value: &str, out: &mut Vec<u8>) {
        let padding = if &self.whole[4..6] == b"UI" { 0 } else { b' ' };
        let length = value.len().next_multiple_of(2);
        out.extend(&self.whole[..6]);
        out.extend((length as u16).to_le_bytes());
        out.extend(value.as_bytes());
        out.extend(vec![padding; length - value.len()]);
    }
}

/// The elements of a file as `hemora synth` writes it.
fn elements(file: &[u8]) -> Result<Vec<Element<'_>>> {
    let cut = || miette!("a phantom's file is cut off");
    let mut rest = file.get(132..).ok_or_else(cut)?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let head = rest.get(..8).ok_or_else(cut)?;
        let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let (begin, length) = match &head[4..6] {
            b"OB" | b"OW" => {
                let length = rest.get(8..12).and_then(|it| it.try_into().ok()).ok_or_else(cut)?;
                (12, u32::from_le_bytes(length) as usize)
            }
            _ => (8, usize::from(number(6))),
        };
        let whole = rest.get(..begin + length).ok_or_else(cut)?;
        found.push(Element { tag: (number(0), number(2)), whole, value: &whole[begin..] });
        rest = &rest[begin + length..];
    }
    Ok(found)
}

/// Phantom heads, each with its slices: made by `hemora synth` into `folder`, the same every time.
/// `size` in pixels, `spacing` of the slices in mm.
pub fn phantoms(
    program: &Path,
    folder: &Path,
    heads: usize,
    size: usize,
    spacing: usize,
) -> Result<Vec<Vec<Slice>>> {
    let mut synth = Command::new(program);
    synth.arg("synth").arg(folder).args(["--patients", &heads.to_string(), "--seed", "1"]);
    synth.args(["--size", &size.to_string(), "--slice-spacing", &spacing.to_string()]);
    read(&mut synth)?;
    let files = std::fs::read_dir(folder.join("stage_2_train")).into_diagnostic()?;
    let mut paths = Vec::new();
    for file in files {
        paths.push(file.into_diagnostic()?.path());
    }
    paths.sort();
    let mut studies: BTreeMap<String, Vec<Slice>> = BTreeMap::new();
    for path in paths {
        let slice =
            Slice(std::fs::read(&path).into_diagnostic().wrap_err("cannot read a phantom")?);
        studies.entry(slice.study()?).or_default().push(slice);
    }
    Ok(studies.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_by_another_name_differs_in_its_names_alone() {
        let mut file = [&[0; 128], &b"DICM"[..]].concat();
        file.extend(b"\x02\0\0\0UL\x04\0\x0c\0\0\0");
        file.extend(b"\x02\0\x03\0UI\x04\x001.2\0");
        file.extend(b"\x08\0\x08\0CS\x06\0AXIAL ");
        file.extend(b"\x08\0\x18\0UI\x04\x001.2\0");
        file.extend(b"\x20\0\x0d\0UI\x04\x001.3\0");
        file.extend(b"\xe0\x7f\x10\0OW\0\0\x04\0\0\0\x01\x02\x03\x04");
        let name = Name { study: 0, image: 6, localizer: true };
        let named = Slice(Slice(file).named(name).unwrap());
        let found = elements(&named.0).unwrap();
        let values: Vec<&[u8]> = found.iter().map(|it| it.value).collect();
        let sop = b"1.2.826.0.1.3680043.10.1.2.7";
        assert_eq!(values[0], 36_u32.to_le_bytes(), "length of the meta header");
        assert_eq!(values[1], sop);
        assert_eq!(values[2], b"ORIGINAL\\PRIMARY\\LOCALIZER");
        assert_eq!(values[3], sop);
        assert_eq!(values[4], b"1.2.826.0.1.3680043.10.1");
        assert_eq!(values[5], [1, 2, 3, 4]);
        assert_eq!(named.study().unwrap(), "1.2.826.0.1.3680043.10.1");
    }

    #[test]
    fn what_is_cut_off_is_said() {
        let named = Slice([&[0; 132], &b"\x08\0\x18\0UI\x04\x001."[..]].concat());
        assert!(named.named(Name { study: 0, image: 0, localizer: false }).is_err());
    }
}
