//! An instance is acknowledged: once, whoever sends it how often at once.

use std::sync::PoisonError;

use super::arrival::{Arrival, Kept};
use super::draft::{Draft, Sealed};
use super::filing::{Inbox, Phase, Unfiled};
use crate::sql::params;
use crate::studies::{NewInstance, touch};
use crate::{Store, StoreError};

/// Characters that a UID may have here; PS3.5 §9.1 allows 64, which not every device keeps to.
const LONGEST_UID: usize = 128;

/// What is known of an instance before it is made to last.
enum Before {
    /// The same data set is there; others of its UID may be there too.
    Same { others: bool },
    /// It is reserved for this call.
    Reserved { others: bool },
}

impl Inbox {
    fn draft(&self) -> Result<Draft, StoreError> {
        let free = self.folder.free()?;
        if free < self.options.reserve {
            return Err(StoreError::Full { free, reserve: self.options.reserve });
        }
        Draft::new(&self.folder, &self.pool, self.options.instance_limit)
    }

    pub(super) fn keep(&self, mut sealed: Sealed, arrival: Arrival) -> Result<Kept, StoreError> {
        let instance = NewInstance::new(&arrival, *sealed.sha256(), sealed.bytes())?;
        let (sop_uid, sha256) = (instance.sop_uid.clone(), instance.sha256);
        let others = match self.reserve(&sop_uid, &sha256)? {
            Before::Same { others: false } => return Ok(Kept::Again),
            Before::Same { others: true } => return self.prefer(instance),
            Before::Reserved { others } => others,
        };
        let in_database = self.in_database(&sop_uid, &sha256);
        let release = |inbox: &Self| {
            inbox.unrowed().forget(&sop_uid, &sha256);
            inbox.done.notify_all();
        };
        let others = match in_database {
            Ok((true, others_there)) => {
                release(self);
                return match others || others_there {
                    true => self.prefer(instance),
                    false => Ok(Kept::Again),
                };
            }
            Ok((false, others_there)) => others || others_there,
            Err(error) => {
                release(self);
                return Err(error);
            }
        };
        if let Err(error) = sealed.mark(&arrival) {
            release(self);
            return Err(error);
        }
        let mut unrowed = self.unrowed();
        for (hash, phase) in unrowed.known.get_mut(&sop_uid).into_iter().flatten() {
            if *hash == sha256 {
                *phase = Phase::Acknowledged;
            }
        }
        unrowed.queue.push_back(Unfiled { slot: sealed.leave(), instance });
        unrowed.queued += 1;
        drop(unrowed);
        self.wanted.notify_all();
        self.done.notify_all();
        Ok(if others { Kept::OtherBytes } else { Kept::New })
    }

    /// Makes sure that nobody else makes the same instance last, and waits for whoever does.
    fn reserve(&self, sop_uid: &str, sha256: &[u8; 32]) -> Result<Before, StoreError> {
        let mut unrowed = self.unrowed();
        loop {
            if unrowed.stop {
                return Err(StoreError::Closed);
            }
            let known = unrowed.known.get(sop_uid);
            let same = known.into_iter().flatten().find(|(hash, _)| hash == sha256);
            let others = known.is_some_and(|known| known.len() > usize::from(same.is_some()));
            let wait = match same {
                Some((_, Phase::Acknowledged)) => return Ok(Before::Same { others }),
                Some((_, Phase::Syncing)) => true,
                None if unrowed.count >= self.options.unfiled.max(1) => {
                    if let Some(error) = &unrowed.error {
                        return Err(StoreError::Filing(error.clone()));
                    }
                    true
                }
                None => false,
            };
            if !wait {
                let known = unrowed.known.entry(sop_uid.to_owned()).or_default();
                known.push((*sha256, Phase::Syncing));
                unrowed.count += 1;
                return Ok(Before::Reserved { others });
            }
            unrowed = self.done.wait(unrowed).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the database has this data set, and whether it has others of its UID.
    fn in_database(&self, sop_uid: &str, sha256: &[u8; 32]) -> Result<(bool, bool), StoreError> {
        self.database.read(|connection| {
            let sql = "SELECT count(*) FILTER (WHERE sha256 = ?2 AND evicted = 0) > 0,
                    count(*) FILTER (WHERE sha256 <> ?2) > 0
                 FROM instance WHERE sop_uid = ?1";
            connection.one(sql, params![sop_uid, sha256], |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }

    /// Of several data sets with one UID, that which was sent last is used, though it is there already.
    fn prefer(&self, instance: NewInstance) -> Result<Kept, StoreError> {
        self.flush()?;
        let changed = self.database.write(move |connection| touch(connection, &instance))?;
        Ok(if changed { Kept::OtherBytes } else { Kept::Again })
    }
}

impl NewInstance {
    pub(super) fn new(arrival: &Arrival, sha256: [u8; 32], bytes: u64) -> Result<Self, StoreError> {
        let identity = &arrival.identity;
        let needed = [
            ("StudyInstanceUID", &identity.study_instance_uid),
            ("SOPInstanceUID", &identity.sop_instance_uid),
        ];
        for (attribute, uid) in needed {
            if uid.is_empty() || uid.len() > LONGEST_UID || uid.contains(char::is_control) {
                let found = uid.chars().take(LONGEST_UID).collect();
                return Err(StoreError::NotFiled { attribute, found });
            }
        }
        Ok(Self::of(arrival, sha256, bytes))
    }
}

impl Store {
    /// An empty file to write an instance into.
    ///
    /// # Errors
    /// [`StoreError::Full`] below the reserve, or of the disk.
    pub fn draft(&self) -> Result<Draft, StoreError> {
        self.inbox.draft()
    }

    /// Keeps an instance. When this returns it is on the disk and is found again whatever happens
    /// (with [`crate::Durability::Process`]: whatever happens to the process).
    ///
    /// # Errors
    /// [`StoreError::NotFiled`] if the object does not say which study or instance it is,
    /// [`StoreError::Full`], or of the disk; the instance is not kept then.
    pub fn keep(&self, sealed: Sealed, arrival: Arrival) -> Result<Kept, StoreError> {
        self.inbox.keep(sealed, arrival)
    }

    /// Waits until everything that was kept before has its rows.
    ///
    /// # Errors
    /// [`StoreError::Filing`] if that fails at the moment.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.inbox.flush()
    }
}
