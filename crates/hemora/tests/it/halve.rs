//! `hemora model halve`: a bundle of half the size.

use hemora_model::{Bundle, ModelInfo};
use hemora_testing::dense::dense_bundle;

use crate::support::{refused, succeed};

#[test]
fn a_halved_bundle_is_half_as_large_and_describes_itself_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let whole = dense_bundle(path("whole").as_ref(), 0.5);
    let printed = succeed(&["model", "halve", &path("whole"), "--out", &path("half")]);
    let size = |name: &str| std::fs::metadata(path(name)).unwrap().len();
    assert!(size("half") * 100 < size("whole") * 56, "{} of {}", size("half"), size("whole"));
    assert!(printed.contains("MB, 13.9 before"), "{printed}");
    let half = Bundle::open(path("half").as_ref()).unwrap();
    assert!(half.card().contains("stored in 16 bits"), "{}", half.card());
    let described = |bundle: &Bundle| {
        let mut info: ModelInfo = bundle.info().clone();
        info.members.iter_mut().for_each(|member| member.sha256.clear());
        info
    };
    assert_eq!(described(&half), described(&whole));
    assert_ne!(half.model_ref().sha256, whole.model_ref().sha256);
    // Once more changes nothing.
    succeed(&["model", "halve", &path("half"), "--out", &path("again")]);
    assert_eq!(std::fs::read(path("again")).unwrap(), std::fs::read(path("half")).unwrap());
}

#[test]
fn what_is_no_bundle_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("text"), "no bundle").unwrap();
    let message = refused(&["model", "halve", &path("text"), "--out", &path("half")]);
    assert!(message.contains("text"), "{message}");
    assert!(!std::fs::exists(path("half")).unwrap());
}
