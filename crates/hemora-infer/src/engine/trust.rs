//! Whether a library that nobody named may be loaded: what is loaded runs as the user.

use std::path::Path;

/// Why the library at `path`, with all links resolved, is not loaded unless the user names it: somebody
/// other than root and `user` owns it or a folder above it, or anyone may write there. `None` if nothing
/// speaks against it.
#[cfg(unix)]
pub(super) fn objection(path: &Path, user: Option<u32>) -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    for (depth, part) in path.ancestors().enumerate() {
        let known = match part.symlink_metadata() {
            Ok(known) => known,
            Err(error) => return Some(format!("{}: {error}", part.display())),
        };
        let owner = known.uid();
        if owner != 0 && Some(owner) != user {
            return Some(format!("{} belongs to another user, {owner}", part.display()));
        }
        // In a folder such as /tmp nobody can replace what others own; the library's own folder must
        // be closed nevertheless, since libraries look for others beside them.
        let sticky = depth > 1 && known.mode() & 0o1000 != 0;
        if known.mode() & 0o002 != 0 && !sticky {
            return Some(format!("anyone may write to {}", part.display()));
        }
    }
    None
}

/// Elsewhere the rights of a file are no matter of its owner.
#[cfg(not(unix))]
pub(super) fn objection(_: &Path, _: Option<u32>) -> Option<String> {
    None
}

/// The user whose rights this process has; `None` if the system does not tell.
#[cfg(unix)]
pub(super) fn user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;

    // Linux shows a process as a folder of its user; elsewhere the user's own folder tells.
    let home = || std::fs::metadata(std::env::var_os("HOME")?).ok();
    std::fs::metadata("/proc/self").ok().or_else(home).map(|known| known.uid())
}

/// Elsewhere users have no numbers.
#[cfg(not(unix))]
pub(super) fn user() -> Option<u32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_others_may_change_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (capi, library) = (root.join("capi"), root.join("capi/libonnxruntime.so"));
        fs::create_dir(&capi).unwrap();
        fs::write(&library, "").unwrap();
        let allow = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
        allow(&capi, 0o755).unwrap();
        allow(&library, 0o644).unwrap();
        assert_eq!(objection(&library, user()), None);

        for (path, mode) in [(&library, 0o646), (&capi, 0o757), (&capi, 0o1777), (&root, 0o707)] {
            let before = fs::metadata(path).unwrap().permissions();
            allow(path, mode).unwrap();
            let reason = objection(&library, user()).unwrap();
            let named = format!("anyone may write to {}", path.display());
            assert_eq!(reason, named, "{mode:o}");
            fs::set_permissions(path, before).unwrap();
        }
        allow(&root, 0o1707).unwrap();
        assert_eq!(objection(&library, user()), None, "a folder above, as /tmp");
    }

    #[test]
    fn what_another_user_owns_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().canonicalize().unwrap().join("libonnxruntime.so");
        fs::write(&library, "").unwrap();
        std::os::unix::fs::chown(&library, Some(12345), None).map_or_else(
            |_| assert!(objection(&library, Some(54321)).unwrap().contains("another user")),
            |()| assert!(objection(&library, user()).unwrap().contains("12345")),
        );
    }
}
