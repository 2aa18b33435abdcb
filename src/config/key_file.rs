//! The sealing key of an embedded database: a file beside it that is made at the first start.
//!
//! `serve` and `demo` ask for it when the configuration names no `secret_key` and the database is SQLite.
//! A file that is there is read and never written: losing the key loses every sealed secret.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tempfile::NamedTempFile;

use crate::policy::seal::{InvalidSealingKey, KEY_BYTES, parse_key};

/// Why there is no key. The texts name the file and the mend.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It is there and can not be read.
    #[error("the key file {} can not be read ({source}); let the user that runs rowhook read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It is not there and can not be made.
    #[error(
        "the key file {} can not be created ({source}); let the user that runs rowhook write in its \
         folder, or set secret_key",
        path.display()
    )]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It holds something else.
    #[error(
        "the key file {} holds no key: {source}; restore the file that was made with this database \
         (without it the stored secrets can not be read)",
        path.display()
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidSealingKey,
    },
}

/// The key in the file, which is made with a new random key when there is none.
///
/// The file appears whole and readable by its owner only, or not at all: it is written under another
/// name (made with `O_EXCL` and mode 0600), made durable, then given its name unless that is taken. Of two
/// processes that start at once, one makes it and both read the same key.
pub fn load_or_create_key_file(path: &Path) -> Result<[u8; KEY_BYTES], KeyFileError> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    match create(path) {
        Ok(()) => {}
        // Another process was quicker: its key is the key.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(source) => {
            return Err(KeyFileError::Create {
                path: path.to_owned(),
                source,
            });
        }
    }
    read(path)?.ok_or_else(|| KeyFileError::Read {
        path: path.to_owned(),
        source: io::ErrorKind::NotFound.into(),
    })
}

/// The key in the file; `None` when there is no file.
fn read(path: &Path) -> Result<Option<[u8; KEY_BYTES]>, KeyFileError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(KeyFileError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    parse_key(&String::from_utf8_lossy(&text))
        .map(Some)
        .map_err(|source| KeyFileError::Invalid {
            path: path.to_owned(),
            source,
        })
}

/// Writes a new key; fails with `AlreadyExists` when there is a file of that name.
fn create(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let key: [u8; KEY_BYTES] = rand::random();
    // Its name is taken with O_EXCL, and its mode is 0600 from the first moment on.
    let mut file = NamedTempFile::new_in(folder)?;
    writeln!(file, "{}", STANDARD.encode(key))?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    // The name is durable too: a database must not outlive its key.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_call_makes_the_key_and_later_ones_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rowhook.db.key");
        let key = load_or_create_key_file(&path).unwrap();
        assert_ne!(key, [0; KEY_BYTES]);
        assert_eq!(load_or_create_key_file(&path).unwrap(), key);
        let other = folder.path().join("other.key");
        assert_ne!(load_or_create_key_file(&other).unwrap(), key);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        load_or_create_key_file(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn processes_that_start_at_once_agree() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let barrier = std::sync::Barrier::new(8);
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        load_or_create_key_file(&path).unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_key_is_left_alone_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for text in ["", "AAAA\n", "not a key at all"] {
            fs::write(&path, text).unwrap();
            let error = load_or_create_key_file(&path).unwrap_err();
            assert!(matches!(error, KeyFileError::Invalid { .. }), "{error}");
            assert!(!error.to_string().contains("not a key at all"));
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let nowhere = folder.path().join("missing").join("key");
        let error = load_or_create_key_file(&nowhere).unwrap_err();
        assert!(matches!(error, KeyFileError::Create { .. }), "{error}");
    }
}
