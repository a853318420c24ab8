//! Comparison of two logs.
