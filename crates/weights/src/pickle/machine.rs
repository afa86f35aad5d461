//! The interpreter: the few steps that a dictionary of tensors needs.
//!
//! A step that calls something calls one of three known functions, and each of them only notes down its arguments.

use std::collections::HashMap;

use super::{
    opcode::code,
    value::{Built, Node, Storage, Value, what},
};
use crate::PickleFault;

/// Most bytes of a pickle. A checkpoint of ten thousand tensors has two million.
const MOST_BYTES: usize = 64 << 20;
/// Most values on the stack, put aside, or that hold others.
const MOST_VALUES: usize = 1 << 20;
/// Most values inside others.
const MOST_ITEMS: usize = 4 << 20;
/// Most bytes of a module's or function's name.
const MOST_NAME: usize = 256;

/// What is wrong, and where.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) fault: PickleFault,
}

/// Reads the pickle that starts at `start` of `bytes`.
pub(crate) fn read(bytes: &[u8], start: usize) -> Result<Built<'_>, Fault> {
    let bytes = &bytes[..bytes.len().min(start.saturating_add(MOST_BYTES))];
    let mut machine = Machine {
        bytes,
        at: start,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        nodes: Vec::new(),
        items: 0,
        storages: Vec::new(),
        keys: HashMap::new(),
    };
    loop {
        let at = machine.at;
        match machine.step() {
            Ok(None) => {}
            Ok(Some(top)) => {
                let Machine { nodes, storages, at: end, .. } = machine;
                return Ok(Built { top, nodes, storages, end });
            }
            Err(fault) => return Err(Fault { at, fault }),
        }
    }
}

/// The state between two steps.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value<'a>>,
    /// Heights of the stack that steps will come back to.
    marks: Vec<usize>,
    memo: HashMap<u32, Value<'a>>,
    pub(super) nodes: Vec<Node<'a>>,
    /// Values inside nodes.
    items: usize,
    pub(super) storages: Vec<Storage<'a>>,
    /// Numbers of storages by key.
    pub(super) keys: HashMap<&'a str, usize>,
}

pub(super) type Step<T> = Result<T, PickleFault>;

