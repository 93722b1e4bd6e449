//! The triangular root of a covariance matrix. Written here: the matrices have a few dozen columns, where a linear
//! algebra crate would cost more to compile, and to carry into the browser, than it saves.

/// `L` of `A = L L'`.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    lower: Vec<f64>,
    size: usize,
}

impl Cholesky {
    /// The root of a symmetric matrix given by rows; none where it is not positive definite, that is where
    /// a variable is a linear function of those before it.
    pub(crate) fn new(matrix: &[f64], size: usize) -> Option<Self> {
        let mut lower = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let inner: f64 = (0..column).map(|k| lower[row * size + k] * lower[column * size + k]).sum();
                let rest = matrix[row * size + column] - inner;
                if row > column {
                    lower[row * size + column] = rest / lower[column * size + column];
                } else if rest > matrix[row * size + row] * 1e-11 {
                    lower[row * size + row] = rest.sqrt();
                } else {
                    return None;
                }
            }
        }
        Some(Self { lower, size })
    }

    /// `x' A⁻¹ x`.
    pub(crate) fn inverse_form(&self, vector: &[f64]) -> f64 {
        let mut solved: Vec<f64> = Vec::with_capacity(self.size);
        for row in 0..self.size {
            let known: f64 =
                solved.iter().enumerate().map(|(k, y)| self.lower[row * self.size + k] * y).sum();
            solved.push((vector[row] - known) / self.lower[row * self.size + row]);
        }
        solved.iter().map(|y| y * y).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_by_hand() {
        // A = [4 2; 2 3], A⁻¹ = [3 -2; -2 4] / 8; (1, 2): (3 - 8 + 16) / 8.
        let root = Cholesky::new(&[4.0, 2.0, 2.0, 3.0], 2).expect("the matrix is positive definite");
        assert!((root.inverse_form(&[1.0, 2.0]) - 11.0 / 8.0).abs() < 1e-15);
    }

    #[test]
    fn dependent_columns_have_no_root() {
        assert!(Cholesky::new(&[1.0, 2.0, 2.0, 4.0], 2).is_none());
        assert!(Cholesky::new(&[0.0], 1).is_none());
        assert!(Cholesky::new(&[f64::NAN], 1).is_none());
    }
}
