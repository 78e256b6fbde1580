//! `deploy/k8s`: the manifests are what Kubernetes' schema says, and their commands make an index in shares.

use std::path::Path;
use std::process::{Command, Output};

use hemora_testing::{python, run_python};
use serde_json::Value;

use super::{data_set, deployed, index, text};

/// Prints a manifest as JSON if it is valid, with no field that the schema does not know.
const VALIDATE: &str = r#"
import json, sys
import kubernetes_validate, yaml
[job] = yaml.safe_load_all(open(sys.argv[1]))
kubernetes_validate.validate(job, "1.33", strict=True)
if "wrong" in sys.argv:
    job["spec"]["completionMod"] = job["spec"].pop("completionMode", None)
    try:
        kubernetes_validate.validate(job, "1.33", strict=True)
        raise SystemExit("a field that is not there passed")
    except kubernetes_validate.ValidationError:
        pass
print(json.dumps(job))
"#;

/// A manifest, checked.
fn manifest(name: &str) -> Option<Value> {
    let python = python()?;
    let path = deployed("k8s").join(name);
    // The check is one that fails where something is wrong.
    run_python(&python, VALIDATE, &[path.as_os_str(), "wrong".as_ref()], b"");
    Some(serde_json::from_slice(&run_python(&python, VALIDATE, &[path], b"")).unwrap())
}

fn container(job: &Value) -> &Value {
    let containers = job["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    &containers[0]
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// Runs what a container runs, with its volumes `/work` and `/archive` in a folder.
fn run(job: &Value, folder: &Path, task: usize) -> Output {
    let container = container(job);
    let [command, arguments] = [&container["command"], &container["args"]].map(strings);
    let here = |argument: &String| match argument.strip_prefix('/') {
        Some(path) => folder.join(path).into_os_string(),
        None => argument.into(),
    };
    let mut shell = Command::new(&command[0]);
    shell.args(&command[1..]).args(arguments.iter().map(here));
    for variable in container["env"].as_array().into_iter().flatten() {
        shell.env(variable["name"].as_str().unwrap(), variable["value"].as_str().unwrap());
    }
    let program = Path::new(env!("CARGO_BIN_EXE_hemora")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = [program.to_owned()].into_iter().chain(std::env::split_paths(&path));
    shell.env("PATH", std::env::join_paths(path).unwrap());
    shell.env("JOB_COMPLETION_INDEX", task.to_string());
    shell.output().unwrap()
}

#[test]
fn the_pods_of_a_job_make_the_index_that_one_run_makes() {
    let Some((share, merge)) = manifest("share.yaml").zip(manifest("merge.yaml")) else { return };
    let completions = share["spec"]["completions"].as_u64().unwrap();
    let variables = container(&share)["env"].as_array().unwrap();
    let shares = variables.iter().find(|it| it["name"] == "SHARES").unwrap();
    assert_eq!(shares["value"], completions.to_string());

    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = data_set(folder.path());
    std::fs::create_dir(folder.path().join("work")).unwrap();
    std::fs::rename(images, folder.path().join("archive")).unwrap();
    std::fs::rename(labels, folder.path().join("work/labels.csv")).unwrap();
    for task in 0..usize::try_from(completions).unwrap() {
        let output = run(&share, folder.path(), task);
        // The share with the torn file ends well, too.
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
    let output = run(&merge, folder.path(), 0);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let merged = std::fs::read(folder.path().join("work/set.parquet")).unwrap();
    let [images, labels, out] =
        ["archive", "work/labels.csv", "whole.parquet"].map(|name| folder.path().join(name));
    assert!(merged == index(&images, &labels, &out));

    // What fails is said to have failed.
    std::fs::remove_file(folder.path().join("work/shares/shard-00004-of-00008.json")).unwrap();
    let output = run(&merge, folder.path(), 0);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("4/8"), "{}", text(&output));
}

#[test]
fn pods_may_nothing_that_they_need_not() {
    for name in ["share.yaml", "merge.yaml"] {
        let Some(job) = manifest(name) else { return };
        let pod = &job["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
        let container = container(&job);
        let security = &container["securityContext"];
        assert_eq!(security["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(security["allowPrivilegeEscalation"], false, "{name}");
        assert_eq!(strings(&security["capabilities"]["drop"]), ["ALL"], "{name}");
        for resource in ["cpu", "memory"] {
            assert!(container["resources"]["limits"][resource].is_string(), "{name}");
        }
    }
}
