//! The whole study: every draw, every cell, and the results after each.

use std::fs;
use std::path::{Path, PathBuf};

use hemora_base::sha256_hex;
use hemora_ct::NOTICE;
use hemora_data::SplitTable;
use hemora_evaluation::Tool;

use crate::engine::{
    Ended, EngineError, Programs, Step, StepEvent, run_steps, write_json, write_text,
};
use crate::study::baseline::baselines;
use crate::study::cell::Job;
use crate::study::cost::Cost;
use crate::study::document::{
    CellResult, DrawResult, Outcome, SCHEMA_VERSION, StudyDocument, reported,
};
use crate::study::error::in_path;
use crate::study::selection::{Selection, too_few};
use crate::study::set::StudySet;
use crate::study::summary::summarise;
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
    /// Where its table lies as soon as the study runs, and what it holds.
    table: PathBuf,
    table_text: Vec<u8>,
    table_sha256: String,
}

/// What happens in a study.
#[derive(Debug)]
pub enum StudyEvent<'a> {
    /// A cell begins, of those that can be run.
    Begins {
        /// From 1.
        number: usize,
        /// Cells in all.
        total: usize,
        /// The cell.
        cell: &'a Cell,
    },
    /// The training program reports progress of the cell that runs.
    Progress(&'a hemora_base::Event),
    /// A cell ended.
    Ended {
        /// What came of it.
        cell: &'a CellResult,
        /// Seconds that the rest will take at the pace so far, where that is known.
        seconds_left: Option<f64>,
    },
    /// An earlier run finished a cell, or it cannot be run.
    Settled(&'a CellResult),
}

impl Study {
    /// Draws the images of every cell, and splits them or takes the parts of the table `given`.
    /// Nothing is written to the folder `out`; what it holds has to belong to the same splits, unless
    /// it is to be started over.
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
        if earlier.is_some_and(|earlier| earlier != text) {
            return Err(StudyError::OtherSettings(table));
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
        let table_sha256 = sha256_hex(&text);
        Ok(Drawn { selection, result, table, table_text: text, table_sha256 })
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
            None => Cost::for_cell(cell, &drawn.result.parts, &self.options),
        }
    }

    fn cells(&self) -> impl Iterator<Item = (&Drawn, Cell)> {
        self.drawn.iter().flat_map(|drawn| {
            cells(&self.options, drawn.result.draw).into_iter().map(move |cell| (drawn, cell))
        })
    }

    /// Writes the drawn `splits/`, runs every cell that no earlier run of the folder finished, and
    /// writes `study.json`, `study.md` and `report.html` after each. A cell that fails is named and
    /// the rest goes on. With `restart` no earlier run counts: what it left of the cells is removed
    /// first, so that a start over that is cut short goes on without `restart`.
    ///
    /// # Errors
    /// [`StudyError`] if the program cannot be started, or a file cannot be read or written;
    /// [`StudyError::Step`] if a cell was finished with other settings.
    pub fn run(
        &self,
        programs: &Programs,
        restart: bool,
        on_event: &mut dyn FnMut(StudyEvent<'_>),
    ) -> Result<StudyDocument, StudyError> {
        let all: Vec<(&Drawn, Cell)> = self.cells().collect();
        let mut results: Vec<Option<CellResult>> = Vec::with_capacity(all.len());
        // The cells that can be run, with their index in the plan.
        let (mut jobs, mut steps): (Vec<(usize, Job)>, Vec<Step>) = (Vec::new(), Vec::new());
        for (index, (drawn, cell)) in all.iter().enumerate() {
            if let Some(reason) = &drawn.result.impossible {
                let result = cell.with(Outcome::Impossible(reason.clone()));
                on_event(StudyEvent::Settled(&result));
                results.push(Some(result));
                continue;
            }
            results.push(None);
            let job = Job {
                cell,
                set: &self.set,
                selection: &drawn.selection,
                table: &drawn.table,
                table_sha256: &drawn.table_sha256,
                options: &self.options,
                folder: self.out.join("cells").join(cell.name()),
                restart,
                work: self.cell_cost(drawn, cell)?.seconds(1),
            };
            steps.push(job.step());
            jobs.push((index, job));
        }
        if restart {
            for (_, Job { folder, .. }) in &jobs {
                match fs::remove_dir_all(folder) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(in_path(folder)(error));
                    }
                    _ => {}
                }
            }
        }
        for Drawn { table, table_text, .. } in &self.drawn {
            write_text(table, table_text)?;
        }
        run_steps(&steps, programs, restart, &mut |event| -> Result<(), StudyError> {
            let (StepEvent::Begins { number, .. }
            | StepEvent::Complete { number, .. }
            | StepEvent::Progress { number, .. }
            | StepEvent::Ended(Ended { number, .. })) = event;
            let (index, job) = &jobs[number - 1];
            match event {
                StepEvent::Begins { total, .. } => {
                    on_event(StudyEvent::Begins { number, total, cell: job.cell });
                }
                StepEvent::Progress { event, .. } => on_event(StudyEvent::Progress(event)),
                StepEvent::Complete { record, .. } => {
                    let measured = Outcome::Measured(Box::new(job.earlier(record)?));
                    let cell = results[*index].insert(job.cell.with(measured));
                    on_event(StudyEvent::Settled(cell));
                }
                StepEvent::Ended(ended) => {
                    let outcome = match ended.outcome {
                        Ok(record) => Outcome::Measured(Box::new(job.measured(&record)?)),
                        Err(error) => Outcome::Failed(failure(error)?),
                    };
                    let cell = results[*index].insert(job.cell.with(outcome));
                    on_event(StudyEvent::Ended { cell, seconds_left: ended.seconds_left });
                    self.write(&self.document(&results))?;
                }
            }
            Ok(())
        })?;
        let document = self.document(&results);
        self.write(&document)?;
        Ok(document)
    }

    fn document(&self, results: &[Option<CellResult>]) -> StudyDocument {
        let cells: Vec<CellResult> = results.iter().flatten().cloned().collect();
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
        write_text(&self.out.join("study.md"), markdown(document).as_bytes())?;
        let path = self.out.join("report.html");
        let mut page = Vec::new();
        write_html(&mut page, document).map_err(in_path(&path))?;
        Ok(write_text(&path, &page)?)
    }
}

impl Cell {
    /// The cell with what came of it.
    fn with(&self, outcome: Outcome) -> CellResult {
        CellResult { network: self.network.clone(), draw: self.draw, outcome }
    }
}

/// Why a cell failed, where the rest can go on: its first line for the results, then the end of the
/// training's log.
///
/// # Errors
/// An error that the next cell would meet as well.
fn failure(error: EngineError) -> Result<String, StudyError> {
    match error {
        EngineError::Failed { status, last_lines, .. } => {
            Ok(format!("hemora-train ended with {status}:\n{last_lines}"))
        }
        EngineError::OutOfMemory { last_lines, .. } => Ok(format!(
            "hemora-train ran out of memory; start over with a smaller --batch and --restart, or in \
             another folder:\n{last_lines}"
        )),
        error => Err(error.into()),
    }
}
