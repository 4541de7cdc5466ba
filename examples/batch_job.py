"""A training job. The lines that end in ``# +`` are all that whence adds.

Its run is told as one trace and as OpenLineage events. What pandas reads and writes is linked to it by content.
"""

import pandas as pd

import whence  # +

whence.configure(service_name="trainer")  # +


@whence.run("train-ranker")  # +
def train(source: str, target: str) -> None:
    """Learn how often each product is clicked."""
    clicks = pd.read_csv(source)
    weights = clicks.groupby("product", as_index=False)["clicked"].mean()
    weights.to_csv(target, index=False)


if __name__ == "__main__":
    train("clicks.csv", "weights.csv")
