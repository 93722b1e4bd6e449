"""Makes the tables beside it from independent tools; see README.md."""
import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import CumIncidenceRight


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


if __name__ == "__main__":
    cumulative_incidence()
