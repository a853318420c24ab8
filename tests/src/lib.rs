//! Nothing here: everything is in `it/`.
