//! Backups of a node with a database of its own, and what is made of them.

use hemora_store::{BackupImages, Store, StoreError};

use crate::keeping::{DAY, mixed, with_images};
use crate::support::{Object, keep, quick};

#[test]
fn a_backup_taken_while_the_node_works_is_restored_whole() {
    let (_folder, store) = mixed();
    let backup = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            for number in 0..100 {
                keep(&store, &Object::new("1.9", &format!("1.9.{number}")), 8 * DAY);
            }
        });
        store.backup(backup.path(), BackupImages::Copies).unwrap();
        busy.join().unwrap();
    });
    let again = store.backup(backup.path(), BackupImages::Copies).unwrap_err();
    assert!(matches!(again, StoreError::Occupied(_)), "{again}");
    let before = store.study("1.2").unwrap();
    drop(store);
    let target = tempfile::tempdir().unwrap();
    let restored = Store::restore(backup.path(), target.path()).unwrap();
    assert!(restored.missing.is_empty(), "{:?}", restored.missing);
    let store = Store::open(target.path(), quick()).unwrap();
    assert_eq!(store.study("1.2").unwrap(), before);
    let mut images = 0;
    for study in ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"] {
        for instance in store.instances(study).unwrap() {
            assert_eq!(instance.path.metadata().unwrap().len(), instance.bytes);
            images += 1;
        }
    }
    assert_eq!(restored.images, images);
    store.verify_audit().unwrap();
    let occupied = Store::restore(backup.path(), target.path()).unwrap_err();
    assert!(matches!(occupied, StoreError::Occupied(_)), "{occupied}");
}

#[test]
fn a_backup_without_images_says_which_it_needs() {
    let (folder, store) = mixed();
    let backup = tempfile::tempdir().unwrap();
    store.backup(backup.path(), BackupImages::Manifest).unwrap();
    let table = std::fs::read_to_string(backup.path().join("images.tsv")).unwrap();
    assert_eq!(table.lines().count(), 8);
    // Images that are there already, as from a snapshot, are found; others count as evicted.
    let target = tempfile::tempdir().unwrap();
    let kept = store.instances("1.3").unwrap()[0].path.clone();
    let place = target.path().join(kept.strip_prefix(folder.path()).unwrap());
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::copy(&kept, &place).unwrap();
    let restored = Store::restore(backup.path(), target.path()).unwrap();
    assert_eq!((restored.images, restored.missing.len()), (1, 7));
    let store = Store::open(target.path(), quick()).unwrap();
    assert_eq!(with_images(&store), "1.3");
    assert_eq!(store.study("1.1").unwrap().unwrap().evicted, 1);
    // One that is not whole is refused.
    std::fs::remove_file(backup.path().join("images.tsv")).unwrap();
    let target = tempfile::tempdir().unwrap();
    let refused = Store::restore(backup.path(), target.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Backup { .. }), "{refused}");
}
