//! The 91 cities: their order, and what `data/cities/cities.txt` says of each.
//!
//! They stand in the order of the reference, because an evaluation names a city by its place, and
//! under the reference's old spellings (Bombay, Kinshaha, Havanna), by which its rules compare.
//! What we know about them is our own; the names in use today are aliases.

use std::sync::OnceLock;

use super::format::{self, CityRecord, CountryRecord};
use crate::{data, letters};

/// The names in the order of the tasks.
#[rustfmt::skip]
const NAMES: [&str; 91] = [
    "Seoul", "Sao Paulo", "Bombay", "Jakarta", "Karachi", "Moscow", "Istanbul", "Shanghai",
    "Tokyo", "Bangkok", "Beijing", "Delhi", "London", "Cairo", "Tehran", "Bogota", "Bandung",
    "Tianjin", "Lima", "Lahore", "Bogor", "Santiago", "Shenyang", "Calcutta", "Wuhan", "Sydney",
    "Guangzhou", "Singapore", "Madras", "Baghdad", "Pusan", "Yokohama", "Dhaka", "Berlin",
    "Alexandria", "Bangalore", "Malang", "Hyderabad", "Chongqing", "Haerbin", "Ankara",
    "Buenos Aires", "Chengdu", "Ahmedabad", "Casablanca", "Chicago", "Xian", "Madrid", "Surabaya",
    "Pyong Yang", "Nanjing", "Kinshaha", "Rome", "Taipei", "Osaka", "Kiev", "Yangon", "Toronto",
    "Zibo", "Dalian", "Taega", "Addis Ababa", "Jinan", "Salvador", "Inchon", "Semarang", "Giza",
    "Changchun", "Havanna", "Nagoya", "Belo Horizonte", "Paris", "Tashkent", "Fortaleza",
    "Sukabumi", "Cali", "Guayaquil", "Qingdao", "Izmir", "Cirebon", "Taiyuan", "Brasilia",
    "Bucuresti", "Faisalabad", "Medan", "Houston", "Mashhad", "Medellin", "Kanpur", "Budapest",
    "Caracas",
];

/// A city and its country.
#[derive(Debug, Clone, Copy)]
pub struct City {
    /// What is known of the city itself.
    pub record: &'static CityRecord<'static>,
    /// What is known of its country.
    pub country: &'static CountryRecord<'static>,
}

impl City {
    /// Every accepted name, in lower case; the first is its name.
    pub fn aliases(&self) -> Vec<String> {
        self.record.names().map(letters::lower).collect()
    }

    /// Its continents: more than one for a city that lies on both sides of a strait.
    pub fn continents(&self) -> &'static [&'static str] {
        let own = &self.record.continents;
        if own.is_empty() { std::slice::from_ref(&self.country.continent) } else { own }
    }

    /// What is spoken there, the first language first.
    pub fn languages(&self) -> &'static [&'static str] {
        let own = &self.record.languages;
        if own.is_empty() { &self.country.languages } else { own }
    }
}

/// The countries, in the order of the data.
///
/// # Panics
/// If the embedded data has a mistake, which the tests of this crate exclude.
pub fn countries() -> &'static [CountryRecord<'static>] {
    static COUNTRIES: OnceLock<Vec<CountryRecord<'static>>> = OnceLock::new();
    COUNTRIES.get_or_init(|| {
        let (file, text) = data::source("cities/cities.txt");
        format::countries(file, text).unwrap_or_else(|error| panic!("embedded data: {error}"))
    })
}

/// The cities, in the order of the tasks.
///
/// # Panics
/// If the embedded data lacks one of them.
pub fn cities() -> &'static [City] {
    static CITIES: OnceLock<Vec<City>> = OnceLock::new();
    CITIES.get_or_init(|| {
        let all = countries()
            .iter()
            .flat_map(|country| country.cities.iter().map(move |record| City { record, country }));
        let known: Vec<City> = all.collect();
        let find = |name: &&str| {
            let city = known.iter().find(|city| city.record.name == *name);
            *city.unwrap_or_else(|| panic!("embedded data: cities.txt has no {name}"))
        };
        NAMES.iter().map(find).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_list_has_the_counts_of_the_reference() {
        assert_eq!(cities().len(), 91);
        let written: usize = countries().iter().map(|country| country.cities.len()).sum();
        assert_eq!(written, 91, "every city of the data is played");
        let of = |country: &str| cities().iter().filter(|c| c.country.name == country).count();
        // The reference counts Taipei among the Chinese cities; the atlas does not.
        assert_eq!((of("China"), of("Taiwan")), (17, 1));
        assert_eq!((of("Indonesia"), of("India"), of("Brazil")), (9, 8, 5));
        assert_eq!((cities()[18].record.name, cities()[90].record.name), ("Lima", "Caracas"));
    }

    #[test]
    fn no_name_is_that_of_two_cities() {
        let names: Vec<String> = cities().iter().flat_map(City::aliases).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    }

    #[test]
    fn neighbours_are_neighbours_of_each_other() {
        for country in countries() {
            for other in countries() {
                let (ours, theirs) =
                    (country.borders.contains(&other.name), other.borders.contains(&country.name));
                assert_eq!(ours, theirs, "{} and {}", country.name, other.name);
            }
        }
    }

    #[test]
    fn hemispheres_agree_with_what_everybody_knows() {
        let south: Vec<&str> = cities()
            .iter()
            .filter(|c| c.record.north < 0.0 && c.country.name != "Indonesia")
            .map(|c| c.country.name)
            .collect();
        let known = ["Brazil", "Peru", "Chile", "Australia", "Argentina", "Congo", "Ecuador"];
        assert_eq!(south.iter().collect::<HashSet<_>>(), known.iter().collect::<HashSet<_>>());
        for city in cities() {
            let west = ["North America", "South America"].contains(&city.country.continent);
            let europe = ["London", "Madrid", "Casablanca"].contains(&city.record.name);
            assert_eq!(city.record.east < 0.0, west || europe, "{}", city.record.name);
        }
    }
}
