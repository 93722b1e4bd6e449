"""Makes the tables beside it from independent tools; see README.md."""
import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.duration.survfunc import CumIncidenceRight
from statsmodels.regression.linear_model import OLS


def cumulative_incidence():
    rng = np.random.default_rng(7)
    time = rng.integers(1, 25, 60)
    cause = rng.choice([0, 1, 2], 60, p=[0.3, 0.4, 0.3])
    cause[time == time.max()] = 0
    fit = CumIncidenceRight(time, cause)
    at = {t: i for i, t in enumerate(fit.times)}
    table = pd.DataFrame({"time": time, "cause": cause})
    for k in (1, 2):
        table[f"incidence_{k}"] = [fit.cinc[k - 1][at[t]] for t in time]
        table[f"error_{k}"] = [fit.cinc_se[k - 1][at[t]] for t in time]
    table.to_csv("cumulative_incidence.csv", index=False)


DRAWS = 400_000
SIZE, REST, VISITS = 7, 45, 6


def drawn(scores, statistic, rng):
    """The share of random choices of SIZE subjects whose statistic is above, and below, the observed one; half of the ties."""
    seen = statistic(scores[:SIZE])
    upper = lower = 0.0
    for _ in range(DRAWS // 10_000):
        order = np.argsort(rng.random((10_000, len(scores))), axis=1)[:, :SIZE]
        others = statistic(scores[order], axis=1)
        ties = np.sum(np.abs(others - seen) <= 1e-9) / 2
        upper += np.sum(others > seen + 1e-9) + ties
        lower += np.sum(others < seen - 1e-9) + ties
    return upper / DRAWS, lower / DRAWS


def site_tests():
    rng = np.random.default_rng(11)
    subject = np.repeat(np.arange(SIZE + REST), VISITS)
    spread = np.where(subject < SIZE, 0.7, 1.0)
    value = np.round(50 + rng.normal(0, 3, SIZE + REST)[subject] + 4 * spread * rng.normal(size=len(subject)))
    missing = rng.random(len(subject)) < np.where(subject < SIZE, 0.25, 0.12)
    kind = np.where(rng.random(len(subject)) < np.where(subject < SIZE, 0.3, 0.1), 3, rng.integers(0, 4, len(subject)))
    time = rng.random(SIZE + REST)[subject].round(3)
    table = pd.DataFrame({"subject": subject, "time": time, "value": value, "missing": missing.astype(int), "kind": kind})
    table.to_csv("site_tests.csv", index=False)
    rows = []

    def two_sided(name, scores):
        rows.append((name, min(1, 2 * min(drawn(scores, np.sum, rng))), "drawn"))

    by_subject = value.reshape(-1, VISITS)
    mean = by_subject.mean(1)
    two_sided("mean", mean)
    degrees = VISITS - 1
    two_sided("within", (by_subject.var(1, ddof=1)) ** (1 / 3) / (1 - 2 / (9 * degrees)))
    d = by_subject - mean[:, None]
    two_sided("lag", (d[:, 1:] * d[:, :-1]).sum(1) / (d**2).sum(1) + 1 / VISITS)
    share = missing.mean()
    two_sided("missing", (missing.reshape(-1, VISITS).sum(1) - VISITS * share) / np.sqrt(VISITS))
    heaped = value % 5 == 0
    two_sided("heaping", (heaped.reshape(-1, VISITS).sum(1) - VISITS * heaped.mean()) / np.sqrt(VISITS))
    same = by_subject[:, 1:] == by_subject[:, :-1]
    rows.append(("repeats", drawn(same.sum(1) - same.mean() * (VISITS - 1), np.sum, rng)[0], "drawn"))

    counts = np.stack([(kind.reshape(-1, VISITS) == k).sum(1) for k in range(4)], 1)
    centred = (counts - VISITS * counts.sum(0) / counts.sum())[:, :3]
    inverse = np.linalg.inv(np.cov(centred.T))
    form = lambda s: np.einsum("...i,ij,...j->...", s, inverse, s)
    rows.append(("kinds", drawn(centred, lambda s, axis=0: form(s.sum(axis)), rng)[0], "drawn"))

    points = np.stack([mean, by_subject.std(1, ddof=1)], 1)
    off = points - points.mean(0)
    square = np.einsum("ij,jk,ik->i", off, np.linalg.inv(np.cov(points.T, bias=True)), off)
    rows.append(("outliers", drawn(square, np.sum, rng)[0], "drawn"))
    rows.append(("inliers", drawn(np.cbrt(square), np.sum, rng)[1], "drawn"))

    when = time.reshape(-1, VISITS)[:, 0]
    own = (np.arange(SIZE + REST) < SIZE).astype(float)
    score = stats.norm.ppf(stats.rankdata(mean) / (SIZE + REST + 1))
    design = np.stack([np.ones_like(own), own, when, own * when], 1)
    rows.append(("trend", OLS(score, design).fit().pvalues[3], "exact"))
    total = np.round(mean * VISITS)
    below = (total[:, None] <= np.unique(total)[None, :]).astype(float)
    distance = lambda s, axis=0: np.abs(s.mean(axis) - (below.sum(0) - s.sum(axis)) / REST).max(-1).round(12)
    seen, reached = distance(below[:SIZE]), 0
    for _ in range(DRAWS // 10_000):
        order = np.argsort(rng.random((10_000, SIZE + REST)), axis=1)[:, :SIZE]
        reached += np.sum(distance(below[order], axis=1) >= seen)
    rows.append(("distribution", reached / DRAWS, "drawn"))
    pd.DataFrame(rows, columns=["test", "p_value", "kind"]).to_csv("site_tests_expected.csv", index=False)


if __name__ == "__main__":
    cumulative_incidence()
    site_tests()
