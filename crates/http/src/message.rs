//! Requests to read, answers to write, and a document to get.

use std::io::{self, BufRead, BufReader, Read, Write};

/// The longest head of a request or of an answer, in bytes.
const LONGEST_HEAD: usize = 16 << 10;

/// The most header fields of a head.
const MOST_FIELDS: usize = 64;

/// The longest document that is got, in bytes.
const LONGEST_BODY: u64 = 4 << 20;

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}

fn too_large(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, what.to_string())
}

fn over(limit: u64) -> io::Error {
    too_large(&format!("its document has more than {limit} bytes"))
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it ended within its head")
}

/// Reads to the blank line that ends a head; `None` where the input ends before it begins. What follows
/// it stays in the input.
fn head(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let left = LONGEST_HEAD - head.len();
        let read = input.by_ref().take(left as u64).read_until(b'\n', &mut head)?;
        match (read, left) {
            (0, 0) => return Err(too_large("its head is too long")),
            (0, _) if head.is_empty() => return Ok(None),
            (0, _) => return Err(ended()),
            _ => {}
        }
    }
    Ok(Some(head))
}

/// What follows the head of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// The head of a request: all that matters of it here.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, without what follows a question mark.
    pub path: String,
    /// The name and port by which the client knows the server.
    pub host: Option<String>,
    /// The page that a browser sends the request for.
    pub origin: Option<String>,
    /// The key of a request for a web socket, where it is one.
    pub socket_key: Option<String>,
    /// What follows.
    pub body: Body,
    /// Whether the client waits for a word before it sends the body.
    pub expects_continue: bool,
    /// Whether another request may follow on the connection.
    pub keeps: bool,
}

impl Request {
    /// Reads the head of a request; `None` where the input ends before one begins.
    ///
    /// # Errors
    /// If it is none, is cut off, or is too long; or the input fails.
    pub fn read(input: &mut impl BufRead) -> io::Result<Option<Self>> {
        match head(input)? {
            Some(head) => Self::parse(&head).map(Some),
            None => Ok(None),
        }
    }

    fn parse(head: &[u8]) -> io::Result<Self> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        match request.parse(head) {
            Ok(httparse::Status::Complete(_)) => {}
            Err(httparse::Error::TooManyHeaders) => {
                return Err(too_large(&format!("it has more than {MOST_FIELDS} header fields")));
            }
            _ => return Err(invalid("it is not a request of HTTP/1.1")),
        }
        let field = |name: &str| only(request.headers, name);
        let upgrades = field("upgrade")?.is_some_and(|to| to.eq_ignore_ascii_case("websocket"));
        let socket_key = field("sec-websocket-key")?.filter(|_| upgrades);
        let connection = field("connection")?.unwrap_or_default().to_ascii_lowercase();
        let keeps = match request.version {
            Some(1) => !connection.contains("close"),
            _ => false,
        };
        let body = match (field("transfer-encoding")?, field("content-length")?) {
            (None, None) => Body::Length(0),
            (None, Some(length)) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                // What is more than a number can hold is too long whatever the limit.
                Body::Length(length.parse().unwrap_or(u64::MAX))
            }
            (Some(how), None) if how.eq_ignore_ascii_case("chunked") => Body::Chunked,
            _ => return Err(invalid("it does not say how long its body is")),
        };
        let path = request.path.unwrap_or("/");
        Ok(Self {
            method: request.method.unwrap_or_default().to_string(),
            path: path.split('?').next().unwrap_or(path).to_string(),
            host: field("host")?.map(str::to_string),
            origin: field("origin")?.map(str::to_string),
            socket_key: socket_key.map(str::to_string),
            body,
            expects_continue: field("expect")?
                .is_some_and(|what| what.eq_ignore_ascii_case("100-continue")),
            keeps,
        })
    }
}

/// The value of a header field. One that stands twice, or is no text, is refused: whoever stands between
/// client and server may have read the other.
fn only<'a>(fields: &[httparse::Header<'a>], name: &str) -> io::Result<Option<&'a str>> {
    let mut found = fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
    let Some(first) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(invalid(&format!("it has more than one field {name}")));
    }
    let text = archer_input::line(first.value);
    text.map(Some).map_err(|_| invalid(&format!("its field {name} is no text")))
}

/// Reads what follows the head of a request, at most `limit` bytes.
///
/// # Errors
/// With [`io::ErrorKind::FileTooLarge`] if it is longer, which is known before it is read where it says
/// its length; or if it is cut off, or the input fails.
pub fn read_body(request: &Request, input: &mut impl BufRead, limit: u64) -> io::Result<Vec<u8>> {
    match request.body {
        Body::Length(length) if length > limit => Err(over(limit)),
        Body::Length(length) => exactly(input, length, limit),
        Body::Chunked => chunks(input, limit),
    }
}

/// Writes a whole answer, after which the connection is closed unless it `keeps`. Each of `fields` is a
/// name and a value.
///
/// # Errors
/// If the output fails.
pub fn write_answer(
    output: &mut impl Write,
    status: &str,
    fields: &[(&str, &str)],
    body: &[u8],
    keeps: bool,
) -> io::Result<()> {
    let (length, connection) = (body.len(), if keeps { "keep-alive" } else { "close" });
    let fields: String =
        fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\nConnection: {connection}\r\n\r\n"
    );
    // One piece, so that a small answer is one packet.
    output.write_all(&[head.as_bytes(), body].concat())?;
    output.flush()
}

