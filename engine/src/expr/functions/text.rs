//! Functions on text.

use std::sync::LazyLock;

use moka::sync::Cache;
use regex::{Regex, RegexBuilder};
use rhai::{Array, Dynamic, Engine};

use super::args::{count, list, text, whole};
use crate::expr::failure::{Outcome, charge_bytes, over_limit, refused};
use crate::expr::view::position;

pub(super) fn register(engine: &mut Engine) {
    one(engine, "upper", |t| Ok(t.to_uppercase().into()));
    one(engine, "lower", |t| Ok(t.to_lowercase().into()));
    one(engine, "trim", |t| Ok(t.trim().into()));
    one(engine, "title", |t| Ok(title(t).into()));
    one(engine, "capitalize", |t| Ok(capitalize(t).into()));
    one(engine, "slug", |t| Ok(slug(t).into()));
    one(engine, "words", |t| Ok(texts(t.split_whitespace())));
    one(engine, "lines", |t| Ok(texts(t.lines())));
    one(engine, "html_escape", |t| Ok(html_escape(t).into()));
    two(engine, "starts_with", |t, start| Ok(t.starts_with(start).into()));
    two(engine, "ends_with", |t, end| Ok(t.ends_with(end).into()));
    two(engine, "split", |t, separator| Ok(split(t, separator)));
    two(engine, "matches", |t, pattern| Ok(compiled(pattern)?.is_match(t).into()));
    two(engine, "extract", |t, pattern| extract(t, pattern, 0));
    two(engine, "extract_all", |t, pattern| {
        let pattern = compiled(pattern)?;
        Ok(texts(pattern.find_iter(t).map(|found| found.as_str())))
    });
    engine.register_fn("has_word", has_word);
    engine.register_fn("extract", |t: Dynamic, pattern: Dynamic, group: Dynamic| {
        extract(&text("extract", &t)?, &text("extract", &pattern)?, count("extract", &group)?)
    });
    engine.register_fn("replace", |t: Dynamic, from: Dynamic, to: Dynamic| -> Outcome {
        let (t, from, to) = (text("replace", &t)?, text("replace", &from)?, text("replace", &to)?);
        charge_bytes(t.len().saturating_add(t.matches(from.as_str()).count().saturating_mul(to.len())))?;
        Ok(t.replace(from.as_str(), &to).into())
    });
    engine.register_fn("truncate", |t: Dynamic, most: Dynamic| truncate(&t, &most, "…"));
    engine.register_fn("truncate", |t: Dynamic, most: Dynamic, end: Dynamic| {
        truncate(&t, &most, &text("truncate", &end)?)
    });
    engine.register_fn("repeat", |t: Dynamic, times: Dynamic| -> Outcome {
        let (t, times) = (text("repeat", &t)?, count("repeat", &times)?);
        charge_bytes(t.len().saturating_mul(times))?;
        Ok(t.repeat(times).into())
    });
    engine.register_fn("substring", |t: Dynamic, start: Dynamic| substring(&t, &start, None));
    engine.register_fn("substring", |t: Dynamic, start: Dynamic, length: Dynamic| {
        substring(&t, &start, Some(count("substring", &length)?))
    });
    register_padding(engine);
}

fn register_padding(engine: &mut Engine) {
    for (name, at_start) in [("pad", false), ("pad_start", true)] {
        engine.register_fn(name, move |t: Dynamic, length: Dynamic| pad(name, at_start, &t, &length, " "));
        engine.register_fn(name, move |t: Dynamic, length: Dynamic, fill: Dynamic| {
            pad(name, at_start, &t, &length, &text(name, &fill)?)
        });
    }
}

/// A function of one text. Results up to a few times the input are charged by input length.
fn one(engine: &mut Engine, name: &'static str, run: fn(&str) -> Outcome) {
    engine.register_fn(name, move |t: Dynamic| -> Outcome {
        let t = text(name, &t)?;
        charge_bytes(t.len())?;
        run(&t)
    });
}

fn two(engine: &mut Engine, name: &'static str, run: fn(&str, &str) -> Outcome) {
    engine.register_fn(name, move |t: Dynamic, other: Dynamic| -> Outcome {
        let (t, other) = (text(name, &t)?, text(name, &other)?);
        charge_bytes(t.len())?;
        run(&t, &other)
    });
}

/// A list of texts.
fn texts<'a>(parts: impl Iterator<Item = &'a str>) -> Dynamic {
    parts.map(|part| part.into()).collect::<Array>().into()
}

fn split(t: &str, separator: &str) -> Dynamic {
    if separator.is_empty() {
        return t.chars().map(|c| Dynamic::from(c.to_string())).collect::<Array>().into();
    }
    texts(t.split(separator))
}

