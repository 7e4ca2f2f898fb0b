//! Executable examples: YAML specs with given events, profiles and an as-of, and the members they expect.
//!
//! Owns: the spec format. Promises: every mistake in a spec has its place. Must not know: the engine.
