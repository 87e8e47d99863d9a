//! Nodes of the palette category "function".

mod function_node;
mod template;

pub(super) use function_node::FunctionNode;
pub(super) use template::Template;
