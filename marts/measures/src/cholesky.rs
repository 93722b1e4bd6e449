//! The triangular root of a covariance matrix. Written here: the matrices have a few dozen columns, where a linear
//! algebra crate would cost more to compile, and to carry into the browser, than it saves.

/// What rounding leaves of a dependent variable is far below this share of its variance.
pub(crate) const ROUNDING: f64 = 1e-11;

/// `L` of `A = L L'`, over the variables that are no linear function of those before them.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    // INVARIANT: the kept variables' rows, of `kept.len()` columns.
    lower: Vec<f64>,
    kept: Vec<usize>,
}

impl Cholesky {
    /// The root of a symmetric matrix given by rows; none where it is not positive definite.
    pub(crate) fn new(matrix: &[f64], size: usize) -> Option<Self> {
        Some(Self::of_independent(matrix, size, ROUNDING)).filter(|root| root.rank() == size)
    }

    /// The root over a largest set of variables that are independent, chosen in their order. A variable of whose variance
    /// those before it leave no more than the share `least` depends on them.
    pub(crate) fn of_independent(matrix: &[f64], size: usize, least: f64) -> Self {
        let mut rows: Vec<Vec<f64>> = Vec::new();
        let mut kept: Vec<usize> = Vec::new();
        for variable in 0..size {
            let mut row: Vec<f64> = Vec::with_capacity(kept.len() + 1);
            for (place, other) in kept.iter().enumerate() {
                let inner: f64 = row.iter().zip(&rows[place]).map(|(a, b)| a * b).sum();
                row.push((matrix[variable * size + other] - inner) / rows[place][place]);
            }
            let own = matrix[variable * size + variable];
            let rest = own - row.iter().map(|value| value * value).sum::<f64>();
            if rest > own * least {
                row.push(rest.sqrt());
                rows.push(row);
                kept.push(variable);
            }
        }
        let rank = kept.len();
        let mut lower = vec![0.0; rank * rank];
        for (place, row) in rows.iter().enumerate() {
            lower[place * rank..place * rank + row.len()].copy_from_slice(row);
        }
        Self { lower, kept }
    }

    /// The independent variables, ascending.
    pub(crate) fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// The number of independent variables.
    pub(crate) fn rank(&self) -> usize {
        self.kept.len()
    }

    /// `y` of `L y = x` over the independent variables: with `A` the covariance of `x`, the variances of `y` are one
    /// and its covariances zero.
    pub(crate) fn whiten(&self, vector: &[f64]) -> Vec<f64> {
        let rank = self.rank();
        let mut solved: Vec<f64> = Vec::with_capacity(rank);
        for (place, variable) in self.kept.iter().enumerate() {
            let row = &self.lower[place * rank..(place + 1) * rank];
            let known: f64 = solved.iter().zip(row).map(|(y, l)| y * l).sum();
            solved.push((vector[*variable] - known) / row[place]);
        }
        solved
    }

    /// How near the matrix is to having dependent variables: the smallest share of a variable's variance that those
    /// before it do not explain; zero where one was left out.
    pub(crate) fn smallest_pivot(&self, matrix: &[f64]) -> f64 {
        let rank = self.rank();
        if rank * rank != matrix.len() {
            return 0.0;
        }
        let share = |k: usize| self.lower[k * rank + k].powi(2) / matrix[k * rank + k];
        (0..rank).map(share).fold(1.0, f64::min)
    }

    /// The inverse of the matrix over the independent variables, by rows.
    pub(crate) fn inverse(&self) -> Vec<f64> {
        let rank = self.rank();
        // The inverse of the root, by columns: what each unit vector whitens to.
        let mut columns = vec![0.0; rank * rank];
        for unit in 0..rank {
            for row in unit..rank {
                let known: f64 =
                    (unit..row).map(|k| self.lower[row * rank + k] * columns[unit * rank + k]).sum();
                let one = f64::from(u8::from(row == unit));
                columns[unit * rank + row] = (one - known) / self.lower[row * rank + row];
            }
        }
        let entry = |(left, right): (usize, usize)| -> f64 {
            (left.max(right)..rank).map(|k| columns[left * rank + k] * columns[right * rank + k]).sum()
        };
        (0..rank * rank).map(|place| entry((place / rank, place % rank))).collect()
    }

    /// A generalised inverse of the whole matrix, of `size` variables, by rows: the inverse over the independent ones, and
    /// nothing for the others.
    pub(crate) fn generalised_inverse(&self, size: usize) -> Vec<f64> {
        let inverse = self.inverse();
        let mut whole = vec![0.0; size * size];
        for (row, values) in self.kept.iter().zip(inverse.chunks_exact(self.rank().max(1))) {
            self.kept.iter().zip(values).for_each(|(column, value)| whole[row * size + column] = *value);
        }
        whole
    }

    /// `x' A⁻¹ x` over the independent variables.
    pub(crate) fn inverse_form(&self, vector: &[f64]) -> f64 {
        self.whiten(vector).iter().map(|y| y * y).sum()
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
        for (ours, theirs) in root.inverse().iter().zip([0.375, -0.25, -0.25, 0.5]) {
            assert!((ours - theirs).abs() < 1e-15);
        }
        // The first explains 4/12 of the second.
        assert!((root.smallest_pivot(&[4.0, 2.0, 2.0, 3.0]) - 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn dependent_variables_have_no_root_of_their_own() {
        assert!(Cholesky::new(&[1.0, 2.0, 2.0, 4.0], 2).is_none());
        assert!(Cholesky::new(&[0.0], 1).is_none());
        assert!(Cholesky::new(&[f64::NAN], 1).is_none());
        // The second of three variables is twice the first; the third stands alone with variance 9.
        let root = Cholesky::of_independent(&[1.0, 2.0, 0.0, 2.0, 4.0, 0.0, 0.0, 0.0, 9.0], 3, ROUNDING);
        assert_eq!(root.rank(), 2);
        assert!((root.inverse_form(&[1.0, 2.0, 3.0]) - 2.0).abs() < 1e-15);
        let inverse = root.generalised_inverse(3);
        assert_eq!(inverse[..8], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!((inverse[8] - 1.0 / 9.0).abs() < 1e-16);
        assert!(Cholesky::of_independent(&[0.0], 1, ROUNDING).generalised_inverse(1) == [0.0]);
    }
}
