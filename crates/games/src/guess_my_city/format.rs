//! Reads `cities.txt` into records, each mistake named with its line.
//!
//! A line that begins with `=` opens a country, another in the first column a city of it, the
//! indented lines below belong to the city. What the records mean together is the business of
//! [`super::atlas`]; here is only their shape.

use crate::decimal::decimal;
use crate::knowledge::{DataError, Place};
use std::fmt::Display;

/// A country with its cities.
#[derive(Debug, Clone, PartialEq)]
pub struct CountryRecord<'a> {
    /// Its common name.
    pub name: &'a str,
    /// Other names.
    pub aliases: Vec<&'a str>,
    /// What its people and things are called: "Brazilian".
    pub adjectives: Vec<&'a str>,
    /// The continent where most of it lies.
    pub continent: &'a str,
    /// What is spoken there, the first language first.
    pub languages: Vec<&'a str>,
    /// The countries that it has a land border with.
    pub borders: Vec<&'a str>,
    /// Its cities.
    pub cities: Vec<CityRecord<'a>>,
}

/// A city.
#[derive(Debug, Clone, PartialEq)]
pub struct CityRecord<'a> {
    /// Its name, as the reference spells it.
    pub name: &'a str,
    /// Other names.
    pub aliases: Vec<&'a str>,
    /// Degrees of latitude, north of the equator.
    pub north: f32,
    /// Degrees of longitude, east of Greenwich.
    pub east: f32,
    /// Inhabitants.
    pub people: u32,
    /// tropical, dry, mild or cold winters.
    pub climate: &'a str,
    /// What it is known for.
    pub famous: &'a str,
    /// Its continents, where they are not just that of its country.
    pub continents: Vec<&'a str>,
    /// What is spoken there, where it is not what the country speaks.
    pub languages: Vec<&'a str>,
    /// The lines of properties below it, as they stand.
    pub entries: Vec<&'a str>,
}

impl<'a> CityRecord<'a> {
    /// Its name and its other names.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

impl<'a> CountryRecord<'a> {
    /// Its name and its other names.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// The fields of a line, `name | key: value | …`, to be taken one by one.
struct Fields<'a> {
    file: &'a str,
    line: usize,
    name: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Fields<'a> {
    fn of(file: &'a str, line: usize, said: &'a str) -> Result<Self, DataError> {
        let mut parts = said.split('|').map(str::trim);
        let name = parts.next().unwrap_or("");
        let mut fields = Fields { file, line, name, fields: Vec::new() };
        for part in parts {
            let field = part.split_once(':').map(|(key, value)| (key.trim(), value.trim()));
            fields
                .fields
                .push(field.ok_or_else(|| fields.error(format_args!("{part:?} has no :")))?);
        }
        Ok(fields)
    }

    fn error(&self, message: impl Display) -> DataError {
        let place = Place { file: self.file, line: self.line };
        place.error(format_args!("\"{}\": {message}", self.name))
    }

    fn optional(&mut self, key: &str) -> Option<&'a str> {
        let at = self.fields.iter().position(|(other, _)| *other == key)?;
        Some(self.fields.remove(at).1)
    }

    fn text(&mut self, key: &str) -> Result<&'a str, DataError> {
        self.optional(key).ok_or_else(|| self.error(format_args!("there is no \"{key}:\"")))
    }

    fn list(&mut self, key: &str) -> Vec<&'a str> {
        let list = self.optional(key).unwrap_or("");
        list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
    }

    fn number(&self, text: &str) -> Result<f64, DataError> {
        decimal(text).ok_or_else(|| self.error(format_args!("\"{text}\" is not a number")))
    }

    fn whole(&self, text: &str) -> Result<u32, DataError> {
        text.parse().map_err(|_| self.error(format_args!("\"{text}\" is not a number")))
    }

    /// What is left was not understood.
    fn end(&self) -> Result<(), DataError> {
        match self.fields.first() {
            None => Ok(()),
            Some((key, _)) => Err(self.error(format_args!("there is no field \"{key}\""))),
        }
    }
}

