//! The whole study: every draw, every cell, and the results after each.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hemora_ct::NOTICE;
use hemora_data::SplitTable;
use hemora_evaluation::Tool;
use sha2::{Digest, Sha256};

use crate::study::baseline::baselines;
use crate::study::cost::Cost;
use crate::study::document::{
    CellResult, DrawResult, Outcome, SCHEMA_VERSION, StudyDocument, reported,
};
use crate::study::error::in_path;
use crate::study::files::{write_json, write_whole};
use crate::study::selection::{Selection, too_few};
use crate::study::set::StudySet;
use crate::study::summary::summarise;
use crate::study::trainer::Job;
use crate::study::warnings::warnings;
use crate::study::{Cell, Draw, StudyError, StudyOptions, cells, draws, markdown, write_html};

/// A study that can be run.
pub struct Study {
    set: StudySet,
    options: StudyOptions,
    out: PathBuf,
    drawn: Vec<Drawn>,
}

/// The images of a draw.
struct Drawn {
    selection: Selection,
    result: DrawResult,
    table: PathBuf,
    table_sha256: String,
}

/// How cells are run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The training program.
    pub program: PathBuf,
    /// Its threads; 0 for one per core.
    pub threads: usize,
    /// Forget the cells that an earlier run finished.
    pub restart: bool,
}

