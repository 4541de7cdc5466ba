"""A FastAPI service. The lines that end in ``# +`` are all that whence adds; OpenTelemetry makes the spans."""

from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

import whence  # +

whence.configure(service_name="ranking")  # +
app = FastAPI()
FastAPIInstrumentor.instrument_app(app)


@app.get("/rank")
def rank(user: int) -> list[int]:
    """Products that a user is likely to want."""
    whence.reads("s3://lake#warehouse/features@iceberg:3055729675574597004")  # +
    return [(user * product) % 7 for product in range(5)]