/// Reads the whole file.
pub fn countries<'a>(file: &'a str, text: &'a str) -> Result<Vec<CountryRecord<'a>>, DataError> {
    let mut countries: Vec<CountryRecord<'a>> = Vec::new();
    for (i, raw) in text.lines().enumerate() {
        let said = raw.split('#').next().unwrap_or("").trim_end();
        let misplaced = |what: &str| {
            let place = Place { file, line: i + 1 };
            place.error(format_args!("{what} before the first of those it belongs to"))
        };
        if said.is_empty() {
        } else if let Some(said) = said.strip_prefix('=') {
            countries.push(country(Fields::of(file, i + 1, said)?)?);
        } else if !said.starts_with(' ') {
            let country = countries.last_mut().ok_or_else(|| misplaced("a city"))?;
            country.cities.push(city(Fields::of(file, i + 1, said)?)?);
        } else {
            let city = countries.last_mut().and_then(|country| country.cities.last_mut());
            city.ok_or_else(|| misplaced("a property"))?.entries.push(said.trim_start());
        }
    }
    Ok(countries)
}

fn country<'a>(mut fields: Fields<'a>) -> Result<CountryRecord<'a>, DataError> {
    let record = CountryRecord {
        name: fields.name,
        aliases: fields.list("also"),
        adjectives: fields.list("adjective"),
        continent: fields.text("continent")?,
        languages: fields.list("language"),
        borders: fields.list("borders"),
        cities: Vec::new(),
    };
    fields.end()?;
    Ok(record)
}

fn city<'a>(mut fields: Fields<'a>) -> Result<CityRecord<'a>, DataError> {
    let at = fields.text("at")?;
    let (north, east) = at.split_once(' ').unwrap_or((at, ""));
    let people = fields.text("people")?;
    let record = CityRecord {
        name: fields.name,
        aliases: fields.list("also"),
        north: fields.number(north)? as f32,
        east: fields.number(east)? as f32,
        people: fields.whole(people)?,
        climate: fields.text("climate")?,
        famous: fields.text("famous")?,
        continents: fields.list("continent"),
        languages: fields.list("language"),
        entries: Vec::new(),
    };
    fields.end()?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTRY: &str = "= Peru | continent: South America | language: Spanish\n";
    const CITY: &str = "Lima | at: -12 -77 | people: 10 | climate: dry | famous: cliffs";

    #[test]
    fn a_block_is_read() {
        let text = format!("# cities\n{COUNTRY}\n{CITY} | also: Ciudad # old\n  + coast\n");
        let read = countries("c.txt", &text).unwrap();
        let city = &read[0].cities[0];
        assert_eq!((city.name, city.north, city.east, city.people), ("Lima", -12.0, -77.0, 10));
        assert_eq!((&city.aliases[..], &city.entries[..]), (&["Ciudad"][..], &["+ coast"][..]));
    }

    #[test]
    fn mistakes_name_file_and_line() {
        for (text, message) in [
            (CITY.to_string(), "c.txt:1: a city before the first of those it belongs to"),
            (format!("{COUNTRY}  + coast"), "c.txt:2: a property before"),
            (format!("{COUNTRY}Lima | at: -12 -77"), "c.txt:2: \"Lima\": there is no \"people:\""),
            (format!("{COUNTRY}{CITY} | zoo: 1"), "c.txt:2: \"Lima\": there is no field \"zoo\""),
            (format!("{COUNTRY}{CITY} | zoo"), "c.txt:2: \"Lima\": \"zoo\" has no :"),
            (COUNTRY.replace("continent: ", ""), "c.txt:1: \"Peru\": \"South America\" has no :"),
            (format!("{COUNTRY}{}", CITY.replace("-77", "x")), "\"x\" is not a number"),
        ] {
            let error = countries("c.txt", &text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
