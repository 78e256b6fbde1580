//! Where ONNX Runtime's shared library may be: what the user names, then Python's packages, then the
//! system's folders.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::python::{entries, package_folders, prefixes};
use super::trust;

/// Names a library file, or a folder or Python environment that holds one; `off` for none at all.
pub(super) const VARIABLE: &str = "HEMORA_ONNXRUNTIME";
/// The variable that `ort` itself knows: a library file.
const ORT_VARIABLE: &str = "ORT_DYLIB_PATH";
/// The value of [`VARIABLE`] that keeps to the built-in engine.
const OFF: &str = "off";

/// Where ONNX Runtime's library was looked for, in the order of the search, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LibrarySearch {
    /// Whether `HEMORA_ONNXRUNTIME` is `off`: then nothing was looked at.
    pub off: bool,
    /// The places.
    pub places: Vec<LibraryPlace>,
}

/// One place where the library may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LibraryPlace {
    /// The variable that names it, or what kind of place it is.
    pub origin: &'static str,
    /// The library, or what was looked at without finding one; `None` where nothing names a place.
    pub path: Option<PathBuf>,
    /// What came of it.
    #[serde(flatten)]
    pub finding: Finding,
}

/// What came of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", content = "reason", rename_all = "kebab-case")]
pub enum Finding {
    /// There is no library.
    Missing,
    /// There is one that is not loaded, since others than root and the user may change it.
    Untrusted(String),
    /// There is one, and an earlier one was taken.
    Untried,
    /// The library does not load, or does not compute what it should.
    Fails(String),
    /// The library that this process runs.
    Works,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Missing => formatter.write_str("no such library"),
            Finding::Untrusted(reason) => write!(formatter, "not loaded, since {reason}"),
            Finding::Untried => formatter.write_str("not tried"),
            Finding::Fails(reason) => formatter.write_str(reason),
            Finding::Works => formatter.write_str("works"),
        }
    }
}

impl LibraryPlace {
    /// Whether the user names this place.
    fn is_named(&self) -> bool {
        [EXPLICIT, VARIABLE, ORT_VARIABLE].contains(&self.origin)
    }

    /// Whether a log should tell of it though it was passed over: the user names it, or a library lies
    /// there. The loader's search says nothing where there is none.
    fn is_passed_over(&self) -> bool {
        match self.finding {
            Finding::Missing => self.is_named() && self.path.is_some(),
            Finding::Untrusted(_) => true,
            Finding::Fails(_) => self.origin != LOADER,
            Finding::Untried | Finding::Works => false,
        }
    }
}

impl fmt::Display for LibraryPlace {
    /// `HEMORA_ONNXRUNTIME /path (no such library)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => {
                write!(formatter, "{} {} ({})", self.origin, path.display(), self.finding)
            }
            None => write!(formatter, "{} (not set)", self.origin),
        }
    }
}

impl LibrarySearch {
    /// The library that this process runs.
    pub fn working(&self) -> Option<&LibraryPlace> {
        self.places.iter().find(|place| place.finding == Finding::Works)
    }

    /// The places that were passed over and that the user should know of, in one line; empty if there
    /// are none.
    pub fn passed_over(&self) -> String {
        let told = self.places.iter().filter(|place| place.is_passed_over());
        told.map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// What was tried, in one line.
    pub(super) fn tried(&self) -> String {
        if self.off {
            return format!("nothing, since {VARIABLE} is {OFF}");
        }
        let is_told = |place: &&LibraryPlace| place.is_named() || place.is_passed_over();
        let mut told: Vec<_> =
            self.places.iter().filter(is_told).map(ToString::to_string).collect();
        let others = self.places.len() - told.len();
        if others > 0 {
            told.push(format!("{others} usual places (no library)"));
        }
        told.join(", ")
    }
}

const EXPLICIT: &str = "the path given";
const LOADER: &str = "the system's loader";

/// What a search reads of a machine; tests give folders of their own.
pub(super) struct Surroundings<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// What the system's folders are below.
    root: PathBuf,
    user: Option<u32>,
}

impl Surroundings<'_> {
    /// Those of this process.
    pub(super) fn own() -> Self {
        Self { variable: &|name| env::var_os(name), root: "/".into(), user: trust::user() }
    }

    fn set(&self, variable: &str) -> Option<OsString> {
        (self.variable)(variable).filter(|value| !value.is_empty())
    }

    /// The first program of this name on the path. Folders relative to the current one are left out:
    /// whoever made the current folder could offer a library there.
    fn program(&self, name: &str) -> Option<PathBuf> {
        let path = self.set("PATH")?;
        let absolute = env::split_paths(&path).filter(|folder| folder.is_absolute());
        let name = format!("{name}{}", env::consts::EXE_SUFFIX);
        absolute.map(|folder| folder.join(&name)).find(|program| program.is_file())
    }
}

/// The places where the library may be, those with one [`Finding::Untried`]. `explicit` is the only
/// place where it is given.
pub(super) fn search(explicit: Option<&Path>, around: &Surroundings<'_>) -> LibrarySearch {
    let mut places = Places { around, places: Vec::new(), seen: Vec::new() };
    let off = around.set(VARIABLE).is_some_and(|value| value.eq_ignore_ascii_case(OFF));
    match explicit {
        Some(path) => places.named(EXPLICIT, Some(path.to_owned())),
        None if off => return LibrarySearch { off, places: Vec::new() },
        None => {
            for variable in [VARIABLE, ORT_VARIABLE] {
                places.named(variable, around.set(variable).map(PathBuf::from));
            }
            places.pythons();
            places.systems();
        }
    }
    LibrarySearch { off: false, places: places.places }
}

