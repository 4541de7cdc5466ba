"""Spans, logs, lineage and changes from Kafka, each record counted exactly once.

Kafka is the spool here. What a consumer folded since its last *cut* exists nowhere else, and is read again by whoever
has the partition next. A cut is one transaction of Kafka: the offsets, and in the journal topic the rows that follow
from what lies before them together with the spans of traces that are still open there. Only then do the rows go to the
store, whose merge takes them any number of times. Hence, whatever ends a consumer, and whenever:

- before the cut, nothing of it was stored, and its records are read again;
- after the cut, its successor finds the rows and the open traces in the journal, and goes on from there;
- a consumer that lost its partitions without noticing is refused the cut by the broker, so it stores nothing.

confluent-kafka is the client because that needs transactions which carry offsets (KIP-447) and metadata beside the
offsets, from a client that its broker's makers maintain: librdkafka, fetching in threads of its own. aiokafka is as
able on paper, but decodes every batch in Python, in the event loop that answers OTLP.
"""
