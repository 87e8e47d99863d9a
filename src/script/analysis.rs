//! What a script uses, found by a real parser: so that a function only pays for what its code does.
//!
//! A body is compiled as an `async` function only if it awaits, gets a context of its own only if it could disturb its
//! neighbours, and is handed only those parts of the node API that it names.

use std::{collections::BTreeSet, sync::Arc};

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    ArrowFunctionExpression, AwaitExpression, CallExpression, Expression, ForOfStatement, Function,
    IdentifierReference, SimpleAssignmentTarget, StaticMemberExpression, ThisExpression,
    WithStatement,
};
use oxc_ast_visit::{Visit, walk};
use oxc_parser::Parser;
use oxc_semantic::{ScopeFlags, SemanticBuilder};
use oxc_span::SourceType;

use super::reach::Reach;

/// What one piece of code uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Uses {
    /// It awaits outside any inner function.
    pub awaits: bool,
    /// It says itself when it is done: it calls `node.done()` somewhere.
    pub calls_done: bool,
    /// It sends, or says done, through `node`, or hands `node` on: it needs a `node` that knows its message.
    pub node_of_message: bool,
    /// It assigns undeclared variables or touches built-in objects: it must not share its globals.
    pub own_globals: bool,
    /// Names it reads that it does not declare.
    pub names: BTreeSet<String>,
    /// What it reaches of its message, if that is known to be less than all.
    pub reach: Option<Arc<Reach>>,
}

/// What stands before and after the code when it is parsed and compiled; the code begins on the second line.
const BEFORE: &str = "(async function () {\n";
const AFTER: &str = "\n})";

/// Finds out what the body of a function uses. Code that can't be parsed counts as using everything;
/// compiling it will say what is wrong with it.
pub(super) fn analyse(code: &str) -> Uses {
    let source = format!("{BEFORE}{code}{AFTER}");
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, &source, SourceType::script()).parse();
    if parsed.panicked || !parsed.diagnostics.is_empty() {
        return Uses {
            reach: None,
            awaits: code.contains("await"),
            calls_done: has_done_text(code),
            node_of_message: true,
            own_globals: true,
            names: super::API_NAMES
                .iter()
                .map(|&name| name.to_owned())
                .collect(),
        };
    }
    let semantic = SemanticBuilder::new().build(&parsed.program).semantic;
    let scoping = semantic.scoping();
    let mut uses = Uses::default();
    for (name, references) in scoping.root_unresolved_references() {
        let name: &str = name.as_ref();
        uses.names.insert(name.to_owned());
        let written = references
            .iter()
            .any(|&id| scoping.get_reference(id).is_write());
        // `node` and the like are parameters: writing them changes nothing global.
        if written && !super::API_NAMES.contains(&name) && name != "msg" {
            uses.own_globals = true;
        }
        if matches!(name, "eval" | "Function" | "globalThis") {
            uses.own_globals = true;
        }
        if name == "eval" {
            uses.node_of_message = true;
        }
    }
    if uses.own_globals && uses.names.contains("eval") {
        uses.names
            .extend(super::API_NAMES.iter().map(|&name| name.to_owned()));
    }
    let mut finder = Finder {
        uses: &mut uses,
        depth: 0,
        node_members: 0,
        node_references: 0,
        prototype_reads: 0,
        prototype_references: 0,
        is_free: &|identifier| semantic.is_reference_to_global_variable(identifier),
    };
    finder.visit_program(&parsed.program);
    // Node-RED looks for a call in the code only if this text stands there, be it in a comment.
    finder.uses.calls_done &= has_done_text(code);
    if finder.node_references > finder.node_members {
        finder.uses.node_of_message = true;
    }
    if finder.prototype_references > finder.prototype_reads {
        finder.uses.own_globals = true;
    }
    if !(uses.awaits || uses.calls_done || uses.node_of_message || uses.own_globals) {
        uses.reach = Reach::of(&parsed.program, &semantic).map(Arc::new);
    }
    uses
}

/// Whether `node.done()` stands in the code, with any blanks before and between the brackets.
fn has_done_text(code: &str) -> bool {
    code.match_indices("node.done").any(|(at, found)| {
        let rest = code[at + found.len()..].trim_start();
        rest.strip_prefix('(')
            .is_some_and(|rest| rest.trim_start().starts_with(')'))
    })
}

