//! Plans as people review them, and what apply refuses.

mod findings;
mod guards;
mod ownership;
mod rename;
mod review;
mod saved;
