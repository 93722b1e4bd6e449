//! Repeated measurements of one subject: a level of its own and deviations that fade from visit to visit.

use super::draw::Draw;

/// The way of one measurement of one subject. Standard normal at any visit.
pub(super) struct Walk {
    level: f64,
    deviation: f64,
    shape: Shape,
}

/// What a walk is made of, as shares of its variance of 1.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// The share of the subject's own level.
    pub(super) level: f64,
    /// The share of what the assay or the reading adds, which has no memory.
    pub(super) noise: f64,
    /// The correlation of the rest from one visit to the next.
    pub(super) memory: f64,
}

impl Walk {
    /// A walk around a level, itself standard normal.
    pub(super) fn new(shape: Shape, level: f64, draw: &mut Draw) -> Self {
        Self { level, deviation: draw.normal(), shape }
    }

    /// The next visit: the subject's level and the deviation from it, whose sum is standard normal. `innovation` is
    /// standard normal.
    pub(super) fn step(&mut self, innovation: f64, draw: &mut Draw) -> (f64, f64) {
        let Shape { level, noise, memory } = self.shape;
        self.deviation = memory * self.deviation + (1.0 - memory * memory).sqrt() * innovation;
        let around = (1.0 - level - noise).sqrt() * self.deviation + noise.sqrt() * draw.normal();
        (level.sqrt() * self.level, around)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Seed;

    use super::*;

    #[test]
    fn a_walk_is_standard_normal_and_remembers() {
        let shape = Shape { level: 0.5, noise: 0.1, memory: 0.5 };
        let mut draw = Draw::new(Seed(1), "walk");
        let (mut square, mut product) = (0.0, 0.0);
        for _ in 0..20_000 {
            let level = draw.normal();
            let mut walk = Walk::new(shape, level, &mut draw);
            let mut step = || {
                let innovation = draw.normal();
                let (level, around) = walk.step(innovation, &mut draw);
                level + around
            };
            let (first, second) = (step(), step());
            square += second * second / 20_000.0;
            product += first * second / 20_000.0;
        }
        assert!((square - 1.0).abs() < 0.05, "{square}");
        // The level's share and half of the remembered rest: 0.5 + 0.5 * 0.4.
        assert!((product - 0.7).abs() < 0.05, "{product}");
    }
}
