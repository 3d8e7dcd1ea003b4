//! Pagination: where the next page is. Pure; it is told what came and says what to ask next.

use super::body::plain;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::http::HttpResponse;
use url::Url;

/// How a service hands out long lists. All elements are collected into one list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pagination {
    /// How the next page is found.
    pub(crate) by: By,
    /// JSON pointer of the next address (`next_link`) or of the cursor (`cursor`) in each answer.
    #[serde(default)]
    pub(crate) pointer: Option<String>,
    /// Query parameter for page number, offset or cursor. Left out: `page`, `offset`, `cursor`.
    #[serde(default)]
    pub(crate) param: Option<String>,
    /// Number of the first page.
    #[serde(default = "one")]
    pub(crate) start: u64,
    /// JSON pointer of the list in each answer; empty when the answer itself is the list.
    #[serde(default)]
    pub(crate) items: String,
    /// Stop after so many pages.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max_pages: u32,
}

/// How the next page is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// The answer's body names the next address.
    NextLink,
    /// The `Link` header names it with `rel="next"`.
    LinkHeader,
    /// A page number in the query, counted up until a page is empty.
    Page,
    /// An offset in the query, counted up by what came until a page is empty.
    Offset,
    /// A cursor from the answer, sent back in the query.
    Cursor,
}

impl Pagination {
    /// The query parameter that moves.
    fn param(&self) -> &str {
        let usual = match self.by {
            By::Page => "page",
            By::Offset => "offset",
            _ => "cursor",
        };
        self.param.as_deref().unwrap_or(usual)
    }

    /// What `pointer` points at in an answer.
    fn pointed(&self, answer: &HttpResponse) -> Option<Value> {
        answer.json()?.pointer(self.pointer.as_deref()?).cloned()
    }

    /// Whether the fields that `by` needs are there.
    ///
    /// # Errors
    /// `InvalidParams` at `/pagination/pointer`.
    pub(crate) fn check(&self) -> Result<(), NodeError> {
        if matches!(self.by, By::NextLink | By::Cursor) && self.pointer.is_none() {
            let message = "Say with `pointer` where the answer names the next page";
            return Err(NodeError::invalid_params(message).code("missing").at("/pagination/pointer"));
        }
        Ok(())
    }
}

fn ten() -> u32 {
    10
}

fn one() -> u64 {
    1
}

/// Follows one list.
pub(crate) struct Walk<'a> {
    rule: &'a Pagination,
    first: Url,
    pages: u32,
    seen: u64,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(rule: &'a Pagination, first: Url) -> Self {
        Self { rule, first, pages: 0, seen: 0 }
    }

    /// The address of the first page.
    pub(crate) fn start(&self) -> Url {
        match self.rule.by {
            By::Page => with_param(&self.first, self.rule.param(), &self.rule.start.to_string()),
            By::Offset => with_param(&self.first, self.rule.param(), "0"),
            _ => self.first.clone(),
        }
    }

    /// The elements of a page.
    ///
    /// # Errors
    /// `InvalidInput` when there is no list where one should be.
    pub(crate) fn elements(&self, answer: &HttpResponse) -> Result<Vec<Value>, NodeError> {
        let mut body = answer.json().unwrap_or_default();
        let list = body.pointer_mut(&self.rule.items).map(Value::take);
        match list {
            Some(Value::Array(list)) => Ok(list),
            Some(Value::Null) | None if answer.body.is_empty() => Ok(Vec::new()),
            _ => {
                let message = format!("The answer has no list at `{}`", self.rule.items);
                Err(NodeError::invalid_input(message).code("no_list").at("/pagination/items"))
            }
        }
    }

    /// The address of the page after one of `count` elements; `None` at the end.
    ///
    /// # Errors
    /// `Rejected` when the next address is none, or lies at another origin: our credential stays at home.
    pub(crate) fn next(
        &mut self,
        here: &Url,
        answer: &HttpResponse,
        count: usize,
    ) -> Result<Option<Url>, NodeError> {
        self.pages += 1;
        self.seen += count as u64;
        if self.pages >= self.rule.max_pages.clamp(1, 1000) {
            return Ok(None);
        }
        let param = self.rule.param();
        let next = match self.rule.by {
            By::NextLink => self.rule.pointed(answer).as_ref().and_then(Value::as_str).map(ToOwned::to_owned),
            By::LinkHeader => answer.header("link").and_then(next_of_links),
            By::Page => {
                let page = self.rule.start.saturating_add(u64::from(self.pages)).to_string();
                return Ok((count > 0).then(|| with_param(&self.first, param, &page)));
            }
            By::Offset => {
                return Ok((count > 0).then(|| with_param(&self.first, param, &self.seen.to_string())));
            }
            By::Cursor => {
                let cursor = self.rule.pointed(answer).filter(|cursor| !cursor.is_null());
                let cursor = cursor.as_ref().map(plain).filter(|text| !text.is_empty() && text != "false");
                let next = cursor.map(|cursor| with_param(&self.first, param, &cursor));
                return Ok(next.filter(|next| next != here));
            }
        };
        let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(None) };
        let next = here.join(&next).map_err(|_| {
            NodeError::rejected("The next page's address is no URL").code("invalid_next_page")
        })?;
        if next.origin() != self.first.origin() {
            let message =
                "The next page lies at another host; it is not followed, to keep the credential at home";
            return Err(NodeError::rejected(message).code("next_page_elsewhere"));
        }
        Ok(Some(next).filter(|next| next != here))
    }
}

/// The URL with this query parameter, in place of one of that name.
fn with_param(url: &Url, name: &str, value: &str) -> Url {
    let mut next = url.clone();
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != name)
        .map(|(k, v)| (k.into_owned(), v.into_owned()))
        .collect();
    next.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
    next
}

/// The target with `rel="next"` (RFC 8288).
fn next_of_links(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some(start) = rest.find('<') {
        let after = &rest[start + 1..];
        let end = after.find('>')?;
        let target = &after[..end];
        // The parameters reach to the next target.
        let params = &after[end + 1..];
        let params = &params[..params.find('<').unwrap_or(params.len())];
        let is_next =
            params.split([';', ',']).filter_map(|param| param.trim().split_once('=')).any(|(name, value)| {
                let rels = value.trim().trim_matches('"').to_ascii_lowercase();
                name.trim().eq_ignore_ascii_case("rel") && rels.split_whitespace().any(|rel| rel == "next")
            });
        if is_next {
            return Some(target.to_owned());
        }
        rest = &after[end + 1..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_headers() {
        let cases = [
            (r#"<https://h/?p=2>; rel="next", <https://h/?p=9>; rel="last""#, Some("https://h/?p=2")),
            (r#"<https://h/?a=1,2>; rel="prev", </x?p=3>; title="a"; rel=next"#, Some("/x?p=3")),
            (r#"<https://h/>; rel="up next""#, Some("https://h/")),
            (r#"<https://h/>; rel="nextish""#, None),
            ("<broken", None),
            ("", None),
        ];
        for (header, wanted) in cases {
            assert_eq!(next_of_links(header).as_deref(), wanted, "{header}");
        }
    }

    #[test]
    fn parameters_are_replaced_not_repeated() {
        let url = Url::parse("https://h/x?page=1&size=5").unwrap();
        assert_eq!(with_param(&url, "page", "2").as_str(), "https://h/x?size=5&page=2");
    }
}
