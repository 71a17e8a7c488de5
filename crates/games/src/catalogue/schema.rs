//! What the settings of each world of the catalogue say of themselves, as a JSON schema.

use schemars::{Schema, SchemaGenerator};

use crate::{
    blackjack, frozen_lake, guess_number, hangman, mastermind, maze, queen_endgame, tower_of_hanoi,
    wordle,
};

/// The schema of the settings of the world of this name; `None` where the catalogue has no such world.
pub fn schema(name: &str, generator: &mut SchemaGenerator) -> Option<Schema> {
    Some(match name {
        "blackjack" => generator.subschema_for::<blackjack::Config>(),
        "frozen_lake" => generator.subschema_for::<frozen_lake::Config>(),
        "guess_number" => generator.subschema_for::<guess_number::Config>(),
        "hangman" => generator.subschema_for::<hangman::Config>(),
        "mastermind" => generator.subschema_for::<mastermind::Config>(),
        "maze" => generator.subschema_for::<maze::Config>(),
        "queen_endgame" => generator.subschema_for::<queen_endgame::Config>(),
        "tower_of_hanoi" => generator.subschema_for::<tower_of_hanoi::Config>(),
        "wordle" => generator.subschema_for::<wordle::Config>(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_world_of_the_catalogue_has_a_schema_in_which_each_key_has_a_meaning() {
        let mut generator = SchemaGenerator::default();
        for entry in crate::catalogue::ENTRIES {
            let inline = schemars::generate::SchemaSettings::draft07();
            let mut inline =
                inline.with(|settings| settings.inline_subschemas = true).into_generator();
            let schema = schema(entry.name, &mut inline).expect(entry.name).to_value();
            let keys = schema["properties"].as_object().expect(entry.name);
            assert!(!keys.is_empty(), "{}", entry.name);
            for (key, about) in keys {
                assert!(about["description"].is_string(), "{}.{key}", entry.name);
            }
        }
        assert!(schema("chess", &mut generator).is_none());
    }
}
