//! What the table of `tests/it/javascript.rs` does not say.

use super::*;

fn replaced(source: &str, flags: &str, text: &str, with: &str) -> Option<String> {
    let pattern = Pattern::new(source, flags).unwrap();
    let with = Replacement::parse(with, &pattern);
    pattern.replace(text, &with).unwrap()
}

#[test]
fn replacements_know_javascripts_signs() {
    for (source, with, result) in [
        ("b", "[$&]", "a[b]c"),
        ("b", "[$`|$']", "a[a|c]c"),
        ("b", "$$1", "a$1c"),
        ("(b)", "$1$1", "abbc"),
        ("(b)", "$2$0$", "a$2$0$c"),
        ("(b)", "$01$10", "abb0c"),
        ("(?<x>b)", "$<x>$<y>!", "ab!c"),
        ("(b)", "$<x>", "a$<x>c"),
        ("(?<x>b)", "$<x", "a$<xc"),
        ("b(z)?", "<$1>", "a<>c"),
    ] {
        assert_eq!(
            replaced(source, "g", "abc", with).as_deref(),
            Some(result),
            "{source} with {with}"
        );
    }
    assert_eq!(replaced("z", "g", "abc", "x"), None);
    assert_eq!(replaced("b", "", "bb", "x").as_deref(), Some("xb"));
}

#[test]
fn a_literal_is_no_expression() {
    let pattern = Pattern::literal("a.b$");
    let with = Replacement::parse("<$&$1>", &pattern);
    assert_eq!(
        pattern.replace("a.b$ axb$ a.b$", &with).unwrap().as_deref(),
        Some("<a.b$$1> axb$ <a.b$$1>")
    );
    let empty = Pattern::literal("");
    let with = Replacement::parse("-", &empty);
    assert_eq!(
        empty.replace("äb", &with).unwrap().as_deref(),
        Some("-ä-b-")
    );
}

#[test]
fn what_is_not_supported_is_said() {
    for (source, flags, part) in [
        ("a", "y", "flag y"),
        ("[\\ud800-\\udfff]", "g", "surrogate"),
        ("\\ud83d", "", "surrogate"),
        ("a{1,100000000}{1000}", "", "Nothing to repeat"),
    ] {
        let error = Pattern::new(source, flags).unwrap_err().to_string();
        assert!(error.contains(part), "/{source}/{flags}: {error}");
    }
    assert!(Pattern::new(&"(".repeat(100_000), "").is_err());
    assert!(
        Pattern::new(
            &format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000)),
            ""
        )
        .is_err()
    );
    assert!(Pattern::new("(a{1000}){1000}", "").is_err());
}

#[test]
fn a_search_without_end_is_given_up() {
    let text = "a".repeat(60);
    // Without a look-around or a reference the search takes linear time.
    assert!(!Pattern::new("(a+)+b", "").unwrap().is_match(&text).unwrap());
    let pattern = Pattern::new("(?=(a+)+b)", "").unwrap();
    let hard = Pattern::new("^(?:(a+)\\1*)+$(?<!a)", "").unwrap();
    assert!(!pattern.is_match(&text).unwrap());
    let error = hard.is_match(&text).unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
}
