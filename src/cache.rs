//! What files came to when they were read before, by what is in them.
//!
//! An entry lies under the digest of all that it depends on, and begins with a digest of its
//! own. So one that is damaged, foreign or older is never taken for another: it is missing,
//! and the file is read. Entries appear under their name when they are whole; runs beside each
//! other disturb nothing. Whoever may write to the folder may make the program read what no
//! file says: it is trusted like the program.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use blake3::Hash;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Counts up whenever what is stored changes its shape.
pub const SHAPE: u32 = 5;

/// A folder of entries.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    written: AtomicU64,
}

impl Cache {
    /// Opens a folder, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Cache { folder: folder.to_owned(), written: AtomicU64::new(0) })
    }

    /// The name of what these texts come to together.
    pub fn key<'t>(texts: impl IntoIterator<Item = &'t str>) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
        hasher.update(&SHAPE.to_le_bytes());
        for text in texts {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize()
    }

    /// What is stored under a key, if it is there and whole.
    pub fn get<T: DeserializeOwned>(&self, key: &Hash) -> Option<T> {
        let bytes = fs::read(self.place(key)).ok()?;
        let (digest, entry) = bytes.split_at_checked(blake3::OUT_LEN)?;
        let whole = blake3::hash(entry) == *<&[u8; blake3::OUT_LEN]>::try_from(digest).ok()?;
        whole.then(|| postcard::from_bytes(entry).ok()).flatten()
    }

    /// Stores something under a key. That it cannot is no mistake: it is read again next time.
    pub fn put<T: Serialize>(&self, key: &Hash, value: &T) {
        // What is not stored is missing, no more.
        let _ = self.store(key, value);
    }

    fn store<T: Serialize>(&self, key: &Hash, value: &T) -> io::Result<()> {
        let entry = postcard::to_stdvec(value).map_err(io::Error::other)?;
        let place = self.place(key);
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let new = self.folder.join(format!(".new-{}-{number}", std::process::id()));
        let written = fs::File::create_new(&new).and_then(|mut file| {
            file.write_all(blake3::hash(&entry).as_bytes())?;
            file.write_all(&entry)
        });
        let stored = written.and_then(|()| {
            place.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::rename(&new, &place)
        });
        stored.inspect_err(|_| drop(fs::remove_file(&new)))
    }

    fn place(&self, key: &Hash) -> PathBuf {
        let name = key.to_hex();
        let (first, rest) = name.split_at(2);
        self.folder.join(first).join(rest)
    }
}
