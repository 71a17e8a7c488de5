//! Reads types out of JSON values in little code, where a page has to fetch that code.
//!
//! The reader of `serde_json` takes a struct from an array as well, and an enum from an object; for each type
//! both are in the program. This one takes a struct from an object and an enum from the name of a variant that
//! holds nothing. The sentences of its errors are the same.
//!
//! It differs in two things, for its readers do not see all attributes of a type:
//!
//! - An unknown field is an error. A struct that ignores such fields has a name that ends in `..` for its
//!   readers: `#[serde(rename(deserialize = "Game.."))]`. No message shows that name.
//! - A field that may be absent has `#[serde(default)]`, an `Option` too.

use std::fmt;
use std::mem::take;

use serde::Serialize;
use serde::de::value::{StringDeserializer, U64Deserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected,
    IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde_json::{Map, Number, Value};

/// What a value says.
///
/// # Errors
/// If it is no such thing.
pub fn from_value<T: DeserializeOwned>(mut value: Value) -> Result<T, ValueError> {
    T::deserialize(Plain(&mut value))
}

/// The entries of an object, as they stand.
///
/// # Errors
/// If it is none.
pub fn entries(mut value: Value) -> Result<Map<String, Value>, ValueError> {
    match value {
        Value::Object(entries) => Ok(entries),
        _ => Err(Plain(&mut value).unlike(&"a map")),
    }
}

/// What is always JSON, as text.
///
/// # Panics
/// If it is not.
pub fn to_text(value: &(impl Serialize + ?Sized)) -> String {
    // The error is not shown: what shows it would be in a page for nothing.
    serde_json::to_string(value).unwrap_or_else(|_| panic!("this is JSON"))
}

/// Why a value is not what it should be: a part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError(String);

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ValueError {}

impl de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("invalid type: {}, expected {expected}", named(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("invalid value: {}, expected {expected}", named(found)))
    }
}

/// Names what a value is as `serde_json` does, and numbers in the one way that is in the program.
fn named(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(yes) => format!("boolean `{yes}`"),
        Unexpected::Unsigned(number) => format!("integer `{number}`"),
        Unexpected::Signed(number) => format!("integer `{number}`"),
        Unexpected::Float(number) => format!("floating point `{}`", written(number)),
        Unexpected::Str(text) => format!("string {text:?}"),
        Unexpected::Seq => "sequence".into(),
        Unexpected::Map => "map".into(),
        Unexpected::Other(name) => name.into(),
        _ => "another value".into(),
    }
}

/// A number in its shortest form, such as `0.1`, `2` or `1e30`. What the standard library writes numbers with
/// would be a twentieth of a page's module, beside what writes them in JSON.
pub fn shown<N: Copy + Into<f64> + Serialize>(number: N) -> String {
    let text = written(number).replace("e+", "e");
    text.strip_suffix(".0").map(str::to_string).unwrap_or(text)
}

fn written<N: Copy + Into<f64> + Serialize>(number: N) -> String {
    let wide: f64 = number.into();
    match wide {
        _ if wide.is_nan() => "NaN".into(),
        f64::INFINITY => "inf".into(),
        f64::NEG_INFINITY => "-inf".into(),
        _ => to_text(&number),
    }
}

fn kind(number: &Number) -> Unexpected<'static> {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => Unexpected::Unsigned(number),
        (None, Some(number)) => Unexpected::Signed(number),
        (None, None) => Unexpected::Float(number.as_f64().unwrap_or(f64::NAN)),
    }
}

/// A value that is read, and is null afterwards.
struct Plain<'a>(&'a mut Value);

impl Plain<'_> {
    #[cold]
    fn unlike(&self, expected: &dyn Expected) -> ValueError {
        let found = match &*self.0 {
            Value::Null => Unexpected::Other("null"),
            Value::Bool(yes) => Unexpected::Bool(*yes),
            Value::Number(number) => kind(number),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        ValueError::invalid_type(found, expected)
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let Value::Number(number) = &self.0 else { return Err(self.unlike(&visitor)) };
        match kind(number) {
            Unexpected::Unsigned(number) => visitor.visit_u64(number),
            Unexpected::Signed(number) => visitor.visit_i64(number),
            Unexpected::Float(number) => visitor.visit_f64(number),
            _ => Err(self.unlike(&visitor)),
        }
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0 {
            Value::String(text) => visitor.visit_string(take(text)),
            _ => Err(self.unlike(&visitor)),
        }
    }

    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(&mut Parts::of_list(items)),
            _ => Err(self.unlike(&visitor)),
        }
    }

    fn entries<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0 {
            Value::Object(entries) => {
                let rest = take(entries).into_iter();
                visitor.visit_map(Entries { rest, value: Value::Null })
            }
            _ => Err(self.unlike(&visitor)),
        }
    }
}

