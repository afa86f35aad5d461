//! Values that a pickle builds. Those that hold others lie in one list and name each other by number, so that no depth of
//! nesting costs a call.

use crate::{Dtype, layout::Layout};

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float,
    Text(&'a str),
    /// What may be called, or named.
    Global(Global),
    /// Its number in the list of nodes.
    Node(usize),
}

/// The names that a pickle may use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Global {
    /// `torch._utils._rebuild_tensor_v2`
    Tensor,
    /// `torch._utils._rebuild_parameter`
    Parameter,
    /// `collections.OrderedDict`
    Dict,
    /// `torch.FloatStorage` and the like.
    Storage(Dtype),
    /// `torch.float32` and the like.
    Dtype,
}

impl Global {
    /// Looks a name up.
    pub(crate) fn of(module: &str, name: &str) -> Option<Self> {
        match (module, name) {
            ("torch._utils", "_rebuild_tensor_v2") => Some(Self::Tensor),
            ("torch._utils", "_rebuild_parameter") => Some(Self::Parameter),
            ("collections", "OrderedDict") => Some(Self::Dict),
            ("torch" | "torch.cuda", name) => match name.strip_suffix("Storage") {
                Some(kind) => storage(kind).map(Self::Storage),
                None => DTYPES.contains(&name).then_some(Self::Dtype),
            },
            _ => None,
        }
    }
}

fn storage(kind: &str) -> Option<Dtype> {
    Some(match kind {
        "Bool" => Dtype::Bool,
        "Byte" => Dtype::U8,
        "Char" => Dtype::I8,
        "Short" => Dtype::I16,
        "Int" => Dtype::I32,
        "Long" => Dtype::I64,
        "Half" => Dtype::F16,
        "BFloat16" => Dtype::BF16,
        "Float" => Dtype::F32,
        "Double" => Dtype::F64,
        _ => return None,
    })
}

/// Types of elements as values, as configurations have them.
const DTYPES: [&str; 10] =
    ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"];

/// A value that holds others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node<'a> {
    Tuple(Vec<Value<'a>>),
    List(Vec<Value<'a>>),
    Dict(Vec<(Value<'a>, Value<'a>)>),
    /// The number of a storage in the list of storages.
    Storage(usize),
    Tensor(Tensor),
}

/// A tensor as the pickle describes it; nothing is checked against its storage yet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    /// Its number in the list of storages.
    pub(crate) storage: usize,
    pub(crate) layout: Layout,
}

/// A storage as the pickle describes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Storage<'a> {
    pub(crate) key: &'a str,
    pub(crate) dtype: Dtype,
    /// Elements.
    pub(crate) length: usize,
}

/// What a pickle builds.
#[derive(Debug)]
pub(crate) struct Built<'a> {
    pub(crate) top: Value<'a>,
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) storages: Vec<Storage<'a>>,
    /// The first byte behind it.
    pub(crate) end: usize,
}

impl<'a> Built<'a> {
    /// The node of a value that holds others.
    pub(crate) fn node(&self, value: Value<'a>) -> Option<&Node<'a>> {
        match value {
            Value::Node(index) => self.nodes.get(index),
            _ => None,
        }
    }
}

/// What a value is, in a word.
pub(crate) fn what(value: Value<'_>, nodes: &[Node<'_>]) -> &'static str {
    match value {
        Value::None => "None",
        Value::Bool(_) => "truth value",
        Value::Int(_) => "whole number",
        Value::Float => "number",
        Value::Text(_) => "text",
        Value::Global(Global::Dtype) => "type of elements",
        Value::Global(_) => "name",
        Value::Node(index) => match nodes.get(index) {
            Some(Node::Tuple(_)) => "tuple",
            Some(Node::List(_)) => "list",
            Some(Node::Dict(_)) => "dictionary",
            Some(Node::Storage(_)) => "storage",
            Some(Node::Tensor(_)) => "tensor",
            None => "nothing",
        },
    }
}
