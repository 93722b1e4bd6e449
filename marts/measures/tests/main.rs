//! The formulas against answers computed elsewhere, and the laws that hold for any input.
mod main {
    mod change;
    mod fisher_exact;
    mod flag;
    mod identity;
    mod in_frame;
    mod laws;
    mod missingness;
    mod normal_approximation;
    mod oracle;
    mod poisson_regression;
    mod risk_score;
    mod tolerance;
}
