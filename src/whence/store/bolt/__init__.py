"""The production store, on Neo4j. The only room with Cypher in it."""
