//! Nothing here: every example is a file of its own beside `src/`.