/// Gets a document from a server that is connected.
///
/// # Errors
/// If the server does not answer with the status 200, or with a document that is too long.
pub fn get(mut stream: impl Read + Write, host: &str, path: &str) -> io::Result<Vec<u8>> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut input = BufReader::new(stream);
    let head = head(&mut input)?.ok_or_else(ended)?;
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
        return chunks(&mut input, LONGEST_BODY);
    }
    match field("content-length").map(str::parse::<u64>) {
        Some(Ok(length)) => exactly(&mut input, length, LONGEST_BODY),
        Some(Err(_)) => Err(invalid("it names no length of its document")),
        None => {
            let mut body = Vec::new();
            input.take(LONGEST_BODY + 1).read_to_end(&mut body)?;
            bounded(body, LONGEST_BODY)
        }
    }
}

fn bounded(body: Vec<u8>, limit: u64) -> io::Result<Vec<u8>> {
    match body.len() as u64 <= limit {
        true => Ok(body),
        false => Err(over(limit)),
    }
}

/// Reads so many bytes. Memory grows with what arrives.
fn exactly(input: &mut impl BufRead, length: u64, limit: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    input.take(length.min(limit + 1)).read_to_end(&mut body)?;
    let body = bounded(body, limit)?;
    match body.len() as u64 == length {
        true => Ok(body),
        false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "its document is cut off")),
    }
}

/// Reads chunks, and the fields behind the last one, so that what follows is the next request.
fn chunks(input: &mut impl BufRead, limit: u64) -> io::Result<Vec<u8>> {
    /// Room for a size with extensions, or for a field.
    const LONGEST_LINE: u64 = 1 << 10;
    let line = |input: &mut dyn BufRead| -> io::Result<String> {
        let mut line = String::new();
        input.take(LONGEST_LINE).read_line(&mut line)?;
        Ok(line)
    };
    let mut body = Vec::new();
    loop {
        let size = line(input)?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(digits, 16).map_err(|_| invalid("a chunk has no size"))?;
        if size == 0 {
            // A server that closes behind its last chunk has said all that matters.
            for _ in 0..MOST_FIELDS {
                if line(input)?.trim().is_empty() {
                    return Ok(body);
                }
            }
            return Err(too_large("it has too many fields behind its chunks"));
        }
        body.extend(exactly(input, size, limit)?);
        body = bounded(body, limit)?;
        exactly(input, 2, limit)?;
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
        let asked = Request::read(&mut input).unwrap().unwrap();
        assert_eq!((asked.path.as_str(), asked.socket_key.as_deref()), ("/ws", Some("abc")));
        assert_eq!(input, b"rest");
        let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(LONGEST_HEAD));
        assert!(Request::read(&mut long.as_bytes()).is_err());
        assert_eq!(Request::read(&mut &b""[..]).unwrap(), None);
        assert!(Request::read(&mut &b"GET /"[..]).is_err());
    }

    /// The body of a request that is followed by another.
    fn sent(head: &str, body: &str, limit: u64) -> Result<String, io::ErrorKind> {
        let text = format!("POST / HTTP/1.1\r\n{head}\r\n{body}GET /next HTTP/1.1\r\n\r\n");
        let mut input = text.as_bytes();
        let request = Request::read(&mut input).map_err(|error| error.kind())?.unwrap();
        let body = read_body(&request, &mut input, limit).map_err(|error| error.kind())?;
        assert_eq!(Request::read(&mut input).unwrap().unwrap().path, "/next", "{head}");
        Ok(String::from_utf8(body).unwrap())
    }

    #[test]
    fn a_body_ends_where_it_says_and_the_next_request_follows() {
        assert_eq!(sent("", "", 9).unwrap(), "");
        assert_eq!(sent("Content-Length: 3\r\n", "abc", 3).unwrap(), "abc");
        let chunks = "2\r\nab\r\n1\r\nc\r\n0\r\nx: y\r\n\r\n";
        assert_eq!(sent("Transfer-Encoding: chunked\r\n", chunks, 3).unwrap(), "abc");
        let too_large = Err(io::ErrorKind::FileTooLarge);
        assert_eq!(sent("Content-Length: 4\r\n", "abcd", 3), too_large);
        assert_eq!(sent("Content-Length: 99999999999999999999999\r\n", "", 3), too_large);
        assert_eq!(sent("Transfer-Encoding: chunked\r\n", chunks, 2), too_large);
        // Two readers may take such a request for different ones.
        for head in [
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: -1\r\n",
        ] {
            assert_eq!(sent(head, "abc", 9), Err(io::ErrorKind::InvalidData), "{head}");
        }
    }

    #[test]
    fn a_connection_is_kept_where_both_sides_know_how() {
        for (text, keeps) in [
            ("GET / HTTP/1.1\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", false),
            ("GET / HTTP/1.0\r\n\r\n", false),
        ] {
            assert_eq!(
                Request::read(&mut text.as_bytes()).unwrap().unwrap().keeps,
                keeps,
                "{text}"
            );
        }
    }
}
