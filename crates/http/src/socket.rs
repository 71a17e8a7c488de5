//! A connection as a web socket.

use std::io::{self, Read, Write};

use tungstenite::WebSocket;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocketConfig};

/// Accepts a request for a web socket: `key` is the request's, `early` what was read of the connection
/// behind its head, `longest` the most bytes of a message.
///
/// # Errors
/// If the answer cannot be written.
pub fn accept<S: Read + Write>(
    mut stream: S,
    key: &str,
    early: Vec<u8>,
    longest: usize,
) -> io::Result<WebSocket<S>> {
    let accepted = derive_accept_key(key.as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accepted}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let config =
        WebSocketConfig::default().max_message_size(Some(longest)).max_frame_size(Some(longest));
    Ok(WebSocket::from_partially_read(stream, early, Role::Server, Some(config)))
}
