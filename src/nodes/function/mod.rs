//! Nodes of the palette category "function".

mod function;

#[cfg(test)]
mod tests;

pub(super) use function::FunctionNode;
