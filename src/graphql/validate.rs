//! The checks that several inputs share. Each refusal names the value's place and the allowed range.

use std::{fmt::Display, ops::RangeInclusive};

use super::error::{ApiError, InputPath};

/// A whole number within a range.
pub fn whole(value: i32, range: RangeInclusive<i32>, at: &InputPath) -> Result<u32, ApiError> {
    within(value, &range, at)?;
    // Every range begins at 0 or above.
    Ok(value.unsigned_abs())
}

/// A number within a range; NaN is in none.
pub fn within<T: PartialOrd + Display>(
    value: T,
    range: &RangeInclusive<T>,
    at: &InputPath,
) -> Result<T, ApiError> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = (range.start(), range.end());
    Err(at.refuse(format!("must be between {least} and {most}, not {value}")))
}

/// A text that says something and is not longer than `most` characters. Spaces around it go.
pub fn text(value: &str, most: usize, at: &InputPath) -> Result<String, ApiError> {
    let value = value.trim();
    if value.is_empty() {
        return Err(at.refuse("must not be empty"));
    }
    no_longer(value, most, at)?;
    Ok(value.to_owned())
}

/// A text not longer than `most` characters.
pub fn no_longer(value: &str, most: usize, at: &InputPath) -> Result<(), ApiError> {
    let length = value.chars().count();
    if length <= most {
        return Ok(());
    }
    Err(at.refuse(format!("must have at most {most} characters, not {length}")))
}
