//! Commands in the form Redis takes them, packed one behind the other into one buffer.

use std::ops::Range;

/// Commands on their way, with what is needed to send each to the right server.
#[derive(Default)]
pub(crate) struct Calls {
    bytes: Vec<u8>,
    calls: Vec<Call>,
}

struct Call {
    /// Where it begins; it ends where the next one begins.
    start: usize,
    slot: u16,
}

impl Calls {
    /// Begins a command about keys of one slot; its name counts as an argument.
    pub(crate) fn begin(&mut self, slot: u16, arguments: usize) {
        self.calls.push(Call { start: self.bytes.len(), slot });
        push_header(&mut self.bytes, b'*', arguments);
    }

    /// Adds an argument to the last command.
    pub(crate) fn argument(&mut self, argument: &[u8]) {
        push_argument(&mut self.bytes, argument);
    }

    /// Adds arguments that are packed already.
    pub(crate) fn packed(&mut self, arguments: &[u8]) {
        self.bytes.extend_from_slice(arguments);
    }

    /// Adds a whole command.
    pub(crate) fn add(&mut self, slot: u16, arguments: &[&[u8]]) {
        self.begin(slot, arguments.len());
        arguments.iter().for_each(|argument| self.argument(argument));
    }

    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Forgets the commands and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.calls.clear();
    }

    /// The slot of a command's keys.
    pub(crate) fn slot(&self, index: usize) -> u16 {
        self.calls[index].slot
    }

    /// The packed bytes of consecutive commands.
    pub(crate) fn bytes(&self, calls: Range<usize>) -> &[u8] {
        let start = |index: usize| self.calls.get(index).map_or(self.bytes.len(), |call| call.start);
        &self.bytes[start(calls.start)..start(calls.end)]
    }

    /// The keys of a command, for messages.
    pub(crate) fn keys(&self, index: usize) -> Vec<&[u8]> {
        let arguments = unpack(self.bytes(index..index + 1));
        let is_script = arguments.first().is_some_and(|name| *name == b"EVALSHA");
        let (skipped, count) = if is_script {
            let count = arguments.get(2).and_then(|count| std::str::from_utf8(count).ok()?.parse().ok());
            (3, count.unwrap_or(0))
        } else {
            (1, 1)
        };
        arguments.into_iter().skip(skipped).take(count).collect()
    }
}

/// Appends one packed argument.
pub(crate) fn push_argument(bytes: &mut Vec<u8>, argument: &[u8]) {
    push_header(bytes, b'$', argument.len());
    bytes.extend_from_slice(argument);
    bytes.extend_from_slice(b"\r\n");
}

/// Appends a mark, a number and the end of the line, without the detour over a `String`.
fn push_header(bytes: &mut Vec<u8>, mark: u8, number: usize) {
    const DIGITS: usize = 20;
    let mut line = [0; DIGITS];
    let mut first = DIGITS;
    let mut rest = number;
    loop {
        first -= 1;
        // One digit.
        line[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    bytes.push(mark);
    bytes.extend_from_slice(&line[first..]);
    bytes.extend_from_slice(b"\r\n");
}

/// The arguments of a packed command.
fn unpack(command: &[u8]) -> Vec<&[u8]> {
    let mut rest = command;
    let mut line = move |length: Option<usize>| -> Option<&[u8]> {
        let end = length.or_else(|| rest.windows(2).position(|pair| pair == b"\r\n"))?;
        let (line, tail) = rest.split_at_checked(end)?;
        rest = tail.get(2..)?;
        Some(line)
    };
    let number = |line: &[u8]| std::str::from_utf8(line.get(1..)?).ok()?.parse::<usize>().ok();
    let count = line(None).and_then(number).unwrap_or(0);
    (0..count).map_while(|_| line(None).and_then(number).and_then(|length| line(Some(length)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_packed_as_redis_wants_them() {
        let mut calls = Calls::default();
        calls.add(3, &[b"HGET", b"key\r\n", b""]);
        calls.begin(4, 6);
        for argument in [b"EVALSHA".as_slice(), b"abc", b"2", b"k1", b"k2", b"0123456789"] {
            calls.argument(argument);
        }
        assert_eq!(calls.bytes(0..1), b"*3\r\n$4\r\nHGET\r\n$5\r\nkey\r\n\r\n$0\r\n\r\n");
        assert_eq!(calls.bytes(0..2).len(), calls.bytes(0..1).len() + calls.bytes(1..2).len());
        assert_eq!((calls.slot(1), calls.len()), (4, 2));
        assert_eq!(calls.keys(0), [b"key\r\n"]);
        assert_eq!(calls.keys(1), [b"k1", b"k2"]);
    }
}
