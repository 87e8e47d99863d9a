//! Which parts of a message a function's code reaches, found in its source: only those have to become JavaScript values.
//!
//! It is known if the code uses `msg` in nothing but paths with fixed names (`msg.payload.values.x`) and returns it. Any
//! other use, such as `Object.keys(msg)` or `msg[name]`, reaches all of it, and there is no [`Reach`].

use std::collections::BTreeMap;

use oxc_ast::ast::{
    ArrayExpressionElement, ArrowFunctionExpression, BindingPattern, CallExpression, Expression,
    Function, IdentifierReference, MemberExpression, Program, PropertyKey, ReturnStatement,
    TaggedTemplateExpression, UnaryExpression, UnaryOperator, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{ScopeFlags, Semantic};

use crate::message::Key;

/// The parts of an object that code reaches, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) parts: BTreeMap<Key, Part>,
}

/// How much of a property code reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of its value.
    Whole,
    /// If its value is an object, no more than these parts of it.
    Object(Reach),
}

impl Reach {
    /// What `program` reaches of the `msg` that its outermost function gets. None: of that nothing less than all can be said.
    pub(super) fn of(program: &Program, semantic: &Semantic) -> Option<Self> {
        let scoping = semantic.scoping();
        if scoping.symbol_names().any(|name| name == "msg") {
            return None;
        }
        let unresolved = scoping.root_unresolved_references();
        if unresolved.iter().any(|(name, references)| {
            let name: &str = name.as_ref();
            let written = || {
                let mut all = references.iter();
                all.any(|&id| scoping.get_reference(id).is_write())
            };
            name == "arguments" || (name == "msg" && written())
        }) {
            return None;
        }
        let mut finder = Finder {
            is_msg: &|identifier| {
                identifier.name == "msg" && semantic.is_reference_to_global_variable(identifier)
            },
            reach: Self::default(),
            depth: 0,
            uses: 0,
            understood: 0,
            deleted: Vec::new(),
            paths: Vec::new(),
            opaque: false,
        };
        finder.visit_program(program);
        finder.found()
    }

    /// Takes a path in.
    fn add(&mut self, path: &[&str]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let key = Key::from(*first);
        if rest.is_empty() {
            self.parts.insert(key, Part::Whole);
            return;
        }
        let part = self
            .parts
            .entry(key)
            .or_insert_with(|| Part::Object(Self::default()));
        if let Part::Object(inner) = part {
            inner.add(rest);
        }
    }
}

/// Names that every object answers to, with something that leads away from it.
const OF_EVERY_OBJECT: [&str; 12] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

struct Finder<'a, 'f> {
    is_msg: &'f dyn Fn(&IdentifierReference) -> bool,
    reach: Reach,
    /// How many functions stand around; 1 is the code's own.
    depth: usize,
    /// How often `msg` is used, and how often that was understood.
    uses: usize,
    understood: usize,
    deleted: Vec<Vec<&'a str>>,
    paths: Vec<Vec<&'a str>>,
    /// There is something that this can't tell the reach of.
    opaque: bool,
}

