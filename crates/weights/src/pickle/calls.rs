//! Names, storages and calls. A call only notes down its arguments.

use super::{
    machine::{Machine, Step},
    value::{Global, Node, Storage, Tensor, Value, what},
};
use crate::{PickleFault, error::shown, layout::Layout};

/// Most axes of a tensor, which is PyTorch's limit.
const MOST_AXES: usize = 64;

impl<'a> Machine<'a> {
    pub(super) fn global(&mut self) -> Step<()> {
        let (module, name) = (self.line()?, self.line()?);
        let global = Global::of(module, name);
        let global = global.ok_or_else(|| PickleFault::Global(shown(&format!("{module}.{name}"))))?;
        self.push(Value::Global(global))
    }

    fn items(&self, value: Value<'a>) -> Step<&[Value<'a>]> {
        match value {
            Value::Node(index) => match self.nodes.get(index) {
                Some(Node::Tuple(items)) => Ok(items),
                _ => Err(self.wrong("tuple", value)),
            },
            other => Err(self.wrong("tuple", other)),
        }
    }

    /// A storage: `('storage', type, key, device, elements)`, and in old files what part of another it is, which is
    /// always `None`.
    pub(super) fn persistent(&mut self) -> Step<()> {
        let id = self.pop()?;
        let (Value::Text("storage"), kind, key, length) = (match *self.items(id)? {
            [tag, kind, key, Value::Text(_), length]
            | [tag, kind, key, Value::Text(_), length, Value::None] => (tag, kind, key, length),
            _ => return Err(self.wrong("storage", id)),
        }) else {
            return Err(self.wrong("storage", id));
        };
        let Value::Global(Global::Storage(dtype)) = kind else {
            return Err(self.wrong("type of storage", kind));
        };
        let Value::Text(key) = key else { return Err(self.wrong("text", key)) };
        let storage = Storage { key, dtype, length: self.size(length)? };
        let index = match self.keys.get(key) {
            Some(index) if self.storages[*index] == storage => *index,
            Some(_) => return Err(PickleFault::Storage(shown(key))),
            None => {
                self.storages.push(storage);
                self.keys.insert(key, self.storages.len() - 1);
                self.storages.len() - 1
            }
        };
        self.push_node(Node::Storage(index))
    }

    fn size(&self, value: Value<'a>) -> Step<usize> {
        match value {
            Value::Int(number) => usize::try_from(number).map_err(|_| PickleFault::Number),
            other => Err(self.wrong("whole number", other)),
        }
    }

    fn sizes(&self, value: Value<'a>) -> Step<Vec<usize>> {
        let items = self.items(value)?;
        if items.len() > MOST_AXES {
            return Err(PickleFault::TooMuch("axes"));
        }
        items.iter().map(|item| self.size(*item)).collect()
    }

    /// A call of one of the functions that are known.
    pub(super) fn reduce(&mut self) -> Step<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let Value::Global(function) = function else { return Err(self.wrong("function", function)) };
        match (function, self.items(arguments)?) {
            (Global::Dict, []) => self.push_node(Node::Dict(Vec::new())),
            // Storage, offset, sizes, strides; whether it has a gradient, its hooks; nothing, or remarks.
            (
                Global::Tensor,
                &[storage, offset, shape, strides, _, _] | &[storage, offset, shape, strides, _, _, _],
            ) => self.tensor(storage, offset, shape, strides),
            // A tensor; whether it has a gradient, its hooks.
            (Global::Parameter, &[data, _, _]) => match data {
                Value::Node(index) if matches!(self.nodes.get(index), Some(Node::Tensor(_))) => {
                    self.push(data)
                }
                other => Err(self.wrong("tensor", other)),
            },
            (Global::Storage(_) | Global::Dtype, _) => Err(self.wrong("function", Value::Global(function))),
            _ => Err(self.wrong("list of arguments as PyTorch writes it", arguments)),
        }
    }

    fn tensor(
        &mut self,
        storage: Value<'a>,
        offset: Value<'a>,
        shape: Value<'a>,
        strides: Value<'a>,
    ) -> Step<()> {
        let Value::Node(index) = storage else { return Err(self.wrong("storage", storage)) };
        let Some(Node::Storage(index)) = self.nodes.get(index) else {
            return Err(self.wrong("storage", storage));
        };
        let storage = *index;
        let layout =
            Layout { offset: self.size(offset)?, shape: self.sizes(shape)?, strides: self.sizes(strides)? };
        self.hold(2 * layout.shape.len())?;
        self.push_node(Node::Tensor(Tensor { storage, layout }))
    }

    /// Attributes of a dictionary, such as PyTorch's `_metadata`: nothing that a tensor needs.
    pub(super) fn build(&mut self) -> Step<()> {
        let (state, object) = (self.pop()?, self.top()?);
        for value in [state, object] {
            if what(value, &self.nodes) != "dictionary" {
                return Err(self.wrong("dictionary", value));
            }
        }
        Ok(())
    }
}
