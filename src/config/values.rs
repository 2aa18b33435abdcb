//! Values that people write in words.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// `5s`, `250ms`, `2h 30m`.
pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map_err(|error| D::Error::custom(format!("{text:?} is no duration ({error}); write 5s")))
}