impl<'a> Finder<'a, '_> {
    fn found(mut self) -> Option<Reach> {
        // Whether something is deleted before or after it is set decides on the order of properties.
        let meets = |deleted: &Vec<&str>, path: &Vec<&str>| {
            let common = deleted.len().min(path.len());
            deleted[..common] == path[..common]
        };
        let unclear = self.deleted.iter().enumerate().any(|(index, deleted)| {
            self.paths.iter().any(|path| meets(deleted, path))
                || self.deleted[..index]
                    .iter()
                    .any(|other| meets(deleted, other))
        });
        let all = self.paths.iter().chain(&self.deleted);
        let strange = all
            .clone()
            .flatten()
            .any(|name| OF_EVERY_OBJECT.contains(name) || Key::is_index(name) || *name == "_msgid");
        if self.opaque || unclear || strange || self.uses != self.understood {
            return None;
        }
        for path in all {
            self.reach.add(path);
        }
        Some(std::mem::take(&mut self.reach))
    }

    /// The names of a path that begins with `msg`; none for anything else.
    fn path(&self, expression: &Expression<'a>) -> Option<Vec<&'a str>> {
        match expression {
            Expression::Identifier(identifier) => (self.is_msg)(identifier).then(Vec::new),
            Expression::ChainExpression(chain) => {
                self.member_path(chain.expression.as_member_expression()?)
            }
            other => self.member_path(other.as_member_expression()?),
        }
    }

    fn member_path(&self, member: &MemberExpression<'a>) -> Option<Vec<&'a str>> {
        match member {
            MemberExpression::StaticMemberExpression(member) => {
                let mut path = self.path(&member.object)?;
                path.push(member.property.name.as_str());
                Some(path)
            }
            MemberExpression::ComputedMemberExpression(member) => {
                let Expression::StringLiteral(name) = &member.expression else {
                    return None;
                };
                let mut path = self.path(&member.object)?;
                path.push(name.value.as_str());
                Some(path)
            }
            MemberExpression::PrivateFieldExpression(_) => None,
        }
    }

    /// A path that the code uses somehow.
    fn uses_path(&mut self, path: Vec<&'a str>) {
        self.uses += 1;
        // An inner function may run when the message has long left.
        self.opaque |= self.depth > 1;
        if !path.is_empty() {
            self.understood += 1;
            self.paths.push(path);
        }
    }

    /// What the code returns: `msg` itself, alone or in arrays.
    fn returned(&mut self, expression: &Expression<'a>) {
        match expression {
            Expression::Identifier(identifier) if (self.is_msg)(identifier) => self.understood += 1,
            Expression::ArrayExpression(array) => {
                for element in &array.elements {
                    if let ArrayExpressionElement::SpreadElement(_) = element {
                        continue;
                    }
                    if let Some(element) = element.as_expression() {
                        self.returned(element);
                    }
                }
            }
            Expression::ConditionalExpression(choice) => {
                self.returned(&choice.consequent);
                self.returned(&choice.alternate);
            }
            Expression::ParenthesizedExpression(inner) => self.returned(&inner.expression),
            _ => {}
        }
    }
}

impl<'a> Visit<'a> for Finder<'a, '_> {
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

    fn visit_identifier_reference(&mut self, identifier: &IdentifierReference<'a>) {
        if (self.is_msg)(identifier) {
            self.uses += 1;
        }
    }

    fn visit_member_expression(&mut self, member: &MemberExpression<'a>) {
        match self.member_path(member) {
            Some(path) => self.uses_path(path),
            None => walk::walk_member_expression(self, member),
        }
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        // A method gets the object that it is called on.
        let object = call
            .callee
            .as_member_expression()
            .and_then(|member| self.path(member.object()));
        match object {
            Some(path) => {
                self.uses_path(path);
                if let Some(MemberExpression::ComputedMemberExpression(member)) =
                    call.callee.as_member_expression()
                {
                    self.visit_expression(&member.expression);
                }
            }
            None => self.visit_expression(&call.callee),
        }
        for argument in &call.arguments {
            self.visit_argument(argument);
        }
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        // const {payload, topic} = msg
        if let (BindingPattern::ObjectPattern(pattern), Some(Expression::Identifier(from))) =
            (&declarator.id, &declarator.init)
            && (self.is_msg)(from)
            && pattern.rest.is_none()
        {
            let names = pattern
                .properties
                .iter()
                .map(|property| match &property.key {
                    PropertyKey::StaticIdentifier(name) => Some(vec![name.name.as_str()]),
                    _ => None,
                });
            if let Some(names) = names.collect::<Option<Vec<_>>>() {
                self.understood += 1;
                self.opaque |= self.depth > 1;
                self.paths.extend(names);
            }
        }
        walk::walk_variable_declarator(self, declarator);
    }

    fn visit_tagged_template_expression(&mut self, template: &TaggedTemplateExpression<'a>) {
        self.opaque |= self.path(&template.tag).is_some();
        walk::walk_tagged_template_expression(self, template);
    }

    fn visit_unary_expression(&mut self, unary: &UnaryExpression<'a>) {
        let path = match unary.operator {
            UnaryOperator::Delete => self.path(&unary.argument),
            _ => None,
        };
        match path {
            Some(path) if !path.is_empty() => {
                self.uses += 1;
                self.understood += 1;
                self.opaque |= self.depth > 1;
                self.deleted.push(path);
            }
            _ => walk::walk_unary_expression(self, unary),
        }
    }

    fn visit_return_statement(&mut self, statement: &ReturnStatement<'a>) {
        if let (1, Some(returned)) = (self.depth, &statement.argument) {
            self.returned(returned);
        }
        walk::walk_return_statement(self, statement);
    }
}
