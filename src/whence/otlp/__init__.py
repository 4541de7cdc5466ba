"""OTLP bytes to spans: protobuf and JSON, limits. The only room that knows OTLP. Pure."""