/// Methods of a deserializer that read alike.
macro_rules! alike {
    ($($as:ident: $($method:ident)*;)*) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            self.$as(visitor)
        }
    )*)*};
}

impl<'de> Deserializer<'de> for Plain<'_> {
    type Error = ValueError;

    alike! {
        number: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
            deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64;
        text: deserialize_char deserialize_str deserialize_string deserialize_identifier;
        list: deserialize_seq deserialize_bytes deserialize_byte_buf;
        entries: deserialize_map;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(yes) => visitor.visit_bool(*yes),
            Value::Number(_) => self.number(visitor),
            Value::String(_) => self.text(visitor),
            Value::Array(_) => self.list(visitor),
            Value::Object(_) => self.entries(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0 {
            Value::Bool(yes) => visitor.visit_bool(*yes),
            _ => Err(self.unlike(&visitor)),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            _ => Err(self.unlike(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match &self.0 {
            Value::Array(items) if items.len() > length => {
                Err(ValueError::invalid_length(items.len(), &visitor))
            }
            _ => self.list(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let Value::Object(entries) = self.0 else { return Err(self.unlike(&visitor)) };
        let mut parts = Parts::of_struct(entries, name, fields)?;
        visitor.visit_seq(&mut parts).map_err(|error| parts.explained(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Variant::named(name, variants)?),
            _ => Err(self.unlike(&"string or map")),
        }
    }
}

struct Entries {
    rest: <Map<String, Value> as IntoIterator>::IntoIter,
    value: Value,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = value;
        let key: StringDeserializer<ValueError> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, ValueError> {
        seed.deserialize(Plain(&mut self.value))
    }
}

/// The items of a list, or the fields of a struct in the order of its declaration, as if they were a list. What is
/// made for a struct to read a list is small; to read fields by name takes a second reader, for the names, and a
/// loop.
struct Parts<'a> {
    items: std::slice::IterMut<'a, Value>,
    entries: Option<&'a mut Map<String, Value>>,
    fields: std::slice::Iter<'static, &'static str>,
    /// The field that was asked for last, where it is not there.
    missing: Option<&'static str>,
}

impl<'a> Parts<'a> {
    fn of_list(items: &'a mut [Value]) -> Self {
        Self { items: items.iter_mut(), entries: None, fields: [].iter(), missing: None }
    }

    /// # Errors
    /// If there is a field of another name, and the name of the struct does not end in `..`.
    fn of_struct(
        entries: &'a mut Map<String, Value>,
        name: &str,
        fields: &'static [&'static str],
    ) -> Result<Self, ValueError> {
        let unknown = entries.keys().find(|name| !fields.contains(&name.as_str()));
        if let Some(unknown) = unknown.filter(|_| !name.ends_with("..")) {
            return Err(ValueError::unknown_field(unknown, fields));
        }
        let (items, fields) = ([].iter_mut(), fields.iter());
        Ok(Self { items, entries: Some(entries), fields, missing: None })
    }

    fn next(&mut self) -> Option<&mut Value> {
        let Some(entries) = &mut self.entries else { return self.items.next() };
        let name = self.fields.next()?;
        let value = entries.get_mut(*name);
        self.missing = value.is_none().then_some(name);
        value
    }

    /// The error of reading: that a field is missing, if nothing was read after it.
    fn explained(&self, error: ValueError) -> ValueError {
        self.missing.map_or(error, ValueError::missing_field)
    }
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = ValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ValueError> {
        self.next().map(|part| seed.deserialize(Plain(part))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The number of a variant that holds nothing.
struct Variant(u64);

impl Variant {
    fn named(name: &str, variants: &'static [&'static str]) -> Result<Self, ValueError> {
        let number = variants.iter().position(|variant| *variant == name);
        let number = number.ok_or_else(|| ValueError::unknown_variant(name, variants))?;
        Ok(Self(number as u64))
    }
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = ValueError;
    type Variant = Nothing;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Nothing), ValueError> {
        let number: U64Deserializer<ValueError> = self.0.into_deserializer();
        Ok((seed.deserialize(number)?, Nothing))
    }
}

/// What stands behind the number.
struct Nothing;

impl<'de> VariantAccess<'de> for Nothing {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, ValueError> {
        Err(ValueError::invalid_type(Unexpected::UnitVariant, &"newtype variant"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ValueError> {
        Err(ValueError::invalid_type(Unexpected::UnitVariant, &"tuple variant"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ValueError> {
        Err(ValueError::invalid_type(Unexpected::UnitVariant, &"struct variant"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Colour {
        DarkRed,
        Blue,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Box {
        size: usize,
        weight: f32,
        #[serde(default)]
        colour: Option<Colour>,
        #[serde(default)]
        inside: Vec<Box>,
        #[serde(default)]
        prices: BTreeMap<String, f64>,
        #[serde(default)]
        pair: Option<(String, bool)>,
        #[serde(default)]
        rest: Value,
    }

    #[derive(Debug, PartialEq, Default, Deserialize)]
    #[serde(default, rename(deserialize = "Lid.."))]
    struct Lid {
        size: usize,
        colour: Option<Colour>,
    }

    #[test]
    fn a_struct_that_says_so_ignores_what_it_does_not_know() {
        let lid: Lid = from_value(json!({"weight": 1, "size": 2})).unwrap();
        assert_eq!(lid, Lid { size: 2, colour: None });
        let error = from_value::<Lid>(json!({"weight": 1, "size": "x"})).unwrap_err().to_string();
        assert_eq!(error, "invalid type: string \"x\", expected usize");
        let error = from_value::<Lid>(json!(7)).unwrap_err().to_string();
        assert_eq!(error, "invalid type: integer `7`, expected struct Lid");
    }

    #[test]
    fn values_are_read_as_by_serde_json() {
        for value in [
            json!({"size": 3, "weight": 1}),
            json!({"size": 0, "weight": -1, "colour": "dark_red", "inside": [], "pair": null}),
            json!({"size": 9, "weight": 0.1, "colour": null, "prices": {"a": 0.1, "b": 2, "c": -3},
                "inside": [{"size": 1, "weight": 2.5}], "pair": ["é", true],
                "rest": {"a": [null, true, 1, -1, 1.5, "x", {}]}}),
        ] {
            let read: Box = from_value(value.clone()).unwrap();
            assert_eq!(read, serde_json::from_value(value).unwrap());
        }
    }

    #[test]
    fn numbers_are_short() {
        for (text, number) in
            [("0.1", 0.1), ("2", 2.0), ("-3", -3.0), ("1e300", 1e300), ("inf", f64::INFINITY)]
        {
            assert_eq!(shown(number), text);
        }
        assert_eq!([shown(0.1f32), shown(f32::NAN)], ["0.1", "NaN"]);
    }

    #[test]
    fn what_is_wrong_is_said_as_by_serde_json() {
        for value in [
            json!(null),
            json!(3),
            json!({"weight": 1}),
            json!({"size": -1, "weight": 1}),
            json!({"size": 1.5, "weight": 1}),
            json!({"size": null, "weight": 1}),
            json!({"size": "x", "weight": 1}),
            json!({"size": true, "weight": 1}),
            json!({"size": 1, "weight": [1]}),
            json!({"size": 1, "weight": {}}),
            json!({"size": 1, "weight": 1, "colour": "green"}),
            json!({"size": 1, "weight": 1, "colours": "green"}),
            json!({"size": 1, "weight": 1, "inside": [{}]}),
            json!({"size": 1, "weight": 1, "inside": {}}),
            json!({"size": 1, "weight": 1, "pair": ["x"]}),
            json!({"size": 1, "weight": 1, "prices": {"a": "b"}}),
        ] {
            let error = from_value::<Box>(value.clone()).unwrap_err().to_string();
            assert_eq!(error, serde_json::from_value::<Box>(value).unwrap_err().to_string());
        }
        let error = from_value::<(u8, u8)>(json!([1, 2, 3])).unwrap_err().to_string();
        assert_eq!(error, "invalid length 3, expected a tuple of size 2");
        let error = from_value::<Box>(json!([1, 2])).unwrap_err().to_string();
        assert_eq!(error, "invalid type: sequence, expected struct Box");
        let error = from_value::<Colour>(json!({"blue": null})).unwrap_err().to_string();
        assert_eq!(error, "invalid type: map, expected string or map");
    }
}
