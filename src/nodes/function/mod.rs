//! Nodes of the palette category "function".

mod function_node;

pub(super) use function_node::FunctionNode;