/// What happens in a study.
#[derive(Debug)]
pub enum Event<'a> {
    /// A cell is taken up, counted from 1, of so many.
    Begins(usize, usize, &'a Cell),
    /// The trainer said this after an epoch.
    Epoch(&'a str),
    /// A cell has ended. The seconds that the rest will take, by what the cells so far took, if any
    /// was run.
    Ended(&'a CellResult, Option<f64>),
    /// A cell was finished by an earlier run.
    Taken(&'a CellResult),
}

impl Study {
    /// Draws the images of every cell, splits them or takes the parts of the table `given`, and
    /// writes `splits/` in the folder `out`. Nothing is trained.
    ///
    /// # Errors
    /// [`StudyError`] names the option or the file; [`StudyError::Leak`] if a patient stands in
    /// several parts of a split by patient, [`StudyError::OtherSettings`] if the folder has other
    /// splits and is not to be started over.
    pub fn plan(
        set: StudySet,
        options: StudyOptions,
        given: Option<&Path>,
        out: &Path,
        restart: bool,
    ) -> Result<Self, StudyError> {
        options.check()?;
        if given.is_some() && options.splits.len() > 1 {
            return Err(StudyError::Option {
                name: "splits",
                found: "several kinds with a given split".to_owned(),
                expected: "patient, or image where patients may stand in several parts".to_owned(),
            });
        }
        let given = given.map(|path| Ok::<_, StudyError>((path, SplitTable::read(path)?)));
        let given = given.transpose()?;
        let mut study = Self { set, options, out: out.to_owned(), drawn: Vec::new() };
        for draw in draws(&study.options) {
            let drawn = study.draw(draw, given.as_ref(), restart)?;
            study.drawn.push(drawn);
        }
        Ok(study)
    }

    fn draw(
        &self,
        draw: Draw,
        given: Option<&(&Path, SplitTable)>,
        restart: bool,
    ) -> Result<Drawn, StudyError> {
        let table = self.out.join("splits").join(format!("{}.csv", draw.name()));
        let parts = given.map(|(_, parts)| parts);
        let selection = Selection::draw(&self.set, draw, parts, &self.options)?;
        let origin = given.map_or(table.as_path(), |(path, _)| path);
        selection.check_leaks(&self.set, draw.split, origin)?;
        let text = selection.table(&self.set).to_csv();
        let earlier = fs::read(&table).ok().filter(|_| !restart);
        match earlier {
            Some(earlier) if earlier != text => return Err(StudyError::OtherSettings(table)),
            Some(_) => {}
            None => write_whole(&table, &text)?,
        }
        let parts = selection.counts(&self.set);
        let seed = self.options.seed.wrapping_add(draw.repeat);
        let impossible = too_few(&parts, self.options.training.batch);
        let baselines = match impossible {
            Some(_) => Vec::new(),
            None => {
                let resamples = self.options.resamples;
                baselines(&self.set, &selection, draw.question, resamples, seed)?
            }
        };
        let shared_patients = selection.shared_groups(&self.set).len() as u64;
        let result = DrawResult { draw, seed, parts, shared_patients, impossible, baselines };
        let digest = Sha256::digest(&text);
        let table_sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Drawn { selection, result, table, table_sha256 })
    }

    /// The images.
    pub fn set(&self) -> &StudySet {
        &self.set
    }

    /// The images of every cell, counted.
    pub fn draws(&self) -> impl Iterator<Item = &DrawResult> {
        self.drawn.iter().map(|drawn| &drawn.result)
    }

    /// The work of all cells that can be run.
    ///
    /// # Errors
    /// [`StudyError::Option`] if a network cannot be built at the size.
    pub fn cost(&self) -> Result<Cost, StudyError> {
        let mut cost = Cost::default();
        for (drawn, cell) in self.cells() {
            cost = cost.plus(self.cell_cost(drawn, &cell)?);
        }
        Ok(cost)
    }

    fn cell_cost(&self, drawn: &Drawn, cell: &Cell) -> Result<Cost, StudyError> {
        match drawn.result.impossible {
            Some(_) => Ok(Cost::default()),
            None => Cost::of(cell, &drawn.result.parts, &self.options),
        }
    }

    fn cells(&self) -> impl Iterator<Item = (&Drawn, Cell)> {
        self.drawn.iter().flat_map(|drawn| {
            cells(&self.options, drawn.result.draw).into_iter().map(move |cell| (drawn, cell))
        })
    }

    /// Runs every cell that no earlier run of the folder finished, and writes `study.json`,
    /// `study.md` and `report.html` after each. A cell that fails is named and the rest goes on.
    ///
    /// # Errors
    /// [`StudyError`] if the program cannot be started, or a file not be read or written.
    pub fn run(
        &self,
        options: &RunOptions,
        told: &mut dyn FnMut(Event<'_>),
    ) -> Result<StudyDocument, StudyError> {
        let all: Vec<(&Drawn, Cell)> = self.cells().collect();
        let mut results: Vec<CellResult> = Vec::new();
        let (mut done, mut open) = (Cost::default(), self.cost()?);
        let mut seconds = 0.0;
        for (number, (drawn, cell)) in all.iter().enumerate() {
            let cost = self.cell_cost(drawn, cell)?;
            let job = Job {
                program: &options.program,
                cell,
                set: &self.set,
                selection: &drawn.selection,
                table: &drawn.table,
                table_sha256: &drawn.table_sha256,
                options: &self.options,
                threads: options.threads,
                folder: self.out.join("cells").join(cell.name()),
                restart: options.restart,
            };
            let result =
                |outcome| CellResult { network: cell.network.clone(), draw: cell.draw, outcome };
            open = open.plus(Cost {
                multiply_adds: -cost.multiply_adds,
                images: -cost.images,
                cells: -cost.cells,
            });
            let finished = match &drawn.result.impossible {
                Some(reason) => Some(Outcome::Impossible(reason.clone())),
                None => job.finished()?.map(|measured| Outcome::Measured(Box::new(measured))),
            };
            if let Some(outcome) = finished {
                results.push(result(outcome));
                told(Event::Taken(&results[number]));
                continue;
            }
            told(Event::Begins(number + 1, all.len(), cell));
            let begin = Instant::now();
            results.push(result(job.run(&mut |line| told(Event::Epoch(line)))?));
            seconds += begin.elapsed().as_secs_f64();
            done = done.plus(cost);
            let left = open.seconds(1) * seconds / done.seconds(1).max(1e-9);
            told(Event::Ended(&results[number], Some(left)));
            self.write(&self.document(results.clone()))?;
        }
        let document = self.document(results);
        self.write(&document)?;
        Ok(document)
    }

    fn document(&self, cells: Vec<CellResult>) -> StudyDocument {
        let draws: Vec<DrawResult> = self.draws().cloned().collect();
        let device = cells.iter().rev().find_map(|cell| match &cell.outcome {
            Outcome::Measured(measured) => measured.device.clone(),
            Outcome::Impossible(_) | Outcome::Failed(_) => None,
        });
        let mut document = StudyDocument {
            schema_version: SCHEMA_VERSION,
            notice: NOTICE.to_owned(),
            tool: Tool {
                name: "hemora-study".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            options: self.options.clone(),
            set: self.set.summary(),
            device,
            planned: self.cells().count() as u64,
            summaries: summarise(&draws, &cells),
            draws,
            cells,
            reported: reported(),
            warnings: Vec::new(),
        };
        document.warnings = warnings(&document);
        document
    }

    fn write(&self, document: &StudyDocument) -> Result<(), StudyError> {
        write_json(&self.out.join("study.json"), document)?;
        write_whole(&self.out.join("study.md"), markdown(document).as_bytes())?;
        let path = self.out.join("report.html");
        let mut page = Vec::new();
        write_html(&mut page, document).map_err(in_path(&path))?;
        write_whole(&path, &page)
    }
}
