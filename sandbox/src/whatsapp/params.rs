//! Reading request parameters the way the Graph API complains about them.
//!
//! It must not know which message is checked. Two styles: the Graph API's own checks answer code 100 and name the parameter;
//! the WhatsApp layer below answers 131008 (missing) and 131009 (invalid) with details.

use super::error::{Checked, GraphError};
use serde_json::{Map, Value};

/// Who complains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Code 100.
    Graph,
    /// Codes 131008 and 131009.
    WhatsApp,
}

/// An object inside the request and the name it is complained about by.
#[derive(Debug, Clone)]
pub(crate) struct Params<'a> {
    fields: &'a Map<String, Value>,
    name: String,
    style: Style,
}

impl<'a> Params<'a> {
    pub(crate) fn new(fields: &'a Map<String, Value>, name: &str, style: Style) -> Self {
        Self { fields, name: name.to_owned(), style }
    }

    /// The parameter `key` of the whole request as an object.
    pub(crate) fn of(body: &'a Map<String, Value>, key: &str, style: Style) -> Checked<Self> {
        Self::new(body, "", style).child(key)
    }

    pub(crate) fn fields(&self) -> &'a Map<String, Value> {
        self.fields
    }

    pub(crate) fn name_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}['{key}']", self.name) }
    }

    pub(crate) fn missing(&self, key: &str) -> Box<GraphError> {
        let name = self.name_of(key);
        match self.style {
            Style::Graph => GraphError::parameter(format!("The parameter {name} is required.")),
            Style::WhatsApp => GraphError::with_details(131008, format!("The parameter {name} is required.")),
        }
    }

    pub(crate) fn invalid(&self, key: &str, problem: &str) -> Box<GraphError> {
        let text = format!("Param {} {problem}", self.name_of(key));
        match self.style {
            Style::Graph => GraphError::parameter(text),
            Style::WhatsApp => GraphError::with_details(131009, text),
        }
    }

    /// A value that is there and not null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn required(&self, key: &str) -> Checked<&'a Value> {
        self.get(key).ok_or_else(|| self.missing(key))
    }

    /// Refuses keys that the API does not know.
    pub(crate) fn only(&self, known: &[&str]) -> Checked<()> {
        match self.fields.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                Err(GraphError::parameter(format!("Unexpected key \"{key}\" on param \"{}\".", self.name)))
            }
        }
    }

    /// A required text of 1 to `max` characters.
    pub(crate) fn text(&self, key: &str, max: usize) -> Checked<&'a str> {
        self.required(key)?;
        let text = self.optional_text(key, max)?.unwrap_or_default();
        if text.is_empty() { Err(self.missing(key)) } else { Ok(text) }
    }

    /// A text of at most `max` characters, if it is there.
    pub(crate) fn optional_text(&self, key: &str, max: usize) -> Checked<Option<&'a str>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| self.invalid(key, "must be a string."))?;
        if text.chars().count() > max {
            return Err(self.invalid(key, &format!("must be at most {max} characters long.")));
        }
        Ok(Some(text))
    }

    /// A required value out of a closed list.
    pub(crate) fn one_of(&self, key: &str, allowed: &[&str]) -> Checked<&'a str> {
        let text = self.text(key, usize::MAX)?;
        if allowed.contains(&text) {
            return Ok(text);
        }
        Err(self.invalid(key, &format!("must be one of {{{}}} - got \"{text}\".", allowed.join(", "))))
    }

    /// A required number, also when it stands in quotes.
    pub(crate) fn number(&self, key: &str) -> Checked<f64> {
        let value = self.required(key)?;
        let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
        number.filter(|n| n.is_finite()).ok_or_else(|| self.invalid(key, "must be a number."))
    }

    /// A required object.
    pub(crate) fn child(&self, key: &str) -> Checked<Params<'a>> {
        self.required(key)?;
        self.optional_child(key)?.ok_or_else(|| self.missing(key))
    }

    /// An object, if it is there.
    pub(crate) fn optional_child(&self, key: &str) -> Checked<Option<Params<'a>>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let fields = value.as_object().ok_or_else(|| self.invalid(key, "must be a JSON object."))?;
        Ok(Some(Params { fields, name: self.name_of(key), style: self.style }))
    }

    /// A required list of `min` to `max` objects.
    pub(crate) fn list(&self, key: &str, min: usize, max: usize) -> Checked<Vec<Params<'a>>> {
        let values = self.required(key)?.as_array().ok_or_else(|| self.invalid(key, "must be an array."))?;
        if !(min..=max).contains(&values.len()) {
            let count = values.len();
            let problem = format!("must have between {min} and {max} elements - got {count}.");
            return Err(self.invalid(key, &problem));
        }
        let mut items = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            let name = format!("{}[{index}]", self.name_of(key));
            let Some(fields) = value.as_object() else {
                return Err(self.invalid(&format!("{key}[{index}]"), "must be a JSON object."));
            };
            items.push(Params { fields, name, style: self.style });
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Content;
    use serde_json::json;

    fn message(error: &GraphError) -> String {
        match error.reply().content {
            Content::Json(body) => body["error"]["message"].as_str().unwrap_or_default().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn complaints_name_the_parameter() {
        let body = json!({ "text": { "body": "", "n": "1.5", "list": [1] } });
        let body = body.as_object().unwrap();
        let text = Params::of(body, "text", Style::Graph).unwrap();
        assert_eq!(
            message(&text.text("body", 3).unwrap_err()),
            "(#100) The parameter text['body'] is required."
        );
        assert_eq!(text.number("n").unwrap(), 1.5);
        assert_eq!(
            message(&text.list("list", 1, 2).unwrap_err()),
            "(#100) Param text['list[0]'] must be a JSON object."
        );
        assert_eq!(
            message(&text.only(&["body"]).unwrap_err()),
            "(#100) Unexpected key \"n\" on param \"text\"."
        );
        let other = Params::of(body, "text", Style::WhatsApp).unwrap();
        assert_eq!(other.missing("x").code(), 131008);
        assert_eq!(other.text("n", 2).unwrap_err().code(), 131009);
        assert!(Params::of(body, "image", Style::Graph).is_err());
    }
}
