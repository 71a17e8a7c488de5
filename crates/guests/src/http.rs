//! As much HTTP/1.1 as OpenEnv needs beside its socket: a request to read, a document to get.

use std::io::{self, BufRead, BufReader, Read, Write};

/// The longest head of a request or of an answer, in bytes.
const LONGEST_HEAD: usize = 16 << 10;

/// The most header fields of a head.
const MOST_FIELDS: usize = 64;

/// The longest document, in bytes.
const LONGEST_BODY: u64 = 4 << 20;

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}

/// Reads to the blank line that ends a head. What follows it stays in the input.
fn head(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let left = LONGEST_HEAD - head.len();
        let read = input.by_ref().take(left as u64).read_until(b'\n', &mut head)?;
        if read == 0 {
            return Err(match left {
                0 => invalid("its head is too long"),
                _ => io::Error::new(io::ErrorKind::UnexpectedEof, "it ended within its head"),
            });
        }
    }
    Ok(head)
}

/// A request of a client: all that matters of it here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The method.
    pub method: String,
    /// The path, without what follows a question mark.
    pub path: String,
    /// The key of a request for a web socket, where it is one.
    pub socket_key: Option<String>,
}

/// Reads the head of a request.
pub(crate) fn read_request(input: &mut impl BufRead) -> io::Result<Asked> {
    let head = head(input)?;
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(&head) {
        Ok(httparse::Status::Complete(_)) => {}
        _ => return Err(invalid("it is not a request of HTTP/1.1")),
    }
    let field = |name: &str| {
        let found = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        archer_input::line(found.value).ok()
    };
    let upgrades = field("upgrade").is_some_and(|to| to.eq_ignore_ascii_case("websocket"));
    let socket_key = field("sec-websocket-key").filter(|_| upgrades).map(str::to_string);
    let path = request.path.unwrap_or("/");
    let path = path.split('?').next().unwrap_or(path).to_string();
    Ok(Asked { method: request.method.unwrap_or_default().to_string(), path, socket_key })
}

/// Writes a whole answer after which the connection is closed.
pub(crate) fn write_answer(
    output: &mut impl Write,
    status: &str,
    kind: &str,
    body: &str,
) -> io::Result<()> {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    output.write_all(answer.as_bytes())?;
    output.flush()
}

/// Gets a document from a server that is connected.
///
/// # Errors
/// If the server does not answer with the status 200, or with a document that is too long.
pub(crate) fn get(mut stream: impl Read + Write, host: &str, path: &str) -> io::Result<Vec<u8>> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut input = BufReader::new(stream);
    let head = head(&mut input)?;
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut answer = httparse::Response::new(&mut fields);
    match answer.parse(&head) {
        Ok(httparse::Status::Complete(_)) => {}
        _ => return Err(invalid("it does not answer in HTTP/1.1")),
    }
    if answer.code != Some(200) {
        return Err(invalid(&format!("it answers with status {}", answer.code.unwrap_or(0))));
    }
    let field = |name: &str| {
        let found = answer.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        archer_input::line(found.value).ok()
    };
    if field("transfer-encoding").is_some_and(|how| how.eq_ignore_ascii_case("chunked")) {
        return chunks(&mut input);
    }
    match field("content-length").map(str::parse::<u64>) {
        Some(Ok(length)) => exactly(&mut input, length),
        Some(Err(_)) => Err(invalid("it names no length of its document")),
        None => {
            let mut body = Vec::new();
            input.take(LONGEST_BODY + 1).read_to_end(&mut body)?;
            bounded(body)
        }
    }
}

fn bounded(body: Vec<u8>) -> io::Result<Vec<u8>> {
    match body.len() as u64 <= LONGEST_BODY {
        true => Ok(body),
        false => Err(invalid(&format!("its document has more than {LONGEST_BODY} bytes"))),
    }
}

/// Reads so many bytes. Memory grows with what arrives.
fn exactly(input: &mut impl BufRead, length: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    input.take(length.min(LONGEST_BODY + 1)).read_to_end(&mut body)?;
    let body = bounded(body)?;
    match body.len() as u64 == length {
        true => Ok(body),
        false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "its document is cut off")),
    }
}

fn chunks(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    /// Room for a size, and for extensions that nobody uses.
    const LONGEST_SIZE: u64 = 1 << 10;
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        input.by_ref().take(LONGEST_SIZE).read_line(&mut size)?;
        let digits = size.trim().split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(digits, 16).map_err(|_| invalid("a chunk has no size"))?;
        if size == 0 {
            return Ok(body);
        }
        body.extend(exactly(input, size)?);
        body = bounded(body)?;
        exactly(input, 2)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake(&'static [u8]);

    impl Read for Fake {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }

    impl Write for Fake {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn got(answer: &'static str) -> Result<String, String> {
        let body = get(Fake(answer.as_bytes()), "x", "/").map_err(|error| error.to_string())?;
        Ok(String::from_utf8(body).unwrap())
    }

    #[test]
    fn a_document_ends_at_its_length_its_last_chunk_or_the_end() {
        assert_eq!(got("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabc").unwrap(), "ab");
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r\n";
        assert_eq!(got(chunked).unwrap(), "abcd");
        assert_eq!(got("HTTP/1.0 200 OK\r\n\r\nabc").unwrap(), "abc");
    }

    #[test]
    fn a_server_cannot_make_us_keep_more_than_the_bounds() {
        let length = got("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\nab").unwrap_err();
        assert_eq!(length, "its document is cut off");
        let size = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\nab";
        assert_eq!(got(size).unwrap_err(), "its document is cut off");
        assert!(got("HTTP/1.1 404 No\r\n\r\n").unwrap_err().contains("404"));
        assert!(got("nonsense\r\n\r\n").unwrap_err().contains("HTTP"));
        assert!(got("HTTP/1.1 200").unwrap_err().contains("within its head"));
    }

    #[test]
    fn a_request_for_a_socket_has_a_key() {
        let text =
            "GET /ws?x=1 HTTP/1.1\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: abc\r\n\r\nrest";
        let mut input = text.as_bytes();
        let asked = read_request(&mut input).unwrap();
        assert_eq!((asked.path.as_str(), asked.socket_key.as_deref()), ("/ws", Some("abc")));
        assert_eq!(input, b"rest");
        let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(LONGEST_HEAD));
        assert!(read_request(&mut long.as_bytes()).is_err());
    }
}
