//! `node.js` of a node type of the user's own: handlers that share what the file declares.
//!
//! `onInput(msg, send, done)` gets the messages; a message that it does not take `done` for is done with when it returns.
//! `onStart()` and `onClose(removed)` are optional.

use std::{collections::BTreeMap, sync::Arc};

use oxc_allocator::Allocator;
use oxc_ast::ast::{BindingPattern, Expression, FormalParameters, Statement};
use oxc_parser::Parser;
use oxc_span::SourceType;
use rquickjs::{Function, Object as JsObject, Result};

use super::{API_NAMES, code::info, convert::to_js, library, machine::Inside, realm::Tool};
use crate::{engine::NodeContext, message::Value};

/// The name of the file in stack traces.
pub(super) const FILE: &str = "node.js";

/// The names of the handlers.
const HANDLERS: [&str; 3] = ["onStart", "onInput", "onClose"];

/// What the code finds of its node besides the API of functions.
#[derive(Clone, Debug, Default)]
pub struct OwnValues {
    /// Its properties.
    pub config: Value,
    pub credentials: BTreeMap<String, String>,
}

/// What is wrong with a `node.js`, before it ever runs.
///
/// # Errors
/// A sentence with the line.
pub fn check_module(source: &str) -> std::result::Result<(), String> {
    let allocator = Allocator::default();
    let parsed = parse(&allocator, source);
    if let Some(error) = parsed.diagnostics.first() {
        let offset = error.labels.first().map(|label| label.offset() as usize);
        let line = offset
            .and_then(|offset| source.get(..offset.min(source.len())))
            .map_or(1, |before| before.matches('\n').count() + 1);
        return Err(format!("line {line}: {}", error.message));
    }
    let has_handler = parsed.program.body.iter().any(|statement| {
        HANDLERS
            .iter()
            .any(|name| parameters(statement, name).is_some())
    });
    if has_handler {
        Ok(())
    } else {
        Err(format!(
            "it declares none of the functions {}",
            HANDLERS.join(", ")
        ))
    }
}

/// Whether `onInput` takes `done`, its third parameter, and so says itself when it is done with a message.
pub(super) fn takes_done(source: &str) -> bool {
    let allocator = Allocator::default();
    let parsed = parse(&allocator, source);
    let mut statements = parsed.program.body.iter();
    statements.any(|statement| {
        parameters(statement, "onInput").is_some_and(|parameters| parameters.items.len() > 2)
    })
}

fn parse<'a>(allocator: &'a Allocator, source: &'a str) -> oxc_parser::ParserReturn<'a> {
    Parser::new(allocator, source, SourceType::script()).parse()
}

/// The parameters of a function that a statement declares under this name.
fn parameters<'s, 'a>(
    statement: &'s Statement<'a>,
    name: &str,
) -> Option<&'s FormalParameters<'a>> {
    match statement {
        Statement::FunctionDeclaration(function) => {
            let own = function.id.as_ref()?;
            (own.name == name).then_some(&*function.params)
        }
        Statement::VariableDeclaration(declaration) => {
            declaration.declarations.iter().find_map(|declared| {
                let BindingPattern::BindingIdentifier(own) = &declared.id else {
                    return None;
                };
                match declared.init.as_ref()? {
                    _ if own.name != name => None,
                    Expression::FunctionExpression(function) => Some(&*function.params),
                    Expression::ArrowFunctionExpression(function) => Some(&*function.params),
                    _ => None,
                }
            })
        }
        _ => None,
    }
}

/// Compiles the file in the node's context. The exception is pending when it can't be.
pub(super) fn install(
    inside: &Inside,
    index: u32,
    ctx: &NodeContext,
    outputs: usize,
    source: &str,
    values: &Arc<OwnValues>,
) -> Result<()> {
    let realm = &inside.realm;
    let named: Vec<&str> = API_NAMES
        .iter()
        .copied()
        .filter(|name| *name != "node")
        .collect();
    let handlers: Vec<String> = HANDLERS
        .iter()
        .map(|name| format!("{name}:typeof {name}===\"function\"?{name}:undefined"))
        .collect();
    let source = format!(
        "(function(node,config,credentials,{}){{\n{source}\nreturn {{{}}}\n}})",
        named.join(","),
        handlers.join(",")
    );
    let factory: Function = library::compile(&realm.ctx, &source, FILE)?;
    let credentials = JsObject::new(realm.ctx.clone())?;
    for (name, value) in &values.credentials {
        credentials.set(name.as_str(), value.as_str())?;
    }
    let config = to_js(realm, inside.crossing, &values.config)?;
    realm.tool(Tool::InstallOwn)?.call((
        index,
        info(inside, ctx, outputs)?,
        factory,
        config,
        credentials,
        named,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_run_is_found_with_its_line() {
        for (source, expected) in [
            ("function onInput(msg) { return msg }", ""),
            ("const onStart = () => {}", ""),
            ("let onClose = async function () {}", ""),
            (
                "let a = 1\n\nfunction onInput(msg) {\n  return msg +\n}",
                "line 5: ",
            ),
            ("", "none of the functions onStart, onInput, onClose"),
            ("function oninput() {}", "none of the functions"),
        ] {
            let found = check_module(source);
            match expected {
                "" => assert_eq!(found, Ok(()), "{source}"),
                expected => {
                    let error = found.unwrap_err();
                    assert!(error.contains(expected), "{source}: {error}");
                }
            }
        }
    }

    #[test]
    fn the_third_parameter_is_done() {
        assert!(!takes_done("function onInput(msg, send) { send(msg) }"));
        assert!(takes_done("async function onInput(msg, send, done) {}"));
        assert!(takes_done("const onInput = (msg, send, done) => {}"));
        assert!(!takes_done(
            "function other(a, b, c) {}\nfunction onInput(msg) {}"
        ));
    }
}
