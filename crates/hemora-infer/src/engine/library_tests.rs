//! The search over folders made for it.

use std::fs;

use super::*;

/// A machine of folders below a temporary one.
struct Machine {
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, OsString)>,
}

impl Machine {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(path)
    }

    fn set(&mut self, variable: &'static str, value: impl Into<OsString>) {
        self.variables.push((variable, value.into()));
    }

    /// Makes a file and what is above it.
    fn file(&self, path: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        path
    }

    /// Makes a library in the packages of an environment.
    fn wheel(&self, packages: &str) -> PathBuf {
        self.file(&format!("{packages}/onnxruntime/capi/libonnxruntime.so.1.23.2"))
    }

    fn search(&self) -> LibrarySearch {
        let variable = |name: &str| {
            let set = self.variables.iter().find(|(variable, _)| *variable == name);
            set.map(|(_, value)| value.clone())
        };
        let root = self.path("");
        search(None, &Surroundings { variable: &variable, root, user: trust::user() })
    }

    /// What would be tried, in order.
    fn untried(&self) -> Vec<(&'static str, PathBuf)> {
        let places = self.search().places.into_iter();
        let untried = places.filter(|place| place.finding == Finding::Untried);
        untried.map(|place| (place.origin, place.path.unwrap())).collect()
    }
}

#[test]
fn a_python_environment_is_searched() {
    let machine = Machine::new();
    let capi = machine.path("lib/python3.12/site-packages/onnxruntime/capi");
    for name in ["libonnxruntime_providers_shared.so", "onnxruntime_pybind11_state.so"] {
        machine.file(&format!("lib/python3.12/site-packages/onnxruntime/capi/{name}"));
    }
    let environment = machine.path("");
    assert_eq!(inside(&environment), None);
    let library = machine.wheel("lib/python3.12/site-packages");
    for path in [environment.as_path(), capi.as_path(), library.as_path()] {
        assert_eq!(inside(path).as_deref(), Some(library.as_path()));
    }
}

#[test]
fn an_explicit_path_is_the_only_one_tried() {
    let missing = Path::new("/no/such/onnxruntime");
    let search = search(Some(missing), &Surroundings::own());
    assert_eq!((search.places.len(), &search.places[0].finding), (1, &Finding::Missing));
    assert!(search.tried().contains("/no/such/onnxruntime"), "{}", search.tried());
}

#[test]
fn what_the_user_names_comes_first_then_pythons_packages_then_the_system() {
    let mut machine = Machine::new();
    let named = machine.file("named/libonnxruntime.so");
    let other = machine.file("other/libonnxruntime.so.1.22.0");
    let active = machine.wheel("active/lib/python3.13/site-packages");
    let conda = machine.file("conda/lib/libonnxruntime.so.1.22.1");
    let on_path = machine.wheel("python/lib/python3.12/site-packages");
    let of_user = machine.wheel("home/.local/lib/python3.11/site-packages");
    let of_system = machine.wheel("usr/lib/python3/dist-packages");
    let local = machine.wheel("usr/local/lib/python3.11/dist-packages");
    let debian = machine.file("usr/lib/x86_64-linux-gnu/libonnxruntime.so.1.21");
    let by_hand = machine.file("usr/local/lib/libonnxruntime.so");
    machine.file("python/bin/python3");
    machine.file("relative/lib/python3.12/site-packages/onnxruntime/capi/libonnxruntime.so");
    // Relative folders of the path are left out, and so is an environment that is looked at already.
    let path = format!(":relative/bin:{}", machine.path("python/bin").display());
    for (variable, value) in [
        ("PATH", OsString::from(path)),
        ("HEMORA_ONNXRUNTIME", machine.path("named").into()),
        ("ORT_DYLIB_PATH", other.clone().into()),
        ("VIRTUAL_ENV", machine.path("active").into()),
        ("CONDA_PREFIX", machine.path("conda").into()),
        ("HOME", machine.path("home").into()),
    ] {
        machine.set(variable, value);
    }
    let found = machine.untried();
    let expected = [
        (VARIABLE, named),
        (ORT_VARIABLE, other),
        ("VIRTUAL_ENV", active),
        ("CONDA_PREFIX", conda),
        ("Python on the path", on_path),
        ("Python packages of the user", of_user),
        ("Python packages of the system", of_system),
        ("Python packages of the system", local),
        ("Python packages of the system", by_hand),
        (LOADER, "libonnxruntime.so".into()),
        ("the system's folders", debian),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_bare_machine_is_told_of_place_by_place_and_in_one_line() {
    let machine = Machine::new();
    let search = machine.search();
    assert_eq!(machine.untried(), [(LOADER, "libonnxruntime.so".into())]);
    let origins: Vec<_> = search.places.iter().map(|place| place.origin).collect();
    assert_eq!(origins[..4], [VARIABLE, ORT_VARIABLE, "VIRTUAL_ENV", "CONDA_PREFIX"]);
    let tried = search.tried();
    assert!(
        tried.starts_with("HEMORA_ONNXRUNTIME (not set), ORT_DYLIB_PATH (not set), "),
        "{tried}"
    );
    assert!(tried.ends_with("usual places (no library)"), "{tried}");
    assert_eq!(search.passed_over(), "");
}

#[test]
fn off_looks_nowhere() {
    let mut machine = Machine::new();
    machine.wheel("usr/lib/python3/dist-packages");
    machine.set("HEMORA_ONNXRUNTIME", "off");
    let search = machine.search();
    assert!(search.off && search.places.is_empty(), "{search:?}");
    assert!(search.tried().contains("HEMORA_ONNXRUNTIME is off"), "{}", search.tried());
}

#[cfg(unix)]
#[test]
fn a_library_that_anyone_may_change_is_passed_over_unless_it_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let mut machine = Machine::new();
    let library = machine.wheel("active/lib/python3.13/site-packages");
    let folder = library.parent().unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    machine.set("VIRTUAL_ENV", machine.path("active"));
    let search = machine.search();
    let place = search.places.iter().find(|place| place.origin == "VIRTUAL_ENV").unwrap();
    assert!(matches!(&place.finding, Finding::Untrusted(why) if why.contains("anyone may write")));
    let told = search.passed_over();
    assert!(told.starts_with("VIRTUAL_ENV ") && told.contains("not loaded, since"), "{told}");

    machine.set("HEMORA_ONNXRUNTIME", folder);
    assert_eq!(machine.untried()[0], (VARIABLE, library));
}
