//! CT images to send: slices of phantoms under other names.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::process::read;

/// What the names of our images begin with.
const ROOT: &str = "1.2.826.0.1.3680043.10";

/// CT Image Storage.
const CT_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.2";

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

    /// A file of explicit VR little endian without sequences.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let bytes = std::fs::read(path)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read {shown}"))?;
        Ok(Self(bytes))
    }

    /// The same image under another name. What no image of a PACS lacks is added where it is absent.
    pub fn named(&self, name: Name) -> Result<Vec<u8>> {
        let found = elements(&self.0)?;
        let mut all: BTreeMap<_, _> = found.iter().map(|it| (it.tag, it.whole.to_vec())).collect();
        // Written anew below.
        all.remove(&(2, 0));
        let patient = name.study + 1;
        for (tag, vr, value) in [
            ((0x0002, 0x0003), b"UI", name.sop_uid()),
            ((0x0008, 0x0018), b"UI", name.sop_uid()),
            ((0x0010, 0x0010), b"PN", format!("Bench^P{patient:04}")),
            ((0x0010, 0x0020), b"LO", format!("P{patient}")),
            ((0x0020, 0x000D), b"UI", name.study_uid()),
            ((0x0020, 0x000E), b"UI", name.series_uid()),
        ] {
            all.insert(tag, element(tag, vr, &value));
        }
        let class = (0x0008, 0x0016);
        all.entry(class).or_insert_with(|| element(class, b"UI", CT_IMAGE));
        if name.localizer {
            let kind = (0x0008, 0x0008);
            all.insert(kind, element(kind, b"CS", "ORIGINAL\\PRIMARY\\LOCALIZER"));
        }
        let part = |meta: bool| -> Vec<u8> {
            let of = all.iter().filter(|((group, _), _)| (*group == 2) == meta);
            of.flat_map(|(_, bytes)| bytes.iter().copied()).collect()
        };
        let meta = part(true);
        let length = (meta.len() as u32).to_le_bytes();
        let head = [&[0; 128], &b"DICM\x02\0\0\0UL\x04\0"[..], &length];
        Ok([&head.concat(), &meta[..], &part(false)].concat())
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

/// An element whose length has 16 bits.
fn element((group, number): (u16, u16), vr: &[u8; 2], value: &str) -> Vec<u8> {
    let padding = if vr == b"UI" { 0 } else { b' ' };
    let length = value.len().next_multiple_of(2);
    let mut bytes =
        [group.to_le_bytes(), number.to_le_bytes(), *vr, (length as u16).to_le_bytes()].concat();
    bytes.extend(value.as_bytes());
    bytes.resize(8 + length, padding);
    bytes
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
    studies(&folder.join("stage_2_train"))
}

/// The studies whose files lie in a folder, each with its slices.
pub fn studies(folder: &Path) -> Result<Vec<Vec<Slice>>> {
    let shown = folder.display();
    let files = std::fs::read_dir(folder)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {shown}"))?;
    let mut paths = Vec::new();
    for file in files {
        paths.push(file.into_diagnostic()?.path());
    }
    paths.sort();
    let mut studies: BTreeMap<String, Vec<Slice>> = BTreeMap::new();
    for path in paths {
        let slice = Slice::read(&path)?;
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
        let value = |tag| found.iter().find(|it| it.tag == tag).map(|it| it.value).unwrap();
        let sop = b"1.2.826.0.1.3680043.10.1.2.7";
        assert_eq!(value((2, 0)), 36_u32.to_le_bytes(), "length of the meta header");
        assert_eq!(value((2, 3)), sop);
        assert_eq!(value((8, 8)), b"ORIGINAL\\PRIMARY\\LOCALIZER");
        assert_eq!(value((8, 0x16)), b"1.2.840.10008.5.1.4.1.1.2\0", "what storescu asks for");
        assert_eq!(value((8, 0x18)), sop);
        assert_eq!(value((0x10, 0x10)), b"Bench^P0001 ");
        assert_eq!(value((0x20, 0xD)), b"1.2.826.0.1.3680043.10.1");
        assert_eq!(value((0x7FE0, 0x10)), [1, 2, 3, 4]);
        assert!(found.is_sorted_by_key(|it| it.tag), "elements ascend");
        assert_eq!(named.study().unwrap(), "1.2.826.0.1.3680043.10.1");
    }

    #[test]
    fn what_is_cut_off_is_said() {
        let named = Slice([&[0; 132], &b"\x08\0\x18\0UI\x04\x001."[..]].concat());
        assert!(named.named(Name { study: 0, image: 0, localizer: false }).is_err());
    }
}
