//! Nodes of the palette category "function".

mod change;
mod change_replace;
mod change_rules;
mod delay;
mod delay_burst;
mod delay_each;
mod delay_pace;
mod delay_rate;
mod delay_topics;
mod exec;
mod exec_output;
mod exec_process;
mod exec_signal;
mod function_node;
mod range;
mod rbe;
mod rbe_band;
mod switch;
mod switch_repair;
mod switch_rules;
mod switch_tests;
mod template;
mod trigger;
mod trigger_topic;
mod trigger_value;

pub(super) use change::Change;
pub(super) use delay::Delay;
pub(super) use exec::Exec;
pub(super) use function_node::FunctionNode;
pub(super) use range::Range;
pub(super) use rbe::Rbe;
pub(super) use switch::Switch;
pub(super) use template::Template;
pub(super) use trigger::Trigger;
