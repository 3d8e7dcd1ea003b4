//! The message templates of the accounts: a list of JSON documents as the Graph API shows them.
//!
//! It must not know how a template is sent.

use crate::config::SandboxConfig;
use crate::random;
use serde_json::{Map, Value, json};

/// One template.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) waba_id: String,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) category: String,
    pub(crate) status: String,
    /// `POSITIONAL` or `NAMED`.
    pub(crate) parameter_format: String,
    pub(crate) components: Vec<Value>,
}

impl Template {
    /// Reads the fields of a create call or a seed; `None` if name or language is missing.
    pub(crate) fn from_fields(fields: &Map<String, Value>, waba_id: &str, status: &str) -> Option<Self> {
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        Some(Self {
            id: text("id").map_or_else(random::numeric_id, str::to_owned),
            waba_id: waba_id.to_owned(),
            name: text("name")?.to_owned(),
            language: text("language")?.to_owned(),
            category: text("category").unwrap_or("UTILITY").to_uppercase(),
            status: text("status").unwrap_or(status).to_uppercase(),
            parameter_format: text("parameter_format").unwrap_or("POSITIONAL").to_uppercase(),
            components: fields.get("components").and_then(Value::as_array).cloned().unwrap_or_default(),
        })
    }

    /// The component of this type (`HEADER`, `BODY`, …), any case.
    pub(crate) fn component(&self, kind: &str) -> Option<&Value> {
        component(&self.components, kind)
    }

    /// The template as the API shows it, with all fields or the named ones. The id is always there.
    pub(crate) fn view(&self, fields: Option<&[String]>) -> Value {
        let all = json!({
            "name": self.name,
            "parameter_format": self.parameter_format,
            "components": self.components,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "quality_score": { "score": "UNKNOWN", "date": 0 },
            "rejected_reason": "NONE",
        });
        let Value::Object(mut all) = all else { return all };
        match fields {
            Some(names) => all.retain(|key, _| names.iter().any(|name| name == key)),
            None => all.retain(|key, _| key != "quality_score" && key != "rejected_reason"),
        }
        all.insert("id".to_owned(), self.id.as_str().into());
        Value::Object(all)
    }
}

/// The component of this type in a list, any case.
pub(crate) fn component<'a>(components: &'a [Value], kind: &str) -> Option<&'a Value> {
    components.iter().find(|c| c["type"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(kind)))
}

/// The names between double braces, in order, each once.
pub(crate) fn variables(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        let name = name.trim().to_owned();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
        rest = behind;
    }
    names
}

/// All templates of all accounts.
#[derive(Debug, Default)]
pub(crate) struct TemplateStore {
    all: Vec<Template>,
}

impl TemplateStore {
    /// The templates of the configuration, for each account that owns a number.
    pub(crate) fn seeded(config: &SandboxConfig) -> Self {
        let mut accounts: Vec<&str> = config.numbers.iter().map(|number| number.waba_id.as_str()).collect();
        accounts.dedup();
        let seeds = config.templates.iter().filter_map(Value::as_object);
        let all = seeds.flat_map(|fields| {
            accounts.iter().filter_map(|waba| Template::from_fields(fields, waba, "APPROVED"))
        });
        Self { all: all.collect() }
    }

    pub(crate) fn of_account(&self, waba_id: &str) -> impl Iterator<Item = &Template> {
        self.all.iter().filter(move |template| template.waba_id == waba_id)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Template> {
        self.all.iter().find(|template| template.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Template> {
        self.all.iter_mut().find(|template| template.id == id)
    }

    pub(crate) fn find(&self, waba_id: &str, name: &str, language: &str) -> Option<&Template> {
        self.of_account(waba_id).find(|template| template.name == name && template.language == language)
    }

    pub(crate) fn add(&mut self, template: Template) {
        self.all.push(template);
    }

    /// Removes what `doomed` names and says how many there were.
    pub(crate) fn remove(&mut self, doomed: impl Fn(&Template) -> bool) -> usize {
        let before = self.all.len();
        self.all.retain(|template| !doomed(template));
        before - self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_once_and_in_order() {
        assert_eq!(variables("Hi {{1}}, {{ 2 }} and {{1}}"), ["1", "2"]);
        assert_eq!(variables("{{name}} {{"), ["name"]);
        assert!(variables("none } {").is_empty());
    }

    #[test]
    fn the_default_account_has_its_template() {
        let store = TemplateStore::seeded(&SandboxConfig::default());
        let template = store.find("102290129340398", "hello_world", "en_US").unwrap();
        assert_eq!(template.view(None)["status"], "APPROVED");
        assert!(store.find("102290129340398", "hello_world", "en").is_none());
    }
}
