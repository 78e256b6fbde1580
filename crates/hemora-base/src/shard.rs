//! Work that several processes or machines share.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// One of N shares of a job, written `I/N`, I from 1 to N. What a share holds depends on the keys alone: not
/// on their order, the machine or the release, so that a share that is done again is the same share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkShard {
    of: NonZeroU32,
    number: NonZeroU32,
}

impl WorkShard {
    /// The share that is the whole job.
    pub const WHOLE: Self = Self { of: NonZeroU32::MIN, number: NonZeroU32::MIN };

    /// Share `number` (from 1) of `of`; `None` if there is no such share.
    pub fn new(number: u32, of: u32) -> Option<Self> {
        let (number, of) = (NonZeroU32::new(number)?, NonZeroU32::new(of)?);
        (number <= of).then_some(Self { of, number })
    }

    /// Its number, from 1.
    pub fn number(self) -> u32 {
        self.number.get()
    }

    /// How many shares the job has.
    pub fn of(self) -> u32 {
        self.of.get()
    }

    /// Whether what `key` names belongs to this share; it belongs to exactly one.
    pub fn holds(self, key: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(key).into();
        let (first, _) = digest.split_at(8);
        let hash = first.iter().fold(0_u64, |hash, &byte| hash << 8 | u64::from(byte));
        hash % u64::from(self.of.get()) == u64::from(self.number.get() - 1)
    }
}

impl fmt::Display for WorkShard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.of)
    }
}

/// A text that names no share of a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no share of a job: give I/N, such as 3/8, with I from 1 to N")]
pub struct ParseShardError(String);

impl FromStr for WorkShard {
    type Err = ParseShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('/').and_then(|(number, of)| {
            let digits = |it: &&str| it.bytes().all(|it| it.is_ascii_digit());
            let whole = |it: &str| Some(it).filter(digits)?.parse().ok();
            Self::new(whole(number)?, whole(of)?)
        });
        parsed.ok_or_else(|| ParseShardError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_belongs_to_one_share_and_to_the_same_in_every_release() {
        let shares: Vec<_> = (1..=8).map(|number| WorkShard::new(number, 8).unwrap()).collect();
        let mut counts = [0_u32; 8];
        for study in 0..4000 {
            let key = format!("1.2.826.0.1.{study}");
            let holding: Vec<_> = (0..8).filter(|&it| shares[it].holds(&key)).collect();
            assert_eq!(holding.len(), 1, "{key}");
            counts[holding[0]] += 1;
        }
        assert!(counts.iter().all(|it| (400..600).contains(it)), "{counts:?}");
        // Of `printf 1.2.3 | sha256sum`, the first 16 digits, modulo 8.
        let digest = crate::sha256_hex(b"1.2.3");
        let expected = u64::from_str_radix(&digest[..16], 16).unwrap() % 8;
        assert!(shares[usize::try_from(expected).unwrap()].holds("1.2.3"));
        assert!(WorkShard::WHOLE.holds("anything"));
    }

    #[test]
    fn shares_are_written_from_one() {
        assert_eq!("3/8".parse(), Ok(WorkShard::new(3, 8).unwrap()));
        assert_eq!(WorkShard::new(3, 8).unwrap().to_string(), "3/8");
        for text in ["", "3", "0/8", "9/8", "1/0", "-1/8", "+1/8", "1/8/2", " 1/8", "1/99999999999"]
        {
            let problem = text.parse::<WorkShard>().unwrap_err().to_string();
            assert!(problem.contains("from 1 to N"), "{text}: {problem}");
        }
    }
}
