"""A server of a scikit-learn model. The lines that end in ``# +`` are all that whence adds.

No version is typed: each prediction names the digest of the file that the model was loaded from.
"""

from typing import Any

import joblib
from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

import whence  # +

whence.configure(service_name="scoring")  # +
app = FastAPI()
FastAPIInstrumentor.instrument_app(app)
model: Any = joblib.load("model.joblib")


@app.get("/score")
def score(age: float) -> float:
    """What the model says of somebody of this age."""
    return float(model.predict([[age]])[0])
