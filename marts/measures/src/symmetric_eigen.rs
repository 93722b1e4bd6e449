//! The inverse of a covariance matrix whose variables may depend on each other linearly. Written here for the reason
//! given in [`crate::cholesky`].

/// The inverse on the space that the matrix spans, and that space's dimension.
#[derive(Debug, Clone)]
pub(crate) struct PseudoInverse {
    /// By rows.
    pub(crate) matrix: Vec<f64>,
    /// The rank.
    pub(crate) rank: usize,
}

/// Eigenvalues below this share of the largest count as zero.
const SMALLEST: f64 = 1e-10;

impl PseudoInverse {
    /// The inverse of a symmetric matrix given by rows, with eigenvalues near zero taken as zero.
    pub(crate) fn new(matrix: &[f64], size: usize) -> Self {
        let (values, vectors) = eigen(matrix, size);
        let largest = values.iter().copied().fold(0.0, f64::max);
        let kept: Vec<usize> = (0..size).filter(|k| values[*k] > SMALLEST * largest).collect();
        let mut inverse = vec![0.0; size * size];
        for &k in &kept {
            for row in 0..size {
                for column in 0..size {
                    inverse[row * size + column] +=
                        vectors[row * size + k] * vectors[column * size + k] / values[k];
                }
            }
        }
        Self { matrix: inverse, rank: kept.len() }
    }
}

/// Eigenvalues, and eigenvectors as columns, of a symmetric matrix.
// Source: Jacobi's method with cyclic sweeps, Golub GH, Van Loan CF, Matrix Computations, 4th ed., 8.5.
fn eigen(matrix: &[f64], size: usize) -> (Vec<f64>, Vec<f64>) {
    const SWEEPS: usize = 100;
    let mut a = matrix.to_vec();
    let mut vectors = vec![0.0; size * size];
    for k in 0..size {
        vectors[k * size + k] = 1.0;
    }
    let scale: f64 = a.iter().map(|value| value * value).sum();
    for _ in 0..SWEEPS {
        let off = |a: &[f64]| -> f64 {
            (0..size * size).filter(|k| k / size != k % size).map(|k| a[k] * a[k]).sum()
        };
        if off(&a) <= 1e-32 * scale {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut a, &mut vectors, size, (p, q));
            }
        }
    }
    ((0..size).map(|k| a[k * size + k]).collect(), vectors)
}

/// Turns two axes so that their covariance is zero.
fn rotate(a: &mut [f64], vectors: &mut [f64], size: usize, (p, q): (usize, usize)) {
    let off = a[p * size + q];
    if off == 0.0 {
        return;
    }
    let half = (a[q * size + q] - a[p * size + p]) / (2.0 * off);
    let tangent = half.signum() / (half.abs() + half.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    for k in 0..size {
        let (left, right) = (a[k * size + p], a[k * size + q]);
        a[k * size + p] = cosine * left - sine * right;
        a[k * size + q] = sine * left + cosine * right;
    }
    for k in 0..size {
        let (left, right) = (a[p * size + k], a[q * size + k]);
        a[p * size + k] = cosine * left - sine * right;
        a[q * size + k] = sine * left + cosine * right;
        let (left, right) = (vectors[k * size + p], vectors[k * size + q]);
        vectors[k * size + p] = cosine * left - sine * right;
        vectors[k * size + q] = sine * left + cosine * right;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(matrix: &[f64], size: usize, inverse: &[f64], rank: usize) {
        let ours = PseudoInverse::new(matrix, size);
        assert_eq!(ours.rank, rank);
        for (ours, theirs) in ours.matrix.iter().zip(inverse) {
            assert!((ours - theirs).abs() < 1e-13, "{ours} against {theirs}");
        }
    }

    #[test]
    fn a_regular_matrix_has_its_inverse() {
        check(&[4.0, 2.0, 2.0, 3.0], 2, &[0.375, -0.25, -0.25, 0.5], 2);
        check(&[2.0], 1, &[0.5], 1);
    }

    #[test]
    fn a_singular_matrix_is_inverted_where_it_spans() {
        // By hand: (1, 2)(1, 2)' has the inverse (1, 2)(1, 2)' / 25.
        check(&[1.0, 2.0, 2.0, 4.0], 2, &[0.04, 0.08, 0.08, 0.16], 1);
        check(&[0.0; 4], 2, &[0.0; 4], 0);
        check(&[], 0, &[], 0);
    }
}
