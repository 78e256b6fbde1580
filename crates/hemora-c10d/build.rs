//! Compiles the shim against the libtorch that torch-sys links, with the same flags.

use std::env;
use std::path::{Path, PathBuf};

/// Headers that NCCL's process group includes and libtorch does not ship.
const NCCL_HEADERS: [&str; 4] = ["cuda_runtime_api.h", "crt/host_config.h", "nv/target", "nccl.h"];

fn main() {
    println!("cargo:rerun-if-changed=shim");
    for name in ["LIBTORCH_INCLUDE", "LIBTORCH_CXX11_ABI", "CUDA_HOME", "NCCL_HOME"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    // torch-sys says where it found the libraries.
    let libraries = env::var_os("DEP_TCH_LIBTORCH_LIB").expect("torch-sys names libtorch's folder");
    let libraries = PathBuf::from(libraries);
    let root = libraries.parent().expect("lib is in a folder").to_owned();
    let headers =
        env::var_os("LIBTORCH_INCLUDE").map_or_else(|| root.clone(), PathBuf::from).join("include");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());

    let mut build = cc::Build::new();
    build
        .cpp(true)
        .pic(true)
        .file("shim/c10d.cpp")
        .include("shim")
        .flag("-std=c++17")
        .flag(format!("-isystem{}", headers.display()))
        .flag(format!("-isystem{}", headers.join("torch/csrc/api/include").display()))
        .define("_GLIBCXX_USE_CXX11_ABI", abi.as_str())
        .define("USE_C10D_GLOO", None);
    let cuda = libraries.join("libtorch_cuda.so").exists();
    if cuda {
        match nccl_includes(&root) {
            Ok(folders) => {
                build.define("USE_C10D_NCCL", None);
                for folder in folders {
                    build.flag(format!("-isystem{}", folder.display()));
                }
            }
            Err(header) => println!(
                "cargo:warning=built without NCCL: {header} was not found beside libtorch, in \
                 CUDA_HOME or in NCCL_HOME; GPUs will exchange gradients through Gloo"
            ),
        }
    }
    build.compile("hemora_c10d");
    println!("cargo:rustc-link-search=native={}", libraries.display());
    if cuda {
        println!("cargo:rustc-link-lib=torch_cuda");
    }
    println!("cargo:rustc-link-lib=torch_cpu");
    println!("cargo:rustc-link-lib=c10");
}

/// The folders that hold [`NCCL_HEADERS`], or the first header that none holds.
fn nccl_includes(libtorch: &Path) -> Result<Vec<PathBuf>, &'static str> {
    let named = ["CUDA_HOME", "NCCL_HOME"].into_iter().filter_map(env::var_os);
    let mut roots: Vec<PathBuf> = named.map(PathBuf::from).collect();
    // Where pip puts NVIDIA's packages, then where their own installers do.
    let packages = libtorch.parent().map(|folder| folder.join("nvidia"));
    let mut packaged: Vec<PathBuf> = packages
        .and_then(|folder| folder.read_dir().ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    packaged.sort();
    roots.extend(packaged);
    roots.extend(["/usr/local/cuda", "/usr"].map(PathBuf::from));
    let folders: Vec<PathBuf> = roots
        .iter()
        .flat_map(|root| [root.join("include"), root.join("include/cccl")])
        .filter(|folder| folder.is_dir())
        .collect();
    let mut used = Vec::new();
    for header in NCCL_HEADERS {
        let folder = folders.iter().find(|folder| folder.join(header).exists()).ok_or(header)?;
        // A system's own folder comes anyway, and naming it would change the order.
        if folder != Path::new("/usr/include") && !used.contains(folder) {
            used.push(folder.clone());
        }
    }
    Ok(used)
}
