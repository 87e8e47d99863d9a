//! JSONata, as the engine needs it. `script` implements it; the engine knows no JavaScript.

use std::sync::Arc;

use super::{NodeContext, NodeError};
use crate::message::{ErrorValue, Message, Object, Value};

/// Why an expression can't be read or evaluated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// JSONata's own sentence.
    pub message: String,
    /// JSONata's code, such as `S0201`.
    pub code: Option<String>,
    /// What JSONata threw, where it threw an object: `code`, `position`, `token`, `message`.
    pub thrown: Option<Object>,
}

impl ExpressionError {
    /// The error as nodes of Node-RED hand it on that say nothing of their own about it.
    pub fn into_thrown(self) -> NodeError {
        match self.thrown {
            Some(thrown) => NodeError::Value(thrown.into()),
            None => self.message.into(),
        }
    }
}

impl From<&str> for ExpressionError {
    fn from(message: &str) -> Self {
        Self {
            message: message.into(),
            code: None,
            thrown: None,
        }
    }
}

impl From<ExpressionError> for NodeError {
    fn from(error: ExpressionError) -> Self {
        error.message.into()
    }
}

impl From<ExpressionError> for ErrorValue {
    fn from(error: ExpressionError) -> Self {
        let value = Self::named("Error", error.message);
        match error.code {
            Some(code) => value.with_code(&code),
            None => value,
        }
    }
}

impl From<ExpressionError> for String {
    fn from(error: ExpressionError) -> Self {
        error.message
    }
}

/// Reads and evaluates JSONata expressions. An expression is read once and kept ready, by its text.
pub trait Expressions: Send + Sync {
    /// Whether the text is an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, source: &str, ctx: &NodeContext) -> Result<(), ExpressionError>;

    /// The value of an expression. `bindings` are variables by name, without the `$`. Functions of Node-RED such as
    /// `$flowContext` and `$env` see what the node sees.
    ///
    /// # Errors
    /// What is wrong with it, or with the value.
    fn evaluate(
        &self,
        source: &Arc<str>,
        input: &Value,
        bindings: &[(&str, Value)],
        ctx: &NodeContext,
    ) -> Result<Value, ExpressionError>;

    /// A time as text in a format of moment.js (the typed input `date`).
    ///
    /// # Errors
    /// When the format can't be used.
    fn format_date(
        &self,
        unix_ms: f64,
        format: &str,
        ctx: &NodeContext,
    ) -> Result<String, ExpressionError>;
}

impl NodeContext {
    /// Whether a text is a JSONata expression: to be asked at the start, so that its mistakes are told then.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_expression(&self, source: &str) -> Result<(), ExpressionError> {
        self.shared().expressions.check(source, self)
    }

    /// The value of a JSONata expression for any value; [`NodeContext::evaluate`] does it for a message.
    /// `bindings` are variables by name, without the `$`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn evaluate_expression(
        &self,
        source: &Arc<str>,
        input: &Value,
        bindings: &[(&str, Value)],
    ) -> Result<Value, ExpressionError> {
        self.shared()
            .expressions
            .evaluate(source, input, bindings, self)
    }

    /// As [`NodeContext::evaluate_expression`] for a message, also of the old style that names it `msg`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn evaluate_for(
        &self,
        source: &Arc<str>,
        msg: &Message,
        bindings: &[(&str, Value)],
    ) -> Result<Value, ExpressionError> {
        self.evaluate_expression(source, &msg.to_value(), bindings)
    }
}
