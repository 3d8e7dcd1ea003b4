//! Splits a parameter text into plain parts and `{{ }}` expressions.
//! It knows just enough of Rhai's tokens (texts, characters, back-ticks, comments, braces) to find
//! where an expression ends; whether the expression makes sense is Rhai's business.

/// A piece of a parameter text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Literal text, with `\{{` already unescaped.
    Text(String),
    /// The text between the braces and its byte offset in the parameter.
    Expr { source: &'a str, offset: usize },
}

/// Why a text cannot be split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LexError {
    pub(crate) message: &'static str,
    /// Byte offset of the offending character.
    pub(crate) offset: usize,
    /// The expression as far as it is known.
    pub(crate) source_start: usize,
}

/// Deepest nesting of interpolations and brackets that is followed; Rhai's own limit is far lower.
const MAX_NESTING: usize = 256;

/// Splits `text`. Never fails on a text without `{{`.
pub(crate) fn split(text: &str) -> Result<Vec<Piece<'_>>, LexError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let open = at + found;
        if text[at..open].ends_with('\\') {
            literal.push_str(&text[at..open - 1]);
            literal.push_str("{{");
            at = open + 2;
            continue;
        }
        literal.push_str(&text[at..open]);
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        let start = open + 2;
        let end = find_end(text, start).map_err(|mut error| {
            error.source_start = start;
            error
        })?;
        let source = &text[start..end];
        if source.trim().is_empty() {
            return Err(LexError { message: "the expression is empty", offset: start, source_start: start });
        }
        pieces.push(Piece::Expr { source, offset: start });
        at = end + 2;
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

/// What is open at a point inside an expression.
enum Open {
    /// `{` or `#{` of the expression language.
    Brace,
    /// `${` inside back-ticks: its `}` returns to the text.
    Interpolation,
}

fn find_end(text: &str, start: usize) -> Result<usize, LexError> {
    let bytes = text.as_bytes();
    let fail = |message, offset| LexError { message, offset, source_start: start };
    let mut open: Vec<Open> = Vec::new();
    let mut at = start;
    while at < bytes.len() {
        if open.len() > MAX_NESTING {
            return Err(fail("the expression is nested too deeply", at));
        }
        match bytes[at] {
            b'"' => {
                at = skip_quoted(bytes, at).ok_or_else(|| fail("this text is never closed: add a \"", at))?
            }
            b'\'' => {
                at = skip_char(text, at).ok_or_else(|| fail("this character literal is not closed", at))?
            }
            b'#' if raw_hashes(bytes, at) > 0 => {
                at = skip_raw(bytes, at).ok_or_else(|| fail("this raw text is never closed", at))?;
            }
            b'`' => {
                at = skip_back_tick(bytes, at + 1, &mut open)
                    .ok_or_else(|| fail("this back-tick text is never closed", at))?
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |n| at + n);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = skip_comment(bytes, at)
                    .ok_or_else(|| fail("this comment is never closed: add */", at))?;
            }
            b'{' => {
                open.push(Open::Brace);
                at += 1;
            }
            b'}' => match open.pop() {
                Some(Open::Brace) => at += 1,
                Some(Open::Interpolation) => {
                    at = skip_back_tick(bytes, at + 1, &mut open)
                        .ok_or_else(|| fail("this back-tick text is never closed", at))?;
                }
                None if bytes.get(at + 1) == Some(&b'}') => return Ok(at),
                None => return Err(fail("a single } closes nothing here; an expression ends with }}", at)),
            },
            _ => at += 1,
        }
    }
    Err(fail("the expression is never closed: add }}", start - 2))
}

/// From the opening quote to after the closing one.
fn skip_quoted(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// A character literal: `'x'`, `'\n'`, `'\u0041'`.
fn skip_char(text: &str, at: usize) -> Option<usize> {
    let mut characters = text[at + 1..].char_indices();
    let (_, first) = characters.next()?;
    if first == '\\' {
        characters.next()?;
    }
    let (end, _) = characters.take(10).find(|(_, character)| *character == '\'')?;
    Some(at + 1 + end + 1)
}

/// Number of `#` in front of a `"`, or 0 when this is not a raw text.
fn raw_hashes(bytes: &[u8], at: usize) -> usize {
    let hashes = bytes[at..].iter().take_while(|byte| **byte == b'#').count();
    if bytes.get(at + hashes) == Some(&b'"') { hashes } else { 0 }
}

fn skip_raw(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = raw_hashes(bytes, at);
    let mut at = at + hashes + 1;
    while at < bytes.len() {
        if bytes[at] == b'"' {
            let closing = bytes[at + 1..].iter().take(hashes).take_while(|byte| **byte == b'#').count();
            if closing == hashes {
                return Some(at + 1 + hashes);
            }
        }
        at += 1;
    }
    None
}

/// From inside a back-tick text to after its end, or to after a `${` (pushed on `open`).
fn skip_back_tick(bytes: &[u8], at: usize, open: &mut Vec<Open>) -> Option<usize> {
    let mut at = at;
    while at < bytes.len() {
        match bytes[at] {
            b'`' if bytes.get(at + 1) == Some(&b'`') => at += 2,
            b'`' => return Some(at + 1),
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                open.push(Open::Interpolation);
                return Some(at + 2);
            }
            _ => at += 1,
        }
    }
    None
}

/// Rhai's block comments nest.
fn skip_comment(bytes: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = at;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expressions(text: &str) -> Vec<&str> {
        split(text)
            .expect("splits")
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Expr { source, .. } => Some(source),
                Piece::Text(_) => None,
            })
            .collect()
    }

    #[test]
    fn braces_inside_rhai_tokens_do_not_end_the_expression() {
        for (text, inside) in [
            (r#"{{ "}}" }}"#, r#" "}}" "#),
            (r#"{{ "a\"}}" }}"#, r#" "a\"}}" "#),
            (r"{{ '}' }}", r" '}' "),
            (r"{{ '\'' }}", r" '\'' "),
            ("{{#{a:#{b:1}}}}", "#{a:#{b:1}}"),
            ("{{ `x}}${ `}}` }y` }}", " `x}}${ `}}` }y` "),
            ("{{ 1 /* }} /* }} */ */ }}", " 1 /* }} /* }} */ */ "),
            ("{{ 1 // }}\n }}", " 1 // }}\n "),
            ("{{ #\"}}\"# }}", " #\"}}\"# "),
            ("{{ if json.a { 1 } else { 2 } }}", " if json.a { 1 } else { 2 } "),
            ("{{ `a``}}` }}", " `a``}}` "),
        ] {
            assert_eq!(expressions(text), [inside], "{text}");
        }
    }

    #[test]
    fn text_around_and_escapes() {
        assert_eq!(
            split(r"a \{{ b {{ c }} d }}").expect("splits"),
            [
                Piece::Text("a {{ b ".into()),
                Piece::Expr { source: " c ", offset: 10 },
                Piece::Text(" d }}".into())
            ]
        );
        assert_eq!(split("").expect("splits"), []);
        assert_eq!(expressions("{{a}}{{b}}"), ["a", "b"]);
    }

    #[test]
    fn unbalanced_texts_say_where() {
        for (text, offset) in [
            ("{{", 0),
            ("ab {{ json.a", 3),
            ("{{ } }}", 3),
            ("{{ \"abc }}", 3),
            ("{{ `abc }}", 3),
            ("{{ /* }}", 3),
            ("{{ '", 3),
            ("{{  }}", 2),
        ] {
            assert_eq!(split(text).expect_err(text).offset, offset, "{text}");
        }
    }
}
