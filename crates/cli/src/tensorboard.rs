//! TensorBoard event files, written by hand.
//!
//! An event file is a row of records, each framed by its length and two checksums; a record is an
//! `Event` message in protocol-buffer encoding. Scalars need five fields of that format, which is
//! less code than a generated library and none of its dependencies.
//!
//! ```text
//! record  = length u64 · masked_crc(length) u32 · event bytes · masked_crc(event) u32
//! Event   = 1: wall_time double · 2: step varint · 3: file_version string | 5: summary
//! Summary = 1: Value { 1: tag string · 2: simple_value float }, repeated
//! ```

use std::io::{self, Write};

/// Writes scalars as TensorBoard events to any stream of bytes.
pub struct EventWriter<W: Write> {
    stream: W,
}

impl<W: Write> EventWriter<W> {
    /// Begins a file: the first event names the version of the format.
    ///
    /// `wall_time` is in seconds since 1970, as everywhere here.
    pub fn new(stream: W, wall_time: f64) -> io::Result<Self> {
        let mut event = Vec::new();
        put_double(&mut event, 1, wall_time);
        put_bytes(&mut event, 3, b"brain.Event:2");
        let mut writer = EventWriter { stream };
        writer.record(&event)?;
        Ok(writer)
    }

    /// Writes the scalars of one step. A value that is not finite is left out, since TensorBoard
    /// draws it as a gap anyway and some versions refuse the file.
    pub fn scalars<'a>(
        &mut self,
        step: u64,
        wall_time: f64,
        scalars: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> io::Result<()> {
        let mut summary = Vec::new();
        for (tag, value) in scalars.into_iter().filter(|(_, value)| value.is_finite()) {
            let mut entry = Vec::new();
            put_bytes(&mut entry, 1, tag.as_bytes());
            put_float(&mut entry, 2, value as f32);
            put_bytes(&mut summary, 1, &entry);
        }
        let mut event = Vec::new();
        put_double(&mut event, 1, wall_time);
        put_varint(&mut event, 2 << 3);
        put_varint(&mut event, step);
        put_bytes(&mut event, 5, &summary);
        self.record(&event)?;
        self.stream.flush()
    }

    fn record(&mut self, event: &[u8]) -> io::Result<()> {
        let length = (event.len() as u64).to_le_bytes();
        // One buffer, one write: a crash leaves at most one broken record, at the end.
        let mut record = Vec::with_capacity(event.len() + 16);
        record.extend_from_slice(&length);
        record.extend_from_slice(&masked_crc(&length).to_le_bytes());
        record.extend_from_slice(event);
        record.extend_from_slice(&masked_crc(event).to_le_bytes());
        self.stream.write_all(&record)
    }
}

/// CRC-32C rotated and shifted: the format's guard against checksums of data that hold checksums.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_double(out: &mut Vec<u8>, field: u64, value: f64) {
    put_varint(out, field << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_float(out: &mut Vec<u8>, field: u64, value: f32) {
    put_varint(out, field << 3 | 5);
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads what the writer wrote: (step, [(tag, value)]) per event, checking every frame.
    fn read(mut bytes: &[u8]) -> Vec<(u64, Vec<(String, f32)>)> {
        let mut events = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let crc = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            assert_eq!(crc(8), masked_crc(&bytes[..8]));
            let event = &bytes[12..12 + length];
            assert_eq!(crc(12 + length), masked_crc(event));
            events.push(read_event(event));
            bytes = &bytes[16 + length..];
        }
        events
    }

    fn read_event(event: &[u8]) -> (u64, Vec<(String, f32)>) {
        let (mut step, mut scalars) = (0, Vec::new());
        for (field, value) in fields(event) {
            match (field, value) {
                (2, Value::Number(n)) => step = n,
                (5, Value::Bytes(summary)) => {
                    for (_, entry) in fields(&summary) {
                        let Value::Bytes(entry) = entry else { panic!("a value is a message") };
                        let mut parts = fields(&entry).into_iter().map(|(_, part)| part);
                        match (parts.next(), parts.next()) {
                            (Some(Value::Bytes(tag)), Some(Value::Float(value))) => {
                                scalars.push((String::from_utf8(tag).unwrap(), value));
                            }
                            _ => panic!("a value has a tag and a number"),
                        }
                    }
                }
                (1, Value::Double(seconds)) => assert_eq!(seconds, 1.5),
                (3, Value::Bytes(version)) => assert_eq!(version, b"brain.Event:2"),
                _ => panic!("unknown field {field}"),
            }
        }
        (step, scalars)
    }

    enum Value {
        Number(u64),
        Double(f64),
        Float(f32),
        Bytes(Vec<u8>),
    }

    fn fields(mut bytes: &[u8]) -> Vec<(u64, Value)> {
        let mut all = Vec::new();
        let varint = |bytes: &mut &[u8]| {
            let (mut value, mut shift) = (0u64, 0);
            loop {
                let byte = bytes[0];
                *bytes = &bytes[1..];
                value |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    return value;
                }
            }
        };
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let value = match key & 7 {
                0 => Value::Number(varint(&mut bytes)),
                1 => {
                    let (head, tail) = bytes.split_at(8);
                    bytes = tail;
                    Value::Double(f64::from_le_bytes(head.try_into().unwrap()))
                }
                2 => {
                    let length = varint(&mut bytes) as usize;
                    let (head, tail) = bytes.split_at(length);
                    bytes = tail;
                    Value::Bytes(head.to_vec())
                }
                _ => {
                    let (head, tail) = bytes.split_at(4);
                    bytes = tail;
                    Value::Float(f32::from_le_bytes(head.try_into().unwrap()))
                }
            };
            all.push((key >> 3, value));
        }
        all
    }

    #[test]
    fn what_was_written_can_be_read_back() {
        let mut writer = EventWriter::new(Vec::new(), 1.5).unwrap();
        writer.scalars(3, 1.5, [("learn/return", -4.25), ("learn/nothing", f64::NAN)]).unwrap();
        writer.scalars(300, 1.5, [("a", 1.0), ("b", 2.0)]).unwrap();
        let events = read(&writer.stream);
        assert_eq!(events.len(), 3);
        assert_eq!(events[1], (3, vec![("learn/return".to_string(), -4.25)]));
        assert_eq!(events[2], (300, vec![("a".to_string(), 1.0), ("b".to_string(), 2.0)]));
    }

    #[test]
    fn the_checksum_is_the_formats_own() {
        // CRC-32C of "123456789" is 0xe3069283 in every description of it; masked by hand.
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(masked_crc(b"123456789"), 0xc78a_b0e5);
    }
}
