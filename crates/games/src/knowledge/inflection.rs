//! Plurals, and third persons of verbs, which English forms alike.
//!
//! [`plural`] and [`fold`] are each other's contrary for every word of the data. Folding need not be
//! right for words outside it: what counts is that the forms of one word meet and those of two
//! words do not.

/// Nouns whose plural (or seeming plural) is irregular.
const IRREGULAR: &[(&str, &str)] = &[
    ("foot", "feet"),
    ("tooth", "teeth"),
    ("goose", "geese"),
    ("mouse", "mice"),
    ("man", "men"),
    ("woman", "women"),
    ("fireman", "firemen"),
    ("policeman", "policemen"),
    ("snowman", "snowmen"),
    ("child", "children"),
    ("ox", "oxen"),
    ("leaf", "leaves"),
    ("knife", "knives"),
    ("loaf", "loaves"),
    ("wolf", "wolves"),
    ("shelf", "shelves"),
    ("bookshelf", "bookshelves"),
    ("hoof", "hooves"),
    ("scarf", "scarves"),
    ("calf", "calves"),
    ("half", "halves"),
    ("thief", "thieves"),
    ("elf", "elves"),
    ("cactus", "cacti"),
    ("pony", "ponies"),
    ("cookie", "cookies"),
    ("movie", "movies"),
    ("pie", "pies"),
    ("tie", "ties"),
    ("necktie", "neckties"),
    ("zombie", "zombies"),
    ("hoodie", "hoodies"),
    ("brownie", "brownies"),
    ("smoothie", "smoothies"),
    ("hippie", "hippies"),
    ("shoe", "shoes"),
    ("snowshoe", "snowshoes"),
    ("horseshoe", "horseshoes"),
    ("toe", "toes"),
    ("canoe", "canoes"),
    ("hoe", "hoes"),
    ("bus", "buses"),
    ("gas", "gases"),
    ("lens", "lenses"),
    ("walrus", "walruses"),
    ("octopus", "octopuses"),
    ("platypus", "platypuses"),
    ("crocus", "crocuses"),
    ("virus", "viruses"),
    ("circus", "circuses"),
    ("canvas", "canvases"),
    ("rhinoceros", "rhinoceroses"),
    ("hippopotamus", "hippopotamuses"),
    ("die", "dice"),
    ("ski", "skis"),
    ("taxi", "taxis"),
    ("axe", "axes"),
    ("ache", "aches"),
    ("headache", "headaches"),
    ("moustache", "moustaches"),
    ("mustache", "mustaches"),
    ("fish", "fish"),
    ("sheep", "sheep"),
    ("deer", "deer"),
    ("moose", "moose"),
];

/// Words that look like a plural and are words of their own.
pub const NO_PLURAL: &[&str] = &["glasses", "news", "gas", "lens", "canvas", "pajamas", "ones"];

/// The plural of a noun, or the third person of a verb, which English forms alike.
pub fn plural(word: &str) -> String {
    if let Some((_, plural)) = IRREGULAR.iter().find(|(one, _)| *one == word) {
        return (*plural).to_string();
    }
    if let Some((head, last)) = word.rsplit_once(' ') {
        return format!("{head} {}", plural(last));
    }
    let vowel_before_last =
        word.chars().rev().nth(1).is_some_and(|c| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u'));
    if let Some(stem) = word.strip_suffix('y').filter(|_| !vowel_before_last) {
        format!("{stem}ies")
    } else if ["s", "sh", "ch", "x", "z"].iter().any(|end| word.ends_with(end))
        || (word.ends_with('o')
            && !vowel_before_last
            && !["piano", "photo", "taco", "yo"].contains(&word))
    {
        format!("{word}es")
    } else {
        format!("{word}s")
    }
}

/// The form under which a word is kept: singular, or the plain form of a verb.
pub fn fold(word: &str) -> String {
    if let Some((one, _)) = IRREGULAR.iter().find(|(_, many)| *many == word) {
        return (*one).to_string();
    }
    let known = IRREGULAR.iter().any(|(one, _)| *one == word) || NO_PLURAL.contains(&word);
    if known || word.len() < 4 || ["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        return word.to_string();
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    }
    if ["sses", "shes", "ches", "xes", "zes", "oes"].iter().any(|end| word.ends_with(end)) {
        return word[..word.len() - 2].to_string();
    }
    word.strip_suffix('s').unwrap_or(word).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_go_there_and_back() {
        for (one, many) in [
            ("cat", "cats"),
            ("knife", "knives"),
            ("cherry", "cherries"),
            ("toy", "toys"),
            ("box", "boxes"),
            ("watch", "watches"),
            ("potato", "potatoes"),
            ("shoe", "shoes"),
            ("house", "houses"),
            ("bus", "buses"),
            ("cookie", "cookies"),
            ("foot", "feet"),
        ] {
            assert_eq!(plural(one), many);
            assert_eq!(fold(many), one);
            assert_eq!(fold(one), one);
        }
        assert_eq!(plural("tennis racket"), "tennis rackets");
    }
}
