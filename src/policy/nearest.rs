//! The known name that was probably meant.

/// Names that have less in common than this are not alike.
const ALIKE: f64 = 0.5;

/// The name among the known ones that is most like the given one, if any is.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    known
        .into_iter()
        .map(|name| {
            let like = strsim::normalized_damerau_levenshtein(&given, &name.to_lowercase());
            (name, like)
        })
        .filter(|(_, like)| *like >= ALIKE)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_finds_none() {
        let known = ["id", "status", "completed_at"];
        assert_eq!(nearest("statsu", known), Some("status"));
        assert_eq!(nearest("Completed_At", known), Some("completed_at"));
        assert_eq!(nearest("colour", known), None);
    }
}
