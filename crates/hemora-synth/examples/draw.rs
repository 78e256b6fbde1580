//! Draws bleeds into a folder's slices and shows them: before, after and the outline of the mask.
//!
//! `draw FOLDER SHEET.png [SUBTYPE | look-alike | random] [SEED]` reads 8-bit grey square PNG files
//! in the brain window and writes a contact sheet.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hemora_ct::Label;
use hemora_synth::{DrawOptions, DrawnSlice, HeadSlice};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Pixels of a slice, as in training.
const SIDE: usize = 288;
/// Slices of a sheet, and of one of its rows.
const COUNT: usize = 12;
const PER_ROW: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, sheet, rest @ ..] = arguments.as_slice() else {
        return Err("usage: draw FOLDER SHEET.png [SUBTYPE | look-alike | random] [SEED]".into());
    };
    let wanted = rest.first().map_or("random", String::as_str);
    let seed = rest.get(1).map_or(Ok(0), |seed| seed.parse())?;
    let options = match wanted {
        "look-alike" => DrawOptions { bleed: 0.0, look_alike: 1.0 },
        "random" => DrawOptions::default(),
        _ => DrawOptions { bleed: 1.0, look_alike: 0.0 },
    };
    let label: Option<Label> = wanted.parse().ok();
    if label.is_none() && !["look-alike", "random"].contains(&wanted) {
        return Err(format!("`{wanted}` is neither a subtype, look-alike nor random").into());
    }

    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "png"));
    files.sort();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut tiles: Vec<[Vec<u8>; 3]> = Vec::new();
    let (mut read, mut closed, mut drawn) = (0, 0, 0);
    let (mut analysing, mut drawing) = (Duration::ZERO, Duration::ZERO);
    for file in files {
        let grey = read_slice(&file)?;
        read += 1;
        let start = Instant::now();
        let Some(head) = HeadSlice::new(&grey, SIDE) else { continue };
        analysing += start.elapsed();
        closed += 1;
        // A subtype that was asked for comes up within some tries where there is room for it.
        let tries = if label.is_some() { 30 } else { 1 };
        let start = Instant::now();
        let found = (0..tries)
            .filter_map(|_| head.draw(&mut random, &options))
            .find(|slice| label.is_none_or(|label| slice.labels()[label.index()]));
        if label.is_none() {
            drawing += start.elapsed();
        }
        let Some(slice) = found else { continue };
        drawn += 1;
        if tiles.len() < COUNT {
            let outlined = outlined(&slice);
            tiles.push([grey, slice.grey, outlined]);
        }
    }
    println!("{read} slices, {closed} with a closed skull, {drawn} drawn");
    println!("analysing {:.2} ms a slice", millis(analysing, closed));
    if label.is_none() {
        println!("drawing {:.2} ms a slice", millis(drawing, closed));
    }
    write_sheet(Path::new(sheet), &tiles)
}

fn millis(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e3 / count.max(1) as f64
}

/// A square grey picture, averaged to `SIDE` pixels.
fn read_slice(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let name = path.display();
    let mut reader = png::Decoder::new(BufReader::new(File::open(path)?)).read_info()?;
    let (width, height) = reader.info().size();
    let format = reader.output_color_type();
    if width != height || format != (png::ColorType::Grayscale, png::BitDepth::Eight) {
        return Err(format!(
            "{name}: {width} × {height}, {format:?}; expected a square 8-bit grey picture"
        )
        .into());
    }
    let mut pixels = vec![0; reader.output_buffer_size().ok_or("too large a picture")?];
    reader.next_frame(&mut pixels)?;
    let values = pixels.iter().map(|&value| f32::from(value)).collect();
    let plane = hemora_ct::Plane { rows: height as usize, columns: width as usize, values };
    let small = hemora_ct::resize(&plane, SIDE, SIDE);
    Ok(small.values.iter().map(|&value| value.round() as u8).collect())
}

/// The picture with the border of what was drawn in white, around it.
fn outlined(slice: &DrawnSlice) -> Vec<u8> {
    let mut picture = slice.grey.clone();
    for (pixel, value) in picture.iter_mut().enumerate() {
        let around =
            [pixel.checked_sub(1), pixel.checked_sub(SIDE), Some(pixel + 1), Some(pixel + SIDE)];
        let mut around = around.into_iter().flatten().filter_map(|pixel| slice.bleeds.get(pixel));
        if slice.bleeds[pixel] == 0 && around.any(|&bits| bits != 0) {
            *value = 255;
        }
    }
    picture
}

fn write_sheet(path: &Path, tiles: &[[Vec<u8>; 3]]) -> Result<(), Box<dyn Error>> {
    let width = PER_ROW * 3 * SIDE;
    let height = tiles.len().div_ceil(PER_ROW).max(1) * SIDE;
    let mut sheet = vec![0; width * height];
    for (index, pictures) in tiles.iter().enumerate() {
        for (part, picture) in pictures.iter().enumerate() {
            let left = (index % PER_ROW * 3 + part) * SIDE;
            for (row, values) in picture.chunks_exact(SIDE).enumerate() {
                let start = (index / PER_ROW * SIDE + row) * width + left;
                sheet[start..start + SIDE].copy_from_slice(values);
            }
        }
    }
    let mut encoder =
        png::Encoder::new(BufWriter::new(File::create(path)?), width as u32, height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&sheet)?;
    Ok(())
}
