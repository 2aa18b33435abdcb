//! Values that people write in words.

use std::{net::IpAddr, time::Duration};

use bytesize::ByteSize;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error};

use crate::domain::retention::Keep;

/// `5s`, `250ms`, `2h 30m`, `30d`.
pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|_| {
        D::Error::custom(format!(
            "{text:?} is no duration; write it as \"5s\", \"250ms\" or \"30d\""
        ))
    })
}

/// A duration, or `off`.
pub fn duration_or_off<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "off" {
        return Ok(None);
    }
    humantime::parse_duration(&text).map(Some).map_err(|_| {
        D::Error::custom(format!(
            "{text:?} is no duration; write it as \"5m\", \"90s\" or \"off\""
        ))
    })
}

/// A duration, or `forever`.
pub fn keep<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Keep, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "forever" {
        return Ok(Keep::Forever);
    }
    humantime::parse_duration(&text)
        .map(Keep::For)
        .map_err(|_| {
            D::Error::custom(format!(
                "{text:?} is no duration; write it as \"30d\", \"12h\" or \"forever\""
            ))
        })
}

/// `1 MiB`, `512 KB`, or a number of bytes.
pub fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ByteSize, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Size {
        Bytes(u64),
        Words(String),
    }
    let wrong = |text: &dyn std::fmt::Debug| {
        D::Error::custom(format!(
            "{text:?} is no size; write it as \"1 MiB\" or \"512 KiB\""
        ))
    };
    match Size::deserialize(deserializer).map_err(|_| wrong(&"it"))? {
        Size::Bytes(bytes) => Ok(ByteSize::b(bytes)),
        Size::Words(text) => text.parse().map_err(|_| wrong(&text)),
    }
}

/// `["10.0.0.0/8", "192.0.2.7"]`; an address alone is a network of one.
pub fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let network = |text: &String| {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        text.parse().or(address).map_err(|_| {
            D::Error::custom(format!(
                "{text:?} is no network; write it as \"10.0.0.0/8\" or \"192.0.2.7\""
            ))
        })
    };
    texts.iter().map(network).collect()
}
