//! Tests of graphs, wiring and diffs: flow JSON in, what runs out.
