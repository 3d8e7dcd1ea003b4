//! The built-in workflows, as files of the folder `templates/`.

/// Id and document of each template.
pub(crate) const TEMPLATES: &[(&str, &str)] = &[
    ("keyword-reply", include_str!("../../templates/keyword-reply.json")),
    ("support-menu", include_str!("../../templates/support-menu.json")),
];
