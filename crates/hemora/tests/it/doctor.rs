//! Where ONNX Runtime is looked for, and what `hemora doctor` says of it, end to end.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hemora_testing::{onnxruntime, program};
use serde_json::Value;

/// A machine on which nothing is installed but what a test adds: no Python on the path, no home.
fn bare(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
    command.args(arguments).env_clear().current_dir(folder);
    command.env("PATH", folder.join("bin")).env("HOME", folder.join("home"));
    command.env("TMPDIR", folder);
    command
}

fn text(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).unwrap()
}

fn json(mut command: Command) -> Value {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The line that `hemora demo` prints of the engine, and the engine that its result names.
fn demo(mut command: Command) -> (String, String) {
    let output = command.output().unwrap();
    let all = text(&output);
    assert_eq!(output.status.code(), Some(0), "{all}");
    let line = all.lines().find_map(|line| line.strip_prefix("engine: ")).expect(&all).to_owned();
    let folder = command.get_current_dir().unwrap();
    let result = std::fs::read(folder.join("out/result.json")).unwrap();
    let result: Value = serde_json::from_slice(&result).unwrap();
    (line, result["engine"].as_str().unwrap().to_owned())
}

/// The place of this origin.
fn place<'a>(doctor: &'a Value, origin: &str) -> &'a Value {
    let places = doctor["search"]["places"].as_array().unwrap();
    places.iter().find(|place| place["origin"] == origin).unwrap_or_else(|| panic!("{places:?}"))
}

/// The Python environment that has the peers' ONNX Runtime.
fn environment() -> Option<PathBuf> {
    let library = onnxruntime()?.canonicalize().unwrap();
    let is_environment = |folder: &&Path| folder.join("pyvenv.cfg").is_file();
    // What is named may be a library outside any environment.
    library.ancestors().find(is_environment).map(Path::to_owned)
}

#[test]
fn a_library_of_the_active_environment_is_used() {
    let Some(environment) = environment() else { return };
    let folder = tempfile::tempdir().unwrap();
    let active = |arguments: &[&str]| {
        let mut command = bare(arguments, folder.path());
        command.env("VIRTUAL_ENV", &environment);
        command
    };
    let doctor = json(active(&["doctor", "--json"]));
    assert_eq!(doctor["engine"], "onnxruntime", "{doctor:#}");
    let place = place(&doctor, "VIRTUAL_ENV");
    assert_eq!(place["finding"], "works", "{place}");
    let [tract, runtime] = doctor["engines"].as_array().unwrap().as_slice() else { panic!() };
    assert_eq!((&tract["works"], &runtime["works"]), (&true.into(), &true.into()));
    assert_eq!(runtime["library"], place["path"]);
    assert!(runtime["difference"].as_f64().unwrap() < 1e-4, "{runtime}");
    let told = text(&active(&["doctor"]).output().unwrap());
    assert!(told.contains("triage      runs onnxruntime, "), "{told}");

    let (line, engine) = demo(active(&["demo", "--out", "out"]));
    assert_eq!(engine, "onnxruntime", "{line}");
    let path = place["path"].as_str().unwrap();
    assert_eq!(line, format!("onnxruntime, {path} (VIRTUAL_ENV)"));
    // The same with the library that the user does not want.
    let mut off = active(&["doctor", "--json"]);
    off.env("HEMORA_ONNXRUNTIME", "off");
    let doctor = json(off);
    assert_eq!((&doctor["engine"], &doctor["search"]["off"]), (&"tract".into(), &true.into()));
    assert_eq!(doctor["advice"][0]["command"], "unset HEMORA_ONNXRUNTIME");
}

#[test]
fn a_python_on_the_path_leads_to_its_library() {
    let Some(environment) = environment() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut command = bare(&["doctor", "--json"], folder.path());
    command.env("PATH", environment.join("bin"));
    let doctor = json(command);
    assert_eq!(doctor["engine"], "onnxruntime", "{doctor:#}");
    assert_eq!(place(&doctor, "Python on the path")["finding"], "works");
}

#[test]
fn what_is_no_library_is_named_and_triage_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libonnxruntime.so");
    std::fs::write(&library, "not a library").unwrap();
    let mut command = bare(&["demo", "--out", "out"], folder.path());
    command.env("HEMORA_ONNXRUNTIME", &library);
    let (line, engine) = demo(command);
    // A machine may have one of its own in the system's folders.
    assert!(line.starts_with(&engine), "{line}");
    assert!(line.contains(&format!("HEMORA_ONNXRUNTIME {} (", library.display())), "{line}");
}

/// A library with ONNX Runtime's entry whose version and interface are as given, in C.
fn imitation(folder: &Path, version: &str) -> Option<PathBuf> {
    let compiler = program("cc", "install a C compiler")?;
    let source = format!(
        "struct base {{ const void *(*api)(unsigned); const char *(*version)(void); }};
         static const void *api(unsigned number) {{ (void)number; return 0; }}
         static const char *version(void) {{ return \"{version}\"; }}
         static const struct base base = {{ api, version }};
         const struct base *OrtGetApiBase(void) {{ return &base; }}"
    );
    let (file, library) = (folder.join("imitation.c"), folder.join("libonnxruntime.so"));
    std::fs::write(&file, source).unwrap();
    let mut command = Command::new(compiler);
    let made = command.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&file).status();
    assert!(made.unwrap().success());
    Some(library)
}

#[test]
fn a_library_that_is_too_old_or_has_another_interface_is_not_used() {
    for (version, word) in [("1.10.0", "1.10.0"), ("1.99.0", "interface")] {
        let folder = tempfile::tempdir().unwrap();
        let Some(library) = imitation(folder.path(), version) else { return };
        let mut command = bare(&["doctor", "--json"], folder.path());
        command.env("HEMORA_ONNXRUNTIME", &library);
        let doctor = json(command);
        let place = place(&doctor, "HEMORA_ONNXRUNTIME");
        assert_eq!(place["finding"], "fails", "{place}");
        assert!(place["reason"].as_str().unwrap().contains(word), "{place}");
        assert_eq!(doctor["engines"][0]["works"], true);
        let mut command = bare(&["demo", "--out", "out"], folder.path());
        command.env("ORT_DYLIB_PATH", &library);
        let (line, _) = demo(command);
        assert!(line.contains(word), "{line}");
    }
}

#[test]
fn the_doctor_describes_the_machine_in_words_and_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| {
        let mut command = bare(arguments, folder.path());
        command.env("HEMORA_ONNXRUNTIME", "off");
        command
    };
    let told = text(&command(&["doctor"]).output().unwrap());
    for line in ["hemora  ", "processor  ", "model  ", "tract       works, ", "What to do:"] {
        assert!(told.lines().any(|it| it.starts_with(line)), "{line}\n{told}");
    }
    assert!(told.contains("built in\n") && told.contains("triage      runs tract\n"), "{told}");
    let doctor = json(command(&["doctor", "--json"]));
    assert_eq!(doctor["model"]["sha256"].as_str().unwrap().len(), 64);
    assert!(doctor["machine"]["cores"].as_u64().unwrap() > 0);
    assert!(doctor["engines"][0]["images_per_s"].as_f64().unwrap() > 0.0);
    if cfg!(target_os = "linux") {
        assert!(doctor["machine"]["memory"]["total"].as_u64().unwrap() > 1 << 20);
        assert_eq!(doctor["machine"]["disks"].as_array().unwrap().len(), 2);
    }
}
