//! The values of an object: what its kinds hand down, what it says itself, and what follows.

use super::Value;
use super::compare::{Comparison, Measures};
use super::compile::Index;
use super::format::{DataError, Entry, ObjectRecord, Place, PropertyRecord, Said};

/// What is known of a property while values are being gathered: by whom it was set, if at all.
#[derive(Clone, Copy, PartialEq)]
struct Cell {
    value: Value,
    set: bool,
}

const UNSET: Cell = Cell { value: Value::No, set: false };

/// Everything that decides the values of an object.
pub struct Facts<'a> {
    pub kinds: &'a [PropertyRecord<'a>],
    pub kind_index: Index<'a>,
    pub asked: &'a [&'a PropertyRecord<'a>],
    pub index: Index<'a>,
    pub rules: Vec<Option<Comparison>>,
}

impl<'a> Facts<'a> {
    /// The kind called `name` and all kinds above it, the lowest first.
    pub fn lineage(
        &self,
        name: &str,
        place: Place<'_>,
    ) -> Result<Vec<&'a PropertyRecord<'a>>, DataError> {
        let find = |name: &str, place: Place<'_>| {
            let found = self.kind_index.get(name).map(|&i| &self.kinds[i]);
            found.ok_or_else(|| place.error(format_args!("there is no kind \"{name}\"")))
        };
        let mut line = vec![find(name, place)?];
        while let Some(parent) = line[line.len() - 1].parent.filter(|parent| !parent.is_empty()) {
            let last = line[line.len() - 1];
            line.push(find(parent, last.place)?);
            if line.len() > self.kinds.len() {
                return Err(last.place.error(format_args!("\"{}\" is above itself", last.name)));
            }
        }
        Ok(line)
    }

    /// The values of an object, in the order of the properties.
    pub fn row(
        &self,
        record: &ObjectRecord<'_>,
        measures: &Measures,
    ) -> Result<Vec<u8>, DataError> {
        let mut cells = vec![UNSET; self.asked.len()];
        for (cell, rule) in cells.iter_mut().zip(&self.rules) {
            if let Some(rule) = rule {
                cell.value = rule.value(measures);
            }
        }
        for kind in self.lineage(record.kind, record.place)?.iter().rev() {
            self.set(&mut cells, &kind.entries, kind.name)?;
            if let Some(&i) = self.index.get(kind.name) {
                cells[i] = Cell { value: Value::Yes, set: true };
            }
        }
        self.set(&mut cells, &record.entries, record.name)?;
        self.set(&mut cells, &record.over, record.name)?;
        self.close(&mut cells, record)?;
        Ok(cells.iter().map(|cell| cell.value.to_byte()).collect())
    }

    /// Enters what one block says.
    fn set(&self, cells: &mut [Cell], entries: &[Entry<'_>], owner: &str) -> Result<(), DataError> {
        let mut seen = vec![false; cells.len()];
        for entry in entries {
            let Some(&i) = self.index.get(entry.name) else {
                return Err(entry
                    .place
                    .error(format_args!("there is no property \"{}\"", entry.name)));
            };
            if std::mem::replace(&mut seen[i], true) {
                return Err(entry
                    .place
                    .error(format_args!("\"{owner}\" says \"{}\" twice", entry.name)));
            }
            let value = match entry.said {
                Said::Yes => Value::Yes,
                Said::No => Value::No,
                Said::Sometimes(weight) => Value::of(weight),
            };
            cells[i] = Cell { value, set: true };
        }
        Ok(())
    }

    /// Adds what follows from what was said: the kinds above a kind, and `>` lines.
    fn close(&self, cells: &mut [Cell], record: &ObjectRecord<'_>) -> Result<(), DataError> {
        let mut changed = true;
        while changed {
            changed = false;
            for (i, property) in self.asked.iter().enumerate() {
                if cells[i].value == Value::No {
                    continue;
                }
                let above = property.parent.filter(|parent| self.index.contains_key(parent));
                let implied = property.implies.iter().map(|&(name, place)| (name, place));
                for (name, place) in implied.chain(above.map(|name| (name, property.place))) {
                    let Some(&j) = self.index.get(name) else {
                        return Err(place.error(format_args!("there is no property \"{name}\"")));
                    };
                    if cells[j].value.weight() >= cells[i].value.weight() {
                        continue;
                    }
                    if cells[j].set && cells[j].value == Value::No && cells[i].value == Value::Yes {
                        return Err(record.place.error(format_args!(
                            "\"{}\" is \"{}\" but not \"{name}\"",
                            record.name, property.name
                        )));
                    }
                    if !cells[j].set || cells[i].value == Value::Yes {
                        cells[j].value = cells[i].value;
                        changed = true;
                    }
                }
            }
        }
        Ok(())
    }
}