struct Finder<'u, 'f> {
    uses: &'u mut Uses,
    /// How many functions stand around; 1 is the code's own.
    depth: usize,
    /// Uses of `node` as `node.name`, and all its uses.
    node_members: usize,
    node_references: usize,
    /// Uses of `Array.prototype` as `Array.prototype.slice`, and all its uses.
    prototype_reads: usize,
    prototype_references: usize,
    is_free: &'f dyn Fn(&IdentifierReference) -> bool,
}

impl Finder<'_, '_> {
    fn free<'e>(&self, expression: &'e Expression) -> Option<&'e str> {
        match expression {
            Expression::Identifier(identifier) if (self.is_free)(identifier) => {
                Some(identifier.name.as_str())
            }
            _ => None,
        }
    }

    /// Whether this is `Array.prototype`.
    fn is_prototype(&self, expression: &Expression) -> bool {
        matches!(expression, Expression::StaticMemberExpression(member)
            if member.property.name == "prototype" && self.free(&member.object).is_some())
    }

    fn member(&mut self, object: &Expression, name: &str) {
        if self.free(object) == Some("node") {
            self.node_members += 1;
            if matches!(name, "send" | "done") {
                self.uses.node_of_message = true;
            }
        }
        if name == "__proto__" {
            self.uses.own_globals = true;
        }
        if name == "prototype" && self.free(object).is_some() {
            self.prototype_references += 1;
        }
        if self.is_prototype(object) {
            self.prototype_reads += 1;
        }
    }
}

impl<'a> Visit<'a> for Finder<'_, '_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.depth += 1;
        walk::walk_function(self, function, flags);
        self.depth -= 1;
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        self.depth += 1;
        walk::walk_arrow_function_expression(self, function);
        self.depth -= 1;
    }

    fn visit_await_expression(&mut self, expression: &AwaitExpression<'a>) {
        self.uses.awaits |= self.depth == 1;
        walk::walk_await_expression(self, expression);
    }

    fn visit_for_of_statement(&mut self, statement: &ForOfStatement<'a>) {
        self.uses.awaits |= statement.r#await && self.depth == 1;
        walk::walk_for_of_statement(self, statement);
    }

    fn visit_this_expression(&mut self, _: &ThisExpression) {
        // The function's own `this` is the global object.
        self.uses.own_globals |= self.depth == 1;
    }

    fn visit_with_statement(&mut self, statement: &WithStatement<'a>) {
        self.uses.own_globals = true;
        self.uses.node_of_message = true;
        walk::walk_with_statement(self, statement);
    }

    fn visit_identifier_reference(&mut self, identifier: &IdentifierReference<'a>) {
        if identifier.name == "node" && (self.is_free)(identifier) {
            self.node_references += 1;
        }
    }

    fn visit_static_member_expression(&mut self, member: &StaticMemberExpression<'a>) {
        self.member(&member.object, &member.property.name);
        walk::walk_static_member_expression(self, member);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        if let Expression::StaticMemberExpression(callee) = &call.callee {
            self.uses.calls_done |=
                callee.property.name == "done" && self.free(&callee.object) == Some("node");
            // Object.assign(String, …), Object.defineProperty(Math, …)
            let changes_builtin = matches!(self.free(&callee.object), Some("Object" | "Reflect"))
                && call
                    .arguments
                    .first()
                    .and_then(|first| first.as_expression())
                    .is_some_and(|first| {
                        self.free(first)
                            .is_some_and(|name| name != "msg" && !super::API_NAMES.contains(&name))
                    })
                && matches!(
                    &*callee.property.name,
                    "assign" | "defineProperty" | "defineProperties" | "setPrototypeOf" | "set"
                );
            self.uses.own_globals |= changes_builtin;
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_simple_assignment_target(&mut self, target: &SimpleAssignmentTarget<'a>) {
        // Math.half = …, String.prototype.shout = …
        let object = match target {
            SimpleAssignmentTarget::StaticMemberExpression(member) => Some(&member.object),
            SimpleAssignmentTarget::ComputedMemberExpression(member) => Some(&member.object),
            _ => None,
        };
        self.uses.own_globals |= object.is_some_and(|object| {
            self.is_prototype(object)
                || self
                    .free(object)
                    .is_some_and(|name| name != "msg" && !super::API_NAMES.contains(&name))
        });
        walk::walk_simple_assignment_target(self, target);
    }
}

/// Whether code is empty but for blanks and comments, as untouched start and stop sections are.
pub(super) fn is_blank(code: &str) -> bool {
    if code.trim().is_empty() {
        return true;
    }
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, code, SourceType::script()).parse();
    !parsed.panicked
        && parsed.diagnostics.is_empty()
        && parsed.program.body.is_empty()
        && parsed.program.directives.is_empty()
}