fn capitalize(t: &str) -> String {
    let mut rest = t.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

fn title(t: &str) -> String {
    let mut out = String::with_capacity(t.len());
    let mut word_start = true;
    for c in t.chars() {
        if word_start {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        word_start = !(c.is_alphanumeric() || c == '\'' || c == '’');
    }
    out
}

fn slug(t: &str) -> String {
    let mut out = String::with_capacity(t.len());
    for c in t.chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'a'..='z' | '0'..='9' => {
                out.push(c);
                continue;
            }
            'ä' | 'æ' => "ae",
            'ö' | 'œ' => "oe",
            'ü' => "ue",
            'ß' => "ss",
            'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ą' => "a",
            'ç' | 'ć' | 'č' => "c",
            'ď' | 'đ' => "d",
            'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
            'ğ' => "g",
            'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
            'ł' => "l",
            'ñ' | 'ń' | 'ň' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ő' => "o",
            'ř' => "r",
            'ś' | 'š' | 'ş' => "s",
            'ť' | 'ţ' => "t",
            'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' => "u",
            'ý' | 'ÿ' => "y",
            'ź' | 'ž' | 'ż' => "z",
            '\u{300}'..='\u{36f}' | '\'' | '’' => continue,
            // Other scripts stay as they are: a slug in their own letters beats an empty one.
            c if c.is_alphanumeric() => {
                out.push(c);
                continue;
            }
            _ => {
                if !out.is_empty() && !out.ends_with('-') {
                    out.push('-');
                }
                continue;
            }
        };
        out.push_str(plain);
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

fn html_escape(t: &str) -> String {
    let mut out = String::with_capacity(t.len() + 16);
    for c in t.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

fn truncate(t: &Dynamic, most: &Dynamic, end: &str) -> Outcome {
    let (t, most) = (text("truncate", t)?, count("truncate", most)?);
    charge_bytes(t.len())?;
    if t.chars().count() <= most {
        return Ok(t.into());
    }
    let kept = most.saturating_sub(end.chars().count());
    let shortened: String = t.chars().take(kept).chain(end.chars()).take(most).collect();
    Ok(shortened.into())
}

fn substring(t: &Dynamic, start: &Dynamic, length: Option<usize>) -> Outcome {
    let (t, start) = (text("substring", t)?, whole("substring", start)?);
    charge_bytes(t.len())?;
    let total = t.chars().count();
    let start = if start < 0 { position(start, total).unwrap_or(0) } else { start as usize };
    Ok(t.chars().skip(start).take(length.unwrap_or(total)).collect::<String>().into())
}

fn pad(name: &str, at_start: bool, t: &Dynamic, length: &Dynamic, fill: &str) -> Outcome {
    // Numbers are what people pad most: 7 becomes 007.
    let t = if t.is_int() { t.to_string().into() } else { text(name, t)? };
    let missing = count(name, length)?.saturating_sub(t.chars().count());
    if fill.is_empty() {
        return Err(refused(format!("{name}() needs something to fill with")));
    }
    charge_bytes(missing.saturating_mul(4).saturating_add(t.len()))?;
    let padding: String = fill.chars().cycle().take(missing).collect();
    Ok(if at_start { format!("{padding}{t}") } else { format!("{t}{padding}") }.into())
}

/// Largest compiled pattern, in bytes; matching time is linear in the text for any pattern.
const PATTERN_BYTES: usize = 1 << 20;

/// Compiled patterns by their text: compiling costs a thousand times more than matching.
static PATTERNS: LazyLock<Cache<String, Regex>> = LazyLock::new(|| Cache::new(256));

fn compiled(pattern: &str) -> Outcome<Regex> {
    if let Some(known) = PATTERNS.get(pattern) {
        return Ok(known);
    }
    charge_bytes(PATTERN_BYTES / 16)?;
    let made = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).build();
    let regex = made.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => over_limit("the pattern is too large"),
        other => refused(format!("`{pattern}` is not a valid pattern: {}", last_line(&other.to_string()))),
    })?;
    PATTERNS.insert(pattern.to_owned(), regex.clone());
    Ok(regex)
}

/// The gist of regex's multi-line messages.
fn last_line(message: &str) -> String {
    message.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned()
}

/// Whether one of the words, or a phrase of several, stands in the text as whole words, whatever its case.
/// A message without text says nothing, so null holds no word.
fn has_word(t: Dynamic, words: Dynamic) -> Outcome {
    if t.is_unit() {
        return Ok(false.into());
    }
    let t = text("has_word", &t)?;
    charge_bytes(t.len())?;
    let phrases = match text("has_word", &words) {
        Ok(one) => vec![phrase(&one)],
        Err(_) => {
            let words = list("has_word", words)?;
            words.iter().map(|word| Ok(phrase(&text("has_word", word)?))).collect::<Outcome<_>>()?
        }
    };
    let wanted = phrases.into_iter().filter(|phrase| !phrase.is_empty()).collect::<Vec<_>>().join("|");
    if wanted.is_empty() {
        return Ok(false.into());
    }
    // Not `\b`: a word may begin or end with something that is no letter, such as `c++` or an emoji.
    Ok(compiled(&format!(r"(?i)(?:^|\W)(?:{wanted})(?:\W|$)"))?.is_match(&t).into())
}

/// A pattern for words in a row, with any space between them.
fn phrase(words: &str) -> String {
    words.split_whitespace().map(regex::escape).collect::<Vec<_>>().join(r"\s+")
}

/// The match, its first group when the pattern has one and `group` is 0; null without a match.
fn extract(t: &str, pattern: &str, group: usize) -> Outcome {
    let pattern = compiled(pattern)?;
    let Some(found) = pattern.captures(t) else { return Ok(Dynamic::UNIT) };
    let group = if group == 0 { usize::from(pattern.captures_len() > 1) } else { group };
    Ok(found.get(group).map_or(Dynamic::UNIT, |part| part.as_str().into()))
}
