//! Keywords in what customers write. Pure. Whole words by default, in any script: "hi" must not be found
//! in "this".

use super::limits::wrong;
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use sluice_node_sdk::error::NodeError;

/// How a keyword must stand in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// As a word of its own (or several words in a row).
    #[default]
    Word,
    /// The whole text is the keyword.
    Exact,
    /// The text begins with it.
    StartsWith,
    /// Anywhere, even inside a word.
    Contains,
    /// The keyword is a regular expression.
    Regex,
}

/// What a text is searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keywords {
    /// One of these must be found.
    #[schemars(length(min = 1, max = 200))]
    pub(crate) keywords: Vec<String>,
    /// How it must stand in the text.
    #[serde(default)]
    pub(crate) mode: Mode,
    /// Tell `Hi` from `hi`.
    #[serde(default)]
    pub(crate) case_sensitive: bool,
}

/// Compiled keywords.
#[derive(Debug)]
pub(crate) struct Matcher(Vec<(String, Regex)>);

/// Patterns come from people who build workflows; compiled they may take this much memory each.
const PATTERN_BYTES: usize = 256 * 1024;

impl Matcher {
    /// Compiles keywords.
    ///
    /// # Errors
    /// `InvalidParams` at the keyword that is empty or no regular expression.
    pub(crate) fn new(wanted: &Keywords) -> Result<Self, NodeError> {
        let compiled = wanted.keywords.iter().enumerate().map(|(index, keyword)| {
            let path = format!("/match/keywords/{index}");
            if keyword.trim().is_empty() {
                return Err(wrong(&path, "empty_text", "A keyword must not be empty"));
            }
            let pattern = pattern(keyword, wanted.mode);
            let built = RegexBuilder::new(&pattern)
                .case_insensitive(!wanted.case_sensitive)
                .size_limit(PATTERN_BYTES)
                .build();
            built.map(|regex| (keyword.clone(), regex)).map_err(|error| {
                wrong(
                    &path,
                    "invalid_pattern",
                    format!("`{keyword}` is no usable regular expression: {error}"),
                )
            })
        });
        Ok(Self(compiled.collect::<Result<_, _>>()?))
    }

    /// The first keyword that is found.
    pub(crate) fn find(&self, text: &str) -> Option<&str> {
        self.0.iter().find(|(_, regex)| regex.is_match(text)).map(|(keyword, _)| keyword.as_str())
    }
}

fn pattern(keyword: &str, mode: Mode) -> String {
    let words: Vec<String> = keyword.split_whitespace().map(regex::escape).collect();
    let words = words.join(r"\s+");
    match mode {
        // Not `\b`: a keyword may begin or end with something that is no letter, such as `c++` or an emoji.
        Mode::Word => format!(r"(?:^|\W){words}(?:\W|$)"),
        Mode::Exact => format!(r"^\s*{words}\s*$"),
        Mode::StartsWith => format!(r"^\s*{words}"),
        Mode::Contains => words,
        Mode::Regex => keyword.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(mode: Mode, case_sensitive: bool, keyword: &str, text: &str) -> bool {
        let keywords = Keywords { keywords: vec![keyword.to_owned()], mode, case_sensitive };
        Matcher::new(&keywords).unwrap().find(text).is_some()
    }

    #[test]
    fn keywords_by_mode() {
        use Mode::{Contains, Exact, Regex, StartsWith, Word};
        let cases = [
            (Word, false, "hi", "Hi", true),
            (Word, false, "hi", "this", false),
            (Word, false, "hi", "oh, HI!", true),
            (Word, false, "hi", "hi5", false),
            (Word, false, "hi", "hi_there", false),
            (Word, false, "hi", "say hi", true),
            (Word, true, "hi", "Hi", false),
            (Word, false, "order status", "my ORDER   status?", true),
            (Word, false, "order status", "order my status", false),
            (Word, false, "straße", "Die STRAßE hier", true),
            (Word, false, "привет", "ПРИВЕТ!", true),
            (Word, false, "नमस्ते", "नमस्ते जी", true),
            (Word, false, "नमस्", "नमस्ते", false),
            (Word, false, "हाय", "हाय, कैसे हो", true),
            (Word, false, "👍", "ok 👍", true),
            (Word, false, "c++", "I like C++ a lot", true),
            (Word, false, "1.5", "165", false),
            (Exact, false, "stop", " STOP ", true),
            (Exact, false, "stop", "stop it", false),
            (StartsWith, false, "order", "Orders please", true),
            (StartsWith, false, "order", "my order", false),
            (Contains, false, "ice", "Prices", true),
            (Regex, false, r"^#\d{4}$", "#1234", true),
            (Regex, false, r"^#\d{4}$", "#12345", false),
        ];
        for (mode, case, keyword, text, wanted) in cases {
            assert_eq!(found(mode, case, keyword, text), wanted, "{mode:?} {keyword} in {text}");
        }
    }

    #[test]
    fn bad_keywords_name_their_place() {
        for (mode, keyword, code) in [
            (Mode::Regex, "(", "invalid_pattern"),
            (Mode::Regex, r"\w{1000}{1000}", "invalid_pattern"),
            (Mode::Word, " ", "empty_text"),
        ] {
            let keywords =
                Keywords { keywords: vec!["ok".into(), keyword.into()], mode, case_sensitive: false };
            let error = Matcher::new(&keywords).unwrap_err();
            assert_eq!((error.code.as_ref(), error.path.as_deref()), (code, Some("/match/keywords/1")));
        }
    }
}
