//! The known name that a mistyped one probably meant.

/// The candidate nearest to `name`, if one is near enough to be a likely slip.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(name.len()) / 3).max(1))
        // `min_by_key` keeps the first of equals, so the answer does not depend on anything else.
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["fast", "slow", "size", "direction"];
        assert_eq!(nearest("fats", known), Some("fast"));
        assert_eq!(nearest("Slow", known), Some("slow"));
        assert_eq!(nearest("directoin", known), Some("direction"));
        assert_eq!(nearest("leverage", known), None);
    }
}
