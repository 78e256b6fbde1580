//! Reconstruction kernels: whether a series shows soft tissue or bone.

use super::words::{is_one, words};
use crate::{Series, SliceHeader};

/// What a series' reconstruction is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kernel {
    /// Smooth: brain and other soft tissue.
    Soft,
    /// The file does not tell, or names a kernel that is not known here.
    Unknown,
    /// Sharp: bone, lung, inner ear. Its noise hides small bleeds.
    Sharp,
}

impl Kernel {
    /// By ConvolutionKernel; then by the declared window, which belongs to the pixels; then by the
    /// words of the description, which often is the protocol's.
    pub(crate) fn from_series(series: &Series) -> Self {
        let slices = || series.slices.iter();
        let named = slices().find_map(|slice| slice.convolution_kernel.as_deref());
        let by_description = || series.description.as_deref().and_then(by_words);
        let known = named.and_then(by_name).or_else(|| slices().find_map(by_window));
        known.or_else(by_description).unwrap_or(Self::Unknown)
    }
}

/// Kernel names of the makers. Their numbers grow with sharpness: Siemens H30s, J40f, Br36, Hr60;
/// Canon FC20 to FC29 and FC60 to FC69 for brain.
fn by_name(name: &str) -> Option<Kernel> {
    // Several values: the first is the kernel, the next how strong iterative reconstruction was.
    let name = name.split('\\').next().unwrap_or_default().trim().to_ascii_uppercase();
    let letters = name.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let prefix = &name[..name.len() - letters.len()];
    let digits: String = letters.chars().take_while(char::is_ascii_digit).collect();
    let number: Option<u32> = digits.parse().ok();
    match (prefix.trim(), number) {
        ("FC", Some(20..=29 | 60..=69 | 1..=19 | 40..=49)) => Some(Kernel::Soft),
        ("FC", Some(_)) => Some(Kernel::Sharp),
        ("H" | "J" | "B" | "I" | "BR" | "HR" | "HC" | "QR" | "BF" | "BV", Some(number)) => {
            Some(if number < 50 { Kernel::Soft } else { Kernel::Sharp })
        }
        // GE and Philips.
        ("STANDARD" | "SOFT" | "UA" | "UB" | "UC" | "A" | "B" | "BRAIN" | "SMOOTH", None) => {
            Some(Kernel::Soft)
        }
        ("EDGE" | "LUNG" | "ULTRA" | "D" | "E" | "YD" | "YE" | "L" | "YA", None) => {
            Some(Kernel::Sharp)
        }
        _ => by_words(&name),
    }
}

/// Words of descriptions, in seven languages.
fn by_words(text: &str) -> Option<Kernel> {
    const SHARP: &[&str] = &[
        "bone", "bones", "boneplus", "bony", "osseous", "sharp", "lung", "lungs", "iac", "iacs",
        "temporal", "petrous", "scharf", "lunge", "hueso", "huesos", "oseo", "osea", "oseos",
        "oseas", "pulmon", "penasco", "penascos", "osso", "ossos", "osseo", "ossea", "osseas",
        "pulmao", "os", "osseux", "osseuse", "poumon", "rocher", "rochers", "ossa", "ossei",
        "polmone", "polmoni", "rocche", "bot", "botten", "longen", "scherp", "rotsbeen",
    ];
    const SHARP_STEMS: &[&str] =
        &["knochen", "felsenbein", "lungenf", "lungenk", "botvenster", "botkern", "botfilter"];
    const SOFT: &[&str] = &[
        "brain",
        "soft",
        "softtissue",
        "standard",
        "smooth",
        "weich",
        "blando",
        "blandos",
        "blanda",
        "blandas",
        "estandar",
        "mole",
        "moles",
        "padrao",
        "mou",
        "mous",
        "molle",
        "molles",
        "molli",
        "weke",
        "cerveau",
        "cervello",
    ];
    const SOFT_STEMS: &[&str] = &[
        "hirn",
        "gehirn",
        "weichteil",
        "weichgewebe",
        "wekedelen",
        "hersen",
        "cerebr",
        "parenchym",
        "parenquim",
        "parenchim",
        "encefal",
        "encephal",
    ];
    let words = words(text);
    let any = |whole: &[&str], stems: &[&str]| words.iter().any(|it| is_one(it, whole, stems));
    // “bone” stands in “brain & bone” too, but then the other series is the soft one.
    match (any(SHARP, SHARP_STEMS), any(SOFT, SOFT_STEMS)) {
        (true, _) => Some(Kernel::Sharp),
        (false, true) => Some(Kernel::Soft),
        (false, false) => None,
    }
}

/// Nobody looks at brain in a window as wide as this, nor at bone in one as narrow, HU.
fn by_window(slice: &SliceHeader) -> Option<Kernel> {
    match slice.window?.width {
        1000.0.. => Some(Kernel::Sharp),
        ..=200.0 => Some(Kernel::Soft),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_of_the_makers() {
        let soft = [
            "H31s", "J40f", "J37s\\3", "Hr40f", "Br36d\\4", "STANDARD", "SOFT", "UB", "FC26",
            "FC64",
        ];
        for name in soft {
            assert_eq!(by_name(name), Some(Kernel::Soft), "{name}");
        }
        let sharp =
            ["H60s", "H70h", "Hr64", "B70s", "BONE", "BONEPLUS", "EDGE", "YD", "FC30", "FC81"];
        for name in sharp {
            assert_eq!(by_name(name), Some(Kernel::Sharp), "{name}");
        }
        for name in ["", "XYZ", "12", "é9"] {
            assert_eq!(by_name(name), None, "{name}");
        }
        assert_eq!(by_words("Schädel Knochen 1.0"), Some(Kernel::Sharp));
        assert_eq!(by_words("HEAD 5mm brain"), Some(Kernel::Soft));
        assert_eq!(by_words("HEAD 5mm"), None);
        let sharp = [
            "Hueso 5mm",
            "ventana ósea",
            "crâne os 1mm",
            "Felsenbeine",
            "testa osso",
            "hoofd bot",
            "Crânio osso",
            "Knochenfenster",
            "HEAD_BONE1.0",
            "HeadBone",
            "IAC",
        ];
        for text in sharp {
            assert_eq!(by_words(text), Some(Kernel::Sharp), "{text}");
        }
        let soft = [
            "Tejidos blandos 5mm",
            "partes moles",
            "tissus mous",
            "tessuti molli",
            "weke delen",
            "Hirnparenchym",
            "encéfalo",
            "cerveau 5mm",
            "brain w/o bone",
        ];
        for text in soft {
            assert_eq!(by_words(text), Some(Kernel::Soft), "{text}");
        }
        let neither = ["Wiederholung", "Verteilung", "vasos", "nuestros", "cardiac", "iliac"];
        for text in neither {
            assert_eq!(by_words(text), None, "{text}");
        }
    }
}
