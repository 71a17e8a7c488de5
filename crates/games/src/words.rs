//! The secret words of Twenty Questions: 157 everyday things in 17 categories.
//!
//! They stand in the order of the reference, because an evaluation names a word by its place. A
//! word may have several aliases, any of which a player may use; the first is its name, and the
//! name is what the knowledge table knows it by.

use std::sync::LazyLock;

/// A secret word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Every accepted way to name it, in lower case; the first is its [name](Word::name).
    pub aliases: &'static [&'static str],
    /// The category it is listed under, for example `"Animals"`.
    pub category: &'static str,
    /// Its place in [`words`], from 0.
    pub index: usize,
}

impl Word {
    /// The name that the oracle is asked about.
    pub fn name(&self) -> &'static str {
        self.aliases[0]
    }
}

/// All 157 words, in the order that gives them their [index](Word::index).
pub fn words() -> &'static [Word] {
    static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
        CATEGORIES
            .iter()
            .flat_map(|&(category, things)| things.iter().map(move |&aliases| (category, aliases)))
            .enumerate()
            .map(|(index, (category, aliases))| Word { aliases, category, index })
            .collect()
    });
    &WORDS
}

/// The ten words of the small game: every tenth of the first hundred, from the second on.
pub fn subset() -> Vec<Word> {
    words().iter().copied().skip(1).step_by(10).take(10).collect()
}

/// A category's name and its words, each a list of aliases.
type Category = (&'static str, &'static [&'static [&'static str]]);

#[rustfmt::skip]
const CATEGORIES: [Category; 17] = [
    ("Sports", &[
        &["basketball"], &["football"], &["baseball"], &["soccer ball"], &["golf ball"],
        &["tennis ball"], &["volleyball"], &["tennis racket"], &["baseball bat"], &["helmet"],
    ]),
    ("Animals", &[
        &["cat"], &["dog"], &["horse"], &["cow"], &["sheep"],
        &["rabbit"], &["lion"], &["tiger"], &["bear"], &["elephant"],
    ]),
    ("Fruits", &[
        &["apple"], &["banana"], &["orange"], &["strawberry"], &["grape"],
        &["watermelon"], &["pineapple"], &["mango"], &["cantaloupe"], &["peach"],
    ]),
    ("Vehicles", &[
        &["car"], &["truck"], &["motorcycle"], &["boat"], &["airplane", "plane"],
        &["train"], &["bus"], &["helicopter"], &["scooter"], &["ship"],
    ]),
    ("Clothes", &[
        &["shirt"], &["pants", "pant", "pair of pants"], &["jacket"], &["dress"], &["skirt"],
        &["belt"], &["shoes", "shoe", "pair of shoes"], &["boots", "boot", "pair of boots"],
        &["socks", "sock", "pair of socks"], &["hat"], &["scarf"],
    ]),
    ("Electronics", &[
        &["computer"], &["smartphone"], &["television", "tv"],
        &["headphone", "headphones", "pair of headphones"], &["monitor", "computer monitor"],
        &["camera"], &["microwave", "microwave oven"], &["refrigerator"], &["blender"],
        &["computer keyboard", "keyboard"],
    ]),
    ("Musical instruments", &[
        &["piano"], &["guitar"], &["drum", "drums"], &["violin"], &["saxophone"],
        &["flute"], &["trumpet"], &["clarinet"], &["harp"], &["trombone"],
    ]),
    ("Furniture", &[
        &["chair"], &["table"], &["bed"], &["desk"], &["couch"],
        &["dresser"], &["bookcase"], &["nightstand"], &["mattress"], &["pillow"],
    ]),
    ("Office supplies", &[
        &["pen"], &["paper", "piece of paper"], &["stapler"], &["printer"], &["calculator"],
        &["battery", "battery pack", "pack of batteries"], &["toothbrush"], &["toothpaste"],
        &["pencil"], &["sharpie"], &["scissors", "pair of scissors"], &["key"], &["diary"],
        &["calendar"],
    ]),
    ("Vegetables", &[
        &["carrot"], &["potato"], &["broccoli"], &["tomato"], &["onion"],
        &["spinach"], &["corn"], &["peas", "pea"], &["celery"], &["cucumber"],
    ]),
    ("Art", &[
        &["painting", "canvas painting", "oil painting", "watercolor painting"], &["paintbrush"],
        &["canvas", "painting canvas"], &["eraser", "pencil eraser"], &["marker"],
        &["glue", "glue stick", "bottle of glue"], &["sculpture"],
    ]),
    ("Kitchen tools", &[
        &["knife"], &["spoon"], &["fork"], &["plate"], &["bowl"], &["cooking pot", "pot"],
        &["pan", "saucepan", "frying pan"], &["cup"],
        &["chopstick", "chopsticks", "pair of chopsticks"], &["whisk"],
    ]),
    ("Nature", &[
        &["rock"], &["tree"], &["bush"], &["mountain"], &["forest"], &["ocean"],
        &["sea"], &["lake"], &["river"], &["meteorite"], &["cactus"],
    ]),
    ("Toys", &[
        &["lego", "lego set"], &["doll", "toy doll", "plush doll"], &["kite"],
        &["puzzle", "jigsaw puzzle"],
    ]),
    ("Jewelry", &[
        &["earring", "earrings", "pair of earrings"], &["necklace"], &["bracelet"], &["ring"],
        &["brooch"], &["hairclip"], &["pendant"], &["watch"], &["locket"],
    ]),
    ("Garden supplies", &[
        &["gloves", "glove", "pair of gloves"], &["shovel"], &["rake"], &["watering can"],
        &["lawn mower"],
    ]),
    ("Tools", &[
        &["hammer"], &["screwdriver"], &["wrench"], &["saw"],
        &["pliers", "plier", "pair of pliers"], &["drill"],
    ]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_list_has_the_sizes_of_the_reference() {
        assert_eq!(words().len(), 157);
        assert_eq!(CATEGORIES.len(), 17);
        assert_eq!(words().iter().filter(|w| w.aliases.len() > 1).count(), 28);
        let aliases: Vec<&str> = words().iter().flat_map(|w| w.aliases).copied().collect();
        assert_eq!(aliases.len(), 200);
        assert_eq!(aliases.iter().filter(|a| a.contains(' ')).count(), 36);
    }

    #[test]
    fn no_alias_names_two_words() {
        let aliases: Vec<&str> = words().iter().flat_map(|w| w.aliases).copied().collect();
        assert_eq!(aliases.iter().collect::<HashSet<_>>().len(), aliases.len());
        assert!(aliases.iter().all(|a| a.to_lowercase() == **a && a.trim() == *a));
    }

    #[test]
    fn places_agree_with_the_reference() {
        assert_eq!(words()[0].name(), "basketball");
        assert_eq!(words()[10].name(), "cat");
        assert_eq!(words()[156].name(), "drill");
        assert!(words().iter().enumerate().all(|(i, w)| w.index == i));
    }

    #[test]
    fn the_subset_is_the_ten_words_of_the_small_game() {
        let names: Vec<&str> = subset().iter().map(Word::name).collect();
        assert_eq!(
            names,
            [
                "football", "dog", "banana", "truck", "pants", "computer", "piano", "chair", "pen",
                "scissors"
            ]
        );
        assert_eq!(subset()[9].index, 91);
    }
}
