//! Fields in order, for people as indented text and for programs as JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::output::escaped;

/// Named fields in order.
#[derive(Debug, Default)]
pub(crate) struct Report {
    fields: Vec<(String, Field)>,
}

#[derive(Debug)]
pub(crate) enum Field {
    Text(String),
    Number(u64),
    List(Vec<String>),
    Section(Report),
}

impl Report {
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over what they print")]
    pub(crate) fn text(&mut self, name: &str, value: impl ToString) -> &mut Self {
        self.field(name, Field::Text(value.to_string()))
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.field(name, Field::Number(value))
    }

    pub(crate) fn list<T: ToString>(&mut self, name: &str, values: impl IntoIterator<Item = T>) -> &mut Self {
        self.field(name, Field::List(values.into_iter().map(|value| value.to_string()).collect()))
    }

    pub(crate) fn section(&mut self, name: &str, section: Self) -> &mut Self {
        self.field(name, Field::Section(section))
    }

    fn field(&mut self, name: &str, field: Field) -> &mut Self {
        self.fields.push((name.to_owned(), field));
        self
    }

    /// Indented lines, escaped.
    pub(crate) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(0, &mut out);
        out
    }

    fn write(&self, depth: usize, out: &mut String) {
        let indent = "  ".repeat(depth);
        let width = self.fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, field) in &self.fields {
            let name = escaped(name);
            match field {
                Field::Text(text) => out.push_str(&format!("{indent}{name:width$}  {}\n", escaped(text))),
                Field::Number(number) => out.push_str(&format!("{indent}{name:width$}  {number}\n")),
                Field::List(list) if list.is_empty() => out.push_str(&format!("{indent}{name:width$}  none\n")),
                Field::List(list) => {
                    out.push_str(&format!("{indent}{name}\n"));
                    list.iter().for_each(|item| out.push_str(&format!("{indent}  - {}\n", escaped(item))));
                }
                Field::Section(section) => {
                    out.push_str(&format!("{indent}{name}\n"));
                    section.write(depth + 1, out);
                }
            }
        }
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, field) in &self.fields {
            // Names for people have blanks, names for programs have none.
            let name = name.replace(' ', "_");
            match field {
                Field::Text(text) => map.serialize_entry(&name, text)?,
                Field::Number(number) => map.serialize_entry(&name, number)?,
                Field::List(list) => map.serialize_entry(&name, list)?,
                Field::Section(section) => map.serialize_entry(&name, section)?,
            }
        }
        map.end()
    }
}
