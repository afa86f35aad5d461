//! Pure functions from decoded predictions to scores.
