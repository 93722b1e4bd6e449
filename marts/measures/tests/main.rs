//! The formulas against answers computed elsewhere, and the laws that hold for any input.
mod main {
    mod cauchy_combination;
    mod chance;
    mod change;
    mod enrolment;
    mod fisher_exact;
    mod flag;
    mod identity;
    mod in_frame;
    mod invariance;
    mod laws;
    mod mcar;
    mod missingness;
    mod normal_approximation;
    mod oracle;
    mod poisson_regression;
    mod risk_score;
    mod site_test;
    mod site_test_golden;
    mod survival;
    mod tolerance;
}