impl<'a> Machine<'a> {
    /// One step. The value that the pickle is, at its end.
    fn step(&mut self) -> Step<Option<Value<'a>>> {
        match self.number::<1>()?[0] {
            code::PROTO => match self.number::<1>()? {
                [2] => {}
                [version] => return Err(PickleFault::Protocol(version)),
            },
            code::STOP => return self.pop().map(Some),
            code::MARK => {
                if self.marks.len() >= MOST_VALUES {
                    return Err(PickleFault::TooMuch("values"));
                }
                self.marks.push(self.stack.len());
            }
            code::NONE => self.push(Value::None)?,
            code::NEWTRUE => self.push(Value::Bool(true))?,
            code::NEWFALSE => self.push(Value::Bool(false))?,
            code::BININT => {
                let number = i32::from_le_bytes(self.number()?);
                self.push(Value::Int(number.into()))?;
            }
            code::BININT1 => {
                let [number] = self.number()?;
                self.push(Value::Int(number.into()))?;
            }
            code::BININT2 => {
                let number = u16::from_le_bytes(self.number()?);
                self.push(Value::Int(number.into()))?;
            }
            code::LONG1 => {
                let [length] = self.number()?;
                let number = long(self.take(length.into())?)?;
                self.push(Value::Int(number))?;
            }
            code::BINFLOAT => {
                self.take(8)?;
                self.push(Value::Float)?;
            }
            code::BINUNICODE | code::BINSTRING => {
                let length = u32::from_le_bytes(self.number()?);
                self.text(length)?;
            }
            code::SHORT_BINSTRING => {
                let [length] = self.number()?;
                self.text(length.into())?;
            }
            code::EMPTY_DICT => self.push_node(Node::Dict(Vec::new()))?,
            code::EMPTY_LIST => self.push_node(Node::List(Vec::new()))?,
            code::EMPTY_TUPLE => self.push_node(Node::Tuple(Vec::new()))?,
            code::TUPLE => {
                let values = self.above_mark()?;
                self.tuple(values)?;
            }
            code @ (code::TUPLE1 | code::TUPLE2 | code::TUPLE3) => {
                let count = usize::from(code - code::TUPLE1) + 1;
                let from = self.stack.len().checked_sub(count).filter(|from| *from >= self.floor());
                let values = self.stack.split_off(from.ok_or(PickleFault::Stack)?);
                self.tuple(values)?;
            }
            code::APPEND => {
                let value = self.pop()?;
                self.append(&[value])?;
            }
            code::APPENDS => {
                let values = self.above_mark()?;
                self.append(&values)?;
            }
            code::SETITEM => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(&[key, value])?;
            }
            code::SETITEMS => {
                let values = self.above_mark()?;
                self.set(&values)?;
            }
            code::BINPUT => {
                let [index] = self.number()?;
                self.put(index.into())?;
            }
            code::LONG_BINPUT => {
                let index = u32::from_le_bytes(self.number()?);
                self.put(index)?;
            }
            code::BINGET => {
                let [index] = self.number()?;
                self.get(index.into())?;
            }
            code::LONG_BINGET => {
                let index = u32::from_le_bytes(self.number()?);
                self.get(index)?;
            }
            code::GLOBAL => self.global()?,
            code::BINPERSID => self.persistent()?,
            code::REDUCE => self.reduce()?,
            code::BUILD => self.build()?,
            other => return Err(PickleFault::Opcode(other)),
        }
        Ok(None)
    }

    fn take(&mut self, length: usize) -> Step<&'a [u8]> {
        let end = self.at.checked_add(length).ok_or(PickleFault::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(PickleFault::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Step<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| PickleFault::Truncated)
    }

    fn text(&mut self, length: u32) -> Step<()> {
        let bytes = self.take(length as usize)?;
        self.push(Value::Text(str::from_utf8(bytes).map_err(|_| PickleFault::Text)?))
    }

    /// A line, without its end.
    pub(super) fn line(&mut self) -> Step<&'a str> {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let rest = &rest[..rest.len().min(MOST_NAME)];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or(PickleFault::Truncated)?;
        self.at += end + 1;
        str::from_utf8(&rest[..end]).map_err(|_| PickleFault::Text)
    }

    pub(super) fn push(&mut self, value: Value<'a>) -> Step<()> {
        if self.stack.len() >= MOST_VALUES {
            return Err(PickleFault::TooMuch("values"));
        }
        self.stack.push(value);
        Ok(())
    }

    pub(super) fn push_node(&mut self, node: Node<'a>) -> Step<()> {
        if self.nodes.len() >= MOST_VALUES {
            return Err(PickleFault::TooMuch("values"));
        }
        self.nodes.push(node);
        self.push(Value::Node(self.nodes.len() - 1))
    }

    /// How far down the stack a step may reach: not below the last mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or_default()
    }

    pub(super) fn pop(&mut self) -> Step<Value<'a>> {
        if self.stack.len() <= self.floor() {
            return Err(PickleFault::Stack);
        }
        self.stack.pop().ok_or(PickleFault::Stack)
    }

    fn above_mark(&mut self) -> Step<Vec<Value<'a>>> {
        let mark = self.marks.pop().ok_or(PickleFault::Stack)?;
        Ok(self.stack.split_off(mark))
    }

    pub(super) fn hold(&mut self, count: usize) -> Step<()> {
        self.items += count;
        if self.items > MOST_ITEMS { Err(PickleFault::TooMuch("values")) } else { Ok(()) }
    }

    fn tuple(&mut self, values: Vec<Value<'a>>) -> Step<()> {
        self.hold(values.len())?;
        self.push_node(Node::Tuple(values))
    }

    pub(super) fn wrong(&self, wanted: &'static str, value: Value<'a>) -> PickleFault {
        PickleFault::Value { wanted, found: what(value, &self.nodes) }
    }

    /// The value on top of the stack, which stays there.
    pub(super) fn top(&self) -> Step<Value<'a>> {
        if self.stack.len() <= self.floor() {
            return Err(PickleFault::Stack);
        }
        self.stack.last().copied().ok_or(PickleFault::Stack)
    }

    fn append(&mut self, values: &[Value<'a>]) -> Step<()> {
        self.hold(values.len())?;
        let top = self.top()?;
        let wrong = self.wrong("list", top);
        let Value::Node(index) = top else { return Err(wrong) };
        let Some(Node::List(list)) = self.nodes.get_mut(index) else { return Err(wrong) };
        list.extend_from_slice(values);
        Ok(())
    }

    fn set(&mut self, values: &[Value<'a>]) -> Step<()> {
        self.hold(values.len())?;
        let top = self.top()?;
        let wrong = self.wrong("dictionary", top);
        let Value::Node(index) = top else { return Err(wrong) };
        let Some(Node::Dict(dict)) = self.nodes.get_mut(index) else { return Err(wrong) };
        let (pairs, rest) = values.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(PickleFault::Stack);
        }
        dict.extend(pairs.iter().map(|[key, value]| (*key, *value)));
        Ok(())
    }

    fn put(&mut self, index: u32) -> Step<()> {
        if self.memo.len() >= MOST_VALUES {
            return Err(PickleFault::TooMuch("values"));
        }
        let top = self.top()?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn get(&mut self, index: u32) -> Step<()> {
        let value = *self.memo.get(&index).ok_or(PickleFault::Memo(index))?;
        self.push(value)
    }
}

/// A number of up to eight bytes, little-endian in two's complement.
fn long(bytes: &[u8]) -> Step<i64> {
    if bytes.len() > 8 {
        return Err(PickleFault::Number);
    }
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut whole = if negative { [0xff; 8] } else { [0; 8] };
    whole[..bytes.len()].copy_from_slice(bytes);
    Ok(i64::from_le_bytes(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(bytes: &[u8]) -> PickleFault {
        read(bytes, 0).map(|built| built.top).unwrap_err().fault
    }

    #[test]
    fn numbers_are_read_as_python_writes_them() {
        for (bytes, number) in [
            (&b"K\xff."[..], 255),
            (b"M\x01\x02.", 513),
            (b"J\xfe\xff\xff\xff.", -2),
            (b"\x8a\x00.", 0),
            (b"\x8a\x01\xff.", -1),
            (b"\x8a\x02\x80\x00.", 128),
            (b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.", i64::MAX),
        ] {
            assert_eq!(read(bytes, 0).unwrap().top, Value::Int(number));
        }
        assert_eq!(fault(b"\x8a\x09\0\0\0\0\0\0\0\0\x01."), PickleFault::Number);
    }

    #[test]
    fn a_step_that_is_not_needed_is_named_with_its_place() {
        let fault = read(b"\x80\x02}(ios\nsystem\n.", 0).unwrap_err();
        assert_eq!(fault, Fault { at: 4, fault: PickleFault::Opcode(b'i') });
        assert!(fault.fault.to_string().contains("INST"));
    }

    #[test]
    fn no_step_reaches_below_a_mark_or_the_stack() {
        for bytes in [
            &b"."[..],
            b"t.",
            b"K\x01(0",
            b"K\x01(s",
            b"}(K\x01u.",
            b"K\x01(\x85.",
            b"}K\x01(q\x00.",
            b"R",
            b"(R",
        ] {
            assert!(read(bytes, 0).is_err(), "{bytes:?}");
        }
        assert_eq!(fault(b"K\x01(\x85."), PickleFault::Stack);
        assert_eq!(fault(b"h\x07."), PickleFault::Memo(7));
    }

    #[test]
    fn deep_nesting_costs_no_stack_of_ours() {
        let mut bytes = b")".to_vec();
        bytes.extend(vec![code::TUPLE1; 1_000_000]);
        bytes.push(code::STOP);
        assert!(read(&bytes, 0).is_ok());
        bytes.splice(1..1, vec![code::TUPLE1; 100_000]);
        assert_eq!(fault(&bytes), PickleFault::TooMuch("values"));
    }
}
