"""Roll-outs in a Kubernetes cluster, as reports of changes."""