/// A search at work.
struct Places<'a> {
    around: &'a Surroundings<'a>,
    places: Vec<LibraryPlace>,
    /// Environments that were looked at.
    seen: Vec<PathBuf>,
}

impl Places<'_> {
    fn push(&mut self, origin: &'static str, path: Option<PathBuf>, finding: Finding) {
        self.places.push(LibraryPlace { origin, path, finding });
    }

    /// A place that the user names, who is trusted to know whose library it is.
    fn named(&mut self, origin: &'static str, path: Option<PathBuf>) {
        match path.as_deref().and_then(inside) {
            Some(library) => self.push(origin, Some(library), Finding::Untried),
            None => self.push(origin, path, Finding::Missing),
        }
    }

    /// The environment that is active, the one of the Python that a shell would start, and the
    /// packages of the user and of the system.
    fn pythons(&mut self) {
        for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
            match self.around.set(variable).map(PathBuf::from).filter(|path| path.is_absolute()) {
                Some(prefix) => self.environment(variable, prefix),
                None => self.push(variable, None, Finding::Missing),
            }
        }
        for name in ["python3", "python"] {
            let program = self.around.program(name);
            for prefix in program.as_deref().map(prefixes).unwrap_or_default() {
                self.environment("Python on the path", prefix);
            }
        }
        if let Some(home) = self.around.set("HOME").map(PathBuf::from).filter(|it| it.is_absolute())
        {
            self.environment("Python packages of the user", home.join(".local"));
            for version in entries(&home.join("Library/Python")) {
                self.environment("Python packages of the user", version);
            }
        }
        for prefix in ["usr", "usr/local"] {
            self.environment("Python packages of the system", self.around.root.join(prefix));
        }
    }

    /// The libraries of a Python environment: those of its packages, and conda's own.
    fn environment(&mut self, origin: &'static str, prefix: PathBuf) {
        if self.seen.contains(&prefix) {
            return;
        }
        self.seen.push(prefix.clone());
        let mut folders: Vec<PathBuf> =
            package_folders(&prefix).iter().map(|it| it.join("onnxruntime/capi")).collect();
        folders.push(prefix.join("lib"));
        self.found(origin, prefix, &folders);
    }

    fn systems(&mut self) {
        // Whoever decides where the loader looks decides over this process already.
        let name = format!("{}onnxruntime{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
        self.push(LOADER, Some(name.into()), Finding::Untried);
        let root = &self.around.root;
        let is_multiarch = |path: &PathBuf| {
            path.file_name().is_some_and(|it| it.to_string_lossy().contains("-linux-"))
        };
        let multiarch = entries(&root.join("usr/lib")).into_iter().filter(is_multiarch);
        let usual =
            ["usr/lib", "usr/lib64", "usr/local/lib", "usr/local/lib64", "opt/homebrew/lib"];
        let folders: Vec<PathBuf> = multiarch
            .chain(usual.map(|folder| root.join(folder)))
            .filter(|it| it.is_dir())
            .collect();
        for folder in folders {
            self.found("the system's folders", folder.clone(), &[folder]);
        }
    }

    /// The libraries in `folders`, each with its links resolved, or that there is none at `place`.
    fn found(&mut self, origin: &'static str, place: PathBuf, folders: &[PathBuf]) {
        let libraries: Vec<PathBuf> = folders
            .iter()
            .flat_map(|folder| libraries(folder))
            .filter_map(|library| library.canonicalize().ok())
            .collect();
        if libraries.is_empty() {
            self.push(origin, Some(place), Finding::Missing);
        }
        for library in libraries {
            let known = |place: &LibraryPlace| {
                place.path.as_ref().and_then(|path| path.canonicalize().ok())
            };
            if self.places.iter().any(|place| known(place).as_ref() == Some(&library)) {
                continue;
            }
            let finding = trust::objection(&library, self.around.user)
                .map_or(Finding::Untried, Finding::Untrusted);
            self.push(origin, Some(library), finding);
        }
    }
}

/// The library that `path` is, or holds.
fn inside(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return std::path::absolute(path).ok();
    }
    if !path.exists() && path.file_name() == Some(path.as_os_str()) {
        // A bare name is for the system's loader.
        return Some(path.to_owned());
    }
    let mut folders =
        vec![path.to_owned(), path.join("lib"), path.join("capi"), path.join("onnxruntime/capi")];
    folders.extend(package_folders(path).iter().map(|it| it.join("onnxruntime/capi")));
    let library = folders.iter().flat_map(|folder| libraries(folder)).next()?;
    std::path::absolute(library).ok()
}

/// The libraries of a folder.
fn libraries(folder: &Path) -> Vec<PathBuf> {
    let is_one = |file: &PathBuf| file.file_name().is_some_and(is_library) && file.is_file();
    entries(folder).into_iter().filter(is_one).collect()
}

/// `libonnxruntime.so`, `libonnxruntime.so.1.23.2`, `libonnxruntime.1.23.2.dylib`,
/// `onnxruntime.dll`, but not the providers beside them.
fn is_library(name: &OsStr) -> bool {
    let Some(rest) = name
        .to_str()
        .and_then(|name| name.strip_prefix(env::consts::DLL_PREFIX)?.strip_prefix("onnxruntime"))
    else {
        return false;
    };
    let suffix = env::consts::DLL_SUFFIX;
    let is_version = |text: &str| text.chars().all(|c| c == '.' || c.is_ascii_digit());
    rest.strip_prefix(suffix).is_some_and(is_version)
        || rest.strip_suffix(suffix).is_some_and(is_version)
}

#[cfg(all(test, target_os = "linux"))]
#[path = "library_tests.rs"]
mod tests;
