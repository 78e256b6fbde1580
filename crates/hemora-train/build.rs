//! Lets the program find the libtorch that it was linked with, wherever it is started from.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // torch-sys says where it found the libraries. LD_LIBRARY_PATH still comes first.
    let libraries = std::env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys names its folder");
    if cfg!(unix) {
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,{libraries}");
    }
}
